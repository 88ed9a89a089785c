"""What is written into the call list, and the missed-call count."""

from firmware.base.values import replace
from firmware.phone.commands import CallOutcome, CallRecord, RecordCall
from firmware.phone.model import Call, Ending
from firmware.phone.texts import call_text, how_long, notice
from firmware.phone.turn import Turn
from firmware.phone.view import Notice
from firmware.sip.notifications import FailureCause, IncomingCall

_REFUSALS = (FailureCause.BUSY, FailureCause.DECLINED)


def reason(call: Call, ending: Ending) -> Notice:
    """Why this call is over, for a person."""
    if ending.notice is not None:
        return ending.notice
    text = _text(call, ending)
    status = ending.status or ""
    about = {"who": call.who, "line": call.line, "status": status, "phrase": ending.phrase}
    if ending.retry_after and ending.cause is not None:
        about["time"] = how_long(ending.retry_after)
    return notice(text, **about)


def _text(call: Call, ending: Ending) -> str:
    if ending.elsewhere and not call.answered:
        return "call_elsewhere"
    if ending.cause is not None:
        return call_text(ending.cause, ending.status, again=bool(ending.retry_after))
    if ending.by_us:
        return "call_cancelled" if call.placing else "call_finished"
    if call.answered:
        # RFC 3326: the far end may say why.
        return "call_ended_because" if ending.phrase else "call_ended"
    return "call_missed"


def write(turn: Turn, call: Call, ending: Ending) -> None:
    """One row of the call list for a call that is over."""
    outcome = _outcome(call, ending)
    why = None if call.answered else reason(call, ending)
    if outcome is CallOutcome.MISSED:
        turn.state = replace(turn.state, missed=turn.state.missed + 1)
    record = CallRecord(
        line=call.line,
        outgoing=call.outgoing,
        name=call.remote.name,
        user=call.remote.user or call.remote.uri,
        outcome=outcome,
        seconds=turn.now - call.answered_at if call.answered else 0.0,
        reason=why.text if why else "",
        reason_args=why.args if why else (),
        redial=turn.state.last_dialled if call.outgoing and not call.emergency else "",
    )
    turn.do(RecordCall(record))


def write_turned_away(turn: Turn, event: IncomingCall, why: str = "call_too_many") -> None:
    """A caller for whom nothing rang, for want of room or by a rule: missed all the same."""
    turn.state = replace(turn.state, missed=turn.state.missed + 1)
    caller = event.caller
    record = CallRecord(
        line=event.line,
        outgoing=False,
        name=caller.name,
        user=caller.user or caller.uri,
        outcome=CallOutcome.MISSED,
        seconds=0.0,
        reason=why,
    )
    turn.do(RecordCall(record))


def _outcome(call: Call, ending: Ending) -> CallOutcome:
    if call.answered:
        return CallOutcome.ANSWERED
    if ending.elsewhere:
        return CallOutcome.ELSEWHERE
    if call.outgoing:
        return CallOutcome.REFUSED if ending.cause in _REFUSALS else CallOutcome.FAILED
    if ending.by_us:
        return CallOutcome.REFUSED
    return CallOutcome.MISSED if ending.notice is None else CallOutcome.FAILED
