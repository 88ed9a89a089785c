"""What each lamp shows. A lamp the board does not have costs nothing: it is ignored there."""

from firmware.media.messages import PathName
from firmware.phone.model import Call, Line, PhoneState
from hal.ports import LampPattern

_OFF, _ON = LampPattern.OFF, LampPattern.ON
_SLOW, _FAST = LampPattern.SLOW_BLINK, LampPattern.FAST_BLINK


def wanted(state: PhoneState) -> dict[str, LampPattern]:
    """Lamp → pattern."""
    ringing = bool(state.ringing)
    lamps = {
        "message": _SLOW if state.missed or state.messages_wait else _OFF,
        "ring": _FAST if ringing else _OFF,
        "mute": _SLOW if state.muted else _OFF,
        "hold": _SLOW if any(call.held for call in state.calls) else _OFF,
        "speaker": _ON if state.path is PathName.SPEAKER else _OFF,
        "headset": _ON if state.path is PathName.HEADSET else _OFF,
    }
    for number, line in enumerate(state.lines, 1):
        lamps[f"line_{number}"] = _of_line(state.calls, line)
    return lamps


def _of_line(calls: tuple[Call, ...], line: Line) -> LampPattern:
    mine = [call for call in calls if call.line == line.name]
    if any(call.rings_here for call in mine):
        return _FAST
    if mine and all(call.held for call in mine):
        return _SLOW
    return _ON if mine else _OFF
