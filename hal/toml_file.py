"""The text of a board file, or a sentence why there is none."""

import stat
import tomllib
from pathlib import Path

from hal.errors import BoardError
from hal.toml_positions import endless_key, place_of_fault

_MOST = 256 * 1024
"""Bytes; a board has a few thousand."""


def read_toml(path: Path) -> tuple[dict[str, object], str]:
    """What the file says, and its text; nothing is believed of it yet.

    Raises:
        hal.errors.BoardError: it cannot be read, or is no TOML.
    """
    try:
        text = None if _endless(path) else _text(path)
    except BoardError:
        raise
    except OSError as error:
        raise BoardError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        # Bytes that are no UTF-8; a name with a zero in it.
        raise BoardError(f"{path}: not a TOML file: {error}") from error
    if text is None:
        raise BoardError(f"{path}: it is a device, not a file")
    return _parsed(text, path), text


def _text(path: Path) -> str:
    """UTF-8, with the byte-order mark and the line ends that editors make."""
    with path.open("rb") as stream:
        data = stream.read(_MOST + 1)
    if len(data) > _MOST:
        raise BoardError(f"{path}: it has more than {_MOST} bytes, this is no board")
    return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")


def _parsed(text: str, path: Path) -> dict[str, object]:
    if line := endless_key(text):
        raise BoardError(f"{path}:{line}: not a TOML file: its key has too many names")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise BoardError(f"{path}: not a TOML file: its brackets go too deep") from error
    except ValueError as error:
        line, detail = place_of_fault(error, text)
        # A number of thousands of digits has no place.
        where, why = (f"{path}:{line}", detail) if detail else (str(path), str(error))
        raise BoardError(f"{where}: not a TOML file: {why}") from error


def _endless(path: Path) -> bool:
    """Whether it is a pipe, or something like /dev/zero."""
    kind = stat.S_IFMT(path.stat().st_mode)
    return kind not in (stat.S_IFREG, stat.S_IFDIR)
