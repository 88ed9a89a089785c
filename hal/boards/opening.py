"""A `BoardSpec` becomes an open `Board`. Only here is it known which adapter makes which part."""

# ruff: noqa: PLC0415 - a board loads the adapters it has, and no others

import importlib.util
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hal.board import Board
from hal.board_spec import BoardSpec
from hal.errors import DeviceError
from hal.events import DeviceFailed
from hal.lamp_group import LampGroup
from hal.libraries import EVDEV, GPIO, OLED, PIN_LIBRARIES, SERIAL, SPI, Library
from hal.mock.panel import Panel
from hal.ports import DisplayPort, InputPort, LampPort, Post, RingerPort

if TYPE_CHECKING:  # a board without that part never loads it
    from hal.evdev.handset import UsbHandset
    from hal.gpio.parts import Parts
    from hal.oled.wire import OutputLine
    from hal.uart.panel import SerialPanel


def open_board(spec: BoardSpec, post: Post, clock: Callable[[], float] = time.monotonic) -> Board:
    """Open every part of a board and let its inputs send to `post`, which never blocks.

    Sound cards are not opened: they are the audio process's. `clock` stamps the events. A part that
    is not there (yet, or no more) is told by `post`, and the phone goes on without it; a screen, a
    front panel, a USB handset is looked for again, and with `gpiod` the GPIO chip.
    """
    if spec.panel is None:
        return _real(spec, post, clock)
    if _uses_pins(spec) or spec.display or spec.serial or spec.usb:
        reason = "it has a [panel], which stands in place of hardware: its other parts rest"
        post(DeviceFailed(f"board {spec.name}", reason, clock()))
    return _virtual(spec, post, clock)


def _real(spec: BoardSpec, post: Post, clock: Callable[[], float]) -> Board:
    """Every part that is there. One that does not work yet, or no more, says so by `post`."""
    pins = _on_pins(spec, post, clock)
    serial, usb = _serial_panel(spec, clock), _usb_handset(spec, clock)
    inputs: list[InputPort] = [part for part in (serial, usb) if part is not None]
    lamps: list[LampPort] = [part.lamps for part in (serial, usb) if part is not None]
    display: DisplayPort | None = _oled(spec, post, clock, _no_pins if pins is None else pins.line)
    ringer: RingerPort | None = None if pins is None else pins.ringer
    if pins is not None and pins.inputs is not None:
        inputs.append(pins.inputs)
    if pins is not None and pins.lamps is not None:
        lamps.append(pins.lamps)
    if serial is not None:
        display, ringer = display or serial.screen, ringer or serial.ringer
    for part in inputs:
        part.start(post)
    return Board(
        name=spec.name,
        inputs=tuple(inputs),
        display=display,
        lamps=LampGroup(*lamps) if lamps else None,
        ringer=ringer,
        cards=spec.cards,
        mixers=spec.mixers,
        has_hook=spec.has_hook,
        letters=serial.letters if serial is not None and display is serial.screen else None,
    )


def _on_pins(spec: BoardSpec, post: Post, clock: Callable[[], float]) -> "Parts | None":
    """What hangs on GPIO pins, or nothing."""
    if not _uses_pins(spec):
        return None
    if missing := _pins_lack(spec):
        post(DeviceFailed("GPIO", "; ".join(missing), clock()))
        return None
    from hal.gpio.parts import open_parts

    return open_parts(spec, post, clock)


def _uses_pins(spec: BoardSpec) -> bool:
    parts = (spec.keypad, spec.hook, spec.rotary, spec.ringer, spec.headset)
    line = spec.display is not None and spec.display.data_command is not None
    return line or bool(spec.buttons or spec.lamps) or any(part is not None for part in parts)


def _oled(
    spec: BoardSpec, post: Post, clock: Callable[[], float], line: Callable[[int], "OutputLine"]
) -> DisplayPort | None:
    if spec.display is None:
        return None
    from hal.health import Health
    from hal.oled.screen import DEVICE, open_screen

    return open_screen(spec.display, Health(DEVICE, post, clock), line)


def _no_pins(_pin: int) -> "OutputLine":
    raise DeviceError("its pins cannot be had: GPIO does not work")


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
        mixers=spec.mixers,
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
    lacks = _pins_lack(spec) if _uses_pins(spec) else []
    lacks += [lack for there, libraries in stands_on if there for lack in _missing(libraries)]
    return "; ".join(lacks)


def _pins_lack(spec: BoardSpec) -> list[str]:
    pins = PIN_LIBRARIES.get(spec.pin_factory)
    return _missing((GPIO, pins) if pins else (GPIO,))


def _missing(libraries: tuple[Library, ...]) -> list[str]:
    return [lib.lacks for lib in libraries if importlib.util.find_spec(lib.module) is None]
