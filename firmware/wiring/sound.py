"""What is wrong with the sound, from answers and measurements together. Pure.

A tone that a path's own microphone hears proves both; what a builder did not hear, or did not say,
is then no fault of a wire. A tone that is not heard there proves nothing by itself: a good handset
keeps ear and mouth apart.
"""

from collections.abc import Iterator

from firmware.base.phrase import phrase
from firmware.wiring.evidence import Answer, Evidence
from firmware.wiring.keypad import Finding
from firmware.wiring.learned import Lesson
from hal.board_spec import BoardSpec

SILENT, CLIPPED = 0.003, 0.01
"""A microphone whose loudest sample is below -50 dB is not connected; one that is at its limit for
a hundredth of the time is turned up too far."""
STANDS_OUT = 12.0
"""dB by which bursts of a tone stand out where they are heard; speech and hum do not keep step."""


def hears(seen: Evidence, path: str, microphone: str) -> bool:
    """Whether a path's tone was heard by a microphone."""
    return seen.beeps.get(path, {}).get(microphone, 0.0) >= STANDS_OUT


def sound_findings(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    """Cards, earpieces, microphones, in the order of the walk."""
    for path, reason in seen.no_sound.items():
        yield Finding(phrase("board.test.no_card", path=path, reason=reason))
    yield from _mixers(spec, seen)
    crossed = dict(_crossed(seen))
    yield from _exchanged(spec, seen, crossed)
    for path in spec.cards:
        yield from _ear(spec, seen, path, crossed)
        yield from _mouth(seen, path, crossed)


def _mixers(spec: BoardSpec, seen: Evidence) -> Iterator[Finding]:
    """Each card once, whichever paths it has."""
    first = {spec.cards[path].device: path for path in reversed(seen.mixers)}
    for path in seen.mixers:
        if first[spec.cards[path].device] == path:
            faults = "; ".join(seen.mixers[path])
            yield Finding(phrase("board.test.mixer", path=path, faults=faults))


def _crossed(seen: Evidence) -> Iterator[tuple[str, str]]:
    """Paths whose tone came to another's microphone and not to their own."""
    for path, heard in seen.beeps.items():
        others = [other for other in heard if other != path and hears(seen, path, other)]
        if others and not hears(seen, path, path):
            yield path, max(others, key=lambda other: heard[other])


def _exchanged(spec: BoardSpec, seen: Evidence, crossed: dict[str, str]) -> Iterator[Finding]:
    for path, other in crossed.items():
        if crossed.get(other) != path:
            yield Finding(phrase("board.test.crossed", path=path, other=other))
        elif path < other:
            ears = seen.answers.get(f"tone {path}") is Answer.NO
            text = "board.test.ears_exchanged" if ears else "board.test.mouths_exchanged"
            yield Finding(phrase(text, path=path, other=other))
    if (pair := _cards_exchanged(spec, seen, crossed)) is not None:
        one, other = pair
        lessons = tuple(
            Lesson(f"cards.{path}", "device", spec.cards[place].device)
            for path, place in ((one, other), (other, one))
        )
        yield Finding(phrase("board.test.cards_exchanged", path=one, other=other), lessons)


def _cards_exchanged(
    spec: BoardSpec, seen: Evidence, crossed: dict[str, str]
) -> tuple[str, str] | None:
    """Two paths of which each was heard from the other's place, both whole by themselves."""
    elsewhere = [path for path in spec.cards if _was_elsewhere(seen, path)]
    if len(elsewhere) != 2 or crossed:
        return None
    one, other = elsewhere
    differ = spec.cards[one].device != spec.cards[other].device
    return (one, other) if differ else None


def _was_elsewhere(seen: Evidence, path: str) -> bool:
    return seen.answers.get(f"tone {path} elsewhere") is Answer.YES


def _ear(spec: BoardSpec, seen: Evidence, path: str, crossed: dict[str, str]) -> Iterator[Finding]:
    if seen.answers.get(f"tone {path}") is not Answer.NO or path in crossed:
        return
    if _was_elsewhere(seen, path):
        if _cards_exchanged(spec, seen, crossed) is None:
            found = phrase("board.test.elsewhere", path=path, device=spec.cards[path].device)
            yield Finding(found)
    elif hears(seen, path, path):
        yield Finding(phrase("board.test.faint", path=path))
    else:
        yield Finding(phrase("board.test.not_heard", path=path))


def _mouth(seen: Evidence, path: str, crossed: dict[str, str]) -> Iterator[Finding]:
    if (reason := seen.no_mouth.get(path)) is not None:
        yield Finding(phrase("board.test.no_mic", path=path, reason=reason))
    level = seen.levels.get(path)
    if level is None or path in crossed or path in crossed.values():
        return
    if level.clipped > CLIPPED:
        yield Finding(phrase("board.test.mic_clipped", path=path))
    elif level.peak < SILENT:
        if not hears(seen, path, path):
            yield Finding(phrase("board.test.mic_silent", path=path))
    elif (
        seen.answers.get(f"echo {path}") is Answer.NO
        and seen.answers.get(f"tone {path}") is not Answer.NO
    ):
        yield Finding(phrase("board.test.no_echo", path=path))
