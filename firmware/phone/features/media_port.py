"""The media port of a call is bound, or cannot be."""

from firmware.base.values import replace
from firmware.call.negotiation import Negotiation
from firmware.phone.commands import EndCall, FreeMediaPort, RejectCall, SendOffer
from firmware.phone.events import MediaPortRefused, MediaPortReserved
from firmware.phone.features import (
    audio_test,
    dtmf,
    encryption,
    endings,
    incoming,
    moving,
    outgoing,
)
from firmware.phone.model import Call, Ending
from firmware.phone.partings import NO_PORT
from firmware.phone.texts import notice
from firmware.phone.turn import Turn


def reserved(turn: Turn, event: MediaPortReserved) -> None:
    """Offer, or let the caller ring."""
    if audio_test.owns(turn.state, event.call):
        audio_test.port_reserved(turn, event)
        return
    call = turn.state.call(event.call)
    if call is None:
        # The call ended while the port was being bound.
        turn.do(FreeMediaPort(event.call))
        return
    if call.moving is not None:
        moving.resume(turn, call, event)
        return
    if call.negotiation is not None:
        return
    secrecy = encryption.rules(turn, call, event.material)
    if encryption.impossible(secrecy):
        encryption.refuse(turn, call)
        return
    negotiation = Negotiation.open(
        dtmf.capabilities(turn, call),
        call.shown or event.address,
        event.port,
        _session_number(turn, call),
        secrecy,
        event.ice and event.ice.also(call.shown),
    )
    if not call.outgoing:
        incoming.announce(turn, turn.put(replace(call, negotiation=negotiation)))
        return
    negotiation, sdp = negotiation.make_offer(held=False)
    turn.put(replace(call, negotiation=negotiation))
    turn.do(SendOffer(call.ref, sdp))


def _session_number(turn: Turn, call: Call) -> int:
    # RFC 8866 §5.2: unique per user name and address; the clock and the stream's number are.
    return int(turn.now * 1000) * 1000 + call.stream % 1000


def refused(turn: Turn, event: MediaPortRefused) -> None:
    """Without a port there is no call: an exhausted range answers 503."""
    if audio_test.owns(turn.state, event.call):
        audio_test.port_refused(turn, event)
        return
    call = turn.state.call(event.call)
    if call is None:
        return
    if call.moving is not None:
        moving.give_up(turn, call)
        return
    if call.emergency and _made_room(turn, call):
        return
    said = notice("call_no_port", who=call.who, line=call.line, reason=event.reason)
    ending = Ending(by_us=True, notice=said)
    if call.outgoing:
        turn.do(EndCall(call.ref, NO_PORT))
        outgoing.failed(turn, call, ending, refused=False)
    else:
        turn.do(RejectCall(call.ref, 503))
        endings.by_far_end(turn, call, ending)


def _made_room(turn: Turn, call: Call) -> bool:
    """End one other call and ask again; the one that waits on hold is missed least."""
    others = [other for other in turn.state.calls if other.ref != call.ref and other.local]
    if not others:
        return False
    victim = next((other for other in others if other.held), others[0])
    endings.part(turn, victim, 486)
    endings.forget(turn, victim, Ending(by_us=True))
    # A new stream is what makes the phone ask for sockets afresh.
    turn.put(replace(call, stream=turn.number()))
    return True
