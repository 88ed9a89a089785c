"""Calls that arrive: who may ring, who is answered at once, and what answering does."""

from firmware.base.values import replace
from firmware.call.negotiation import Refused
from firmware.media.messages import PathName
from firmware.phone.actions import Answer, Unwanted
from firmware.phone.commands import AcceptCall, RejectCall, SayRinging
from firmware.phone.desk import history, paths, tones
from firmware.phone.features import endings, hold, limits, replacing
from firmware.phone.model import Call, Ending, Line, PhoneState, Timer
from firmware.phone.texts import notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import CallState, Mode, Notice
from firmware.sip.facts import AnswerWish, CallFacts
from firmware.sip.notifications import CallRef, IncomingCall

_AT_ONCE = (AnswerWish.AUTO, AnswerWish.PRIVILEGED)


def arrived(turn: Turn, event: IncomingCall) -> None:
    """An INVITE from a trusted source."""
    state = turn.state
    if state.stopped:
        turn.do(RejectCall(event.call, 480))
        return
    if state.call(event.call) is not None:
        return
    # Whoever calls back after an emergency call is never turned away.
    call_backs = Timer.CALL_BACKS in state.timers or state.emergency_call is not None
    if not replacing.may(turn, event):
        turn.do(RejectCall(event.call, 486))
        return
    if event.replaces is not None:
        turn.state = replace(state, calls=(*state.calls, _new(turn, event, auto=True)))
        return
    if len(state.calls) >= turn.rules.settings.phone.max_calls and not call_backs:
        turn.do(RejectCall(event.call, 486))
        history.write_turned_away(turn, event)
        return
    line = state.line(event.line)
    auto = line is not None and _answers_itself(state, line, event.facts)
    if event.facts.answer_required and not auto and event.facts.answer in _AT_ONCE:
        # RFC 5373 §4.5.1: then no person may answer it either.
        turn.do(RejectCall(event.call, 403, "automatic answer forbidden"))
        history.write_turned_away(turn, event)
        return
    if event.facts.anonymous and line is not None and line.reject_anonymous and not call_backs:
        turn.do(RejectCall(event.call, 433))  # RFC 5079 §5
        history.write_turned_away(turn, event, "call_hidden")
        return
    call = _new(turn, event, auto=auto)
    tone = line is not None and line.auto_answer_tone
    later = turn.now + event.facts.answer_after if _answers_later(line, event.facts) else 0.0
    call = replace(call, auto_tone=tone and (auto or bool(later)), answer_at=later)
    turn.state = replace(turn.state, calls=(*turn.state.calls, call))


def _new(turn: Turn, event: IncomingCall, *, auto: bool) -> Call:
    return Call(
        ref=event.call,
        line=event.line,
        outgoing=False,
        stage=CallState.RINGING_HERE,
        stream=turn.number(),
        remote=event.caller,
        started_at=turn.now,
        local=event.local,
        shown=event.shown,
        protected=event.protected,
        offer=event.offer,
        offer_first=event.ring_with_offer,
        replaces=event.replaces,
        auto=auto,
        facts=event.facts,
        diverted_by=event.diverted_by,
    )


def _answers_itself(state: PhoneState, line: Line, facts: CallFacts) -> bool:
    if facts.answer is AnswerWish.MANUAL:
        return False
    if line.auto_answer == "always":
        return True
    if line.auto_answer != "trusted" or facts.answer not in _AT_ONCE or facts.answer_after > 0:
        return False
    # An intercom call does not break into a conversation.
    return state.front is None and state.mode in (Mode.IDLE, Mode.RELEASED)


def _answers_later(line: Line | None, facts: CallFacts) -> bool:
    """Whether a trusted caller asked to be answered after it has rung for a while."""
    trusted = line is not None and line.auto_answer == "trusted"
    return trusted and facts.answer in _AT_ONCE and facts.answer_after > 0


def answer_waiting(turn: Turn) -> None:
    """The clock of calls that want to be answered after a while (A20: never into a conversation).

    Somebody who is at the phone for something else is not disturbed: then it goes on ringing.
    """
    due = [call for call in turn.state.ringing if 0 < call.answer_at <= turn.now]
    for call in due:
        turn.put(replace(call, answer_at=0.0))
        if turn.state.mode is Mode.RINGING and turn.state.front == call.ref:
            answer(turn, call.ref, by_itself=True)
            taken = turn.state.call(call.ref)
            if call.auto_tone and taken is not None and taken.answered:
                tones.beep_of_auto_answer(turn)
    _set_clock(turn)


def _set_clock(turn: Turn) -> None:
    moments = [call.answer_at for call in turn.state.ringing if call.answer_at]
    if moments:
        turn.set_timer(Timer.ANSWER_AFTER, max(0.0, min(moments) - turn.now))
    else:
        turn.cancel(Timer.ANSWER_AFTER)


def announce(turn: Turn, call: Call) -> None:
    """The media port is there: the call may ring, or is answered at once."""
    if call.replaces is not None:
        _replace(turn, call)
        return
    if call.auto:
        _answer_itself(turn, call)
        return
    if call.offer and call.negotiation is not None:
        fits = call.negotiation.answer(call.offer, held=False)
        if isinstance(fits, Refused):
            _nothing_in_common(turn, call, fits)
            return
    _say_ringing(turn, call)
    _set_clock(turn)
    limits.watch(turn)
    attend(turn)
    if turn.state.mode is not Mode.RINGING:
        turn.log(notice("call_waiting", who=call.who, line=call.line))


