"""What is heard besides speech: the country's tones, the ring, short beeps.

`wanted` and `bell` say what lasts in a state; the beeps are orders of the moment and end by
themselves.
"""

from collections.abc import Iterator

from firmware.media.messages import PathName, PlayTone, Silence, ToneSegment
from firmware.phone.features import cadences
from firmware.phone.model import Call, PhoneState, Progress
from firmware.phone.turn import Turn
from firmware.phone.view import Mode

PROGRESS, RING, WAITING, KEY, BEEP = "progress", "ring", "waiting", "key", "beep"

_PROGRESS_MODES = (Mode.OFF_HOOK, Mode.RELEASED, Mode.HOWLER)
_ROWS, _COLUMNS = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0, 1633.0)
_PAD = ("123A", "456B", "789C", "*0#D")
_DTMF = {
    digit: (_ROWS[row], _COLUMNS[column])
    for row, digits in enumerate(_PAD)
    for column, digit in enumerate(digits)
}
_KEY_LEVEL, _KEY_SECONDS = -28.0, 0.1
_BEEP = (
    ToneSegment((1000.0,), 0.15, -20.0),
    ToneSegment((), 0.1),
    ToneSegment((1400.0,), 0.15, -20.0),
)


def wanted(state: PhoneState, country: str) -> Iterator[PlayTone]:
    """The tones that should sound now, at most one of each name."""
    path = state.path
    if path is not None:
        progress = _progress(state, country)
        if progress:
            yield PlayTone(PROGRESS, path, progress)
    if not state.ringing:
        return
    if _engaged(state):
        # Somebody who talks to the emergency service is not beeped at.
        if path is not None and state.emergency_call is None:
            yield PlayTone(WAITING, path, cadences.WAITING)
        return
    ringer = _ringer(state)
    if ringer is not None:
        yield PlayTone(RING, ringer, cadences.RING)


def bell(state: PhoneState, country: str) -> tuple[float, ...]:
    """The cadence of a real bell, `()` = silent."""
    if not state.ringing or _engaged(state):
        return ()
    return tuple(segment.seconds for segment in cadences.RING)


def _engaged(state: PhoneState) -> bool:
    """Whether the person has the phone at the ear, so that a ring would be too much."""
    return state.path is not None and state.mode is not Mode.RINGING


def _ringer(state: PhoneState) -> PathName | None:
    paths = state.hardware.paths
    return next((path for path in (PathName.RINGER, PathName.SPEAKER) if path in paths), None)


def _progress(state: PhoneState, country: str) -> tuple[ToneSegment, ...]:
    if state.mode is Mode.CALLING:
        call = state.front_call
        return cadences.RINGBACK if call is not None and _local_ringback(call) else ()
    if state.mode not in _PROGRESS_MODES:
        return ()
    match state.progress:
        case Progress.DIAL:
            return cadences.DIAL
        case Progress.BUSY:
            return cadences.BUSY
        case Progress.CONGESTION:
            return cadences.CONGESTION
        case Progress.HOWLER:
            return cadences.HOWLER
        case Progress.NONE:
            return ()


def _local_ringback(call: Call) -> bool:
    """RFC 3960 §3.2: ring ourselves after a 180 unless the far end's own media is there."""
    if not call.alerted:
        return False
    early_media = call.session is not None and call.session.media is not None
    unheard = call.hearing is not None and call.hearing.cause in (
        Silence.NO_PACKETS,
        Silence.NOT_DECODABLE,
    )
    return not early_media or unheard


def key(turn: Turn, digit: str) -> None:
    """What a pressed key sounds like."""
    path, pair = turn.state.path, _DTMF.get(digit.upper())
    if path is not None and pair is not None:
        segment = ToneSegment(pair, _KEY_SECONDS, _KEY_LEVEL)
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
