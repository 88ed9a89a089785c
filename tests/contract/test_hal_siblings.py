"""What the phone expects of screens, lamps, bells, keys and hooks, mock and real side by side.

The real adapters run with their own threads and libraries: a display chip on an I²C bus that is
ours, the reference firmware of the front panel behind a pseudo-terminal, a USB handset over pipes.
What hangs on pins has its own contract, in `test_hal_gpio`.
"""

import queue
import threading
import time

import pytest
import smbus2

from hal.board_spec import DisplaySpec, SerialSpec, UsbSpec
from hal.evdev.handset import UsbHandset
from hal.events import HookFlash, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.health import Health
from hal.keys import Key
from hal.mock.panel import Panel
from hal.oled.screen import open_screen
from hal.packing import blank
from hal.ports import LampPattern
from hal.uart.panel import SerialPanel, open_port
from tests.support.fake_display import CHIPS, FakeBus, noise
from tests.support.fake_evdev import CODES, FakeEvdev, Plugged
from tests.support.front_panel import PluggedIn

SIZE = (128, 64)


def until(condition, what):
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.002)


def soon(post):
    return Health("it", post, time.monotonic, waits=(0.01, 0.01))


class MockDesk:
    """The virtual phone."""

    def __init__(self, told):
        self.panel = Panel(time.monotonic, lamps=("mute",))
        self.panel.start(told.put)
        self.inputs, self.screen = self.panel, self.panel.screen
        self.lamps, self.ringer = self.panel.lamp_row, self.panel.ringer

    def press(self, key):
        self.panel.press(key)

    def release(self, key):
        self.panel.release(key)

    def lift(self):
        self.panel.lift()

    def replace(self):
        self.panel.replace()

    def flash(self):
        self.panel.flash()

    @property
    def picture(self):
        return self.panel.picture or blank(SIZE)

    @property
    def lit(self):
        return self.panel.lamps["mute"] is not LampPattern.OFF

    @property
    def rings(self):
        return bool(self.panel.bell)

    def close(self):
        for part in (self.panel, self.ringer, self.lamps, self.screen):
            part.close()


class PanelDesk:
    """A front panel behind a serial port."""

    def __init__(self, told):
        self.plugged = PluggedIn()
        self.hardware = self.plugged.hardware
        spec = SerialSpec(self.plugged.path, 115_200, SIZE, ("mute",), bell=True, flash_max_ms=2000)
        self.inputs = SerialPanel(spec, soon, lambda: open_port(spec))
        self.screen, self.lamps = self.inputs.screen, self.inputs.lamps
        self.ringer = self.inputs.ringer
        self.inputs.start(told.put)
        until(lambda: self.inputs._link.fault == "", "it was not greeted")

    def press(self, key):
        self.hardware.down = self.hardware.down | {key.value}

    def release(self, key):
        self.hardware.down = self.hardware.down - {key.value}

    def lift(self):
        self.hardware.handset_off = True

    def replace(self):
        self.hardware.handset_off = False

    def flash(self):
        self.replace()
        until(lambda: not self.inputs._link._hook.lifted, "it was not put down")
        threading.Event().wait(0.06)  # as above: its contact may bounce
        self.lift()

    @property
    def picture(self):
        return self.hardware.picture

    @property
    def lit(self):
        return bool(self.hardware.lit.get("mute"))

    @property
    def rings(self):
        return self.hardware.ringing

    def close(self):
        for part in (self.inputs, self.ringer, self.lamps, self.screen):
            part.close()

    def throw_away(self):
        self.plugged.pull()


class UsbDesk:
    """A USB handset."""

    screen = ringer = None

    def __init__(self, told):
        self.evdev = FakeEvdev()
        codes = {Key(str(digit)): f"KEY_NUMERIC_{digit}" for digit in range(10)}
        self.codes = codes | {Key.STAR: "KEY_NUMERIC_STAR"}
        names = (*self.codes.values(), "KEY_PHONE")
        self.device = Plugged("Handset", names, leds=("LED_MUTE",))
        self.evdev.plugged["/dev/input/event7"] = self.device
        keys = tuple((code, key) for key, code in self.codes.items())
        spec = UsbSpec(0, 0, keys, "KEY_PHONE", lamps=(("mute", "LED_MUTE"),))
        self.inputs = UsbHandset(spec, soon, lambda: self.evdev)
        self.lamps = self.inputs.lamps
        self.inputs.start(told.put)
        until(lambda: self.device.grabs, "it was not opened")

    def press(self, key):
        self.device.press(self.codes[key])

    def release(self, key):
        self.device.release(self.codes[key])

    def lift(self):
        self.device.press("KEY_PHONE")

    def replace(self):
        self.device.release("KEY_PHONE")

    def flash(self):
        self.replace()
        self.lift()

    @property
    def lit(self):
        return bool(self.device.leds.get(CODES["LED_MUTE"]))

    def close(self):
        self.inputs.close()
        self.lamps.close()

    def throw_away(self):
        self.device.throw_away()


