"""The text of a board file, or a sentence why there is none."""

import stat
import tomllib
from pathlib import Path

from hal.errors import BoardError


def read_toml(path: Path) -> dict[str, object]:
    """What the file says; nothing is believed of it yet.

    Raises:
        hal.errors.BoardError: it cannot be read, or is no TOML.
    """
    try:
        text = None if _endless(path) else path.read_text(encoding="utf-8")
        data: dict[str, object] = {} if text is None else tomllib.loads(text)
    except OSError as error:
        raise BoardError(f"{path}: {error.strerror or error}") from error
    except RecursionError as error:
        raise BoardError(f"{path}: not a TOML file: its brackets go too deep") from error
    except ValueError as error:
        # What tomllib complains of, bytes that are no UTF-8, a number of thousands of digits.
        raise BoardError(f"{path}: not a TOML file: {error}") from error
    if text is None:
        raise BoardError(f"{path}: it is a device, not a file")
    return data


def _endless(path: Path) -> bool:
    """Whether it is a pipe, or something like /dev/zero."""
    kind = stat.S_IFMT(path.stat().st_mode)
    return kind not in (stat.S_IFREG, stat.S_IFDIR)
