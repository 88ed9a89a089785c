"""Transfer: sending the far end of a call to somebody else.

    transfer key ─▶ on hold, dial tone ─▶ number + key ───────────────────▶ blind
                                    └──▶ number, talk ─▶ key or handset ──▶ attended
                                                 └─ rings ─▶ key ─────────▶ blind, our own call ends

The call stays on hold until the far end says how it went: then it ends, or is there again with the
reason. Nothing here opens a microphone; what is on hold is taken up again by the person.
"""

from firmware.base.values import replace
from firmware.phone.actions import Transfer as Wish
from firmware.phone.commands import EndCall, TransferCall
from firmware.phone.desk import paths, tones
from firmware.phone.dialplan import Verdict, dialable
from firmware.phone.features import endings, hold
from firmware.phone.model import Call, Consultation, Ending, PhoneState, Transfer
from firmware.phone.texts import TRANSFER_CAUSES, notice
from firmware.phone.turn import Rules, Turn
from firmware.phone.view import CallState, Mode, Notice, TransferStage
from firmware.sip.notifications import (
    CallRef,
    TransferFailed,
    TransferProgress,
    TransferSucceeded,
)

_DIALLING = (Mode.OFF_HOOK, Mode.DIALLING)
_TOLD = 5.0
_RINGS = 180


# --- what the person wants ------------------------------------------------------------------------


def wish(turn: Turn, event: Wish) -> None:
    """The transfer key, or a target by name."""
    state = turn.state
    call = _meant(state, event)
    if call is None:
        return
    typed = event.target or (state.digits if _dials_target(state) else "")
    other = _other(state, call, event)
    if typed:
        _blind(turn, call, typed)
    elif other is None and _dials_target(state):
        back(turn)
    elif other is None:
        _begin(turn, call)
    elif other.answered:
        _attended(turn, call, other)
    else:
        _semi_attended(turn, call, other)


def why_not(state: PhoneState, rules: Rules, event: Wish) -> Notice | None:
    """Why nothing can be transferred now, None if it can."""
    call = _meant(state, event)
    if call is None or not call.answered:
        return notice("no_call_up")
    other = _other(state, call, event)
    if call.emergency or (other is not None and other.emergency):
        return notice("emergency_no_hold", number=call.remote.user)
    if call.transfer is not None or state.transferred is not None:
        busy = state.transferred or call
        target = busy.transfer.target if busy.transfer is not None else ""
        return notice("transfer_under_way", who=busy.who, number=target)
    if event.to is not None and (other is None or not other.answered):
        return notice("transfer_only_answered")
    if other is not None and other.ref == call.ref:
        return notice("transfer_not_itself")
    typed = event.target or (state.digits if _dials_target(state) else "")
    return _why_not_to(rules, typed) if typed else None


def _why_not_to(rules: Rules, typed: str) -> Notice | None:
    number = dialable(typed)
    verdict = rules.plan.judge_whole(typed)
    if verdict is Verdict.EMERGENCY:
        # Nobody is sent to the emergency service by a key pressed in error.
        return notice("transfer_emergency", number=typed)
    if not number or verdict is Verdict.AUDIO_TEST:
        return notice("call_not_dialable", number=typed)
    return None


def _dials_target(state: PhoneState) -> bool:
    """Whether the person dials the target of a transfer."""
    return state.consultation is not None and state.mode in _DIALLING


def _meant(state: PhoneState, event: Wish) -> Call | None:
    if event.call is not None:
        return state.call(event.call)
    if state.consultation is not None:
        return state.call(state.consultation.call)
    return state.front_call


def _other(state: PhoneState, call: Call, event: Wish) -> Call | None:
    """Our call with the target: named, consulted with, or simply the other one."""
    if event.target:
        return None
    if event.to is not None:
        return state.call(event.to)
    consultation = state.consultation
    if consultation is None or consultation.call != call.ref:
        return None
    if consultation.target is not None:
        return state.call(consultation.target)
    if state.digits:
        return None
    return next((x for x in state.calls if x.answered and x.ref != call.ref), None)


