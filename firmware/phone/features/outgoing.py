"""Calls we place: choosing the line and following the progress up to the answer."""

from dataclasses import replace

from firmware.call.machine import Refused
from firmware.phone.commands import EndCall
from firmware.phone.dialplan import Verdict, dialable
from firmware.phone.features import audio_test, emergency_call, endings, hold, lines, paths, placing
from firmware.phone.model import Call, Ending, Line, Progress, Timer
from firmware.phone.texts import notice
from firmware.phone.turn import Turn
from firmware.phone.view import CallState, Mode
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallTrying,
    LineName,
    OfferWanted,
    Party,
)


def dial(turn: Turn, target: str, line: LineName | None = None) -> None:
    """Dial a whole number or URI. Emergency stands above every rule that could refuse it."""
    verdict = turn.rules.plan.judge_whole(target)
    if verdict is Verdict.EMERGENCY:
        emergency_call.dial(turn, target, line)
    elif verdict is Verdict.AUDIO_TEST:
        audio_test.start(turn)
    else:
        _dial_plain(turn, dialable(target), target, line)


def _dial_plain(turn: Turn, number: str, typed: str, wanted: LineName | None) -> None:
    state = turn.state
    if state.stopped or state.emergency_call is not None:
        return
    placing.set_aside(turn)
    if not number:
        _refuse(turn, "call_not_dialable" if typed else "nothing_dialled", typed)
        return
    if len(turn.state.calls) >= turn.rules.settings.phone.max_calls:
        _refuse(turn, "call_too_many", number)
        return
    line = lines.default(state) if wanted is None else state.line(wanted)
    if line is None:
        _refuse(turn, "line_none" if wanted is None else "call_no_such_line", wanted or "")
        return
    turn.state = replace(turn.state, last_dialled=typed)
    if lines.is_usable(state, line):
        placing.bring_up(turn, placing.new_call(turn, number, line.name))
    else:
        _no_way(turn, line)


def _refuse(turn: Turn, text: str, argument: str) -> None:
    said = {
        "call_no_such_line": notice("call_no_such_line", line=argument),
        "line_none": notice("line_none"),
        "nothing_dialled": notice("nothing_dialled"),
    }.get(text)
    if turn.state.front is not None:
        turn.say(said or notice(text, number=argument), 5.0)
        return
    paths.open_some(turn)
    endings.fail(turn, Progress.CONGESTION)
    turn.say(said or notice(text, number=argument))


def _no_way(turn: Turn, line: Line) -> None:
    paths.open_some(turn)
    endings.fail(turn, Progress.CONGESTION)
    turn.say(lines.trouble(turn.state, line) or notice("line_none"))


def offer_wanted(turn: Turn, event: OfferWanted) -> None:
    """The way is known: ask for a media port on the address that leads there."""
    call = turn.state.call(event.call)
    if call is None or not call.placing or call.local == event.local:
        return
    if call.session is not None:
        # Another address family: new sockets, hence a new stream.
        call = replace(call, stream=turn.number(), session=None)
    turn.put(replace(call, local=event.local))


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
    call = replace(call, alerted=alerted, stage=stage)
    if event.body and call.session is not None:
        heard = call.session.hear_early(event.body)
        if not isinstance(heard, Refused):
            call = replace(call, session=heard)
    turn.put(call)


def answered(turn: Turn, event: CallAnswered) -> None:
    """The far end lifted: talk."""
    call = turn.state.call(event.call)
    if call is None or not call.placing or call.session is None:
        return
    session = call.session.take_answer(event.body)
    if isinstance(session, Refused):
        turn.do(EndCall(call.ref))
        said = notice("call_nothing_in_common", who=call.who, line=call.line, detail=session.why)
        failed(turn, call, Ending(by_us=True, notice=said), refused=True)
        return
    call = replace(
        call,
        stage=CallState.TALKING,
        session=session,
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
    )
    failed(turn, call, ending, refused=event.status >= 300)


def failed(turn: Turn, call: Call, ending: Ending, *, refused: bool) -> None:
    """A call ended that the person did not end; an emergency call goes on by another line.

    `refused` = the far end's last word; the same line need not be asked again.
    """
    if call.emergency and call.placing:
        emergency_call.next_line(turn, call, ending, refused=refused)
    else:
        endings.by_far_end(turn, call, ending)
