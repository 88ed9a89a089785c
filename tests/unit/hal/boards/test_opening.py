import importlib.util
import queue
import sys

import pytest

from hal.board_spec import BoardSpec, DisplaySpec, HookSpec, PanelSpec, SerialSpec, UsbSpec
from hal.board_spec import Contact as Cradle
from hal.boards.loader import load_board
from hal.boards.opening import lacking, open_board
from hal.events import DeviceFailed, HookLifted
from hal.gpio import factories
from hal.gpio.pins import LinePin
from hal.keys import Key
from tests.support.fake_display import FakeLine, FakeSpi, Sh1106, noise
from tests.support.waiting import wait_for

HOOK = HookSpec(17, Cradle.AUTO, 50, 500)


def ignore(event):
    """Nobody listens."""


def test_the_virtual_board_has_everything_and_tells_at_once():
    told = []
    board = open_board(load_board("mock"), told.append, clock=lambda: 3.0)
    board.panel.lift()
    assert told == [HookLifted(3.0)]
    assert board.display.size == (128, 64)
    assert "message" in board.lamps.names
    assert board.ringer is not None
    assert board.has_hook
    assert {"handset", "speaker", "ringer"} <= set(board.cards)


def test_the_small_virtual_board_has_no_bell_and_a_low_screen():
    board = open_board(load_board("mock-small"), ignore)
    assert board.display.size == (128, 32)
    assert board.ringer is None
    assert len(board.panel.keys) == 12


def test_a_panel_stands_in_place_of_hardware_and_says_so():
    told = []
    spec = BoardSpec(
        "b", "", "b.toml", panel=PanelSpec((), None, (), bell=False, hook=True), hook=HOOK
    )
    board = open_board(spec, told.append)
    assert [event.device for event in told] == ["board b"]
    assert board.panel is not None


def test_a_board_without_parts_opens_and_does_nothing():
    board = open_board(BoardSpec("bare", "", "bare.toml"), ignore)
    assert (board.inputs, board.display, board.panel, board.has_hook) == ((), None, None, False)
    board.close()


@pytest.fixture
def installed(monkeypatch):
    """Says which Python modules this machine has."""

    def only(*names):
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in names or None)

    return only


def test_a_missing_library_is_named_and_the_phone_goes_on(installed):
    installed()
    told = []
    board = open_board(BoardSpec("b", "", "b.toml", hook=HOOK), told.append, clock=lambda: 4.0)
    assert told == [
        DeviceFailed(
            "GPIO",
            "gpiozero is missing (apt install python3-gpiozero; in a venv pip install gpiozero);"
            " gpiod is missing (apt install python3-libgpiod; in a venv pip install gpiod)",
            4.0,
        )
    ]
    assert (board.inputs, board.has_hook) == ((), True)


@pytest.mark.parametrize(
    ("factory", "install"),
    [
        ("gpiod", "apt install python3-libgpiod"),
        ("lgpio", "pip install lgpio"),
        ("rpigpio", "apt install python3-rpi.gpio"),
        ("mock", ""),
    ],
)
def test_each_pin_factory_needs_its_own_library(installed, factory, install):
    installed("gpiozero")
    lacks = lacking(BoardSpec("b", "", "b.toml", pin_factory=factory, hook=HOOK))
    assert (install in lacks) if install else lacks == ""


def test_f34_without_a_gpio_chip_the_phone_goes_on_and_says_what_there_is():
    """As on a PC that runs the board of a Pi, or on a Pi whose chip comes late."""
    told = []
    spec = BoardSpec("b", "", "b.toml", gpio_chip="no-such-chip", hook=HOOK)
    board = open_board(spec, told.append)
    (failed,) = told
    assert failed.device == "GPIO"
    assert failed.reason.startswith("no GPIO chip no-such-chip: ")
    assert failed.reason.endswith("it is found within half a minute")
    assert board.has_hook
    board.close()
    assert told == [failed]


