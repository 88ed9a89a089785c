"""What the evidence means: sentences that name the wire, and what to write. Pure."""

import re
from collections.abc import Iterator

from firmware.base.phrase import phrase
from firmware.wiring.evidence import Answer, Evidence
from firmware.wiring.keypad import Finding, keypad_findings
from firmware.wiring.learned import Lesson
from hal.board_spec import BoardSpec, Contact
from hal.keys import Key

SILENT, CLIPPED = 0.003, 0.01
"""A microphone whose loudest sample is below -50 dB is not connected; one that is at its limit for
a hundredth of the time is turned up too far."""
_LONGEST_LOCKOUT = {"keypad": 200, "hook": 500}
_ELSEWHERE = re.compile(r"somebody does at (0x[0-9a-f]{2})$")


def findings_of(spec: BoardSpec, seen: Evidence) -> list[Finding]:
    """Everything that is wrong, in the order of the walk."""
    return [
        *_devices(seen),
        *_keys(spec, seen),
        *_hook(spec, seen),
        *_lamps(spec, seen),
        *_bell(spec, seen),
        *_screen(spec, seen),
        *_sound(seen),
    ]


def lessons_of(spec: BoardSpec, seen: Evidence) -> list[Lesson]:
    """What to write, without what the board says already; a hook that was found out, too."""
    lessons = [lesson for finding in findings_of(spec, seen) for lesson in finding.lessons]
    order = _hook_order(seen)
    if _is_to_be_found_out(spec) and order is not None:
        right = Contact.CLOSED if order else Contact.OPEN
        lessons.append(Lesson("hook", "lifted", right.value))
    return list(dict.fromkeys(lessons))


def _devices(seen: Evidence) -> Iterator[Finding]:
    for device, reason in seen.failed.items():
        lessons: tuple[Lesson, ...] = ()
        if device == "screen" and (found := _ELSEWHERE.search(reason)):
            lessons = (Lesson("display", "address", int(found[1], 16)),)
        yield Finding(phrase("board.test.device", device=device, reason=reason), lessons)


