"""The emergency call: above every rule that could refuse it, and never given up by us.

    line ──refused──▶ struck off ─┐
      ├──fails, or no sign of life┴─▶ next line ─▶ … ─▶ the first that did not refuse, again
      └──100 Trying: it is at work, long patience ──18x──▶ it rings: no more clock

Only the person ends it, or the last line's final refusal (PRODUCT: "4xx/5xx moves on").
"""

from firmware.base.values import replace
from firmware.phone.commands import EndCall
from firmware.phone.desk import history, lines, paths
from firmware.phone.features import endings, placing
from firmware.phone.model import Call, Ending, PhoneState, Progress, Timer
from firmware.phone.texts import notice
from firmware.phone.turn import Turn
from firmware.phone.view import CallState, Mode
from firmware.sip.notifications import FailureCause, LineName

PATIENCE = 8.0
"""Seconds without any sign of life until the next line is tried."""
PATIENCE_AT_WORK = 60.0
"""Seconds after a 100: a gateway may need 15 until it rings there, a mobile one more."""
PAUSE = 4.0
"""Seconds from a try to the first of the next round, so that what fails at once is no storm."""


def dial(turn: Turn, target: str, wanted: LineName | None) -> None:
    """Place it, whatever goes on."""
    if turn.state.stopped:
        return
    number = turn.rules.plan.emergency.number_for(target)
    going = turn.state.emergency_call
    if going is not None:
        _back_to(turn, going)
        return
    order = _order(turn.state, wanted)
    if not order:
        paths.open_some(turn)
        endings.fail(turn, Progress.CONGESTION)
        turn.say(notice("emergency_failed", number=number))
        return
    front = turn.state.front_call
    if front is not None and front.placing:
        # A trunk may carry one call only; what is merely being dialled gives way.
        turn.do(EndCall(front.ref))
        endings.forget(turn, front, Ending(by_us=True))
    placing.set_aside(turn)
    call = placing.new_call(turn, number, order[0])
    _try(turn, replace(call, emergency=True, other_lines=order[1:]))


def _back_to(turn: Turn, going: Call) -> None:
    """Dialling again while one is up means impatience, not a second emergency."""
    turn.front(going.ref)
    turn.enter(Mode.TALKING if going.answered else Mode.CALLING)
    paths.open_some(turn)
    if going.waits:
        _begin(turn, going)


def _order(state: PhoneState, wanted: LineName | None) -> tuple[LineName, ...]:
    """The line asked for, then the usable ones, then the rest: registered or not, all are tried."""
    ranked = sorted(
        (line for line in state.lines if not line.blocked),
        key=lambda line: (line.name != wanted, not lines.is_usable(state, line)),
    )
    return tuple(line.name for line in ranked)


def _try(turn: Turn, call: Call) -> None:
    placing.bring_up(turn, call)
    text = "emergency_again" if call.waits else "emergency_trying"
    turn.say(notice(text, number=call.remote.user, line=call.line))
    turn.set_timer(Timer.EMERGENCY_NEXT, PAUSE if call.waits else PATIENCE)


def _begin(turn: Turn, call: Call) -> None:
    """The pause is over."""
    call = turn.put(replace(call, waits=False, started_at=turn.now))
    placing.send(turn, call)
    if Timer.HANG_UP_ASKED not in turn.state.timers:
        turn.say(notice("emergency_trying", number=call.remote.user, line=call.line))
    turn.set_timer(Timer.EMERGENCY_NEXT, PATIENCE)


def at_work(turn: Turn, call: Call) -> None:
    """100 Trying: the line works on it, so it gets longer; a second 100 adds nothing."""
    if call.stage is CallState.CALLING:
        turn.set_timer(Timer.EMERGENCY_NEXT, PATIENCE_AT_WORK)


def clock(turn: Turn) -> None:
    """The pause is over, or there was no sign of life: the next line, if there is another."""
    call = turn.state.emergency_call
    if call is None or not call.placing:
        return
    if call.waits:
        _begin(turn, call)
    elif call.other_lines or call.again:
        turn.do(EndCall(call.ref))
        next_line(turn, call, Ending(by_us=True, cause=FailureCause.NO_ANSWER), refused=False)


def next_line(turn: Turn, call: Call, ending: Ending, *, refused: bool) -> None:
    """This try has ended; `refused` strikes its line off."""
    others, again = _left(turn.state, call, refused=refused)
    if not others:
        failed = notice("emergency_failed", number=call.remote.user)
        endings.by_far_end(turn, call, replace(ending, notice=failed))
        return
    before = turn.state
    turn.log(history.reason(call, ending))
    turn.state = before.without_call(call.ref)
    following = replace(
        placing.new_call(turn, call.remote.uri, others[0]),
        emergency=True,
        other_lines=others[1:],
        again=again,
        waits=not call.other_lines and turn.now - call.started_at < PAUSE,
    )
    _try(turn, following)
    _as_the_person_left_it(turn, before)


def _left(
    state: PhoneState, call: Call, *, refused: bool
) -> tuple[tuple[LineName, ...], tuple[LineName, ...]]:
    """The lines still to be tried in this round, and in the one after it."""
    there = {line.name for line in state.lines if not line.blocked}
    tried = call.again if refused else (*call.again, call.line)
    again = tuple(name for name in tried if name in there)
    others = tuple(name for name in call.other_lines if name in there)
    return (others, again) if others else (again, ())


def _as_the_person_left_it(turn: Turn, before: PhoneState) -> None:
    """Somebody who put the handset down is not put on the loudspeaker, nor asked afresh."""
    turn.take_path(before.path)
    for timer in (Timer.HOOK_FLASH, Timer.HANG_UP_ASKED):
        if timer in before.timers:
            turn.set_timer(timer, before.timers[timer] - turn.now)
    if Timer.HANG_UP_ASKED in before.timers:
        turn.state = replace(turn.state, notice=before.notice)
