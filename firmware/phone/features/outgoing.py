"""Calls we place: choosing the line, following the progress, moving an emergency call on."""

from dataclasses import replace

from firmware.call.machine import Refused
from firmware.phone.commands import EndCall, PlaceCall
from firmware.phone.dialplan import Verdict, dialable
from firmware.phone.emergency import number_of
from firmware.phone.features import audio_test, endings, history, hold, lines, paths
from firmware.phone.model import Call, Ending, Line, Progress, Timer
from firmware.phone.texts import notice
from firmware.phone.turn import Turn
from firmware.phone.view import CallState, Mode
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallRef,
    FailureCause,
    LineName,
    OfferWanted,
    Party,
)

EMERGENCY_PATIENCE = 8.0
"""Seconds without any sign of life until an emergency call tries the next line."""


def dial(turn: Turn, target: str, line: LineName | None = None) -> None:
    """Dial a whole number or URI. Emergency stands above every rule that could refuse it."""
    verdict = turn.rules.plan.judge_whole(target)
    if verdict is Verdict.EMERGENCY:
        _dial_emergency(turn, target, line)
    elif verdict is Verdict.AUDIO_TEST:
        audio_test.start(turn)
    else:
        _dial_plain(turn, dialable(target), target, line)


def _dial_plain(turn: Turn, number: str, typed: str, wanted: LineName | None) -> None:
    state = turn.state
    if state.stopped or state.emergency_call is not None:
        return
    _set_aside(turn)
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
        place(turn, number, line.name)
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


def _set_aside(turn: Turn) -> None:
    """Make room in front for a new call: who is spoken with waits on hold."""
    front = turn.state.front_call
    if front is not None and front.answered:
        hold.put_on(turn, front)
    audio_test.leave(turn)


def _dial_emergency(turn: Turn, target: str, wanted: LineName | None) -> None:
    state = turn.state
    if state.stopped:
        return
    number = turn.rules.plan.emergency.number_for(target)
    going = state.emergency_call
    if going is not None:
        # Dialling again while one is up means impatience, not a second emergency.
        turn.front(going.ref)
        turn.enter(Mode.TALKING if going.answered else Mode.CALLING)
        paths.open_some(turn)
        return
    order = _emergency_order(turn, wanted)
    if not order:
        paths.open_some(turn)
        endings.fail(turn, Progress.CONGESTION)
        turn.say(notice("emergency_failed", number=number))
        return
    front = state.front_call
    if front is not None and front.placing:
        # A trunk may carry one call only; what is merely being dialled gives way.
        turn.do(EndCall(front.ref))
        endings.forget(turn, front, Ending(by_us=True))
    _set_aside(turn)
    place(turn, number, order[0], order[1:], emergency=True)


def _emergency_order(turn: Turn, wanted: LineName | None) -> tuple[LineName, ...]:
    """The line asked for, then the usable ones, then the rest: registered or not, all are tried."""
    state = turn.state
    ranked = sorted(
        (line for line in state.lines if not line.blocked),
        key=lambda line: (line.name != wanted, not lines.is_usable(state, line)),
    )
    return tuple(line.name for line in ranked)


def place(
    turn: Turn,
    number: str,
    line: LineName,
    other_lines: tuple[LineName, ...] = (),
    *,
    emergency: bool = False,
) -> None:
    """Send a call on its way and bring it to the front."""
    count = turn.number()
    call = Call(
        ref=CallRef(f"out-{turn.state.run}-{count}"),
        line=line,
        outgoing=True,
        stage=CallState.CALLING,
        stream=count,
        remote=Party(name="", user=number_of(number), uri=number),
        started_at=turn.now,
        emergency=emergency,
        other_lines=other_lines,
    )
    turn.unsay()
    turn.state = replace(turn.state, calls=(*turn.state.calls, call), digits="")
    turn.front(call.ref)
    turn.enter(Mode.CALLING)
    paths.open_some(turn)
    turn.do(PlaceCall(call.ref, line, number, emergency=emergency))
    if emergency:
        turn.say(notice("emergency_trying", number=call.remote.user, line=line))
        turn.set_timer(Timer.EMERGENCY_NEXT, EMERGENCY_PATIENCE)


def offer_wanted(turn: Turn, event: OfferWanted) -> None:
    """The way is known: ask for a media port on the address that leads there."""
    call = turn.state.call(event.call)
    if call is None or not call.placing or call.local == event.local:
        return
    if call.session is not None:
        # Another address family: new sockets, hence a new stream.
        call = replace(call, stream=turn.number(), session=None)
    turn.put(replace(call, local=event.local))


def progressed(turn: Turn, event: CallProgress) -> None:
    """A provisional answer: it rings there, or early media comes (RFC 3960)."""
    call = turn.state.call(event.call)
    if call is None or not call.placing:
        return
    turn.cancel(*((Timer.EMERGENCY_NEXT,) if call.emergency and event.status != 100 else ()))
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
        endings.by_far_end(turn, call, Ending(by_us=True, notice=said))
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
    failed(turn, call, ending)


def failed(turn: Turn, call: Call, ending: Ending) -> None:
    """A call ended that the person did not end; an emergency call tries the next line."""
    if call.emergency and call.placing:
        _next_line(turn, call, ending)
    else:
        endings.by_far_end(turn, call, ending)


def lost_patience(turn: Turn) -> None:
    """No sign of life on this line: the emergency call tries the next, if there is one."""
    call = turn.state.emergency_call
    if call is None or not call.placing or not call.other_lines:
        return
    turn.do(EndCall(call.ref))
    _next_line(turn, call, Ending(by_us=True, cause=FailureCause.NO_ANSWER))


def _next_line(turn: Turn, call: Call, ending: Ending) -> None:
    if not call.other_lines:
        number = call.remote.user
        failed = replace(ending, notice=notice("emergency_failed", number=number))
        endings.by_far_end(turn, call, failed)
        return
    before = turn.state
    turn.log(history.reason(call, ending))
    turn.state = before.without_call(call.ref)
    place(turn, call.remote.uri, call.other_lines[0], call.other_lines[1:], emergency=True)
    # Somebody who put the handset down is not put on the loudspeaker, nor asked afresh.
    turn.take_path(before.path)
    for timer in (Timer.HOOK_FLASH, Timer.HANG_UP_ASKED):
        if timer in before.timers:
            turn.set_timer(timer, before.timers[timer] - turn.now)
    if Timer.HANG_UP_ASKED in before.timers:
        turn.state = replace(turn.state, notice=before.notice)
