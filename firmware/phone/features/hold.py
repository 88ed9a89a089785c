"""Hold and resume, ours and theirs, and every other re-INVITE.

What the person wants (`Call.held`) takes effect at once: the microphone does not wait for the far
end's consent. What the far end has been told follows by re-INVITE, one at a time.
"""

from firmware.base.values import replace
from firmware.call.negotiation import Negotiation, Refused
from firmware.phone.actions import Hold, Resume
from firmware.phone.commands import AnswerReoffer, EndCall, RejectReoffer, Reoffer
from firmware.phone.desk import paths, tones
from firmware.phone.features import endings, forking, limits, moving
from firmware.phone.model import Call, Ending, PhoneState, Timer
from firmware.phone.partings import NO_CODEC
from firmware.phone.texts import notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import CallState, Mode, Notice
from firmware.sip.notifications import (
    CallConfirmed,
    CallRef,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)

REMIND_EVERY = 30.0
# RFC 3261 §14.1: after 491 the side that chose the Call-ID waits 2.1 to 4 s, the other 0 to 2 s.
_RETRY_OWNER = 3.0
_RETRY_OTHER = 1.0


def put_on(turn: Turn, call: Call) -> None:
    """Hold an answered call; nobody puts an emergency call on hold."""
    if call.emergency:
        turn.say(notice("emergency_no_hold", number=call.remote.user), 5.0)
    elif call.answered and not call.held:
        turn.set_timer(Timer.HOLD_REMINDER, REMIND_EVERY)
        for each in turn.state.together(call):
            if not each.held:
                reconcile(turn, turn.put(replace(each, held=True)))


def remind(turn: Turn) -> None:
    """A beep now and then for whoever waits on hold."""
    if any(call.held for call in turn.state.calls):
        tones.beep_of_hold(turn)
        turn.set_timer(Timer.HOLD_REMINDER, REMIND_EVERY)


def take_off(turn: Turn, call: Call) -> None:
    """Resume a call and bring it to the front; the one that was there waits."""
    front, members = turn.state.front_call, turn.state.together(call)
    if front is not None and front not in members and not _make_way(turn, front):
        return
    endings.come_back(turn, call)
    members = turn.state.together(turn.state.call(call.ref) or call)
    turn.front(call.ref)
    turn.unsay()
    turn.enter(Mode.TALKING)
    paths.open_some(turn)
    for each in members:
        if each.held:
            reconcile(turn, limits.restart(turn, replace(each, held=False)))


def _make_way(turn: Turn, front: Call) -> bool:
    if front.emergency:
        turn.say(notice("emergency_no_hold", number=front.remote.user), 5.0)
        return False
    if front.answered:
        put_on(turn, front)
    return True


def why_not_hold(state: PhoneState, _rules: Rules, event: Hold) -> Notice | None:
    """Why this call cannot be put on hold, None if it can."""
    call = state.meant(event.call)
    if call is None or not call.answered:
        return notice("no_call_up")
    return notice("emergency_no_hold", number=call.remote.user) if call.emergency else None


def why_not_resume(state: PhoneState, _rules: Rules, event: Resume) -> Notice | None:
    """Why this call cannot be taken up again, None if it can."""
    call, front = state.meant(event.call), state.front_call
    if call is None or not call.answered:
        return notice("no_call_up")
    if front is not None and front.emergency and front.ref != call.ref:
        return notice("emergency_no_hold", number=front.remote.user)
    return None


def hold(turn: Turn, ref: CallRef | None) -> None:
    """The hold key."""
    call = endings.front_of(turn, ref)
    if call is not None and call.answered:
        put_on(turn, call)


def resume(turn: Turn, ref: CallRef | None) -> None:
    """The resume key."""
    call = endings.front_of(turn, ref)
    if call is not None and call.answered:
        take_off(turn, call)


def reconcile(turn: Turn, call: Call) -> None:
    """Tell the far end of a hold or resume it does not know of yet, if it can be told now."""
    negotiation = call.negotiation
    if moving.begin(turn, call):
        return
    ready = call.stage is CallState.TALKING and not call.reoffering
    if not ready or negotiation is None or negotiation.busy:
        return
    if negotiation.held == call.held and not (call.moved or call.realign):
        return
    negotiation, sdp = negotiation.make_offer(held=call.held)
    turn.put(replace(call, negotiation=negotiation, reoffering=True, realign=False))
    turn.do(Reoffer(call.ref, sdp))


def reconcile_all(turn: Turn) -> None:
    """After a wait: every call whose far end does not know what we want."""
    for call in turn.state.calls:
        reconcile(turn, call)


