"""Errors of the storage, in the words of the device: what could not be kept, and why."""

import errno
import sqlite3

from firmware.base.phrase import Phrase, phrase


class StorageError(Exception):
    """Root of the storage's errors; `phrase` is a sentence for people."""

    def __init__(self, phrase: Phrase) -> None:
        super().__init__(phrase)
        self.phrase = phrase


class DiskFullError(StorageError, OSError):
    """There is no room; what was kept before is unchanged."""


class ReadOnlyError(StorageError, OSError):
    """The place cannot be written; what was kept before is unchanged."""


class DiskFailedError(StorageError, OSError):
    """The disk reports an error; what was kept before may be lost."""


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


def from_os(what: str | Phrase, error: OSError) -> StorageError:
    """An operating system's error about `what` (a file's name) in our words."""
    if error.errno in _FULL:
        return DiskFullError(phrase("storage.full", what=what))
    if error.errno in _READ_ONLY:
        return ReadOnlyError(phrase("storage.read_only", what=what, reason=error.strerror))
    return DiskFailedError(phrase("storage.failed", what=what, reason=error.strerror or error))


def unreadable(what: str | Phrase, error: Exception) -> StorageError:
    """That what was kept cannot be had back."""
    return DiskFailedError(phrase("storage.unreadable", what=what, reason=error))


def from_sqlite(what: str | Phrase, error: sqlite3.Error) -> StorageError:
    """A database error about `what` in our words."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return DiskFullError(phrase("storage.full", what=what))
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return ReadOnlyError(phrase("storage.read_only", what=what, reason=error))
    return DiskFailedError(phrase("storage.failed", what=what, reason=error))