def _begin(turn: Turn, call: Call) -> None:
    """Put the far end on hold and give dial tone for the target."""
    paths.open_some(turn)
    if turn.state.path is None:
        turn.say(notice("path_on_hook"), _TOLD)
        return
    hold.put_on(turn, call)
    endings.off_hook(turn)
    turn.state = replace(turn.state, consultation=Consultation(call.ref))


def back(turn: Turn) -> None:
    """Not after all: the call is in front again, on hold."""
    consultation = turn.state.consultation
    call = None if consultation is None else turn.state.call(consultation.call)
    turn.state = replace(turn.state, consultation=None, digits="")
    turn.unsay()
    if call is None:
        endings.rest(turn)
    else:
        endings.bring(turn, call)


def _blind(turn: Turn, call: Call, typed: str) -> None:
    in_front = _dials_target(turn.state) or turn.state.front == call.ref
    turn.state = replace(turn.state, consultation=None, digits="", last_dialled=typed)
    _send(turn, call, dialable(typed))
    if in_front:
        _show(turn, call.ref)


def _semi_attended(turn: Turn, call: Call, other: Call) -> None:
    """The target rings: our own call to it makes room for the new one (RFC 5589 §7.6).

    The target would have to be answered to be replaced, and nobody wants to wait for that here.
    """
    target = other.remote.uri
    endings.part(turn, other, 486)
    endings.forget(turn, other, Ending(by_us=True))
    _send(turn, call, target)
    _show(turn, call.ref)


def _attended(turn: Turn, call: Call, other: Call) -> None:
    turn.state = replace(turn.state, consultation=Consultation(call.ref, other.ref), digits="")
    _send(turn, call, other.remote.user or other.who, other.ref)
    if turn.state.front is None:
        _show(turn, other.ref)


def _show(turn: Turn, ref: CallRef) -> None:
    call = turn.state.call(ref)
    if call is not None:
        turn.unsay()
        endings.bring(turn, call)


def _send(turn: Turn, call: Call, target: str, consultation: CallRef | None = None) -> None:
    hold.put_on(turn, call)
    held = turn.state.call(call.ref) or call
    turn.put(replace(held, transfer=Transfer(target, consultation)))
    go_on(turn)


def go_on(turn: Turn) -> None:
    """Ask the far end, as soon as it has been told of the hold (RFC 5589 §6.1)."""
    for call in turn.state.calls:
        transfer = call.transfer
        if transfer is None or transfer.stage is not TransferStage.HOLDING or not _ready(call):
            continue
        asked = replace(transfer, stage=TransferStage.ASKED)
        turn.put(replace(call, transfer=asked))
        turn.do(TransferCall(call.ref, transfer.target, transfer.consultation))


def _ready(call: Call) -> bool:
    negotiation = call.negotiation
    open_offer = negotiation is not None and negotiation.busy
    return call.stage is CallState.TALKING and not call.reoffering and not open_offer


# --- the handset and the end key while somebody is being transferred ------------------------------


def handset_down(turn: Turn, call: Call) -> bool:
    """The handset was put down in `call`; whether that was meant for a transfer."""
    if under_way(turn.state, call):
        return True
    consultation = turn.state.consultation
    consulting = consultation is not None and consultation.target == call.ref
    if not consulting or not turn.rules.settings.phone.transfer_on_hang_up:
        return False
    event = Wish()
    if why_not(turn.state, turn.rules, event) is not None:
        return False
    wish(turn, event)
    return True


def do_not_come_back(turn: Turn, ref: CallRef) -> None:
    """Whoever sends this call elsewhere has left: if it fails, it ends."""
    call = turn.state.call(ref)
    if call is not None and call.transfer is not None:
        turn.put(replace(call, transfer=replace(call.transfer, parting=True)))