def _say_ringing(turn: Turn, call: Call) -> None:
    sdp = b""
    if call.offer_first and call.negotiation is not None:
        negotiation, sdp = call.negotiation.make_offer(held=False)
        turn.put(replace(call, negotiation=negotiation))
    turn.do(SayRinging(call.ref, sdp))


def _replace(turn: Turn, call: Call) -> None:
    """It takes another call's place, or fails like that one (RFC 3891 §3)."""
    if call.replaces is None or turn.state.call(call.replaces) is None:
        turn.do(RejectCall(call.ref, 603))
        endings.by_far_end(turn, call, Ending(by_us=True))
    elif _accept(turn, call):
        replacing.take_over(turn, turn.state.call(call.ref) or call)


def _nothing_in_common(turn: Turn, call: Call, refused: Refused) -> None:
    turn.do(RejectCall(call.ref, 488, refused.why))
    said = notice("call_nothing_in_common", who=call.who, line=call.line, detail=refused.why)
    endings.by_far_end(turn, call, Ending(by_us=True, notice=said))


def attend(turn: Turn) -> None:
    """Bring a ringing call to the front if nobody is busy at the phone."""
    state = turn.state
    waiting = state.ringing
    dialling_on_hook = state.mode is Mode.DIALLING and state.path is None
    hands_free_end = state.mode is Mode.RELEASED and not state.hook_up
    if waiting and (state.mode is Mode.IDLE or dialling_on_hook or hands_free_end):
        endings.idle(turn)


def _answer_itself(turn: Turn, call: Call) -> None:
    state = turn.state
    free = state.mode is Mode.IDLE or (state.mode is Mode.RELEASED and not state.hook_up)
    # The call in front keeps screen and card; another one runs with a null path.
    if not _accept(turn, call, by_itself=True) or not free:
        return
    turn.unsay()
    turn.front(call.ref)
    turn.enter(Mode.TALKING)
    paths.open_some(turn)
    if call.auto_tone:
        tones.beep_of_auto_answer(turn)


def why_not(state: PhoneState, _rules: Rules, event: Answer) -> Notice | None:
    """Why this call cannot be answered, None if it can."""
    if _waiting(state, event.call) is None:
        return notice("no_call_rings")
    front = state.front_call
    if front is not None and front.emergency:
        return notice("emergency_no_hold", number=front.remote.user)
    return None


def _waiting(state: PhoneState, ref: CallRef | None) -> Call | None:
    call = state.meant(ref)
    if ref is None and (call is None or not call.rings_here):
        call = next(iter(state.ringing), None)
    return call if call is not None and call.rings_here else None


def answer(
    turn: Turn, ref: CallRef | None, path: PathName | None = None, *, by_itself: bool = False
) -> None:
    """A person answers: the call named, the one in front, or the one that has waited longest."""
    call = _waiting(turn.state, ref)
    if call is None:
        return
    front = turn.state.front_call
    if front is not None and front.ref != call.ref and not _leave(turn, front):
        return
    if not _accept(turn, call, by_itself=by_itself):
        return
    turn.unsay()
    turn.front(call.ref)
    turn.state = replace(turn.state, digits="")
    turn.enter(Mode.TALKING)
    turn.take_path(path or turn.state.path)
    paths.open_some(turn)


def unwanted(turn: Turn, event: Unwanted) -> None:
    """Refuse a call so that the network learns of it (RFC 8197 §4)."""
    call = _waiting(turn.state, event.call)
    if call is not None:
        endings.hang_up(turn, call, 607)


def why_not_unwanted(state: PhoneState, _rules: Rules, event: Unwanted) -> Notice | None:
    """Why there is nothing to refuse."""
    return None if _waiting(state, event.call) is not None else notice("no_call_rings")


def _leave(turn: Turn, front: Call) -> bool:
    if front.emergency:
        turn.say(notice("emergency_no_hold", number=front.remote.user), 5.0)
        return False
    if front.answered:
        hold.put_on(turn, front)
    elif front.placing:
        endings.hang_up(turn, front)
    return True


def _accept(turn: Turn, call: Call, *, by_itself: bool = False) -> bool:
    negotiation = call.negotiation
    if negotiation is None:
        return False
    if call.offer:
        result = negotiation.answer(call.offer, held=False)
        if isinstance(result, Refused):
            _nothing_in_common(turn, call, result)
            return False
    elif negotiation.sent is not None:
        result = negotiation, b""  # it went out while it rang
    else:
        result = negotiation.make_offer(held=False)
    negotiation, sdp = result
    turn.put(
        replace(
            call,
            negotiation=negotiation,
            stage=CallState.ANSWERING,
            answered_at=turn.now,
            offer=b"",
        )
    )
    # RFC 5373 §5.1: only whoever asked is told, and never that a person did it.
    turn.do(AcceptCall(call.ref, sdp, by_itself and call.facts.answer in _AT_ONCE))
    return True
