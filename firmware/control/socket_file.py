"""The control socket as a file: made with its rights, a dead phone's replaced, a live one kept."""

import contextlib
import errno
import fcntl
import grp
import os
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from firmware.control.errors import SocketPathError, SocketTakenError
from firmware.control.place import make_private

GROUP = "deskphone"
_MODE = 0o660
_PATH_LIMIT = 107
_CREDENTIALS = struct.Struct("3i")
_SO_PEERGROUPS = 59  # asm-generic/socket.h, Linux 4.13
_MOST_GROUPS = 256  # Python asks for 1024 bytes at most


class Peer(Struct, frozen=True):
    """Who is at the other end of a Unix socket, by the kernel's word."""

    pid: int
    uid: int
    gid: int
    groups: tuple[int, ...] = ()
    """The other groups of its user."""


def peer_of(connection: socket.socket) -> Peer:
    """The process that opened the other end."""
    size = _CREDENTIALS.size
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    pid, uid, gid = _CREDENTIALS.unpack(raw)
    return Peer(pid, uid, gid, _groups_of(connection))


def _groups_of(connection: socket.socket) -> tuple[int, ...]:
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, 4 * _MOST_GROUPS)
    except OSError:
        return ()  # more groups than anybody has: the first one counts alone
    return tuple(memoryview(raw).cast("I"))


class SocketFile(Struct, frozen=True):
    """A listening socket and the file that it owns."""

    path: Path
    listener: socket.socket
    born: tuple[int, int]

    def remove(self) -> None:
        """Close the socket and remove the file, unless another phone has replaced it."""
        self.listener.close()
        with contextlib.suppress(OSError):
            if _birth_of(self.path) == self.born:
                self.path.unlink()


def listen(path: Path, kind: socket.SocketKind = socket.SOCK_STREAM) -> SocketFile:
    """Make a listening socket at `path`, mode 0660, group `deskphone` if we may give it.

    Raises:
        SocketTakenError: a running process listens there; the message says which.
        SocketPathError: something else is in the way.
    """
    if len(os.fsencode(path)) > _PATH_LIMIT:
        raise SocketPathError(f"{path} is too long for a socket ({_PATH_LIMIT} bytes at most)")
    if not path.parent.is_dir():
        make_private(path.parent)
    with _one_at_a_time(path.parent):
        _clear(path, kind)
        return _bind(path, kind)


def refuse_if_taken(path: Path) -> None:
    """Look for a running phone before anything else is done for a second one.

    Raises:
        SocketTakenError: a running process listens at `path`; the message says which.
        SocketPathError: something else is in the way.
    """
    _clear(path, socket.SOCK_STREAM)


def _birth_of(path: Path) -> tuple[int, int]:
    """What tells this file from a later one of the same name; inode numbers are used again."""
    found = path.lstat()
    return found.st_ino, found.st_mtime_ns


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep two phones that start together from removing each other's socket."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SocketPathError(f"{folder} cannot be opened: {error.strerror}") from error
    try:
        # In a shared folder anybody can hold this lock; then we go on without.
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _clear(path: Path, kind: socket.SocketKind) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise SocketPathError(f"{path}: {error.strerror}") from error
    if not stat.S_ISSOCK(mode):
        raise SocketPathError(f"{path} exists and is no socket")
    with socket.socket(socket.AF_UNIX, kind) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
            return
        except OSError as error:
            # A full backlog (EAGAIN) means that somebody is there but busy.
            if error.errno not in (errno.EAGAIN, errno.ETIMEDOUT):
                raise SocketPathError(f"{path}: {error.strerror}") from error
            raise SocketTakenError(f"{path} is taken by a running phone") from error
        raise SocketTakenError(f"{path} is taken by a running phone (pid {peer_of(probe).pid})")


def _bind(path: Path, kind: socket.SocketKind) -> SocketFile:
    listener = socket.socket(socket.AF_UNIX, kind)
    # The mask closes the moment between bind and chmod in which others could connect.
    before = os.umask(0o777 & ~_MODE)
    try:
        listener.bind(str(path))
        listener.listen(16)
        born = _birth_of(path)
    except OSError as error:
        listener.close()
        raise SocketPathError(f"{path} cannot be made: {error.strerror}") from error
    finally:
        os.umask(before)
    with contextlib.suppress(KeyError, OSError):
        os.chown(path, -1, grp.getgrnam(GROUP).gr_gid)
    listener.settimeout(0)
    return SocketFile(path, listener, born)
