"""What is heard besides speech: the country's tones, the ring, short beeps.

`wanted` and `bell` say what lasts in a state; the beeps are orders of the moment and end by
themselves.
"""

from collections.abc import Iterator
from functools import lru_cache

from firmware.dsp.cadence import Segment, ToneKind, cadence
from firmware.dsp.tones import DTMF
from firmware.media.messages import PathName, PlayTone, ToneSegment
from firmware.phone.desk.rings import rhythm
from firmware.phone.model import Call, PhoneState, Progress
from firmware.phone.turn import Turn
from firmware.phone.view import Mode
from firmware.sip.facts import RingKind

PROGRESS, RING, WAITING, KEY, BEEP = "progress", "ring", "waiting", "key", "beep"

_PROGRESS_MODES = (Mode.OFF_HOOK, Mode.RELEASED, Mode.HOWLER)
_KINDS = {
    Progress.DIAL: ToneKind.DIAL,
    Progress.BUSY: ToneKind.BUSY,
    Progress.CONGESTION: ToneKind.CONGESTION,
    Progress.UNKNOWN_NUMBER: ToneKind.SIT,
    Progress.HOWLER: ToneKind.HOWLER,
}
_KEY_LEVEL, _KEY_SECONDS = -28.0, 0.1
_BEEP = (
    ToneSegment((1000.0,), 0.15, -20.0),
    ToneSegment((), 0.1),
    ToneSegment((1400.0,), 0.15, -20.0),
)
_WARBLE = (1000.0, 1250.0)
_WARBLE_SECONDS, _RING_LEVEL = 0.1, -12.0


def wanted(state: PhoneState, code: str) -> Iterator[PlayTone]:
    """The tones that should sound now in this country, at most one of each name."""
    path = state.path
    if path is not None:
        kind = _progress(state)
        if kind is not None:
            yield _tone(PROGRESS, path, kind, code)
    if not state.ringing:
        return
    if _engaged(state):
        # Somebody who talks to the emergency service is not beeped at.
        if path is not None and state.emergency_call is None:
            yield _tone(WAITING, path, ToneKind.CALL_WAITING, code)
        return
    ringer = _ringer(state)
    if ringer is not None:
        wish = state.ringing[0].facts.ring
        if rhythm(wish, code):
            yield _ring(ringer, code, wish)


@lru_cache(maxsize=128)
def _tone(name: str, path: PathName, kind: ToneKind, code: str) -> PlayTone:
    segments, repeat_from = cadence(code, kind)
    return PlayTone(name, path, tuple(map(_segment, segments)), repeat_from)


def _segment(segment: Segment) -> ToneSegment:
    return ToneSegment(tuple(map(float, segment.frequencies)), segment.seconds, segment.level)


@lru_cache(maxsize=32)
def _ring(path: PathName, code: str, kind: RingKind) -> PlayTone:
    """A warble in the rhythm of the bell."""
    segments: list[ToneSegment] = []
    for index, seconds in enumerate(rhythm(kind, code)):
        if index % 2:
            segments.append(ToneSegment((), seconds))
        else:
            segments += (
                ToneSegment((_WARBLE[beat % 2],), _WARBLE_SECONDS, _RING_LEVEL)
                for beat in range(round(seconds / _WARBLE_SECONDS))
            )
    return PlayTone(RING, path, tuple(segments))


def bell(state: PhoneState, code: str) -> tuple[float, ...]:
    """The cadence of a real bell, `()` = silent."""
    if not state.ringing or _engaged(state):
        return ()
    return rhythm(state.ringing[0].facts.ring, code)


def _engaged(state: PhoneState) -> bool:
    """Whether the person has the phone at the ear, so that a ring would be too much."""
    return state.path is not None and state.mode is not Mode.RINGING


def _ringer(state: PhoneState) -> PathName | None:
    paths = state.hardware.paths
    return next((path for path in (PathName.RINGER, PathName.SPEAKER) if path in paths), None)


def _progress(state: PhoneState) -> ToneKind | None:
    if state.mode is Mode.CALLING:
        call = state.front_call
        return ToneKind.RINGBACK if call is not None and _local_ringback(call) else None
    if state.mode not in _PROGRESS_MODES:
        return None
    if state.progress is Progress.DIAL and state.messages_wait:
        return ToneKind.STUTTER
    return _KINDS.get(state.progress)


def _local_ringback(call: Call) -> bool:
    """RFC 3960 §3.2: after a 180 ring ourselves, but only while the far end is not really heard.

    What its description promises does not count: some never send what they announce.
    """
    return call.alerted and not call.heard


def key(turn: Turn, digit: str) -> None:
    """What a pressed key sounds like."""
    path, pair = turn.state.path, DTMF.get(digit.upper())
    if path is not None and pair is not None:
        segment = ToneSegment(tuple(map(float, pair)), _KEY_SECONDS, _KEY_LEVEL)
        turn.order(PlayTone(KEY, path, (segment,), -1))


def beep_of_auto_answer(turn: Turn) -> None:
    """Nobody is listened to without hearing that the line is open (RELIABILITY A20)."""
    if turn.state.path is not None:
        turn.order(PlayTone(BEEP, turn.state.path, _BEEP, -1))


def beep_of_hold(turn: Turn) -> None:
    """Somebody waits on hold."""
    path = turn.state.path or _ringer(turn.state)
    if path is not None:
        turn.order(PlayTone(BEEP, path, _BEEP[:1], -1))


def beep_of_click(turn: Turn) -> None:
    """Somebody shall come and lift."""
    path = _ringer(turn.state)
    if path is not None:
        turn.order(PlayTone(BEEP, path, _BEEP * 3, -1))
