"""What a wiring test has learned is written into the settings file of a person.

The file is replaced whole or not at all, keeps its owner and its rights, and is not touched if the
board could not be built from what would be in it then.
"""

import contextlib
import errno
import os
from pathlib import Path

from firmware.config import examine_bytes
from firmware.config.schema import BoardSettings
from firmware.storage.atomic import RealDisk, real_path, replace_file
from firmware.storage.errors import StorageError
from firmware.wiring.learned import Lesson, with_lessons
from hal.boards.loader import load_board
from hal.errors import BoardError


class _SameFile(RealDisk):
    """What root replaces still belongs to the phone; what somebody has changed is not replaced."""

    def __init__(self, was: os.stat_result, read: bytes) -> None:
        self._was = was
        self._read = read

    def write(self, path: Path, data: bytes, mode: int) -> None:
        super().write(path, data, mode)
        # A card of FAT has neither owners nor rights, and says so.
        with contextlib.suppress(PermissionError):
            os.chown(path, self._was.st_uid, self._was.st_gid)
        with contextlib.suppress(PermissionError):
            # Whatever the mask of this user is.
            path.chmod(mode)

    def rename(self, source: Path, target: Path) -> None:
        if target.read_bytes() != self._read:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        super().rename(source, target)


def write_lessons(config: Path, lessons: list[Lesson], walked: BoardSettings | None = None) -> bool:
    """Put these lines into the file; False if a person has to do it, and the file is as it was.

    A walk takes its time: they are about `walked`, and the file may be about another board by now.
    """
    try:
        # The name may be a link; what it leads to is replaced.
        was = config.stat()
        read = config.read_bytes()
        if walked not in (None, _board_of(read, config)):
            return False
        text = with_lessons(read.decode(), lessons)
        if text is None or not _is_a_board(text.encode(), config):
            return False
        replace_file(config, text.encode(), was.st_mode & 0o777, _SameFile(was, read))
    except (OSError, UnicodeDecodeError, StorageError):
        return False
    return True


def _is_a_board(content: bytes, config: Path) -> bool:
    board = _board_of(content, config)
    try:
        return board is not None and bool(load_board(board.name, board.own, board.without))
    except BoardError:
        return False


def _board_of(content: bytes, config: Path) -> BoardSettings | None:
    """The board of a settings file with this content; None if it could not be read."""
    found = examine_bytes(content, str(config))
    if found.document is None or found.document.problems:
        return None
    return found.draft.board.beside(real_path(config).parent)
