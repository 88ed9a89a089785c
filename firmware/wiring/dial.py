"""What is wrong with a rotary dial, from the digits that came when others were dialled. Pure.

Most dials give one pulse for a 1 and ten for a 0; Swedish ones one for a 0 and ten for a 9, those
of New Zealand ten less the digit. Whichever it is: if all ten digits come, each as another, their
order is what was seen.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from firmware.base.phrase import Phrase, phrase
from firmware.wiring.keypad import Finding
from firmware.wiring.learned import Lesson
from firmware.wiring.wires import wires
from hal.board_spec import RotarySpec
from hal.keys import Key

_ENOUGH = 3
"""Digits that are wrong in the same way."""
_DIGITS = 10


def dial_findings(
    spec: RotarySpec, arrived: Mapping[Key, list[Key]], silent: AbstractSet[Key]
) -> Iterator[Finding]:
    """What is wrong with it; keys of other parts are not looked at."""
    right = {digit: count for count, digit in enumerate(spec.order, 1)}
    mute: list[str] = [key.value for key in silent if key.value in right]
    pulses: dict[str, int] = {
        key.value: right[came[0].value]
        for key, came in arrived.items()
        if key.value in right and came[0].value in right
    }
    if len(mute) > 1 and not pulses:
        yield Finding(phrase("board.test.dial_silent", pins=dial_wires(spec)))
        return
    if (finding := _all_wrong(spec, right, pulses)) is not None:
        yield finding
        return
    for digit in sorted(mute):
        yield Finding(phrase("board.test.dial_nothing", key=digit, pins=dial_wires(spec)))
    for digit, count in pulses.items():
        if count != right[digit]:
            said = {"key": digit, "came": spec.order[count - 1], "pins": dial_wires(spec)}
            yield Finding(phrase("board.test.dial_other", **said))


def dial_wires(spec: RotarySpec) -> Phrase:
    """Its one or two wires."""
    return wires([pin for pin in (spec.pulse, spec.off_normal) if pin is not None])


def _all_wrong(
    spec: RotarySpec, right: Mapping[str, int], pulses: Mapping[str, int]
) -> Finding | None:
    """One cause for everything, or None."""
    off = {count - right[digit] for digit, count in pulses.items()}
    if off <= {0}:
        return None
    if len(set(pulses.values())) == _DIGITS:
        order = "".join(sorted(pulses, key=lambda digit: pulses[digit]))
        lesson = Lesson("rotary", "order", order)
        return Finding(phrase("board.test.dial_order", order=order), (lesson,))
    if len(pulses) < _ENOUGH:
        return None
    if off == {-1}:
        return Finding(phrase("board.test.dial_less", pins=dial_wires(spec)))
    if off == {1}:
        return Finding(phrase("board.test.dial_more", pins=dial_wires(spec)))
    return None