class OledDesk:
    """A screen alone."""

    lamps = ringer = inputs = None
    CHIP = "ssd1306"

    def __init__(self, told):
        self.bus = FakeBus(CHIPS[self.CHIP](*SIZE))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(smbus2, "SMBus", self.bus.open)
            spec = DisplaySpec(self.CHIP, SIZE, "i2c", 1, 0x3C, 0, None, None, 0)
            self.screen = open_screen(spec, soon(told.put), None)
            until(lambda: self.bus.chip.lit, "it was not opened")

    @property
    def picture(self):
        return self.bus.chip.picture

    def close(self):
        self.screen.close()


class Sh1106Desk(OledDesk):
    """Another chip."""

    CHIP = "sh1106"


WITH_KEYS = (MockDesk, PanelDesk, UsbDesk)
WITH_LAMPS = (MockDesk, PanelDesk, UsbDesk)
WITH_BELL = (MockDesk, PanelDesk)
WITH_SCREEN = (MockDesk, PanelDesk, OledDesk, Sh1106Desk)
EVERY = (MockDesk, PanelDesk, UsbDesk, OledDesk, Sh1106Desk)


@pytest.fixture
def told():
    return queue.SimpleQueue()


@pytest.fixture
def desk(request, told):
    made = request.param(told)
    yield made
    made.close()
    getattr(made, "throw_away", lambda: None)()


def hears(told, *kinds):
    events = [told.get(timeout=15) for _ in kinds]
    assert [type(event) for event in events] == list(kinds)
    return events[-1]


@pytest.mark.parametrize("desk", WITH_KEYS, indirect=True)
def test_a_key_is_told_down_and_up_with_its_moment(desk, told):
    before = time.monotonic()
    desk.press(Key.DIGIT_5)
    down = hears(told, KeyDown)
    desk.release(Key.DIGIT_5)
    up = hears(told, KeyUp)
    assert (down.key, up.key) == (Key.DIGIT_5, Key.DIGIT_5)
    assert before <= down.at <= up.at <= time.monotonic()


@pytest.mark.parametrize("desk", WITH_KEYS, indirect=True)
def test_two_keys_are_two_keys(desk, told):
    desk.press(Key.DIGIT_1)
    hears(told, KeyDown)
    desk.press(Key.STAR)
    assert hears(told, KeyDown).key is Key.STAR
    desk.release(Key.DIGIT_1)
    assert hears(told, KeyUp).key is Key.DIGIT_1


@pytest.mark.parametrize("desk", WITH_KEYS, indirect=True)
def test_the_handset_is_lifted_tapped_and_replaced(desk, told):
    desk.lift()
    hears(told, HookLifted)
    desk.flash()
    hears(told, HookReplaced, HookFlash)
    threading.Event().wait(0.06)  # a real contact is not looked at while it bounces
    desk.replace()
    hears(told, HookReplaced)


@pytest.mark.parametrize("desk", WITH_KEYS, indirect=True)
def test_nothing_is_told_once_an_input_is_closed(desk, told):
    desk.inputs.close()
    desk.press(Key.DIGIT_5)
    desk.lift()
    threading.Event().wait(0.03)
    assert told.empty()


@pytest.mark.parametrize("desk", WITH_SCREEN, indirect=True)
def test_a_screen_shows_the_latest_picture_and_is_dark_when_closed(desk):
    assert desk.screen.size == SIZE
    for seed in range(1, 200):
        desk.screen.show(noise(SIZE, seed))
    until(lambda: desk.picture == noise(SIZE, 199), "the latest never came")
    desk.close()
    until(lambda: desk.picture == blank(SIZE), "it is not dark")


@pytest.mark.parametrize("desk", WITH_SCREEN, indirect=True)
def test_showing_never_waits(desk):
    began = time.monotonic()
    for seed in range(1000):
        desk.screen.show(noise(SIZE, seed))
    # A thousand pictures are 24 s of I²C and two minutes of a serial wire.
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("desk", WITH_LAMPS, indirect=True)
def test_a_lamp_shines_until_it_is_off_and_none_shines_when_closed(desk):
    assert "mute" in desk.lamps.names
    desk.lamps.set("disco", LampPattern.ON)
    for pattern in (LampPattern.ON, LampPattern.FAST_BLINK):
        desk.lamps.set("mute", pattern)
        until(lambda: desk.lit, "it never shone")
        desk.lamps.set("mute", LampPattern.OFF)
        until(lambda: not desk.lit, "it never went off")
    desk.lamps.set("mute", LampPattern.ON)
    until(lambda: desk.lit, "it never shone")
    desk.close()
    until(lambda: not desk.lit, "it shines on")


@pytest.mark.parametrize("desk", WITH_BELL, indirect=True)
def test_a_bell_rings_until_it_is_silenced_or_closed(desk):
    desk.ringer.ring((5.0, 0.1))
    until(lambda: desk.rings, "it never rang")
    desk.ringer.silence()
    until(lambda: not desk.rings, "it rings on")
    desk.ringer.ring((5.0, 0.1))
    until(lambda: desk.rings, "it never rang")
    desk.close()
    until(lambda: not desk.rings, "it rings on")


@pytest.mark.parametrize("desk", EVERY, indirect=True)
def test_closing_twice_does_no_harm(desk):
    desk.close()
    desk.close()