def under_way(state: PhoneState, call: Call) -> bool:
    """Whether this call, or the one it was made for, waits for the end of a transfer."""
    waiting = state.transferred
    return waiting is not None and (
        waiting.ref == call.ref
        or (waiting.transfer is not None and waiting.transfer.consultation == call.ref)
    )


def let_go(turn: Turn) -> None:
    """The person is done; what becomes of the transfer is shown when it is known."""
    if turn.state.hook_up:
        turn.take_path(paths.of_handset(turn.state))
        endings.off_hook(turn)
    else:
        turn.take_path(None)


# --- what the far end says ------------------------------------------------------------------------


def progressed(turn: Turn, event: TransferProgress) -> None:
    """The target is being called."""
    call = turn.state.call(event.call)
    if call is not None and call.transfer is not None:
        rings = event.status >= _RINGS or call.transfer.stage is TransferStage.RINGING
        stage = TransferStage.RINGING if rings else TransferStage.WORKING
        turn.put(replace(call, transfer=replace(call.transfer, stage=stage)))


def succeeded(turn: Turn, event: TransferSucceeded) -> None:
    """They have each other: our calls with them end (RFC 5589 §6.1)."""
    call = turn.state.call(event.call)
    if call is not None and call.transfer is not None:
        _finish(turn, call, call.transfer, Ending(by_us=True))


def far_end_left(turn: Turn, call: Call, ending: Ending) -> bool:
    """The far end ended a call; whether a transfer explains that.

    One that has agreed to go need not wait for us to hang up; and the target, once replaced, has
    nothing more to do with us (RFC 3891 §3).
    """
    waiting = turn.state.transferred
    transfer = None if waiting is None else waiting.transfer
    if waiting is None or transfer is None or transfer.stage is TransferStage.HOLDING:
        return False
    if call.ref == transfer.consultation:
        was_front = turn.state.front == call.ref
        endings.forget(turn, call, ending)
        if was_front:
            endings.regroup(turn, None)
        return True
    agreed = transfer.stage in (TransferStage.WORKING, TransferStage.RINGING)
    if call.ref != waiting.ref or not agreed:
        return False
    _finish(turn, call, transfer, ending)
    return True


def _finish(turn: Turn, call: Call, transfer: Transfer, ending: Ending) -> None:
    front = turn.state.front
    other = None if transfer.consultation is None else turn.state.call(transfer.consultation)
    if ending.by_us:
        turn.do(EndCall(call.ref))
    endings.forget(turn, call, ending)
    if other is not None and ending.by_us:
        turn.do(EndCall(other.ref))
        endings.forget(turn, other, Ending(by_us=True))
    if front is not None and turn.state.call(front) is None:
        endings.regroup(turn, None)
    turn.say(notice("transfer_done", who=call.who, number=transfer.target), _TOLD)


def failed(turn: Turn, event: TransferFailed) -> None:
    """It did not come about: the call is still ours, on hold."""
    call = turn.state.call(event.call)
    if call is None or call.transfer is None:
        return
    transfer = call.transfer
    call = turn.put(replace(call, transfer=None))
    other = None if transfer.consultation is None else turn.state.call(transfer.consultation)
    if transfer.parting:
        for each in (call, other):
            if each is not None:
                endings.hang_up(turn, each)
        turn.say(notice("conference_over", who=call.who), _TOLD)
        return
    if other is not None and turn.state.path is None:
        hold.put_on(turn, other)  # nobody is at the phone
    if turn.state.front is None and turn.state.mode is Mode.IDLE:
        endings.bring(turn, call)
    text = TRANSFER_CAUSES.get(event.cause, "transfer_failed") if event.reached else _refusal(event)
    said = notice(
        text,
        who=call.who,
        number=transfer.target,
        status=event.status or "",
        phrase=event.phrase,
    )
    turn.say(said, _TOLD)
    tones.beep_of_hold(turn)


def _refusal(event: TransferFailed) -> str:
    return "transfer_refused" if event.status else "transfer_failed"
