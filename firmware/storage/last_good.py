"""The last configuration without faults, for the day the file has some (F1, F4).

The copy carries its own SHA-256, so a torn copy is known for what it is and not used.
"""

import hashlib
from pathlib import Path

from msgspec import Struct

from firmware.config import Settings, examine_bytes
from firmware.storage.atomic import REAL_DISK, Disk, replace_file
from firmware.storage.errors import from_os

_MARK = b"# sha256 "
_MARK_BYTES = len(_MARK) + 64 + 1


class LastGood(Struct, frozen=True):
    """The configuration file and the copy of its last good content."""

    config: Path
    copy: Path

    @classmethod
    def of(cls, config: Path, state: Path) -> "LastGood":
        """The copy of this file, in the state folder: it holds passwords as the file does."""
        return cls(config, state / f"{config.name}.good")

    def keep(self, disk: Disk = REAL_DISK, *, read: Settings | None = None) -> bool:
        """Remember the file as it is now, if that is news; the caller knows that it is good.

        What he knows to be good is what he has `read`: if somebody is writing to the file just now,
        it says something else, and the older copy stays.

        Raises:
            StorageError: the disk refuses; the older copy is still there.
        """
        try:
            content = self.config.read_bytes()
        except OSError as error:
            raise from_os(self.config.name, error) from error
        if content == self._content():
            return False
        if read is not None and examine_bytes(content, str(self.config)).settings != read:
            return False
        try:
            self.copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise from_os(self.copy.name, error) from error
        replace_file(self.copy, _seal(content), disk=disk)
        return True

    def settings(self) -> Settings | None:
        """The settings of the copy; None if there is none, it is torn, or no longer valid."""
        content = self._content()
        return examine_bytes(content, str(self.copy)).settings if content is not None else None

    def _content(self) -> bytes | None:
        try:
            sealed = self.copy.read_bytes()
        except OSError:
            return None
        content = sealed[_MARK_BYTES:]
        return content if _seal(content) == sealed else None


def _seal(content: bytes) -> bytes:
    return _MARK + hashlib.sha256(content).hexdigest().encode() + b"\n" + content
