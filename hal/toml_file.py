"""The text of a board file, or a sentence why there is none."""

import stat
import tomllib
from pathlib import Path

from hal.errors import BoardError
from hal.toml_positions import place_of_fault


def read_toml(path: Path) -> tuple[dict[str, object], str]:
    """What the file says, and its text; nothing is believed of it yet.

    Raises:
        hal.errors.BoardError: it cannot be read, or is no TOML.
    """
    try:
        text = None if _endless(path) else path.read_text(encoding="utf-8")
    except OSError as error:
        raise BoardError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        # Bytes that are no UTF-8; a name with a zero in it.
        raise BoardError(f"{path}: not a TOML file: {error}") from error
    if text is None:
        raise BoardError(f"{path}: it is a device, not a file")
    return _parsed(text, path), text


def _parsed(text: str, path: Path) -> dict[str, object]:
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
