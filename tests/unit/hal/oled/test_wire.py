"""The real luma interfaces on buses that are not there, and what is said of each fault."""

import errno
import sys

import pytest
import smbus2
from luma.core.interface import serial as luma_serial

from hal.board_spec import DisplaySpec
from hal.errors import DeviceError, DeviceGoneError
from hal.oled.chips import Command, Data, write_sh1106, write_ssd1306
from hal.oled.wire import open_wire, translated, wake_up
from tests.support.fake_display import FakeBus, FakeLine, FakeSpi, Sh1106, Ssd1306, noise

I2C = DisplaySpec("ssd1306", (128, 64), "i2c", 1, 0x3C, 0, None, None, 0)
SPI = DisplaySpec("sh1106", (128, 64), "spi", 0, 0x3C, 1, 25, 24, 0)
NOISE = noise((128, 64))


def no_line(pin):
    raise AssertionError(pin)


@pytest.fixture(params=[False, True], ids=["I²C", "SMBus only"])
def bus(request, monkeypatch):
    """A bus of each kind with an SSD1306 at 0x3c, where the kernel's would be."""
    made = FakeBus(Ssd1306(), plain=request.param)
    monkeypatch.setattr(smbus2, "SMBus", made.open)
    return made


@pytest.fixture
def lines():
    """Pin number to the line that was opened for it."""
    return {}


@pytest.fixture
def spi(monkeypatch, lines):
    """An SPI device with an SH1106 behind it, and the function that opens its pins."""
    pins = {25: FakeLine(), 24: FakeLine()}
    module = FakeSpi(Sh1106(), pins[25])
    monkeypatch.setitem(sys.modules, "spidev", module)
    monkeypatch.setattr(luma_serial, "sleep", lambda _seconds: None)

    def open_line(pin):
        lines[pin] = pins[pin]
        return pins[pin]

    return module, open_line


def test_a_picture_comes_over_either_kind_of_bus(bus):
    wire = open_wire(I2C, no_line)
    wire.send(wake_up(I2C))
    wire.send(write_ssd1306(NOISE, None))
    assert bus.chip.picture == NOISE
    wire.close()
    assert bus.opened == bus.closed


def test_a_whole_picture_takes_less_than_thirty_milliseconds_at_400_khz(bus):
    wire = open_wire(I2C, no_line)
    wire.send(wake_up(I2C))
    bus.clocks = 0
    wire.send(write_ssd1306(NOISE, None))
    assert bus.clocks / 400_000 < 0.030


def test_f41_a_display_without_power_does_not_answer(bus):
    wire = open_wire(I2C, no_line)
    bus.powered = False
    for op in (Command(b"\xae"), Data(b"\x00")):
        with pytest.raises(DeviceGoneError, match=r"^no answer at 0x3c on I²C bus 1$"):
            wire.send((op,))
    wire.close()
    wire.close()


def test_f41_a_wrong_address_is_named_with_the_right_one(bus):
    wrong = DisplaySpec("ssd1306", (128, 64), "i2c", 1, 0x3D, 0, None, None, 0)
    wire = open_wire(wrong, no_line)
    with pytest.raises(DeviceGoneError) as caught:
        wire.send((Command(b"\xae"),))
    assert str(caught.value) == "no answer at 0x3d on I²C bus 1, but somebody does at 0x3c"
    wire.close()
    assert bus.opened == bus.closed


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOENT, "there is no I²C bus 1; is the bus switched on in config.txt?"),
        (errno.EACCES, "no permission for /dev/i2c-1"),
        (errno.EBUSY, "0x3c on I²C bus 1: Device or resource busy"),
    ],
)
def test_f41_a_bus_that_cannot_be_opened_says_why(monkeypatch, number, words):
    def fail(port):
        raise OSError(number, errno.errorcode[number], f"/dev/i2c-{port}")

    monkeypatch.setattr(smbus2, "SMBus", fail)
    with pytest.raises(DeviceError) as caught:
        open_wire(I2C, no_line)
    expected = words if number != errno.EBUSY else "0x3c on I²C bus 1: EBUSY"
    assert str(caught.value) == expected


def test_by_spi_the_data_wire_tells_pictures_from_commands(spi, lines):
    module, open_line = spi
    wire = open_wire(SPI, open_line)
    wire.send(wake_up(SPI))
    wire.send(write_sh1106(NOISE, None))
    assert module.chip.picture == NOISE
    assert lines[24].edges == 1, "the reset line was pulled once"
    assert lines[24].high
    wire.close()
    assert (module.closed, lines[24].closed, lines[25].closed) == (1, 1, 1)


def test_f41_an_spi_bus_that_is_not_there_gives_its_pins_back(spi, lines):
    module, open_line = spi

    def fail(_port, _device):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")

    module.open = fail
    with pytest.raises(
        DeviceError, match=r"^there is no SPI 0\.1; is the bus switched on in config\.txt\?$"
    ):
        open_wire(SPI, open_line)
    assert [line.closed for line in lines.values()] == [1, 1]


def test_f41_whatever_goes_wrong_on_the_way_the_pins_are_given_back(spi, lines, monkeypatch):
    """Else the display's own pins are in use by the display, at each further try."""
    _, open_line = spi
    monkeypatch.setattr(luma_serial, "sleep", lambda _seconds: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        open_wire(SPI, open_line)
    assert [line.closed for line in lines.values()] == [1, 1]


def test_the_wire_that_tells_pictures_from_commands_may_be_pin_0(monkeypatch):
    """luma takes a 0 for no pin at all."""
    wire_0 = FakeLine()
    module = FakeSpi(Sh1106(), wire_0)
    monkeypatch.setitem(sys.modules, "spidev", module)
    asked = []

    def open_line(pin):
        asked.append(pin)
        return wire_0

    spec = DisplaySpec("sh1106", (128, 64), "spi", 0, 0x3C, 1, 0, None, 0)
    wire = open_wire(spec, open_line)
    wire.send(wake_up(spec))
    wire.send(write_sh1106(NOISE, None))
    assert asked == [0]
    assert module.chip.picture == NOISE
    wire.close()


@pytest.mark.parametrize(
    ("module", "advice"),
    [
        ("spidev", "spidev is missing (apt install python3-spidev; in a venv pip install spidev)"),
        (
            "luma.core.interface.serial",
            "luma is missing (apt install python3-luma.oled; in a venv pip install luma.oled)",
        ),
    ],
)
def test_f41_a_missing_library_is_named_with_its_package(monkeypatch, spi, module, advice):
    _, open_line = spi
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(DeviceError) as caught:
        open_wire(SPI, open_line)
    assert str(caught.value) == advice


def test_a_panel_that_the_chip_cannot_drive_is_refused_in_words():
    with pytest.raises(DeviceError, match=r"^ssd1306 has no 128×48 pixels$"):
        wake_up(DisplaySpec("ssd1306", (128, 48), "i2c", 1, 0x3C, 0, None, None, 0))


def test_an_error_of_our_own_code_is_not_taken_for_one_of_the_device():
    with pytest.raises(ZeroDivisionError), translated("x"):
        _ = 1 / 0
