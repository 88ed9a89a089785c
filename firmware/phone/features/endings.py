"""How a call leaves the phone, and what the phone does next."""

from firmware.base.values import replace
from firmware.phone.commands import EndCall, RejectCall
from firmware.phone.desk import history, lines
from firmware.phone.dialplan import FIRST_DIGIT
from firmware.phone.features import quality
from firmware.phone.model import Call, Ending, PhoneState, Progress, Timer
from firmware.phone.texts import notice
from firmware.phone.turn import Turn
from firmware.phone.view import CallState, Mode, TransferStage
from firmware.sip.notifications import CallRef, FailureCause

RELEASED_IN_HAND = 30.0
"""Seconds of busy or congestion tone before the howler reminds of a handset left off."""
RELEASED_HANDS_FREE = 8.0
HANG_UP_AGAIN = 10.0
"""Within so many seconds a second attempt ends an emergency call."""
CALL_BACKS = 30 * 60.0
NO_LINE_AFTER = 1.0

_TONES = {
    None: Progress.BUSY,
    FailureCause.BUSY: Progress.BUSY,
    FailureCause.DECLINED: Progress.BUSY,
    FailureCause.CANCELLED: Progress.BUSY,
    FailureCause.NOT_FOUND: Progress.UNKNOWN_NUMBER,
}
"""What is heard of a call that is over; of any other failure it is congestion."""


def forget(turn: Turn, call: Call, ending: Ending) -> None:
    """Take a call out of the phone and write it down; what it owned is closed with it."""
    turn.state = turn.state.without_call(call.ref)
    consultation = turn.state.consultation
    if consultation is not None and call.ref in (consultation.call, consultation.target):
        turn.state = replace(turn.state, consultation=None)
    _unbind(turn, call.ref)
    history.write(turn, call, ending)
    turn.log(history.reason(call, ending))
    quality.part(turn, call)
    if not turn.state.calls:
        turn.cancel(Timer.CALL_LIMITS, Timer.HOLD_REMINDER, Timer.REOFFER, Timer.LEAVE_OLD)
    if call.emergency:
        turn.cancel(Timer.EMERGENCY_NEXT, Timer.HANG_UP_ASKED)
        turn.set_timer(Timer.CALL_BACKS, CALL_BACKS)


def _unbind(turn: Turn, gone: CallRef) -> None:
    """Other calls have nothing to do with this one any more."""
    for other in turn.state.calls:
        transfer, left = other.transfer, other
        if other.instead_of == gone:
            left = replace(left, instead_of=None)
            turn.cancel(Timer.LEAVE_OLD)
        asked = transfer is None or transfer.stage is not TransferStage.HOLDING
        if transfer is not None and transfer.consultation == gone and not asked:
            left = replace(left, transfer=None)
        if left is not other:
            turn.put(left)


def by_far_end(turn: Turn, call: Call, ending: Ending) -> None:
    """The far end, the network or a rule ended a call."""
    was_front = turn.state.front == call.ref
    # A caller who gave up is no failure to be told with a tone.
    rang_here = not call.outgoing and not call.answered
    left = _left_alone(turn.state, call)
    forget(turn, call, ending)
    if was_front:
        regroup(turn, None if rang_here else (call, ending))
    if left is not None:
        hang_up(turn, left)
        turn.say(notice("conference_over", who=call.who), 5.0)


def _left_alone(state: PhoneState, call: Call) -> Call | None:
    """The other of two whom the person meant to connect with each other when they left."""
    waiting = state.transferred
    transfer = None if waiting is None else waiting.transfer
    if waiting is None or transfer is None or not transfer.parting:
        return None
    if call.ref == transfer.consultation:
        return waiting
    target = transfer.consultation if call.ref == waiting.ref else None
    return None if target is None else state.call(target)


def come_back(turn: Turn, call: Call) -> None:
    """The person takes up one of two whom they had left to each other: now they have both again."""
    waiting = turn.state.transferred
    if waiting is None or waiting.transfer is None or _left_alone(turn.state, call) is None:
        return
    turn.put(replace(waiting, transfer=replace(waiting.transfer, parting=False)))


def hang_up(turn: Turn, call: Call, refusal: int = 486) -> bool:
    """The person ends a call; an emergency call asks for a second attempt.

    `refusal` is what a caller hears who still waits. Returns False if the call is still up.
    """
    if call.emergency and Timer.HANG_UP_ASKED not in turn.state.timers:
        turn.set_timer(Timer.HANG_UP_ASKED, HANG_UP_AGAIN)
        question = notice("emergency_hang_up_again", number=call.remote.user)
        turn.say(question, HANG_UP_AGAIN)
        return False
    part(turn, call, refusal)
    forget(turn, call, Ending(by_us=True))
    leave_old(turn, call)
    if turn.state.front is not None and turn.state.front_call is None:
        turn.unsay()
        regroup(turn, None)
    return True


