"""The hook and the path keys while calls are up.

A flash is a short press of the hook. It may arrive as `HookFlash` alone, or the hardware may tell
of the fall first so that the microphone closes at once; both end in the same place.
"""

from firmware.base.values import replace
from firmware.media.messages import PathName
from firmware.phone.actions import SelectPath
from firmware.phone.desk import paths
from firmware.phone.features import conference, endings, hold, incoming, transfer
from firmware.phone.model import Timer
from firmware.phone.turn import Turn
from hal.events import HookReplaced


def lifted_in_call(turn: Turn) -> None:
    """The talk moves to the handset, or goes on there after a flash; a held call is resumed."""
    was_closed = turn.state.path is None and Timer.HOOK_FLASH not in turn.state.timers
    _take_up(turn)
    call = turn.state.front_call
    if was_closed and turn.state.ringing:
        incoming.answer(turn, turn.state.ringing[0].ref)
    elif was_closed and call is not None and call.held:
        hold.take_off(turn, call)


def _take_up(turn: Turn) -> None:
    turn.cancel(Timer.HOOK_FLASH)
    paths.lift(turn)


def replaced_in_call(turn: Turn, event: HookReplaced) -> None:
    """Microphone and earpiece close now; the call ends when it was no flash (RELIABILITY F37)."""
    if not paths.put_down(turn):
        return
    if event.flash_max > 0:
        turn.set_timer(Timer.HOOK_FLASH, event.flash_max)
    else:
        flash_over(turn)


def flash_over(turn: Turn) -> None:
    """It was no flash: the handset was put down. A call on hold stays on hold."""
    call = turn.state.front_call
    if call is None or call.held or turn.state.hook_up:
        return
    if not transfer.handset_down(turn, call) and not conference.leave(turn, call):
        endings.hang_up(turn, call)


def flashed(turn: Turn) -> None:
    """Turn to the caller who waits, else to the call on hold."""
    _take_up(turn)
    state = turn.state
    if state.ringing:
        incoming.answer(turn, state.ringing[0].ref)
        return
    held = next((call for call in state.calls if call.held and call.ref != state.front), None)
    if held is not None:
        hold.take_off(turn, held)


def replaced_without_call(turn: Turn) -> None:
    """Nothing to wait for: everything closes, unless the person talks hands-free."""
    used = paths.put_down(turn)
    if used or turn.state.path is None:
        endings.idle(turn)


def select_in_call(turn: Turn, event: SelectPath) -> None:
    """Talk on another path; the key of the one in use puts it down."""
    state = turn.state
    if event.path is state.path:
        _put_down(turn, event.path)
    elif paths.usable(state, event.path):
        turn.take_path(event.path)


def _put_down(turn: Turn, path: PathName) -> None:
    handset = paths.of_handset(turn.state)
    if turn.state.hook_up and path is not handset:
        turn.take_path(handset)
    elif path is not handset or not turn.state.hook_up:
        hang_up_front(turn)


def hang_up_front(turn: Turn) -> None:
    """The person ends the call in front: hands-free closes, a handset in hand hears dial tone."""
    call = turn.state.front_call
    if call is None:
        close(turn)
        return
    if call.emergency and Timer.HANG_UP_ASKED not in turn.state.timers:
        endings.hang_up(turn, call)
        return
    if turn.state.path is not None and transfer.under_way(turn.state, call):
        transfer.let_go(turn)
        return
    # Closed first: the call that follows must not find an open microphone.
    turn.take_path(paths.of_handset(turn.state) if turn.state.hook_up else None)
    if not conference.leave(turn, call):
        endings.hang_up(turn, call)
    elif transfer.under_way(turn.state, call):
        transfer.let_go(turn)


def close(turn: Turn) -> None:
    """Back to rest from a mode without a call: the handset, if up, hears dial tone again.

    Whoever was to be transferred is there again.
    """
    if turn.state.consultation is not None:
        transfer.back(turn)
        return
    turn.take_path(paths.of_handset(turn.state) if turn.state.hook_up else None)
    turn.state = replace(turn.state, test=None)
    endings.rest(turn)


def switch_or_close(turn: Turn, event: SelectPath) -> None:
    """A path key in a mode without a call: another path, or put this one down."""
    if event.path is turn.state.path:
        if not (turn.state.hook_up and event.path is paths.of_handset(turn.state)):
            close(turn)
    elif paths.usable(turn.state, event.path):
        turn.take_path(event.path)
