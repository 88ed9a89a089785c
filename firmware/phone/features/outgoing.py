"""Calls we place: choosing the line and following the progress up to the answer."""

from firmware.base.values import replace
from firmware.call.negotiation import Refused
from firmware.phone.actions import Dial, Redial
from firmware.phone.commands import EndCall
from firmware.phone.desk import lines, paths
from firmware.phone.dialplan import Verdict, dialable
from firmware.phone.features import (
    again,
    audio_test,
    emergency_call,
    endings,
    forking,
    hold,
    placing,
    transfer,
    transferred,
)
from firmware.phone.model import Call, Ending, Line, PhoneState, Progress, Timer
from firmware.phone.partings import NO_CODEC
from firmware.phone.texts import REDIRECT_BARRED, notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import CallState, Mode, Notice
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallRedirected,
    CallTrying,
    FailureCause,
    LineName,
    OfferWanted,
    Party,
    RedirectBarred,
)


def dial(turn: Turn, target: str, line: LineName | None = None) -> None:
    """Dial a whole number or URI. Emergency stands above every rule that could refuse it."""
    match turn.rules.plan.judge_whole(target):
        case Verdict.EMERGENCY:
            emergency_call.dial(turn, target, line)
        case Verdict.AUDIO_TEST:
            audio_test.start(turn)
        case _:
            _dial_plain(turn, target, line)


def _dial_plain(turn: Turn, typed: str, wanted: LineName | None) -> None:
    why = _not_now(turn.state, turn.rules, typed)
    if why is None:
        # Also what finds no line today is worth a redial tomorrow.
        turn.state = replace(turn.state, last_dialled=typed)
        why = _no_way(turn.state, wanted)
    line = _line(turn.state, wanted)
    if why is not None or line is None:
        _refuse(turn, why or notice("line_none"))
        return
    again.forget(turn)
    placing.set_aside(turn)
    placing.bring_up(turn, placing.new_call(turn, dialable(typed), line.name))


def why_not(state: PhoneState, rules: Rules, event: Dial) -> Notice | None:
    """Why this cannot be dialled now, None if it can."""
    match rules.plan.judge_whole(event.target):
        case Verdict.EMERGENCY:
            number = rules.plan.emergency.number_for(event.target)
            return None if state.lines else notice("emergency_failed", number=number)
        case Verdict.AUDIO_TEST:
            return notice("call_in_the_way") if state.front is not None else None
        case _:
            return _not_now(state, rules, event.target) or _no_way(state, event.line)


def why_no_redial(state: PhoneState, _rules: Rules, _event: Redial) -> Notice | None:
    """Why the last number cannot be dialled again, None if it can be tried."""
    if state.front is not None:
        return notice("call_in_the_way")
    return None if state.last_dialled else notice("nothing_to_redial")


def _not_now(state: PhoneState, rules: Rules, typed: str) -> Notice | None:
    number = dialable(typed)
    if state.emergency_call is not None:
        return notice("emergency_nothing_else", number=number)
    if not typed.strip():
        return notice("nothing_dialled")
    if not number:
        return notice("call_not_dialable", number=typed)
    if len(state.calls) >= rules.settings.phone.max_calls:
        return notice("call_too_many", number=number)
    return None


def _no_way(state: PhoneState, wanted: LineName | None) -> Notice | None:
    line = _line(state, wanted)
    if line is not None:
        return lines.trouble(state, line)
    if wanted is None or not state.lines:
        return notice("line_none")
    names = ", ".join(line.name for line in state.lines)
    return notice("call_no_such_line", line=wanted, lines=names)


def _line(state: PhoneState, wanted: LineName | None) -> Line | None:
    return lines.default(state) if wanted is None else state.line(wanted)


def _refuse(turn: Turn, why: Notice) -> None:
    """Say why; without a call in front it sounds of congestion too."""
    if turn.state.front is not None:
        turn.say(why, 5.0)
        return
    paths.open_some(turn)
    endings.fail(turn, Progress.CONGESTION)
    turn.say(why)


def offer_wanted(turn: Turn, event: OfferWanted) -> None:
    """The way is known: ask for a media port on the address that leads there."""
    call = turn.state.call(event.call)
    if call is None or not call.placing or call.local == event.local:
        return
    if call.negotiation is not None:
        # Another address family: new sockets, hence a new stream.
        call = replace(call, stream=turn.number(), negotiation=None, heard=False)
    turn.put(replace(call, local=event.local, shown=event.shown, protected=event.protected))


