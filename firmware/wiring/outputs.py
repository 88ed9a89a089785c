"""What is wrong with lamps, bell and screen, from what the builder saw and heard. Pure."""

from collections.abc import Iterator

from firmware.base.phrase import Phrase, phrase
from firmware.wiring.evidence import Answer, Evidence
from firmware.wiring.keypad import Finding
from firmware.wiring.learned import Lesson
from firmware.wiring.wires import wire, wires
from hal.board_spec import BoardSpec, DisplaySpec
from hal.header import SELECT_PINS, bus_lines

_IN = " in"


def output_findings(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    """Lamps, bell, screen."""
    yield from _lamps(spec, seen)
    if seen.answers.get("bell") is Answer.NO:
        where: Phrase | str = wires(spec.ringer.pins) if spec.ringer else spec.name
        yield Finding(phrase("board.test.bell_silent", pins=where))
    yield from _screen(spec, seen)


def _lamps(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    pins = {name: (lamp.pin, lamp.active_low) for name, lamp in spec.lamps}
    for name, answer in seen.answers.items():
        kind, _, lamp = name.partition(" ")
        if kind != "lamp" or answer is not Answer.NO or lamp.endswith(" off"):
            continue
        pin, low = pins.get(lamp, (None, False))
        where: Phrase | str = spec.name if pin is None else wire(pin)
        if seen.answers.get(f"{name} off") is Answer.YES:
            lessons = () if pin is None else (Lesson(f"lamps.{lamp}", "active_low", not low),)
            yield Finding(phrase("board.test.lamp_reversed", lamp=lamp, pins=where), lessons)
        else:
            yield Finding(phrase("board.test.lamp_dark", lamp=lamp, pins=where))


def _screen(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    if seen.answers.get("screen") is not Answer.NO or "screen" in seen.failed:
        return
    display = spec.display
    if display is None:
        yield Finding(phrase("board.test.screen_other"))
    elif seen.answers.get("screen turned") is Answer.YES:
        lesson = Lesson("display", "rotate", (display.rotate + 2) % 4)
        yield Finding(phrase("board.test.screen_turned"), (lesson,))
    else:
        said = {"chip": display.chip, "pins": screen_wires(display) or spec.name}
        yield Finding(phrase("board.test.screen_wrong", **said))


def screen_wires(display: DisplaySpec) -> Phrase | None:
    """The wires of a screen's bus, as far as they are on the header."""
    lines = bus_lines(display.bus, display.port)
    # A screen has nothing to say.
    pins = [pin for pin, what in lines if not what.endswith(_IN)]
    if display.bus == "spi":
        pins += SELECT_PINS.get(display.port, ())[display.device : display.device + 1]
    pins += [pin for pin in (display.data_command, display.reset) if pin is not None]
    return wires(pins) if pins else None
