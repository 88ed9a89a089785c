"""Who is at the other end, as it becomes known during a call."""

from firmware.base.values import replace
from firmware.phone.turn import Turn
from firmware.sip.notifications import ConnectedParty, Party


def connected(turn: Turn, event: ConnectedParty) -> None:
    """A server that the line trusts names the other end; an emergency call keeps its number."""
    call = turn.state.call(event.call)
    if call is None or call.emergency or call.remote == event.party:
        return
    name = event.party.name
    if not name and event.party.user == call.remote.user:
        name = call.remote.name  # nothing new but that it said no name this time
    turn.put(replace(call, remote=Party(name, event.party.user, event.party.uri)))
