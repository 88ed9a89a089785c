"""What a wiring test has learned is written into the settings file of a person.

The file is replaced whole or not at all, keeps its owner and its rights, and is not touched if the
board could not be built from what would be in it then.
"""

import contextlib
import os
from pathlib import Path

from firmware.config import examine
from firmware.storage.atomic import RealDisk, replace_file
from firmware.storage.errors import StorageError
from firmware.wiring.learned import Lesson, with_lessons
from hal.boards.loader import load_board
from hal.errors import BoardError


class _SameOwner(RealDisk):
    """What root replaces still belongs to the phone."""

    def __init__(self, was: os.stat_result) -> None:
        self._was = was

    def write(self, path: Path, data: bytes, mode: int) -> None:
        super().write(path, data, mode)
        # A card of FAT has neither owners nor rights, and says so.
        with contextlib.suppress(PermissionError):
            os.chown(path, self._was.st_uid, self._was.st_gid)
        with contextlib.suppress(PermissionError):
            # Whatever the mask of this user is.
            path.chmod(mode)


def write_lessons(config: Path, lessons: list[Lesson]) -> bool:
    """Put these lines into the file; False if a person has to do it, and the file is as it was."""
    try:
        text = with_lessons(config.read_bytes().decode(), lessons)
        if text is None or not _is_a_board(text, config):
            return False
        # The name may be a link; what it leads to is replaced.
        was = config.stat()
        replace_file(config, text.encode(), was.st_mode & 0o777, _SameOwner(was))
    except (OSError, UnicodeDecodeError, StorageError):
        return False
    return True


def _is_a_board(text: str, config: Path) -> bool:
    board = examine(text).draft.board.beside(config.resolve().parent)
    try:
        load_board(board.name, board.own, board.without)
    except BoardError:
        return False
    return True
