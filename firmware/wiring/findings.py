"""What the evidence means: sentences that name the wire, and what to write. Pure."""

import re
from collections.abc import Iterator

from firmware.base.phrase import Phrase, phrase
from firmware.wiring.dial import dial_findings, dial_wires
from firmware.wiring.evidence import Answer, Evidence
from firmware.wiring.keypad import Finding, keypad_findings
from firmware.wiring.learned import Lesson
from firmware.wiring.outputs import output_findings, screen_wires
from firmware.wiring.sound import sound_findings
from firmware.wiring.switches import headset_findings, hook_findings, hook_lessons, longer
from firmware.wiring.wires import wire, wires
from hal.board_spec import BoardSpec
from hal.keys import Key

_ELSEWHERE = re.compile(r"somebody does at (0x[0-9a-f]{2})$")
NO_ANSWER = "no answer"
"""How the reason of a screen begins of which nothing is heard."""
_PRETENDED = "mock"
_ANY_KERNEL = "gpiod"


def findings_of(spec: BoardSpec, seen: Evidence) -> list[Finding]:
    """Everything that is wrong, in the order of the walk."""
    return [
        *_devices(spec, seen),
        *_keys(spec, seen),
        *hook_findings(spec, seen),
        *headset_findings(spec, seen),
        *output_findings(spec, seen),
        *sound_findings(spec, seen),
    ]


def lessons_of(spec: BoardSpec, seen: Evidence) -> list[Lesson]:
    """What to write, without what the board says already; a hook that was found out, too."""
    lessons = [lesson for finding in findings_of(spec, seen) for lesson in finding.lessons]
    return list(dict.fromkeys((*lessons, *hook_lessons(spec, seen))))


def _devices(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    if spec.pin_factory == _PRETENDED and spec.panel is None and _has_pins(spec):
        yield Finding(phrase("board.test.pretended"))
    for device, reason in seen.failed.items():
        yield _failed(spec, seen, device, reason)
    for device, reason in seen.flaky.items():
        yield Finding(phrase("board.test.flaky", device=device, reason=reason))


def _failed(spec: BoardSpec, seen: Evidence, device: str, reason: str) -> Finding:
    if device == "GPIO" and spec.pin_factory != _ANY_KERNEL:
        return Finding(phrase("board.test.factory", reason=reason, factory=spec.pin_factory))
    if device == "screen" and (found := _ELSEWHERE.search(reason)):
        lesson = Lesson("display", "address", int(found[1], 16))
        return Finding(phrase("board.test.device", device=device, reason=reason), (lesson,))
    if device == "screen" and reason.startswith(NO_ANSWER):
        return _unheard(spec, seen, reason)
    return Finding(device_phrase(device, reason))


def _unheard(spec: BoardSpec, seen: Evidence, reason: str) -> Finding:
    """A screen of which nothing is heard, and who else is on its bus."""
    pins = screen_wires(spec.display) if spec.display is not None else None
    where: Phrase | str = pins if pins is not None else spec.name
    if seen.bus is None:
        return Finding(phrase("board.test.screen_gone", reason=reason, pins=where))
    if not seen.bus:
        return Finding(phrase("board.test.bus_empty", reason=reason, pins=where))
    others = ", ".join(f"0x{address:02x}" for address in seen.bus)
    said = phrase("board.test.bus_others", reason=reason, pins=where, others=others)
    return Finding(said)


def device_phrase(device: str, reason: str) -> Phrase:
    """A device and what is wrong with it; some reasons begin with its name."""
    if reason.startswith(device):
        return phrase("board.test.reason", reason=reason)
    return phrase("board.test.device", device=device, reason=reason)


def _has_pins(spec: BoardSpec) -> bool:
    parts = (spec.keypad, spec.hook, spec.rotary, spec.ringer, spec.headset)
    return bool(spec.buttons or spec.lamps) or any(part is not None for part in parts)


def _keys(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    for key in sorted(seen.stuck, key=lambda key: key.value):
        yield Finding(phrase("board.test.stuck", key=key.value, pins=_pins_of(spec, key)))
    silent = seen.silent - seen.stuck
    apart: set[Key] = set()
    if spec.keypad is not None:
        apart = {key for row in spec.keypad.keys for key in row if key is not None}
        yield from keypad_findings(spec.keypad, seen.arrived, silent)
    if spec.rotary is not None:
        on_dial = {
            key for key in (*seen.arrived, *silent) if key.value in spec.rotary.order
        } - apart
        yield from dial_findings(
            spec.rotary,
            {key: came for key, came in seen.arrived.items() if key in on_dial},
            silent & on_dial,
        )
        apart |= on_dial
    yield from _single(spec, seen, silent - apart, apart)
    yield from _bounces(spec, seen)
    if seen.answers.get("keys") is Answer.NO:
        yield Finding(phrase("board.test.panel_key"))


def _single(
    spec: BoardSpec, seen: Evidence, silent: set[Key], apart: set[Key]
) -> Iterator[Finding]:
    """Keys that are neither of the keypad nor of the dial."""
    for key in sorted(silent, key=lambda key: key.value):
        yield Finding(phrase("board.test.key_silent", key=key.value, pins=_pins_of(spec, key)))
    for key, came in seen.arrived.items():
        if key not in apart and key not in came:
            said = {"key": key.value, "came": came[0].value, "pins": _pins_of(spec, key)}
            yield Finding(phrase("board.test.key_other", **said))


def _bounces(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    on_matrix = {key for row in spec.keypad.keys for key in row} if spec.keypad else set()
    for key, came in seen.arrived.items():
        if (times := len(came)) == len(set(came)):
            continue
        found = {"key": key.value, "times": times, "pins": _pins_of(spec, key)}
        if spec.keypad is not None and key in on_matrix:
            lessons = longer("keypad", spec.keypad.lockout_ms)
            yield Finding(phrase("board.test.bounces", **found), lessons)
        else:
            yield Finding(phrase("board.test.key_bounces", **found))


def _pins_of(spec: BoardSpec, key: Key) -> Phrase | str:
    """The wires of a key, or the part that it belongs to."""
    for button, pin in spec.buttons:
        if button is key:
            return wire(pin)
    for row, line in enumerate(spec.keypad.keys if spec.keypad else ()):
        if spec.keypad is not None and key in line:
            return wires((spec.keypad.rows[row], spec.keypad.columns[line.index(key)]))
    if spec.rotary is not None and key.value in spec.rotary.order:
        return dial_wires(spec.rotary)
    return spec.name
