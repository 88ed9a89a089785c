"""Which path the person talks on, and what the hook has to do with it.

The handset path is open only while the handset is up (or where there is no hook at all).
"""

from firmware.base.values import replace
from firmware.media.messages import PathName
from firmware.phone.actions import SelectPath
from firmware.phone.model import PhoneState
from firmware.phone.texts import notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import Mode, Notice
from hal.events import HeadsetPlugged, HeadsetUnplugged

_TALK_PATHS = (PathName.HANDSET, PathName.HEADSET, PathName.SPEAKER)


def hands_free(state: PhoneState) -> PathName | None:
    """The path for a person whose handset is down."""
    paths = state.hardware.paths
    if state.headset_in and PathName.HEADSET in paths:
        return PathName.HEADSET
    for path in (PathName.SPEAKER, PathName.HEADSET):
        if path in paths:
            return path
    return None if state.hardware.has_hook or PathName.HANDSET not in paths else PathName.HANDSET


def natural(state: PhoneState) -> PathName | None:
    """The path a person expects without having chosen one."""
    return of_handset(state) if state.hook_up else hands_free(state)


def of_handset(state: PhoneState) -> PathName | None:
    """The path that lifting the handset opens."""
    paths = state.hardware.paths
    return next((path for path in _TALK_PATHS if path in paths), None)


def usable(state: PhoneState, path: PathName) -> bool:
    """Whether a person may choose this path now."""
    if path not in state.hardware.paths or path not in _TALK_PATHS:
        return False
    on_hook = state.hardware.has_hook and not state.hook_up
    return not (path is PathName.HANDSET and on_hook)


def why_not(state: PhoneState, _rules: Rules, event: SelectPath) -> Notice | None:
    """Why this path cannot be talked on, None if it can; the one in use may be put down."""
    path = event.path
    if path is state.path or usable(state, path):
        return None
    if path not in state.hardware.paths:
        return notice("path_missing", path=path.value)
    text = "path_on_hook" if path in _TALK_PATHS else "path_not_for_talk"
    return notice(text, path=path.value)


def open_some(turn: Turn) -> None:
    """Open the natural path unless one is open."""
    if turn.state.path is None:
        turn.take_path(natural(turn.state))


def lift(turn: Turn) -> None:
    """The handset is up: talk on it."""
    turn.state = replace(turn.state, hook_up=True)
    turn.take_path(of_handset(turn.state))


def put_down(turn: Turn) -> bool:
    """The handset is down: its microphone and earpiece close at once (RELIABILITY F37).

    Returns whether the person had been using it.
    """
    state = turn.state
    if not state.hook_up:
        return False
    used = state.path is not None and state.path is of_handset(state)
    turn.state = replace(state, hook_up=False)
    if used:
        turn.take_path(None)
    return used


def plugged(turn: Turn, _event: HeadsetPlugged) -> None:
    """A headset takes over from the loudspeaker, not from a handset in somebody's hand."""
    state = replace(turn.state, headset_in=True)
    turn.state = state
    if state.path is PathName.SPEAKER and PathName.HEADSET in state.hardware.paths:
        turn.take_path(PathName.HEADSET)


def unplugged(turn: Turn, _event: HeadsetUnplugged) -> None:
    """Without the headset the talk goes on where the person expects it."""
    turn.state = replace(turn.state, headset_in=False)
    if turn.state.path is PathName.HEADSET and turn.state.mode is not Mode.IDLE:
        turn.take_path(_without_headset(turn.state))


def _without_headset(state: PhoneState) -> PathName | None:
    found = natural(state)
    return None if found is PathName.HEADSET else found
