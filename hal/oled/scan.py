"""Who answers on an I²C bus: asked by a wiring test, never by a phone that is at work.

Each address is asked for a byte. That is harmless to displays, codecs and most of what hangs beside
them; a device that the kernel itself has is there without being asked.
"""

import errno
from contextlib import closing
from typing import Protocol

from hal.oled.wire import translated

FIRST, LAST = 0x08, 0x77
"""Outside lie the addresses with a meaning of their own (I²C specification, section 3.1.12)."""


def scan(port: int) -> tuple[int, ...]:
    """The addresses at which somebody answers.

    Raises:
        hal.errors.DeviceError: there is no such bus, a library is missing, or we may not.
    """
    with translated(f"I²C bus {port}"):
        from smbus2 import SMBus  # noqa: PLC0415 - a wiring test that finds no screen, and no other

        with closing(SMBus(port)) as bus:
            return tuple(address for address in range(FIRST, LAST + 1) if _answers(bus, address))


class Bus(Protocol):
    """What is used of smbus2's."""

    def read_byte(self, address: int, /) -> int:
        """Ask for a byte."""


def _answers(bus: Bus, address: int) -> bool:
    try:
        bus.read_byte(address)
    except OSError as error:
        return error.errno == errno.EBUSY
    return True
