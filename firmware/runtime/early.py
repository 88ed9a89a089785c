"""The first moments of a phone: what registering needs, and nothing else.

Whoever starts a phone awaits `begin` before importing `firmware.runtime.program`: the phone
machine and the control API load while the registrar is thinking.
"""

import os
import time
from pathlib import Path

from msgspec import Struct

from firmware import __version__
from firmware.base.tokens import Tokens
from firmware.config.schema import Settings
from firmware.net.addresses import machine_addresses
from firmware.runtime.memory import Memory
from firmware.runtime.names import Names
from firmware.runtime.signalling import Signalling
from firmware.storage.dialogs import DialogMirror

PRODUCT = f"deskphone/{__version__}"


class Places(Struct, frozen=True):
    """Where a phone keeps its things; `config` None = it was started without a file."""

    config: Path | None
    control: Path
    state: Path

    @property
    def runtime(self) -> Path:
        """The folder of the sockets."""
        return self.control.parent

    @property
    def dialogs(self) -> Path:
        """Where confirmed dialogs are mirrored."""
        return self.runtime / "dialogs"


class Early(Struct, frozen=True):
    """A phone that registers."""

    tokens: Tokens
    memory: Memory
    signalling: Signalling
    addresses: tuple[str, ...]
    """Those the machine had when the first REGISTER left."""
    names: Names


async def begin(settings: Settings, places: Places) -> Early:
    """End what an earlier life left behind, and register.

    Raises:
        PortTakenError: somebody else has the SIP port.
    """
    tokens = Tokens(os.urandom(32))
    memory = Memory(places.state, tokens)
    addresses = machine_addresses()
    names = Names(places.state, time.time)  # noqa: TID251 - the edge where wall time enters
    signalling = Signalling(PRODUCT, tokens, memory, names)
    await signalling.start(settings, DialogMirror(places.dialogs).take_orphans())
    return Early(tokens, memory, signalling, addresses, names)


async def part(early: Early) -> None:
    """Take the registration back: nobody shall call a phone that does not run."""
    await early.signalling.say_goodbye()
    await early.signalling.driver.close()
