"""A display on a real I²C bus of the kernel: i2c-stub, which speaks SMBus only.

It has no picture: it keeps the last bytes that were written to each register, and that is enough to
see that luma's interface, smbus2 and the kernel's bus pass on what we send, 32 bytes at a time.
"""

import queue
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from smbus2 import I2cFunc, SMBus

from hal.board_spec import DisplaySpec
from hal.errors import DeviceError
from hal.events import DeviceFailed
from hal.health import Health
from hal.oled.screen import DEVICE, open_screen
from hal.oled.wire import open_wire
from hal.packing import pages
from tests.support.fake_display import noise
from tests.support.left_open import open_now, opened_since
from tests.support.waiting import wait_for

ADDRESS, DATA = 0x3C, 0x40


@pytest.fixture(scope="module")
def port():
    """The number of the bus with a chip at 0x3c."""
    subprocess.run(["modprobe", "i2c-dev"], check=True)
    subprocess.run(["modprobe", "i2c-stub", f"chip_addr={ADDRESS}"], check=True)
    names = Path("/sys/class/i2c-dev").glob("*/name")
    (found,) = (each.parent.name for each in names if "stub" in each.read_text())
    return int(found.removeprefix("i2c-"))


def spec(port, address=ADDRESS):
    return DisplaySpec("ssd1306", (128, 64), "i2c", port, address, 0, None, None, 0)


@pytest.fixture
def told():
    return queue.SimpleQueue()


@pytest.fixture
def opened():
    """Opens screens and closes them."""
    screens = []

    def start(told, **where):
        health = Health(DEVICE, told.put, time.monotonic, (0.05, 0.1))
        screens.append(open_screen(spec(**where), health, None))
        return screens[-1]

    yield start
    for screen in screens:
        screen.close()


def test_a_picture_goes_over_a_bus_that_speaks_smbus_only(port, told, opened):
    picture = noise((128, 64))
    with SMBus(port) as bus:
        assert not bus.funcs & I2cFunc.I2C
        screen = opened(told, port=port)
        screen.show(picture)

        def last():
            return bytes(bus.read_i2c_block_data(ADDRESS, DATA, 32))

        wait_for("the last bytes of the picture", lambda: last() == pages(picture)[-1][-32:])
        screen.close()
        wait_for("the dark", lambda: last() == bytes(32))
    assert told.empty()


def test_f41_a_wrong_address_does_not_answer_and_is_told_once(port, told, opened):
    opened(told, port=port, address=0x3D)
    event = told.get(timeout=10)
    assert isinstance(event, DeviceFailed)
    said = f"no answer at 0x3d on I²C bus {port}, but somebody does at 0x3c"
    assert event.reason == said
    threading.Event().wait(0.5)
    assert told.empty()


def test_f41_a_bus_that_is_not_there_is_named(told, opened):
    opened(told, port=77)
    assert (
        told.get(timeout=10).reason
        == "there is no I²C bus 77; is the bus switched on in config.txt?"
    )


def test_f41_without_permission_the_device_is_named(port):
    """Root may everything, so another user asks."""
    asked = (
        "import os; os.setgroups([]); os.setuid(65534)\n"
        "from hal.oled.wire import open_wire\n"
        "from hal.board_spec import DisplaySpec\n"
        f"open_wire(DisplaySpec('ssd1306', (128, 64), 'i2c', {port}, 60, 0, None, None, 0), None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=False
    )
    assert f"DeviceError: no permission for /dev/i2c-{port}" in done.stderr


def test_a_bus_that_was_opened_is_closed(port):
    before = open_now()
    for _ in range(20):
        open_wire(spec(port), None).close()
    with pytest.raises(DeviceError):
        open_wire(spec(77), None)
    assert opened_since(before) == []
