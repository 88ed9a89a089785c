"""Calls whose address is gone: the media goes to our new one, and the far end is told (F9, P9).

    AddressChanged ──▶ new stream on new sockets ──▶ re-INVITE with the new address
                                 └─ what was agreed goes on from there at once

The old sockets can neither send nor receive any more, so nothing is lost by closing them first; a
socket whose address is still ours is never moved. The first packets from the new address leave
before the far end has agreed: most far ends follow, and it costs nothing.
"""

from firmware.base.values import replace
from firmware.phone.commands import EndCall, Reoffer
from firmware.phone.events import MediaPortReserved
from firmware.phone.features import endings, limits
from firmware.phone.model import Call, Ending
from firmware.phone.partings import NOT_MOVED
from firmware.phone.texts import notice
from firmware.phone.turn import Turn
from firmware.phone.view import CallState
from firmware.sip.notifications import AddressChanged


def address_changed(turn: Turn, event: AddressChanged) -> None:
    """The call can go on from another address of ours, or from none."""
    call = turn.state.call(event.call)
    if call is None or not call.answered:
        return
    if not event.local:
        give_up(turn, call)
    elif event.local != call.local:
        begin(turn, turn.put(replace(call, move_to=event.local, shown=event.shown)))


def begin(turn: Turn, call: Call) -> bool:
    """Ask for sockets at the new address, if it is time; whether that was done."""
    negotiation = call.negotiation
    ready = call.stage is CallState.TALKING and not call.reoffering
    if not call.move_to or not ready or negotiation is None or negotiation.busy:
        return False
    turn.put(
        replace(
            call,
            # Another number of the stream is what makes the phone ask for sockets afresh.
            stream=turn.number(),
            local=call.move_to,
            move_to="",
            moving=negotiation,
            negotiation=None,
            way=None,
            # What was not heard on the old way says nothing about the new one.
            hearing=None,
            unheard=None,
        )
    )
    return True


def resume(turn: Turn, call: Call, event: MediaPortReserved) -> None:
    """The sockets are there: go on from them, and tell the far end."""
    assert call.moving is not None
    address = call.shown or event.address
    negotiation = call.moving.at(address, event.port, event.ice and event.ice.also(call.shown))
    negotiation, sdp = negotiation.make_offer(held=call.held)
    call = replace(call, negotiation=negotiation, moving=None, reoffering=True, moved=True)
    limits.restart(turn, call)
    turn.do(Reoffer(call.ref, sdp))


def give_up(turn: Turn, call: Call) -> None:
    """There is no address, no socket, or the far end does not follow: a clean end."""
    turn.do(EndCall(call.ref, NOT_MOVED))
    said = notice("call_not_moved", who=call.who, line=call.line)
    endings.by_far_end(turn, call, Ending(by_us=True, notice=said))