def trying(turn: Turn, event: CallTrying) -> None:
    """100 Trying: the next hop works on it."""
    call = turn.state.call(event.call)
    if call is None or not call.placing or call.stage is not CallState.CALLING:
        return
    if call.emergency:
        emergency_call.at_work(turn, call)
    turn.put(replace(call, stage=CallState.PROCEEDING))


def progressed(turn: Turn, event: CallProgress) -> None:
    """A provisional answer: it rings there, or early media comes (RFC 3960)."""
    call = turn.state.call(event.call)
    if call is None or not call.placing:
        return
    if call.emergency:
        turn.cancel(Timer.EMERGENCY_NEXT)
    alerted = call.alerted or event.status == 180
    stage = CallState.RINGING_THERE if alerted else CallState.PROCEEDING
    turn.put(forking.progressed(replace(call, alerted=alerted, stage=stage), event))


def redirected(turn: Turn, event: CallRedirected) -> None:
    """The far end sends callers elsewhere (RFC 3261 §8.1.3.4): say where."""
    call = turn.state.call(event.call)
    if call is None or not call.placing:
        return
    if call.negotiation is not None and call.forks is not None:
        # What the first address agreed to is nothing any more; our offer goes on.
        call = turn.put(replace(call, negotiation=call.forks.base, forks=None))
    target = event.target
    said = notice("call_redirected", who=call.who, number=target.user or target.uri)
    turn.log(said)
    if turn.state.front == call.ref:
        turn.show(said, 5.0)


def redirect_barred(turn: Turn, event: RedirectBarred) -> None:
    """The far end sends callers where only a person may call (A19): say so, now and at the end."""
    call = turn.state.call(event.call)
    if call is None or not call.placing:
        return
    target = event.target
    said = notice(REDIRECT_BARRED[event.why], who=call.who, number=target.user or target.uri)
    turn.put(replace(call, barred=said))
    turn.log(said)
    if turn.state.front == call.ref:
        turn.show(said, 5.0)


def answered(turn: Turn, event: CallAnswered) -> None:
    """The far end lifted: talk."""
    call = turn.state.call(event.call)
    if call is None or not call.placing or call.negotiation is None:
        return
    agreed = forking.answered(call, event)
    if isinstance(agreed, Refused):
        turn.do(EndCall(call.ref, NO_CODEC))
        said = notice("call_nothing_in_common", who=call.who, line=call.line, detail=agreed.why)
        failed(turn, call, Ending(by_us=True, notice=said), refused=True)
        return
    call = replace(
        agreed,
        stage=CallState.TALKING,
        answered_at=turn.now,
        remote=_merged(call.remote, event.remote),
        hearing=None,
    )
    turn.put(call)
    if call.emergency:
        turn.cancel(Timer.EMERGENCY_NEXT)
    if turn.state.front == call.ref:
        turn.unsay()
        turn.enter(Mode.TALKING)
        transferred.answered(turn, call)
    elif transferred.sits_in(turn.state, call):
        transferred.answered(turn, call)
    elif not turn.rules.settings.audio.loop:
        # Nobody is at the phone for a call in the background: the far end shall know.
        hold.put_on(turn, call)


def _merged(dialled: Party, found: Party) -> Party:
    return Party(found.name or dialled.name, dialled.user or found.user, found.uri or dialled.uri)


def ended(turn: Turn, event: CallEnded) -> None:
    """The last word about a call; an emergency call that failed goes on by the next line."""
    call = turn.state.call(event.call)
    if call is None:
        return
    ending = Ending(
        by_us=event.by_us,
        cause=event.cause,
        status=event.status,
        phrase=event.phrase,
        elsewhere=event.answered_elsewhere,
        retry_after=event.retry_after,
        notice=call.barred if event.cause is FailureCause.MOVED else None,
    )
    again.note(turn, call, ending)
    if not event.by_us and transfer.far_end_left(turn, call, ending):
        return
    failed(turn, call, ending, refused=event.status >= 300)


def failed(turn: Turn, call: Call, ending: Ending, *, refused: bool) -> None:
    """A call ended that the person did not end; an emergency call goes on by another line.

    `refused` = the far end's last word; the same line need not be asked again.
    """
    if call.emergency and call.placing:
        emergency_call.next_line(turn, call, ending, refused=refused)
    else:
        endings.by_far_end(turn, call, ending)
