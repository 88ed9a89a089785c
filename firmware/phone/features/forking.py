"""Early media and early offers of a call we place, each phone that rings for it apart.

Of several the one that spoke last is heard; which one lifts is known only with the answer.
"""

from firmware.base.values import replace
from firmware.call.forks import Forks
from firmware.call.negotiation import Refused
from firmware.phone.commands import AnswerReoffer, RejectReoffer
from firmware.phone.model import Call
from firmware.phone.turn import Turn
from firmware.sip.notifications import CallAnswered, CallProgress, ReofferReceived

TERMINATED = 199
"""RFC 6228: this fork is over."""


def progressed(call: Call, event: CallProgress) -> Call:
    """What a provisional answer does to the sound of a call."""
    forks = _forks(call)
    if forks is None:
        return call
    if event.status == TERMINATED:
        forks = forks.without(event.fork)
    elif event.body:
        before = forks.of(event.fork)
        after = before.take_answer(event.body) if event.reliable else before.hear_early(event.body)
        if isinstance(after, Refused):
            return call
        forks = forks.heard(event.fork, after)
    return _listening(call, forks)


def _listening(call: Call, forks: Forks) -> Call:
    """Heard from now on is the one that spoke last; another place has to be heard anew."""
    before, after = call.negotiation, forks.latest
    moved = after.media is not None and (
        before is None or before.media is None or before.media.remote != after.media.remote
    )
    heard = call.heard and not moved
    return replace(call, forks=forks, negotiation=after, heard=heard)


def answered(call: Call, event: CallAnswered) -> Call | Refused:
    """The phone that lifted is the call; what it had agreed to before stands."""
    forks = _forks(call)
    if forks is None:
        return Refused("an answer without an offer")
    state = forks.of(event.fork)
    if state.busy or event.body:
        taken = state.take_answer(event.body)
        if isinstance(taken, Refused):
            return taken
        state = taken
    return replace(call, forks=None, negotiation=state)


def offered(turn: Turn, call: Call, event: ReofferReceived) -> None:
    """One of them changes its media before it lifts (RFC 3311 §5.2)."""
    forks = _forks(call)
    if forks is None or forks.of(event.fork).busy:
        turn.do(RejectReoffer(call.ref, 491, "", event.fork))
        return
    result = forks.of(event.fork).answer(event.body, held=False)
    if isinstance(result, Refused):
        turn.do(RejectReoffer(call.ref, 488, result.why, event.fork))
        return
    state, sdp = result
    forks = forks.heard(event.fork, state)
    turn.put(_listening(call, forks))
    turn.do(AnswerReoffer(call.ref, sdp, event.fork))


def _forks(call: Call) -> Forks | None:
    if call.forks is None and call.negotiation is not None:
        return Forks(call.negotiation)
    return call.forks
