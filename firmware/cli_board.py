"""`deskphone board`: the boards that come with the phone, their pins and parts, and the test."""

import sys
from collections.abc import Iterator

from firmware import bootstrap
from hal.board_spec import BoardSpec
from hal.errors import BoardError


def board(action: str, name: str | None) -> int:
    """List, show or test; returns the exit code."""
    try:
        match action, name:
            case "list", _:
                _list()
            case "show", str():
                print("\n".join(described(bootstrap.load_board(name))))
            case _:
                return bootstrap.test_board(name)
    except BoardError as error:
        print(f"deskphone: {error}", file=sys.stderr)
        return 2
    return 0


def _list() -> None:
    names = bootstrap.board_names()
    width = max(map(len, names), default=0)
    for name in names:
        print(f"{name:{width}}  {bootstrap.load_board(name).title}".rstrip())


def described(spec: BoardSpec) -> Iterator[str]:
    """A board as rows of text: a part, then where it is connected (BCM pin numbers)."""
    yield f"{spec.name}: {spec.title}" if spec.title else spec.name
    yield from (f"  {row}" for row in (*_inputs(spec), *_outputs(spec)))


def _inputs(spec: BoardSpec) -> Iterator[str]:
    if spec.panel:
        yield f"virtual phone with {len(spec.panel.keys)} keys"
    yield from _keypad(spec)
    for key, pin in spec.buttons:
        yield f"button {key.value}: pin {pin}"
    if spec.hook:
        yield f"hook switch: pin {spec.hook.pin}, {spec.hook.lifted.value} when lifted"
    if spec.rotary:
        yield f"dial: pulse pin {spec.rotary.pulse}, digits {spec.rotary.order}"
    if spec.headset:
        yield f"headset switch: pin {spec.headset.pin}"
    if spec.serial:
        yield f"front panel: {spec.serial.port} at {spec.serial.speed} baud"
    if spec.usb:
        yield f"USB keys: {spec.usb.vendor:04x}:{spec.usb.product:04x}"


def _keypad(spec: BoardSpec) -> Iterator[str]:
    if spec.keypad is None:
        return
    yield f"keypad: row pins {_pins(spec.keypad.rows)}; column pins {_pins(spec.keypad.columns)}"
    for keys in spec.keypad.keys:
        yield "        " + " ".join(key.value if key else "-" for key in keys)


def _pins(pins: tuple[int, ...]) -> str:
    return ", ".join(map(str, pins))


def _outputs(spec: BoardSpec) -> Iterator[str]:
    if spec.display:
        width, height = spec.display.size
        yield f"screen: {spec.display.chip} {width}×{height} on {spec.display.bus}"
    for name, lamp in spec.lamps:
        yield f"lamp {name}: pin {lamp.pin}{', active low' if lamp.active_low else ''}"
    if spec.ringer:
        yield f"{spec.ringer.kind}: pins {_pins(spec.ringer.pins)} at {spec.ringer.hertz} Hz"
    for path, card in spec.cards.items():
        yield f"sound of the {path}: {card.kind} {card.device}".rstrip()
