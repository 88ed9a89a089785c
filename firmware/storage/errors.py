"""Errors of the storage, in the words of the device: what could not be kept, and why."""

import errno
import sqlite3


class StorageError(Exception):
    """Root of the storage's errors; the message is a sentence for people."""


class DiskFullError(StorageError, OSError):
    """There is no room; what was kept before is unchanged."""


class ReadOnlyError(StorageError, OSError):
    """The place cannot be written; what was kept before is unchanged."""


class DiskFailedError(StorageError, OSError):
    """The disk reports an error; what was kept before may be lost."""


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


def from_os(what: str, error: OSError) -> StorageError:
    """An operating system's error about `what` (a file's name) in our words."""
    if error.errno in _FULL:
        return DiskFullError(f"no room to keep {what}: the disk is full")
    if error.errno in _READ_ONLY:
        return ReadOnlyError(f"{what} cannot be written: {error.strerror}")
    return DiskFailedError(f"{what} cannot be kept: {error.strerror or error}")


def from_sqlite(what: str, error: sqlite3.Error) -> StorageError:
    """A database error about `what` in our words."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return DiskFullError(f"no room to keep {what}: the disk is full")
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return ReadOnlyError(f"{what} cannot be written: {error}")
    return DiskFailedError(f"{what} cannot be kept: {error}")
