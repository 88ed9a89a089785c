"""What a phone that dies leaves behind for its next start, and for systemd: files of this run.

They lie in the folder that systemd keeps as long as it starts the phone again (RuntimeDirectory of
deskphone.service), and are taken away by a phone that ends in order. A phone that is run by hand
has no such folder, and leaves nothing.
"""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

from hal.board_spec import Contact

_HOOK = "hook"


def own_file(name: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Where a file of this name would lie; None without such a folder."""
    folder = environment.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return Path(folder) / name if folder else None


class HookMemory:
    """Of which kind the cradle switch was when it was guessed: at a crash the handset may be off.

    What cannot be written or read is guessed again.
    """

    def __init__(self, pin: int) -> None:
        self._pin = pin
        self._file = own_file(_HOOK)

    def recall(self) -> Contact:
        """What the phone before this one took it for; AUTO = nobody knows."""
        with contextlib.suppress(OSError, ValueError):
            if self._file is not None:
                pin, kind = self._file.read_text().split()
                return Contact(kind) if pin == str(self._pin) else Contact.AUTO
        return Contact.AUTO

    def keep(self, kind: Contact) -> None:
        """Note it for a phone that comes after this one's death."""
        with contextlib.suppress(OSError):
            if self._file is not None:
                self._file.write_text(f"{self._pin} {kind.value}\n")

    def forget(self) -> None:
        """The phone ends in order: the next one begins anew."""
        with contextlib.suppress(OSError):
            if self._file is not None:
                self._file.unlink()
