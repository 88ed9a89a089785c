"""A call that takes the place of another (RFC 3891): the end of an attended transfer, a pickup.

It does not ring: whoever was spoken with has handed us on. The new call is answered first; only
then the old one ends, so that a new call that cannot be takes nothing away.
"""

from firmware.base.values import replace
from firmware.phone.commands import EndCall
from firmware.phone.features import endings
from firmware.phone.model import Call, Ending
from firmware.phone.texts import notice
from firmware.phone.turn import Turn
from firmware.phone.view import Mode
from firmware.sip.notifications import IncomingCall


def may(turn: Turn, event: IncomingCall) -> bool:
    """Whether the call that is to be replaced may be: never one for help (P10)."""
    old = None if event.replaces is None else turn.state.call(event.replaces)
    return old is None or not old.emergency


def take_over(turn: Turn, call: Call) -> bool:
    """The call was answered: it gets the old one's place; False if that is gone meanwhile."""
    old = None if call.replaces is None else turn.state.call(call.replaces)
    if old is None:
        return False
    in_front = turn.state.front == old.ref
    turn.put(replace(call, held=old.held and old.answered))
    turn.do(EndCall(old.ref))
    turn.state = turn.state.seated(call.ref, old.ref)
    said = notice("call_replaced", who=call.who, line=call.line)
    endings.forget(turn, old, Ending(by_us=True, notice=said))
    if in_front:
        turn.front(call.ref, keep_mute=True)
        turn.enter(Mode.TALKING)
        turn.show(said, 5.0)
    return True
