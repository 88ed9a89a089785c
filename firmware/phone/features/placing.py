"""A call of ours begins: what was in front makes room, and the stack is asked for an INVITE."""

from firmware.base.values import replace
from firmware.phone.commands import PlaceCall
from firmware.phone.desk import paths
from firmware.phone.emergency import number_of
from firmware.phone.features import audio_test, hold
from firmware.phone.model import Call
from firmware.phone.turn import Turn
from firmware.phone.view import CallState, Mode
from firmware.sip.invite.replaces import Replaces
from firmware.sip.notifications import CallRef, LineName, Party


def set_aside(turn: Turn) -> None:
    """Make room in front for a new call: who is spoken with waits on hold."""
    front = turn.state.front_call
    if front is not None and front.answered:
        hold.put_on(turn, front)
    audio_test.leave(turn)


def new_call(turn: Turn, number: str, line: LineName) -> Call:
    """A call of ours that nobody knows of yet."""
    count = turn.number()
    return Call(
        ref=CallRef(f"out-{turn.state.run}-{count}"),
        line=line,
        outgoing=True,
        stage=CallState.CALLING,
        stream=count,
        remote=Party(name="", user=number_of(number), uri=number),
        started_at=turn.now,
    )


def bring_up(turn: Turn, call: Call) -> None:
    """Bring a new call to the front and, unless it waits, send it on its way."""
    turn.unsay()
    turn.state = replace(turn.state, calls=(*turn.state.calls, call), digits="")
    consultation = turn.state.consultation
    if consultation is not None and consultation.target is None and not call.emergency:
        consultation = replace(consultation, target=call.ref)
        turn.state = replace(turn.state, consultation=consultation)
    turn.front(call.ref)
    turn.enter(Mode.CALLING)
    paths.open_some(turn)
    if not call.waits:
        send(turn, call)


def send(turn: Turn, call: Call) -> None:
    """Have the stack look for the way."""
    picks = call.picks
    if picks is None:
        turn.do(PlaceCall(call.ref, call.line, call.remote.uri, emergency=call.emergency))
        return
    # RFC 3891 §3: who was faster shall not be torn out of a conversation.
    replaces = Replaces(picks.call_id, picks.to_tag, picks.from_tag, early_only=True)
    turn.do(PlaceCall(call.ref, call.line, picks.target, replaces=replaces))