def test_what_a_board_lacks_is_known_before_it_is_opened(installed):
    installed()
    display = DisplaySpec("sh1106", (128, 64), "spi", 0, 0, 0, 25, None, 0)
    serial = SerialSpec("/dev/serial0", 115_200, None, ())
    usb = UsbSpec(0, 0, (), "KEY_PHONE")
    spec = BoardSpec("b", "", "b.toml", display=display, serial=serial, usb=usb)
    assert lacking(spec) == (
        "gpiozero is missing (apt install python3-gpiozero; in a venv pip install gpiozero);"
        " gpiod is missing (apt install python3-libgpiod; in a venv pip install gpiod);"
        " luma is missing (apt install python3-luma.oled; in a venv pip install luma.oled);"
        " spidev is missing (apt install python3-spidev; in a venv pip install spidev);"
        " serial is missing (apt install python3-serial; in a venv pip install pyserial);"
        " evdev is missing (apt install python3-evdev; in a venv pip install evdev)"
    )
    installed("gpiozero", "gpiod", "luma", "spidev", "serial", "evdev")
    assert lacking(spec) == ""


def test_f41_a_board_opens_without_its_screen_panel_and_handset():
    """None of them is here; the phone can register, and says what is missing."""
    display = DisplaySpec("ssd1306", (128, 64), "i2c", 6, 0x3C, 0, None, None, 0)
    serial = SerialSpec("/dev/no-such-port", 115_200, (128, 32), ("mute", "ring"), bell=True)
    usb = UsbSpec(
        0xFFFF, 0xFFFF, (("KEY_1", Key.DIGIT_1),), "KEY_PHONE", lamps=(("mail", "LED_MAIL"),)
    )
    told = queue.SimpleQueue()
    board = open_board(
        BoardSpec("b", "", "b.toml", display=display, serial=serial, usb=usb), told.put
    )
    faults = {told.get(timeout=15).device for _ in range(3)}
    assert faults == {"screen", "front panel", "USB handset"}
    assert board.display.size == (128, 64)
    assert board.lamps.names == ("mute", "ring", "mail")
    assert board.ringer is not None
    assert board.has_hook
    board.close()
    assert told.empty()


def test_f41_a_screen_by_spi_takes_its_pins_again_each_time_it_is_tried(monkeypatch):
    """The pins are gpiozero's, by the factory of the board; the bus is not there at first."""
    spi = FakeSpi(Sh1106(), data_command := FakeLine())
    monkeypatch.setitem(sys.modules, "spidev", spi)
    monkeypatch.setattr("luma.core.interface.serial.sleep", lambda _seconds: None)
    for way in ("on", "off"):
        monkeypatch.setattr(LinePin, way, watched(getattr(LinePin, way), data_command, way))
    spi.there = False
    display = DisplaySpec("sh1106", (128, 64), "spi", 0, 0, 0, 25, None, 0)
    told = queue.SimpleQueue()
    board = open_board(BoardSpec("b", "", "b.toml", pin_factory="mock", display=display), told.put)
    assert (
        told.get(timeout=15).reason == "there is no SPI 0.0; is the bus switched on in config.txt?"
    )
    spi.there = True
    board.display.show(noise((128, 64)))
    assert told.get(timeout=15).device == "screen"
    wait_for("the picture", lambda: spi.chip.picture == noise((128, 64)), 15)
    board.display.close()
    assert not spi.chip.lit
    assert told.empty()
    board.close()


def test_f41_a_screen_whose_pins_are_on_a_chip_that_is_missing_is_told_once(monkeypatch):
    """It asks for them again by itself: there is no other part that looks for the chip."""
    monkeypatch.setitem(sys.modules, "spidev", FakeSpi(Sh1106(), FakeLine()))
    monkeypatch.setattr("luma.core.interface.serial.sleep", lambda _seconds: None)
    monkeypatch.setattr("hal.health.Health.__init__.__defaults__", ((0.01, 0.01),))
    looks = []
    find = factories.find_chip
    monkeypatch.setattr(factories, "find_chip", lambda chip: (looks.append(chip), find(chip))[1])
    display = DisplaySpec("sh1106", (128, 64), "spi", 0, 0, 0, 25, 24, 0)
    told = queue.SimpleQueue()
    spec = BoardSpec("b", "", "b.toml", gpio_chip="no-such-chip", display=display)
    board = open_board(spec, told.put)
    failed = told.get(timeout=15)
    assert failed.device == "screen"
    assert failed.reason.startswith("display: GPIO 24 does not answer: no GPIO chip no-such-chip: ")
    wait_for("some more tries", lambda: len(looks) > 6, 15)
    board.close()
    assert told.empty()


def watched(way, line, name):
    """The pin's own method, which the tests' line follows."""

    def both(self):
        way(self)
        getattr(line, name)()

    return both
