"""Who answers on a bus, and what is said of a bus that cannot be asked."""

import errno
import os
from typing import ClassVar

import pytest
import smbus2

from hal.errors import DeviceError
from hal.oled.scan import scan


class Bus:
    """Somebody at 0x3c, a codec that the kernel has at 0x1a."""

    opened: ClassVar = []

    def __init__(self, port):
        if port != 1:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), f"/dev/i2c-{port}")
        self.open = True
        self.opened.append(self)

    def read_byte(self, address):
        if address == 0x3C:
            return 0
        number = errno.EBUSY if address == 0x1A else errno.EREMOTEIO
        raise OSError(number, os.strerror(number))

    def close(self):
        self.open = False


@pytest.fixture(autouse=True)
def bus(monkeypatch):
    monkeypatch.setattr(smbus2, "SMBus", Bus)


def test_everybody_who_answers_is_there_and_what_the_kernel_has_too():
    assert scan(1) == (0x1A, 0x3C)
    assert not Bus.opened[-1].open


def test_a_bus_that_is_not_there_is_said_so():
    with pytest.raises(DeviceError, match="there is no I²C bus 7; is the bus switched on"):
        scan(7)
