"""Errors of the hardware layer, in the words of the device."""

from collections.abc import Sequence
from typing import NamedTuple


class HalError(Exception):
    """Root of all hardware errors; the message is a sentence a builder understands."""


class BoardFault(NamedTuple):
    """One thing that is wrong with a board, at its line (0 = none) of a file.

    `file` is empty for what a person's own `[board]` says; where that stands only its reader knows.
    `path` is the key by its names, `words` begin with it, and `what` are the words without it.
    """

    file: str
    line: int
    path: tuple[str | int, ...]
    words: str
    what: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place or 'your [board]'}: {self.words}"


class BoardError(HalError, ValueError):
    """A board file is wrong: the message names file, line, key and what would be right.

    `faults` are those of its keys, one for each line of the message; none if there is no such file.
    """

    def __init__(self, message: str, faults: Sequence[BoardFault] = ()) -> None:
        super().__init__(message)
        self.faults = tuple(faults)


class DeviceError(HalError, OSError):
    """A device cannot be opened or used."""


class DeviceGoneError(DeviceError):
    """A device that worked has vanished."""
