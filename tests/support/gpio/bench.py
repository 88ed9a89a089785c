"""A board on the workbench: the parts of a board file over wires, by any pin factory."""

import queue
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from hal.boards.loader import load_board
from hal.events import DeviceFailed, Event
from hal.gpio import keypad
from hal.gpio.factories import open_factory
from hal.gpio.gpiod_factory import GpiodFactory
from hal.gpio.parts import Parts, open_parts
from hal.keys import Key, key_named
from tests.support.gpio.callbacks import Callbacks
from tests.support.gpio.fake_gpiod import FakeChip
from tests.support.gpio.mock_pins import WiredFactory
from tests.support.gpio.stand_in_lgpio import Lgpio
from tests.support.gpio.stand_in_rpi_gpio import RpiGpio
from tests.support.gpio.wires import Wires

FACTORIES = ("mock", "gpiod", "lgpio", "rpigpio")
BOARD = """
name = "bench"
title = "All that hangs on pins"
[keypad]
rows = [5, 6, 13, 19]
columns = [12, 16, 20]
keys = [["1", "2", "3"], ["4", "5", "6"], ["7", "8", "9"], ["*", "0", "#"]]
[buttons]
mute = 23
speaker = 3
[hook]
pin = 17
lifted = "closed"
flash_max_ms = 2000
[rotary]
pulse = 24
off_normal = 25
[headset]
pin = 27
[lamps]
message = { pin = 22 }
mute = { pin = 10, active_low = true }
ring = { pin = 9, brightness = 30 }
[ringer]
kind = "bell"
pins = [7, 8]
hertz = 25
"""
_PATIENCE = 15.0


def make_factory(name: str, wires: Wires, monkeypatch, endings: list):
    """A factory of this name on these wires, as `open_factory` would give it."""
    if name == "mock":
        return WiredFactory(wires), ()
    if name == "gpiod":
        return GpiodFactory(lambda: FakeChip(wires)), ()
    stand_in(name, wires, monkeypatch, endings)
    return open_factory(name)


def stand_in(name: str, wires: Wires, monkeypatch, endings: list) -> None:
    """Put the stand-in of lgpio or RPi.GPIO in the library's place, fresh."""
    callbacks = Callbacks()
    endings.append(callbacks.end)
    if name == "lgpio":
        monkeypatch.setitem(sys.modules, "lgpio", Lgpio(wires, callbacks))
    else:
        gpio = RpiGpio(wires, callbacks)
        monkeypatch.setitem(sys.modules, "RPi", SimpleNamespace(GPIO=gpio))
        monkeypatch.setitem(sys.modules, "RPi.GPIO", gpio)
    for module in (f"gpiozero.pins.{name}", f"hal.gpio.{name}_factory"):
        # What was built on another library, or on an earlier stand-in, goes with it.
        sys.modules.pop(module, None)
        endings.append(lambda module=module: sys.modules.pop(module, None))


class Workbench:
    """An opened board with hands on it and ears; `there`: whether its pins answer."""

    def __init__(
        self, path: Path, opener, wires: Wires, text: str = BOARD, *, there: bool = True, **more
    ) -> None:
        path.write_text(text)
        self.spec = load_board(str(path))
        self.wires = wires
        self._told: queue.SimpleQueue[Event] = queue.SimpleQueue()
        settle = getattr(wires, "settle", keypad.settle)
        self.parts: Parts = open_parts(
            self.spec, self._told.put, factory=opener, settle=settle, **more
        )
        if self.parts.inputs is not None:
            tasks = self.parts.inputs._tasks
            self.parts.inputs.start(self._told.put)
            # What is down when a phone starts is no wish.
            if there:
                self.until(lambda: all(task.deadline != 0.0 for task in tasks))
        self.places = {}
        if self.spec.keypad is not None:
            self.places = {
                key: (self.spec.keypad.rows[row], self.spec.keypad.columns[column])
                for row, line in enumerate(self.spec.keypad.keys)
                for column, key in enumerate(line)
            }

    def press(self, name: str) -> None:
        """Put a finger on a key."""
        key = key_named(name)
        if key in self.places:
            self.wires.connect(*self.places[key])
        else:
            self.wires.close(dict(self.spec.buttons)[key])

    def release(self, name: str) -> None:
        """Take it off."""
        key = key_named(name)
        if key in self.places:
            self.wires.disconnect(*self.places[key])
        else:
            self.wires.open(dict(self.spec.buttons)[key])

    def next(self, seconds: float = _PATIENCE) -> Event:
        """What was told next."""
        return self._told.get(timeout=seconds)

    def hear(self, *kinds: type) -> list:
        """As many events, of these kinds in this order; their keys, or themselves."""
        events = [self.next() for _ in kinds]
        assert [type(event) for event in events] == list(kinds), events
        return [getattr(event, "key", event) for event in events]

    def heard(self, seconds: float) -> list[Event]:
        """All that is told within this time."""
        end = time.monotonic() + seconds
        events = []
        while True:
            # What was told before the time was over counts, however late it is looked at.
            left = end - time.monotonic()
            try:
                events.append(self._told.get(left > 0, left if left > 0 else None))
            except queue.Empty:
                return events

    def failures(self) -> dict[str, str]:
        """What was reported as failed up to now."""
        return {e.device: e.reason for e in self.heard(0.01) if isinstance(e, DeviceFailed)}

    def until(self, true) -> None:
        """Wait until this is so."""
        end = time.monotonic() + _PATIENCE
        while not true():
            assert time.monotonic() < end, "it never came"
            time.sleep(0.001)  # noqa: TID251 - other threads are at work

    def level(self, pin: int) -> int:
        """What a lamp or a coil gets."""
        return self.wires.lines[pin].level

    def pulses(self, pin: int, seconds: float = 0.05) -> bool:
        """Whether it is switched on and off, by the library or by a thread."""
        before = self.wires.lines[pin].edges
        time.sleep(seconds)  # noqa: TID251 - as above
        _, duty = self.wires.pwm.get(pin, (0, 0))
        return 0 < duty < 1 or self.wires.lines[pin].edges - before > 2

    def close(self) -> None:
        """Close all that was opened."""
        for part in (self.parts.inputs, self.parts.ringer, self.parts.lamps):
            if part is not None:
                part.close()


ALL_KEYS = [key for key in Key if key.digit]
