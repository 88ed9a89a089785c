"""The last good answers of name servers over restarts, in one small file (F14).

Ages are kept as wall-clock moments. A machine whose clock is behind what it wrote has lost the time
(F10); then nobody knows how old an answer is, and it counts as new: it is only used when no name
server answers at all.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

from firmware.storage.atomic import REAL_DISK, Disk, replace_file, set_aside

LARGEST = 256 * 1024


class KeptAnswer(msgspec.Struct, frozen=True):
    """Rows of one kind of a name, and when they were learned (seconds of the wall clock)."""

    name: str
    kind: str
    rows: tuple[str, ...]
    at: float


class NamesFile(Struct, frozen=True):
    """The file it stands in."""

    path: Path
    disk: Disk = REAL_DISK

    def load(self) -> tuple[KeptAnswer, ...]:
        """What was kept; nothing if there is no file, or it is torn (then it is set aside).

        Never raises: a phone that has forgotten its names asks for them.
        """
        try:
            with self.path.open("rb") as stream:
                content = stream.read(LARGEST + 1)
            return msgspec.json.decode(content, type=tuple[KeptAnswer, ...])
        except OSError:
            return ()
        except (msgspec.MsgspecError, ValueError, RecursionError):
            set_aside(self.path)
            return ()

    def save(self, answers: tuple[KeptAnswer, ...]) -> None:
        """Keep exactly these.

        Raises:
            StorageError: the disk refuses; what was kept before still is.
        """
        replace_file(self.path, msgspec.json.encode(answers) + b"\n", disk=self.disk)