def _keys(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    for key in sorted(seen.stuck, key=lambda key: key.value):
        yield Finding(phrase("board.test.stuck", key=key.value, pins=_pins_of(spec, key)))
    on_matrix: set[Key] = set()
    if spec.keypad is not None:
        on_matrix = {key for row in spec.keypad.keys for key in row if key is not None}
        silent = seen.silent - seen.stuck
        yield from keypad_findings(spec.keypad, seen.arrived, silent)
    for key in sorted(seen.silent - seen.stuck - on_matrix, key=lambda key: key.value):
        yield Finding(phrase("board.test.key_silent", key=key.value, pins=_pins_of(spec, key)))
    for key, came in seen.arrived.items():
        if key not in on_matrix and key not in came:
            found = {"key": key.value, "came": came[0].value, "pins": _pins_of(spec, key)}
            yield Finding(phrase("board.test.key_other", **found))
    yield from _bounces(spec, seen, on_matrix)


def _bounces(spec: BoardSpec, seen: Evidence, on_matrix: set[Key]) -> Iterator[Finding]:
    bouncing = [key for key, came in seen.arrived.items() if len(came) > len(set(came))]
    lessons: tuple[Lesson, ...] = ()
    if spec.keypad is not None and on_matrix.intersection(bouncing):
        lessons = _longer("keypad", spec.keypad.lockout_ms)
    for key in bouncing:
        times = len(seen.arrived[key])
        pins = _pins_of(spec, key)
        yield Finding(phrase("board.test.bounces", key=key.value, times=times, pins=pins), lessons)


def _longer(table: str, lockout: int) -> tuple[Lesson, ...]:
    return (Lesson(table, "lockout_ms", min(lockout * 2, _LONGEST_LOCKOUT[table])),)


def _pins_of(spec: BoardSpec, key: Key) -> str:
    """The wires of a key, or the part that it belongs to."""
    for button, pin in spec.buttons:
        if button is key:
            return f"GPIO {pin}"
    for row, line in enumerate(spec.keypad.keys if spec.keypad else ()):
        if spec.keypad is not None and key in line:
            return f"GPIO {spec.keypad.rows[row]}, GPIO {spec.keypad.columns[line.index(key)]}"
    if spec.rotary is not None and key.value in spec.rotary.order:
        return f"GPIO {spec.rotary.pulse}"
    return spec.name


def _hook_order(seen: Evidence) -> bool | None:
    """Whether it told lifting as lifting; None if that was not seen both ways."""
    told = (seen.hook.get(True), seen.hook.get(False))
    return None if None in told or told[0] == told[1] else bool(told[0])


def _is_to_be_found_out(spec: BoardSpec) -> bool:
    """A walk takes such a contact for closed, with the handset off, until it is told otherwise."""
    return spec.hook is not None and spec.hook.lifted is Contact.AUTO


def _hook(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    if not seen.hook:
        return
    where = f"GPIO {spec.hook.pin}" if spec.hook is not None else spec.name
    told = set(seen.hook.values())
    if told == {None}:
        yield Finding(phrase("board.test.hook_silent", pins=where))
    elif None in told or (len(seen.hook) > 1 and _hook_order(seen) is None):
        yield Finding(phrase("board.test.hook_once", pins=where))
    elif _hook_order(seen) is False and not _is_to_be_found_out(spec):
        yield _reversed(spec, where)
    if seen.hook_bounces:
        lessons = _longer("hook", spec.hook.lockout_ms) if spec.hook is not None else ()
        yield Finding(phrase("board.test.hook_bounces", pins=where), lessons)


def _reversed(spec: BoardSpec, where: str) -> Finding:
    """The switch is of the other kind: normally open in place of normally closed, or so."""
    table, lifted = ("usb", spec.usb.lifted) if spec.usb is not None else ("", Contact.AUTO)
    if spec.hook is not None:
        table, lifted = "hook", spec.hook.lifted
    right = Contact.CLOSED if lifted is Contact.OPEN else Contact.OPEN
    lessons = (Lesson(table, "lifted", right.value),) if table else ()
    return Finding(phrase("board.test.hook_reversed", pins=where, right=right.value), lessons)


def _lamps(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    pins = {name: (lamp.pin, lamp.active_low) for name, lamp in spec.lamps}
    for name, answer in seen.answers.items():
        kind, _, lamp = name.partition(" ")
        if kind != "lamp" or answer is not Answer.NO or lamp.endswith(" off"):
            continue
        pin, low = pins.get(lamp, (None, False))
        where = spec.name if pin is None else f"GPIO {pin}"
        if seen.answers.get(f"{name} off") is Answer.YES:
            lessons = () if pin is None else (Lesson(f"lamps.{lamp}", "active_low", not low),)
            yield Finding(phrase("board.test.lamp_reversed", lamp=lamp, pins=where), lessons)
        else:
            yield Finding(phrase("board.test.lamp_dark", lamp=lamp, pins=where))


def _bell(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    if seen.answers.get("bell") is Answer.NO:
        pins = ", ".join(f"GPIO {pin}" for pin in spec.ringer.pins) if spec.ringer else spec.name
        yield Finding(phrase("board.test.bell_silent", pins=pins))


def _screen(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    if seen.answers.get("screen") is not Answer.NO or "screen" in seen.failed:
        return
    if seen.answers.get("screen turned") is Answer.YES:
        turned = (spec.display.rotate + 2) % 4 if spec.display is not None else 0
        lessons = (Lesson("display", "rotate", turned),) if spec.display is not None else ()
        yield Finding(phrase("board.test.screen_turned"), lessons)
    else:
        chip = spec.display.chip if spec.display is not None else spec.name
        yield Finding(phrase("board.test.screen_wrong", chip=chip))


def _sound(seen: Evidence) -> Iterator[Finding]:
    for path, reason in seen.no_sound.items():
        yield Finding(phrase("board.test.no_card", path=path, reason=reason))
    for name, answer in seen.answers.items():
        kind, _, path = name.partition(" ")
        if kind == "tone" and answer is Answer.NO:
            yield Finding(phrase("board.test.not_heard", path=path))
    for path, level in seen.levels.items():
        if level.peak < SILENT:
            yield Finding(phrase("board.test.mic_silent", path=path))
        elif level.clipped > CLIPPED:
            yield Finding(phrase("board.test.mic_clipped", path=path))
