"""The writer thread: latest wins, faults are told once, and a display comes back by itself (F41).

Nothing here waits for time to pass: waiting between tries is of no length, and the tests wait for
what the thread does.
"""

import threading
import time

import pytest
import smbus2

from hal.board_spec import DisplaySpec
from hal.errors import DeviceError
from hal.events import DeviceFailed, DeviceRecovered
from hal.health import Health
from hal.oled.screen import OledScreen, open_screen
from hal.packing import blank, turned
from hal.ports import Picture
from tests.support.fake_display import FakeBus, Ssd1306, noise

SPEC = DisplaySpec("ssd1306", (128, 64), "i2c", 1, 0x3C, 0, None, None, 0)


def picture(seed, size=(128, 64)):
    return noise(size, seed)


def until(condition, what):
    """Wait for the thread to have done it."""
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.002)


class Desk:
    """A display on a bus, and what is told of it."""

    def __init__(self, monkeypatch):
        self.bus = FakeBus(Ssd1306())
        self.told = []
        self.screens = []
        monkeypatch.setattr(smbus2, "SMBus", self.bus.open)

    def open(self, spec=SPEC):
        health = Health("screen", self.told.append, lambda: 5.0, waits=(0.0, 0.0))
        self.screens.append(open_screen(spec, health, None))
        return self.screens[-1]

    def shows(self, picture):
        until(lambda: self.bus.chip.lit and self.bus.chip.picture == picture, "it never came")


@pytest.fixture
def desk(monkeypatch):
    made = Desk(monkeypatch)
    yield made
    for screen in made.screens:
        screen.close()


def test_pictures_come_to_the_display_and_it_is_dark_when_the_phone_ends(desk):
    screen = desk.open()
    assert screen.size == (128, 64)
    for seed in range(40):
        screen.show(picture(seed))
        desk.shows(picture(seed))
    screen.close()
    assert not desk.bus.chip.lit
    assert desk.bus.chip.picture == blank((128, 64))
    assert desk.bus.opened == desk.bus.closed
    assert desk.told == []


def test_a_display_that_stands_on_its_side_is_tall(desk):
    screen = desk.open(DisplaySpec("ssd1306", (128, 64), "i2c", 1, 0x3C, 0, None, None, 1))
    assert screen.size == (64, 128)
    screen.show(picture(1, (64, 128)))
    desk.shows(turned(picture(1, (64, 128)), 1))


class SlowWire:
    """Each sending waits until it is let through."""

    def __init__(self):
        self.sent = []
        self.gate = threading.Semaphore(0)

    def send(self, ops):
        assert self.gate.acquire(timeout=15)
        self.sent.append(b"".join(op.octets for op in ops))

    def close(self):
        """Nothing to close."""


def test_while_the_bus_is_slow_only_the_latest_picture_is_drawn():
    wire = SlowWire()
    health = Health("screen", lambda _event: None, lambda: 0.0)
    screen = OledScreen(SPEC, health, lambda: wire, tuple)
    for _ in range(3):
        wire.gate.release()
    until(lambda: len(wire.sent) == 3, "it was never woken")
    screen.show(picture(1))
    for seed in range(2, 500):
        screen.show(picture(seed))
    assert len(wire.sent) == 3, "whoever shows waits for none"
    for _ in range(5):
        wire.gate.release()
    screen.close()
    drawn = [sent for sent in wire.sent[3:] if len(sent) > 100]
    assert 2 <= len(drawn) <= 3, "at most the one under way, the latest, and the dark one"


def test_a_picture_that_comes_while_another_is_drawn_is_drawn_next():
    """A clock that moved on meanwhile would be wrong for a minute."""
    wire = SlowWire()
    screen = OledScreen(SPEC, Health("s", lambda _event: None, lambda: 0.0), lambda: wire, tuple)
    for _ in range(3):
        wire.gate.release()
    until(lambda: len(wire.sent) == 3, "it was never woken")
    send, drawing = wire.send, threading.Event()

    def sending(ops):
        drawing.set()
        send(ops)

    wire.send = sending
    screen.show(picture(1))
    assert drawing.wait(15)
    screen.show(picture(2))
    wire.gate.release()
    wire.gate.release()
    until(lambda: len(wire.sent) == 5, "the latest was never drawn")
    for _ in range(5):
        wire.gate.release()
    screen.close()


def test_f41_a_display_that_is_absent_is_told_once_and_found_when_it_comes(desk):
    desk.bus.powered = False
    screen = desk.open()
    screen.show(picture(1))
    until(lambda: desk.bus.opened > 20, "it was never tried again")
    assert desk.told == [DeviceFailed("screen", "no answer at 0x3c on I²C bus 1", 5.0)]
    desk.bus.powered = True
    desk.shows(picture(1))
    until(lambda: len(desk.told) == 2, "its return was not told")
    assert desk.told[1] == DeviceRecovered("screen", 5.0)