def leave_old(turn: Turn, call: Call) -> None:
    """End the call whose place this one takes, if its far end has not."""
    old = None if call.instead_of is None else turn.state.call(call.instead_of)
    if old is not None:
        part(turn, old, 486)
        forget(turn, old, Ending(by_us=True))


def part(turn: Turn, call: Call, refusal: int) -> None:
    """Tell the far end that a call is over; a caller who still waits hears `refusal`."""
    if call.stage is CallState.RINGING_HERE:
        turn.do(RejectCall(call.ref, refusal))
    elif not call.waits:
        turn.do(EndCall(call.ref))


def regroup(turn: Turn, released: tuple[Call, Ending] | None) -> None:
    """The front call is gone: find the next, else tone and reason, else rest.

    `released` is the call whose end the person should be told, None if they ended it themselves.
    """
    following = _following(turn.state)
    if following is not None:
        bring(turn, following)
        if released is not None:
            turn.show(history.reason(*released), 5.0)
        return
    turn.front(None)
    if released is not None and turn.state.path is not None:
        release(turn, *released)
        return
    rest(turn)
    if released is not None and released[1].cause is not None:
        turn.show(history.reason(*released), RELEASED_HANDS_FREE)


def _following(state: PhoneState) -> Call | None:
    speaking = (call for call in state.calls if call.answered and not call.held)
    held = (call for call in state.calls if call.answered and call.held)
    for group in (speaking, iter(state.ringing), held):
        call = next(group, None)
        if call is not None:
            return call
    # A call that is still being placed in the background comes last.
    return next((call for call in state.calls if call.placing), None)


def release(turn: Turn, call: Call, ending: Ending) -> None:
    """A tone that says what became of it, with the reason, until the handset is down."""
    tone = Progress.CONGESTION
    if ending.notice is None:
        tone = _TONES.get(ending.cause, tone)
    fail(turn, tone)
    turn.state = replace(turn.state, notice=history.reason(call, ending))


def fail(turn: Turn, tone: Progress) -> None:
    """A tone that says it did not work, on the path that is open."""
    turn.unsay()
    turn.front(None)
    turn.enter(Mode.RELEASED)
    turn.state = replace(turn.state, progress=tone, digits="")
    in_hand = turn.state.hook_up
    turn.set_timer(Timer.RELEASED, RELEASED_IN_HAND if in_hand else RELEASED_HANDS_FREE)


def rest(turn: Turn) -> None:
    """Nothing more to do: dial tone if the handset is up, else idle."""
    if turn.state.hook_up and turn.state.path is not None:
        off_hook(turn)
    else:
        idle(turn)


def idle(turn: Turn) -> None:
    """Everything closed; a call that still waits rings, one on hold stays in sight."""
    turn.take_path(None)
    turn.unsay()
    turn.state = replace(turn.state, digits="", progress=Progress.NONE, test=None)
    following = _following(turn.state)
    if following is None:
        turn.front(None)
        turn.enter(Mode.IDLE)
    else:
        bring(turn, following)


def bring(turn: Turn, call: Call) -> None:
    """Bring a call to the front as it is; a path stays open unless it only rings, hands-free."""
    turn.front(call.ref)
    if call.rings_here:
        if not turn.state.hook_up:
            turn.take_path(None)
        turn.enter(Mode.RINGING)
    else:
        turn.enter(Mode.CALLING if call.placing else Mode.TALKING)


def off_hook(turn: Turn) -> None:
    """A path is open and nothing dialled: dial tone, or after a second why there is none."""
    turn.unsay()
    turn.front(None)
    turn.enter(Mode.OFF_HOOK)
    turn.state = replace(turn.state, digits="", test=None, progress=Progress.NONE)
    tone_of_lines(turn)


def tone_of_lines(turn: Turn) -> None:
    """Dial tone while a line is usable, else after a second congestion tone and the reason."""
    progress = turn.state.progress
    if lines.usable(turn.state):
        if progress is not Progress.DIAL:
            turn.cancel(Timer.NO_LINE)
            turn.unsay()
            turn.state = replace(turn.state, progress=Progress.DIAL)
            turn.set_timer(Timer.FIRST_DIGIT, FIRST_DIGIT)
    elif progress is Progress.CONGESTION:
        turn.state = replace(turn.state, notice=lines.why_none(turn.state))
    elif Timer.NO_LINE not in turn.state.timers:
        turn.cancel(Timer.FIRST_DIGIT)
        turn.state = replace(turn.state, progress=Progress.NONE)
        turn.set_timer(Timer.NO_LINE, NO_LINE_AFTER)


def front_of(turn: Turn, ref: CallRef | None) -> Call | None:
    """The call an action names, or the one in front."""
    return turn.state.front_call if ref is None else turn.state.call(ref)
