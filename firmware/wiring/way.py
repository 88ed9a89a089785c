"""The way through a board: which steps, in which order. Pure."""

from collections.abc import Iterator, Sequence

from firmware.base.phrase import phrase
from firmware.wiring.evidence import HEADSET, HOOK, Draw, Light, Ring
from firmware.wiring.sound_steps import Echo, Microphone, Round, Tone
from firmware.wiring.steps import DIAL, AnyKeys, Move, Press, Question, Step
from hal.board_spec import BoardSpec
from hal.keys import Key

KEYPAD, SOCKET, SCREEN = "keypad", "headset socket", "screen"
USB, PANEL = "USB handset", "front panel"
"""Devices, as their events name them."""
_RINGER = "ringer"


def steps_of(spec: BoardSpec) -> Iterator[Step]:
    """Keys, hook, headset, lamps, bell, screen, sound."""
    yield from _keys(spec)
    if device := _hook_device(spec):
        yield from _hook(device)
    if spec.headset is not None:
        yield from _headset()
    for lamp, device in dict(_lamps(spec)).items():
        yield _lamp(lamp, device)
    if device := _bell_device(spec):
        yield _bell(device)
    yield from _screens(spec)
    for path, card in spec.cards.items():
        if card.kind == "alsa":
            yield Tone(path)
            if path != _RINGER:
                yield Round(path, _ears(spec, path))
                yield Microphone(path)
                yield Echo(path)


def _keys(spec: BoardSpec) -> Iterator[Step]:
    by_device: list[tuple[str, Sequence[Key]]] = []
    if spec.panel is not None:
        by_device.append(("", spec.panel.keys))
    if spec.keypad is not None:
        by_device.append((KEYPAD, [key for row in spec.keypad.keys for key in row if key]))
    by_device += [(f"key {key.value}", [key]) for key, _ in spec.buttons]
    if spec.rotary is not None:
        by_device.append((DIAL, [Key(digit) for digit in spec.rotary.order]))
    if spec.usb is not None:
        by_device.append((USB, [key for _, key in spec.usb.keys]))
    for device, keys in by_device:
        for key in dict.fromkeys(keys):
            yield Press(key, device)
    if spec.serial is not None:
        what, ask = phrase("board.test.panel_keys"), phrase("board.test.any_keys")
        yield AnyKeys("keys", PANEL, what, ask)


def _hook_device(spec: BoardSpec) -> str:
    if spec.hook is not None:
        return "hook"
    if spec.usb is not None and spec.usb.hook:
        return USB
    if spec.serial is not None:
        return PANEL
    return "handset" if spec.has_hook else ""


def _hook(device: str) -> Iterator[Step]:
    what = phrase("board.test.hook")
    down_and_up, up_and_down = phrase("board.test.lift_again"), phrase("board.test.replace_again")
    yield Move(HOOK, device, what, phrase("board.test.lift"), down_and_up, on=True)
    yield Move(HOOK, device, what, phrase("board.test.replace"), up_and_down, on=False)


def _headset() -> Iterator[Step]:
    what = phrase("board.test.headset")
    out_and_in, in_and_out = phrase("board.test.plug_again"), phrase("board.test.unplug_again")
    yield Move(HEADSET, SOCKET, what, phrase("board.test.plug"), out_and_in, on=True)
    yield Move(HEADSET, SOCKET, what, phrase("board.test.unplug"), in_and_out, on=False)


def _lamps(spec: BoardSpec) -> Iterator[tuple[str, str]]:
    """Every lamp, and the device that has it."""
    if spec.serial is not None:
        yield from ((name, PANEL) for name in spec.serial.lamps)
    if spec.usb is not None:
        yield from ((name, USB) for name, _ in spec.usb.lamps)
    if spec.panel is not None:
        yield from ((name, f"lamp {name}") for name in spec.panel.lamps)
    yield from ((name, f"lamp {name}") for name, _ in spec.lamps)


def _lamp(name: str, device: str) -> Step:
    what = phrase("board.test.lamp", lamp=name)
    return Question(
        f"lamp {name}",
        device,
        what,
        phrase("board.test.shines", lamp=name),
        start=(Light(name, on=True),),
        rest=(Light(name, on=False),),
        otherwise=Question(
            f"lamp {name} off",
            device,
            what,
            phrase("board.test.shines_now", lamp=name),
            start=(Light(name, on=False),),
        ),
    )


def _bell_device(spec: BoardSpec) -> str:
    if spec.ringer is not None:
        return spec.ringer.kind
    if spec.serial is not None and spec.serial.bell:
        return PANEL
    return "bell" if spec.panel is not None and spec.panel.bell else ""


def _bell(device: str) -> Step:
    what, ask = phrase("board.test.bell"), phrase("board.test.rings")
    return Question("bell", device, what, ask, start=(Ring(on=True),), rest=(Ring(on=False),))


def _screens(spec: BoardSpec) -> Iterator[Step]:
    if spec.display is not None:
        yield _screen(SCREEN, turns=True)
    elif spec.panel is not None and spec.panel.size:
        yield _screen(SCREEN, turns=False)
    elif spec.serial is not None and spec.serial.size:
        yield _screen(PANEL, turns=False)
    elif spec.serial is not None and spec.serial.letters:
        what, ask = phrase("board.test.screen"), phrase("board.test.letters")
        yield Question("screen", PANEL, what, ask, start=(Draw(),))


def _screen(device: str, *, turns: bool) -> Step:
    what = phrase("board.test.screen")
    upside_down = Question(
        "screen turned", device, what, phrase("board.test.upside_down"), start=(Draw(),)
    )
    return Question(
        "screen",
        device,
        what,
        phrase("board.test.picture"),
        start=(Draw(),),
        otherwise=upside_down if turns else None,
    )


def _ears(spec: BoardSpec, path: str) -> tuple[str, ...]:
    """Its own microphone, and one of every other card that has one."""
    by_device = {spec.cards[path].device: path}
    for other, card in spec.cards.items():
        if card.kind == "alsa" and other != _RINGER:
            by_device.setdefault(card.device, other)
    return tuple(by_device.values())
