"""What must not go on for ever: a ring nobody answers, a call whose far end has vanished.

A far end that loses its power sends no BYE; then only the silence tells (RELIABILITY F24). Silence
that was agreed (hold) does not count, and nobody hangs up on an emergency call.
"""

from firmware.base.values import replace
from firmware.media.messages import FirstHeard, HearingChanged, Silence, UnheardChanged
from firmware.phone.commands import EndCall, RejectCall
from firmware.phone.features import endings
from firmware.phone.model import Call, Ending, Timer
from firmware.phone.partings import NO_MEDIA
from firmware.phone.turn import Turn
from firmware.sip.notifications import FailureCause

LONGEST_RING = 180.0
"""Seconds, as RFC 3261 §16.6 has it for a proxy: the caller's own limit should come first."""
LONGEST_SILENCE = 120.0
"""Seconds without a single packet where some should come."""
_GONE = (Silence.NO_PACKETS, Silence.NOT_AUTHENTIC)
"""What a stranger sends is no sign of life, however much it is."""


def watch(turn: Turn) -> None:
    """Set the clock to the first limit that any call may reach."""
    limits = [at for call in turn.state.calls if (at := _limit(call)) is not None]
    if limits:
        turn.set_timer(Timer.CALL_LIMITS, min(limits) - turn.now)
    else:
        turn.cancel(Timer.CALL_LIMITS)


def _limit(call: Call) -> float | None:
    if call.rings_here:
        return call.started_at + LONGEST_RING
    gone = call.hearing is not None and call.hearing.cause in _GONE
    if gone and call.answered and not call.emergency and not call.on_hold:
        return call.silent_since + LONGEST_SILENCE
    return None


def hearing(turn: Turn, event: HearingChanged) -> None:
    """Two seconds of nothing, or sound again."""
    call = turn.state.call_of_stream(event.stream)
    if call is not None:
        trouble = event if event.cause is not None else None
        # A card that fails says nothing about what arrives; and an answered call never rings back.
        keeps = event.cause is Silence.CARD_FAILED or not call.placing
        heard = call.heard if keeps else trouble is None
        turn.put(replace(call, hearing=trouble, silent_since=turn.now, heard=heard))
        watch(turn)


def unheard(turn: Turn, event: UnheardChanged) -> None:
    """The far end does not hear us, or does again."""
    call = turn.state.call_of_stream(event.stream)
    if call is not None:
        turn.put(replace(call, unheard=event if event.cause is not None else None))


def first_heard(turn: Turn, event: FirstHeard) -> None:
    """Speech arrives: early media is really there."""
    call = turn.state.call_of_stream(event.stream)
    if call is not None and call.placing and not call.heard:
        turn.put(replace(call, heard=True))


def restart(turn: Turn, call: Call) -> Call:
    """A hold began or ended, or the media moved: silence is counted from now on."""
    call = turn.put(replace(call, silent_since=turn.now))
    watch(turn)
    return call


def enforce(turn: Turn) -> None:
    """End what has reached its limit."""
    for call in turn.state.calls:
        limit = _limit(call)
        # One that ends may take another with it.
        if limit is None or limit > turn.now or turn.state.call(call.ref) is None:
            continue
        if call.rings_here:
            turn.do(RejectCall(call.ref, 480))
            endings.by_far_end(turn, call, Ending())
        else:
            turn.do(EndCall(call.ref, NO_MEDIA))
            endings.by_far_end(turn, call, Ending(by_us=True, cause=FailureCause.SESSION_LOST))
    watch(turn)
