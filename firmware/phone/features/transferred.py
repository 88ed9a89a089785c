"""Being transferred: the far end of a call sends us to somebody else.

We call whom it names; the old call ends when the new one is answered, and is there again if it is
not (RFC 5589 §6). No path is opened and no muted microphone heard again. Calls that arrive in the
place of one of ours are in `firmware.phone.features.replacing`.
"""

from firmware.base.values import replace
from firmware.phone.commands import FollowTransfer, RefuseTransfer
from firmware.phone.features import endings, hold, placing
from firmware.phone.model import Call, PhoneState, Timer
from firmware.phone.texts import SENT_TO_BARRED, notice
from firmware.phone.turn import Turn
from firmware.phone.view import Mode
from firmware.sip.notifications import TransferAsked

LEAVE_AFTER = 10.0
"""Seconds after the answer in which whoever transferred us should have hung up."""
MOST_TIMES = 10
"""Somebody who is sent on and on goes round in circles, or is made to."""
_TOLD = 5.0
_BARRED = 10.0


def asked(turn: Turn, event: TransferAsked) -> None:
    """A REFER: only within a call that is up, to a number, one at a time (A19)."""
    state = turn.state
    old = state.call(event.call)
    if old is None or not old.answered or state.stopped:
        turn.do(RefuseTransfer(event.transfer, 481))
        return
    on_the_way = old.instead_of is not None or any(x.instead_of == old.ref for x in state.calls)
    if state.emergency_call is not None or _barred(turn, event, old):
        turn.do(RefuseTransfer(event.transfer, 403))
    elif old.sent_on >= MOST_TIMES:
        turn.do(RefuseTransfer(event.transfer, 482))
    elif on_the_way or old.transfer is not None:
        turn.do(RefuseTransfer(event.transfer, 491))
    else:
        _follow(turn, event, old)


def _barred(turn: Turn, event: TransferAsked, old: Call) -> bool:
    """Whether only a person at the phone may call this number (A19); it is said if so."""
    target = event.target
    why = turn.rules.toll.barrier(target.user or target.uri)
    if why is not None:
        number = target.user or target.uri
        turn.say(notice(SENT_TO_BARRED[why], who=old.who, number=number), _BARRED)
    return why is not None


def _follow(turn: Turn, event: TransferAsked, old: Call) -> None:
    new = placing.new_call(turn, event.target.user or event.target.uri, old.line)
    new = replace(new, remote=event.target, instead_of=old.ref, sent_on=old.sent_on + 1)
    turn.state = replace(turn.state, calls=(*turn.state.calls, new))
    if turn.state.front == old.ref:
        turn.front(new.ref, keep_mute=True)
        turn.enter(Mode.CALLING)
    turn.do(FollowTransfer(event.transfer, new.ref))
    turn.say(notice("transferred_to", who=old.who, number=new.who), _TOLD)


def sits_in(state: PhoneState, new: Call) -> bool:
    """Whether whoever sent us there is in a conversation of several, which the new call joins."""
    return new.instead_of is not None and new.instead_of in state.conference


def answered(turn: Turn, new: Call) -> None:
    """Who we were sent to has answered: whoever sent us should hang up now."""
    old = None if new.instead_of is None else turn.state.call(new.instead_of)
    if old is None:
        return
    turn.state = turn.state.seated(new.ref, old.ref)
    if old.held:
        hold.put_on(turn, new)
    turn.set_timer(Timer.LEAVE_OLD, LEAVE_AFTER)


def leave(turn: Turn) -> None:
    """They have not: we do."""
    for new in turn.state.calls:
        if new.instead_of is not None and new.answered:
            in_front = turn.state.front == new.instead_of
            endings.leave_old(turn, new)
            if in_front:
                endings.regroup(turn, None)
