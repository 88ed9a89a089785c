"""What the phone remembers over restarts: volumes, last number, and who each line is.

The Contact user and the instance id of a line are made once and kept (RFC 5626 §4.1), so that a
registrar sees one phone and not a new one after each restart. They are not secrets like a password,
but whoever knows a Contact user can address the phone: the file is private.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

from firmware.storage.atomic import REAL_DISK, Disk, replace_file, set_aside


class KeptLine(msgspec.Struct, frozen=True):
    """A line's user part in Contact, and its `+sip.instance` as a UUID without `urn:uuid:`."""

    contact_user: str
    instance: str


class Kept(msgspec.Struct, frozen=True):
    """Everything that is remembered; `volumes` by path name in per cent, the rest by line name.

    `cards` are the sequence numbers that SIM cards have seen (RFC 3310).
    """

    volumes: dict[str, int] = {}
    last_dialled: str = ""
    lines: dict[str, KeptLine] = {}
    cards: dict[str, tuple[int, ...]] = {}


class KeptFile(Struct, frozen=True):
    """The file it stands in."""

    path: Path
    disk: Disk = REAL_DISK

    def load(self) -> Kept:
        """What was remembered; nothing if there is no file, or it is torn (then it is set aside).

        Never raises: a phone that has forgotten its volumes still makes calls.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Kept)
        except OSError:
            return Kept()
        except (msgspec.MsgspecError, ValueError, RecursionError):
            set_aside(self.path)
            return Kept()

    def save(self, kept: Kept) -> None:
        """Remember this from now on.

        Raises:
            StorageError: the disk refuses; what was remembered before still is.
        """
        content = msgspec.json.format(msgspec.json.encode(kept), indent=2)
        replace_file(self.path, content + b"\n", disk=self.disk)
