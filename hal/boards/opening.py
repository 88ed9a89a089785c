"""A `BoardSpec` becomes an open `Board`. Only here is it known which adapter makes which part."""

# ruff: noqa: PLC0415 - a board loads the adapters it has, and no others

import importlib.util
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hal.board import Board
from hal.board_spec import BoardSpec
from hal.errors import DeviceError
from hal.lamp_group import LampGroup
from hal.libraries import EVDEV, GPIO, OLED, PIN_LIBRARIES, SERIAL, SPI, Library
from hal.mock.panel import Panel
from hal.ports import DisplayPort, InputPort, LampPort, Post, RingerPort

if TYPE_CHECKING:  # a board without that part never loads it
    from hal.evdev.handset import UsbHandset
    from hal.oled.wire import OutputLine
    from hal.uart.panel import SerialPanel


def open_board(spec: BoardSpec, post: Post, clock: Callable[[], float] = time.monotonic) -> Board:
    """Open every part of a board and let its inputs send to `post`, which never blocks.

    Sound cards are not opened: they are the audio process's. `clock` stamps the events. A screen, a
    front panel, a USB handset that is not there (yet, or no more) is told by `post` and looked for
    again; the phone goes on without it.

    Raises:
        hal.errors.DeviceError: a part on pins cannot be opened; the message names each such part
            and what is missing.
    """
    if lacks := _pins_lack(spec):
        raise DeviceError(f"board {spec.name}: {lacks}")
    return _real(spec, post, clock) if spec.panel is None else _virtual(spec, post, clock)


def _real(spec: BoardSpec, post: Post, clock: Callable[[], float]) -> Board:
    """Every part that is there. One that does not work yet, or no more, says so by `post`."""
    serial, usb = _serial_panel(spec, clock), _usb_handset(spec, clock)
    inputs: tuple[InputPort, ...] = tuple(part for part in (serial, usb) if part is not None)
    lamps: list[LampPort] = [part.lamps for part in (serial, usb) if part is not None]
    display: DisplayPort | None = _oled(spec, post, clock)
    ringer: RingerPort | None = None
    if serial is not None:
        display, ringer = display or serial.screen, ringer or serial.ringer
    for part in inputs:
        part.start(post)
    return Board(
        name=spec.name,
        inputs=inputs,
        display=display,
        lamps=LampGroup(*lamps) if lamps else None,
        ringer=ringer,
        cards=spec.cards,
        has_hook=spec.has_hook,
    )


def _oled(spec: BoardSpec, post: Post, clock: Callable[[], float]) -> DisplayPort | None:
    if spec.display is None:
        return None
    from hal.health import Health
    from hal.oled.screen import DEVICE, open_screen

    return open_screen(spec.display, Health(DEVICE, post, clock), _open_line)


def _open_line(_pin: int) -> "OutputLine":
    raise DeviceError("this release has no adapter for pins yet")


def _serial_panel(spec: BoardSpec, clock: Callable[[], float]) -> "SerialPanel | None":
    if spec.serial is None:
        return None
    from hal.uart.panel import open_panel

    return open_panel(spec.serial, clock)


def _usb_handset(spec: BoardSpec, clock: Callable[[], float]) -> "UsbHandset | None":
    if spec.usb is None:
        return None
    from hal.evdev.handset import open_handset

    return open_handset(spec.usb, clock)


def _virtual(spec: BoardSpec, post: Post, clock: Callable[[], float]) -> Board:
    assert spec.panel is not None
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
    spi = spec.display is not None and spec.display.bus == "spi"
    stands_on: tuple[tuple[bool, tuple[Library, ...]], ...] = (
        (spec.display is not None, (OLED, SPI) if spi else (OLED,)),
        (spec.serial is not None, (SERIAL,)),
        (spec.usb is not None, (EVDEV,)),
    )
    pins = _pins_lack(spec)
    others = [lack for there, libraries in stands_on if there for lack in _missing(libraries)]
    return "; ".join(([pins] if pins else []) + others)


def _pins_lack(spec: BoardSpec) -> str:
    """The adapter is not there yet; which of the libraries it will stand on are missing, too."""
    by_pin = {
        "keypad": spec.keypad,
        "buttons": spec.buttons,
        "hook": spec.hook,
        "rotary": spec.rotary,
        "lamps": spec.lamps,
        "ringer": spec.ringer,
        "headset": spec.headset,
    }
    names = " ".join(f"[{part}]" for part, there in by_pin.items() if there)
    if not names:
        return ""
    pins = PIN_LIBRARIES.get(spec.pin_factory)
    advice = "".join(f", and {lack}" for lack in _missing((GPIO, pins) if pins else (GPIO,)))
    return f"this release has no adapter for {names} yet{advice}"


def _missing(libraries: tuple[Library, ...]) -> list[str]:
    return [lib.lacks for lib in libraries if importlib.util.find_spec(lib.module) is None]
