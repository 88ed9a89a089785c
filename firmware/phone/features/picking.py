"""Pickup: a call that rings at somebody we watch is answered here.

With `line.pickup` the PBX does it: its code is dialled with the number of whose phone rings. Else
the caller is called with a Replaces that names the ringing dialog (RFC 3891, RFC 5359 §2.16), which
works where the watched phone itself, or a server that leaves its ids alone, told us of it. Whom a
document names is somebody else's word: a number that only a person may choose is not called (A19).
"""

from firmware.base.values import replace
from firmware.phone.actions import Dial, PickUp
from firmware.phone.desk import lines
from firmware.phone.features import outgoing, placing
from firmware.phone.model import PhoneState, Watch
from firmware.phone.texts import SENT_TO_BARRED, notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import Busyness, Notice


def why_not(state: PhoneState, rules: Rules, event: PickUp) -> Notice | None:
    """Why nothing can be picked up, None if it can be tried."""
    watch = _meant(state, event)
    if watch is None:
        return notice("pickup_nobody_rings")
    code, rings = _code(rules, watch), watch.rings
    if code:
        return outgoing.why_not(state, rules, Dial(code + watch.target, watch.line))
    if rings is None:
        return notice("pickup_unknown", who=watch.target)
    # Both: a document could show one number and name another.
    for number in (rings.caller.user or rings.caller.uri, rings.target):
        barred = rules.toll.barrier(number)
        if barred is not None:
            return notice(SENT_TO_BARRED[barred], who=watch.target, number=number)
    return outgoing.why_not(state, rules, Dial(rings.target, watch.line))


def pick_up(turn: Turn, event: PickUp) -> None:
    """Answer it here."""
    watch = _meant(turn.state, event)
    if watch is None or why_not(turn.state, turn.rules, event) is not None:
        return
    code, rings = _code(turn.rules, watch), watch.rings
    if code:
        outgoing.dial(turn, code + watch.target, watch.line)
    elif rings is not None:
        placing.set_aside(turn)
        call = placing.new_call(turn, rings.target, watch.line)
        placing.bring_up(turn, replace(call, remote=rings.caller, picks=rings))


def _meant(state: PhoneState, event: PickUp) -> Watch | None:
    """Whose call is meant: the one named, else the first whose phone rings."""
    for watch in state.watches.values():
        named = not event.target or watch.target == event.target
        if watch.busyness is Busyness.RINGING and named:
            return watch
    return None


def _code(rules: Rules, watch: Watch) -> str:
    settings = rules.settings.lines
    return next((line.pickup for line in settings if lines.name_of(line) == watch.line), "")