def test_f41_a_display_that_lost_its_power_is_set_up_anew_and_shows_the_latest_picture(desk):
    screen = desk.open()
    screen.show(picture(1))
    desk.shows(picture(1))
    desk.bus.powered = False
    screen.show(picture(2))
    until(lambda: desk.told, "nobody was told")
    desk.bus.chip = Ssd1306()
    # Nearly what it showed before: what it forgot is sent all the same.
    nearly = Picture(128, 64, picture(1).bits[:-1] + b"\x55")
    screen.show(nearly)
    desk.bus.powered = True
    desk.shows(nearly)
    until(lambda: len(desk.told) == 2, "its return was not told")
    assert [type(event) for event in desk.told] == [DeviceFailed, DeviceRecovered]


def test_what_a_disturbance_wrote_does_not_stay(desk):
    """Now and then a picture is sent whole."""
    screen = desk.open()
    screen.show(picture(1))
    desk.shows(picture(1))
    desk.bus.chip.memory[3][64] ^= 0xFF
    for number in range(40):
        screen.show(nearly := Picture(128, 64, bytes([number]) + picture(1).bits[1:]))
        until(lambda n=number: desk.bus.chip.memory[0][7] & 1 == n & 1, "nothing was drawn")
    desk.shows(nearly)


def test_f41_an_absent_display_costs_no_memory_however_often_it_is_tried(desk, monkeypatch):
    """Each driver that luma makes stays for ever in Python's list of what to do at exit."""
    made = []
    monkeypatch.setattr("luma.core.device.atexit.register", made.append)
    desk.bus.powered = False
    desk.open()
    until(lambda: desk.bus.opened > 50, "it was never tried again")
    assert len(made) == 1


def test_f41_whichever_transfer_fails_the_picture_comes_whole(desk):
    """The chip is another one each time: what it was not told it does not know."""
    transfer, count = desk.bus.transfer, [0]

    def failing(*what):
        count[0] -= 1
        if count[0] == 0:
            desk.bus.chip = Ssd1306()
            raise OSError(5, "Input/output error")
        transfer(*what)

    desk.bus.transfer = failing
    screen = desk.open()
    for number in range(1, 30):
        count[0] = number
        screen.show(picture(number))
        until(lambda: desk.bus.chip.lit or count[0] <= 0, "it gave up")
        screen.show(picture(number + 100))
        until(lambda: count[0] < -3 or count[0] > 0, "it gave up")
        count[0] = 0
        screen.show(picture(number + 200))
        desk.shows(picture(number + 200))
    kinds = [type(event) for event in desk.told]
    assert kinds == [DeviceFailed, DeviceRecovered] * (len(kinds) // 2)


def test_f41_a_bus_that_hangs_holds_up_neither_pictures_nor_the_end(desk, monkeypatch):
    monkeypatch.setattr("hal.oled.screen._PATIENCE", 0.05)
    screen = desk.open()
    screen.show(picture(1))
    desk.shows(picture(1))
    hanging, entered, transfer, over = threading.Event(), threading.Event(), desk.bus.transfer, []

    def hang(*what):
        entered.set()
        hanging.wait(30)
        over.append(1)
        transfer(*what)

    desk.bus.transfer = hang
    screen.show(picture(2))
    assert entered.wait(15)
    for seed in range(50):
        screen.show(picture(seed))
    screen.close()
    assert not over, "somebody waited until it hung no more"
    hanging.set()
    screen._thread.join(15)
    assert not desk.bus.chip.lit, "it hangs no more, and was to be dark"


def test_f41_closing_does_not_wait_for_the_next_try(desk, monkeypatch):
    monkeypatch.setattr("hal.oled.screen._PATIENCE", 30.0)
    desk.bus.powered = False
    health = Health("screen", desk.told.append, lambda: 0.0, waits=(1000.0, 1000.0))
    screen = open_screen(SPEC, health, None)
    until(lambda: desk.told, "nobody was told")
    screen.close()
    assert not screen._thread.is_alive(), "it rested on, and was given up"
    screen.close()


def test_f41_an_error_nobody_thought_of_does_not_take_the_screen_with_it():
    told, tries = [], []

    def connect():
        tries.append(1)
        if len(tries) == 1:
            return 1 / 0
        raise DeviceError("no such bus")

    health = Health("screen", told.append, lambda: 0.0, waits=(0.0, 0.0))
    screen = OledScreen(SPEC, health, connect, tuple)
    until(lambda: len(tries) > 2, "the thread died")
    screen.close()
    assert [event.reason for event in told] == [
        "ZeroDivisionError: division by zero",
        "no such bus",
    ]
