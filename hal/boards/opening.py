"""A `BoardSpec` becomes an open `Board`. Only here is it known which adapter makes which part."""

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass

from hal.board import Board
from hal.board_spec import BoardSpec
from hal.errors import DeviceError
from hal.mock.panel import Panel
from hal.ports import Post


@dataclass(frozen=True, slots=True)
class Library:
    """A Python module that an adapter stands on, and the command that brings it."""

    module: str
    install: str


GPIO = Library("gpiozero", "apt install python3-gpiozero")
PIN_LIBRARIES = {
    "gpiod": Library("gpiod", "apt install python3-libgpiod"),
    "lgpio": Library("lgpio", "pip install lgpio"),
    "rpigpio": Library("RPi", "apt install python3-rpi.gpio"),
}
OLED = Library("luma", "apt install python3-luma.oled")
SERIAL = Library("serial", "apt install python3-serial")
EVDEV = Library("evdev", "apt install python3-evdev")


def open_board(spec: BoardSpec, post: Post, clock: Callable[[], float] = time.monotonic) -> Board:
    """Open every part of a board and let its inputs send to `post`, which never blocks.

    Sound cards are not opened: they are the audio process's. `clock` stamps the panel's events.

    Raises:
        hal.errors.DeviceError: a part cannot be opened; the message names each such part and what
            is missing.
    """
    if lacks := lacking(spec):
        raise DeviceError(f"board {spec.name}: {lacks}")
    if spec.panel is None:
        return Board(spec.name, (), None, None, None, spec.cards, has_hook=False)
    panel = Panel(
        clock,
        keys=spec.panel.keys,
        size=spec.panel.size,
        lamps=spec.panel.lamps,
        bell=spec.panel.bell,
        hook=spec.panel.hook,
    )
    panel.start(post)
    return Board(
        name=spec.name,
        inputs=(panel,),
        display=panel.screen,
        lamps=panel.lamp_row,
        ringer=panel.ringer,
        cards=spec.cards,
        panel=panel,
        has_hook=spec.has_hook,
    )


def lacking(spec: BoardSpec) -> str:
    """What stands between this board and its devices; empty if nothing does."""
    pins = PIN_LIBRARIES.get(spec.pin_factory)
    gpio = (GPIO, pins) if pins else (GPIO,)
    by_pin = {
        "keypad": spec.keypad,
        "buttons": spec.buttons,
        "hook": spec.hook,
        "rotary": spec.rotary,
        "lamps": spec.lamps,
        "ringer": spec.ringer,
        "headset": spec.headset,
    }
    families = (
        ([part for part, there in by_pin.items() if there], gpio),
        (["display"] if spec.display else [], (OLED,)),
        (["serial"] if spec.serial else [], (SERIAL,)),
        (["usb"] if spec.usb else [], (EVDEV,)),
    )
    return "; ".join(_fault(parts, libraries) for parts, libraries in families if parts)


def _fault(parts: list[str], libraries: tuple[Library, ...]) -> str:
    """The adapter is not there yet; which of the libraries it will stand on are missing, too."""
    names = " ".join(f"[{part}]" for part in parts)
    missing = [lib for lib in libraries if importlib.util.find_spec(lib.module) is None]
    advice = "".join(f", and {lib.module} is missing ({lib.install})" for lib in missing)
    return f"this release has no adapter for {names} yet{advice}"