def answered(turn: Turn, event: ReofferAnswered) -> None:
    """Our re-INVITE was accepted."""
    call = turn.state.call(event.call)
    if call is None or call.negotiation is None:
        return
    if not call.reoffering:
        _unasked(turn, call, call.negotiation, event.body)
        return
    negotiation = call.negotiation.take_answer(event.body)
    if isinstance(negotiation, Refused):
        negotiation = call.negotiation.take_back()
    call = replace(call, negotiation=negotiation, reoffering=False, moved=False)
    reconcile(turn, limits.restart(turn, call))


def _unasked(turn: Turn, call: Call, negotiation: Negotiation, body: bytes) -> None:
    """An answer to what was offered while it rang, or to a refresh by the stack (RFC 4028)."""
    hear = negotiation.take_answer if negotiation.busy else negotiation.hear_again
    after = hear(body)
    if not isinstance(after, Refused):
        turn.put(replace(call, negotiation=after))


def rejected(turn: Turn, event: ReofferRejected) -> None:
    """Our re-INVITE was refused: all stays as it was, our hold stays ours."""
    call = turn.state.call(event.call)
    if event.taken and call is not None:
        _say_again(turn, call)
        return
    if call is None or call.negotiation is None or not call.reoffering:
        return
    negotiation = call.negotiation.take_back()
    turn.put(replace(call, negotiation=negotiation, reoffering=False))
    if event.status == 491:
        turn.set_timer(Timer.REOFFER, _RETRY_OWNER if call.outgoing else _RETRY_OTHER)
    elif call.moved:
        moving.give_up(turn, call)
    else:
        moving.begin(turn, replace(call, negotiation=negotiation, reoffering=False))
        said = notice(
            "hold_refused",
            who=call.who,
            line=call.line,
            status=event.status or "",
            phrase=event.phrase,
        )
        turn.say(said, 5.0)


def _say_again(turn: Turn, call: Call) -> None:
    """RFC 6141 §3.4: an offer was taken and then undone; both ends shall mean the same again."""
    negotiation = call.negotiation
    if negotiation is None or negotiation.busy or call.reoffering:
        return
    negotiation, sdp = negotiation.make_offer(held=call.held)
    turn.put(replace(call, negotiation=negotiation, reoffering=True))
    turn.do(Reoffer(call.ref, sdp))


def received(turn: Turn, event: ReofferReceived) -> None:
    """A re-INVITE from the far end: hold, resume, moved, or a wish for our offer."""
    call = turn.state.call(event.call)
    if call is None or call.negotiation is None:
        turn.do(RejectReoffer(event.call, 488, "", event.fork))
        return
    if call.placing:
        forking.offered(turn, call, event)
        return
    if call.negotiation.busy:
        # RFC 3261 §14.2: our own offer is still out.
        turn.do(RejectReoffer(call.ref, 491))
        return
    if not event.body:
        # RFC 8839 §7.5: the answer may be another far end's.
        negotiation, sdp = call.negotiation.restarted.make_offer(held=call.held)
        turn.put(replace(call, negotiation=negotiation))
        turn.do(AnswerReoffer(call.ref, sdp))
        return
    result = call.negotiation.answer(event.body, held=call.held)
    if isinstance(result, Refused):
        turn.do(RejectReoffer(call.ref, 488, result.why))
        return
    negotiation, sdp = result
    limits.restart(turn, replace(call, negotiation=negotiation))
    turn.do(AnswerReoffer(call.ref, sdp))


def confirmed(turn: Turn, event: CallConfirmed) -> None:
    """The ACK: an incoming call is through; it may bring the answer to an offer of ours."""
    call = turn.state.call(event.call)
    if call is None or call.negotiation is None:
        return
    negotiation = call.negotiation
    if negotiation.busy and not call.reoffering:
        taken = negotiation.take_answer(event.body)
        negotiation = negotiation.take_back() if isinstance(taken, Refused) else taken
        if negotiation.media is None:
            _without_answer(turn, call)
            return
    stage = CallState.TALKING if call.stage is CallState.ANSWERING else call.stage
    reconcile(turn, limits.restart(turn, replace(call, negotiation=negotiation, stage=stage)))


def _without_answer(turn: Turn, call: Call) -> None:
    # RFC 3264 §4: our offer went out in the 2xx and the ACK brought nothing we can speak.
    turn.do(EndCall(call.ref, NO_CODEC))
    said = notice("call_nothing_in_common", who=call.who, line=call.line, detail="")
    endings.by_far_end(turn, call, Ending(by_us=True, notice=said))
