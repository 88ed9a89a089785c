"""A file is replaced whole or not at all, whatever instant the power fails.

The new content is written beside the old under another name and forced to the disk, then renamed
over it, then the folder is forced to the disk (POSIX rename is atomic; without the first fsync the
new name could point at an empty file, without the second the old one could come back).

Two who replace files in a folder at once do so one after the other: the one would rename what the
other has only half written.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from firmware.storage.errors import from_os

PRIVATE = 0o600


class Disk(Protocol):
    """The four steps; a test has one that loses power between them."""

    def write(self, path: Path, data: bytes, mode: int) -> None:
        """Make a file anew with this content; it may still be in memory only."""
        ...

    def sync(self, path: Path) -> None:
        """Force a file's content to the disk."""
        ...

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another's name, replacing it."""
        ...

    def sync_folder(self, folder: Path) -> None:
        """Force the names in a folder to the disk."""
        ...


class RealDisk:
    """The operating system's."""

    def write(self, path: Path, data: bytes, mode: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        # O_EXCL: whatever appears under this name in between, we do not write through it.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(path, flags, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)

    def sync(self, path: Path) -> None:
        _sync(path, os.O_RDONLY)

    def rename(self, source: Path, target: Path) -> None:
        if os.geteuid() == 0:
            # What root replaces stays its owner's: the phone must be able to read its settings.
            with contextlib.suppress(FileNotFoundError, PermissionError):
                owner = target.stat()
                os.chown(source, owner.st_uid, owner.st_gid)
        source.replace(target)

    def sync_folder(self, folder: Path) -> None:
        _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


REAL_DISK = RealDisk()


def replace_file(path: Path, data: bytes, mode: int = PRIVATE, disk: Disk = REAL_DISK) -> None:
    """Make `data` the content of `path`, readable by its owner only unless `mode` says more.

    A link stays a link: the file behind it is replaced.

    Raises:
        StorageError: it did not work; the old content is still there.
    """
    target = real_path(path)
    fresh = fresh_name(target)
    with _alone_in(target.parent):
        try:
            disk.write(fresh, data, mode)
            disk.sync(fresh)
            disk.rename(fresh, target)
            disk.sync_folder(target.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise from_os(path.name, error) from error


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Nobody else replaces a file there meanwhile; a program that dies gives way."""
    with contextlib.ExitStack() as held:
        # Where nothing can be locked, nothing can be written either, or there is but one of us.
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


def real_path(path: Path) -> Path:
    """What a name leads to, as an absolute path; of links in a circle, one of them.

    At such a circle `Path.resolve` raises a `RuntimeError` in Python 3.11; whoever then opens it
    learns the same as an `OSError`.
    """
    return Path(os.path.realpath(path))


def fresh_name(path: Path) -> Path:
    """Where the new content waits; one fixed name, so that cut-off attempts do not pile up."""
    return path.with_name(f".{path.name}.new")


def set_aside(path: Path) -> Path | None:
    """Move a file that cannot be used to `NAME.broken` (one is kept) for a person to look at.

    Gives the new place, or None if it could not be moved.
    """
    aside = path.with_name(f"{path.name}.broken")
    try:
        path.replace(aside)
    except OSError:
        return None
    return aside


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
