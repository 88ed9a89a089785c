"""What every factory for the pins of this machine needs.

gpiozero wants to know which Raspberry Pi this is, else it has no pins at all; and it shares pins
and reservations among all factories of a process.
"""

import threading
from collections import defaultdict

from gpiozero.exc import PinUnknownPi
from gpiozero.pins.local import LocalPiFactory, get_pi_revision

_PI_4B = 0xC03115
"""Its 40 pins are those of every board file."""


def pi_revision() -> int:
    """The revision code of this machine; off a Pi that of a Pi 4B."""
    try:
        return int(get_pi_revision())
    except PinUnknownPi:
        return _PI_4B


def own_pins(factory: LocalPiFactory) -> None:
    """Give a new factory pins and reservations of its own."""
    factory.pins = {}
    factory._reservations = defaultdict(list)  # noqa: SLF001 - see the module
    factory._res_lock = threading.Lock()  # noqa: SLF001 - likewise
