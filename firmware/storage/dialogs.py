"""A mirror of every confirmed dialog in the run-time folder, so that a restarted phone can hang up.

One small file per call, on tmpfs: gone with the power, there after a crash. Each carries a SHA-256;
a file that a crash cut in half is thrown away.
"""

import contextlib
import hashlib
from pathlib import Path

from msgspec import Struct

from firmware.storage.atomic import PRIVATE, REAL_DISK
from firmware.storage.errors import from_os

_SUFFIX = ".dialog"
_DIGEST = 32


class DialogMirror(Struct, frozen=True):
    """The folder with one file per dialog; `len` counts them."""

    folder: Path

    def __len__(self) -> int:
        return len(list(self.folder.glob(f"*{_SUFFIX}")))

    def keep(self, call: str, snapshot: bytes | None) -> None:
        """Mirror a call's dialog; None when the call has ended.

        No fsync: what must survive is a crash of the program, not of the machine.

        Raises:
            StorageError: the folder cannot be written.
        """
        path = self._path(call)
        try:
            if snapshot is None:
                path.unlink(missing_ok=True)
                return
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            REAL_DISK.write(fresh, hashlib.sha256(snapshot).digest() + snapshot, PRIVATE)
            fresh.replace(path)
        except OSError as error:
            raise from_os(path.name, error) from error

    def take_orphans(self) -> tuple[bytes, ...]:
        """The snapshots that an earlier life left, oldest first; the folder is empty afterwards."""
        found: list[tuple[int, bytes]] = []
        for path in (*self.folder.glob(f"*{_SUFFIX}"), *self.folder.glob("*.new")):
            with contextlib.suppress(OSError):
                found.append((path.stat().st_mtime_ns, path.read_bytes()))
            with contextlib.suppress(OSError):
                path.unlink()
        snapshots = (content for _, content in sorted(found))
        return tuple(content[_DIGEST:] for content in snapshots if _is_whole(content))

    def _path(self, call: str) -> Path:
        # A call's name comes from tokens, but a file name must not depend on that.
        name = hashlib.sha256(call.encode()).hexdigest()[:32]
        return self.folder / f"{name}{_SUFFIX}"


def _is_whole(content: bytes) -> bool:
    return (
        len(content) > _DIGEST and hashlib.sha256(content[_DIGEST:]).digest() == content[:_DIGEST]
    )
