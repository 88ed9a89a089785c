"""One stream's DTLS handshake: whom it hears, and where it speaks to (A8). No socket of its own.

Heard is the host that SDP named; behind a NAT the far end has another address, so until that host
speaks one other may, but whatever a stranger spoils is begun anew, a few times. Who falls silent in
the middle gives way to the next.

We speak to the address of SDP. Where the line says so (`symmetric_rtp`) and the way is not checked
anyway, we follow who is heard; nobody but the holder of the certificate that SDP announced can
bring it to an end. A far end behind a NAT that waits for us to begin is not to be reached at all
until it has sent something: that is the check which RFC 5763 §6.7.2 asks of the passive side.
Whoever sends one is answered, and may be said the same words as the address of SDP.
"""

from typing import TYPE_CHECKING

from firmware.media.messages import Foreign
from firmware.phone.commands import MakeKeys
from firmware.sip.flow import Endpoint
from firmware.sip.route.stun import binding_request, binding_response, parse_stun

if TYPE_CHECKING:
    import asyncio

    from firmware.net.dtls import Association, Identity

PATIENCE = 20.0
"""Seconds a handshake may take."""
_STRANGERS = 8
"""So often somebody from elsewhere may spoil a handshake; then only the named host is heard."""
_EACH = 3
"""So often one of them may."""
_HALTS = 1.5
"""Seconds after which somebody from elsewhere, who has said nothing more, gives way."""
_KNOCKS = 3
"""So many other places are answered, and spoken to, before anybody was heard."""
_HANDSHAKE = 22

Address = tuple[str, int]
Datagram = tuple[bytes, Address]


class Handshaking:
    """See the module; `take` gives what is to be sent. Times are the loop's."""

    def __init__(self, command: MakeKeys, identity: "Identity", now: float) -> None:
        self.command = command
        self._identity = identity
        self.association = self._fresh()
        self.source: Address | None = None
        """Who is heard, None before anybody was."""
        self.strangers = 0
        self.has_keys = False
        """Keys of a handshake before serve the stream; silence is no failure then."""
        self.timer: asyncio.TimerHandle | None = None
        self.until = now + PATIENCE
        self.told = False
        self._heard_at = now
        self._spoilt: dict[str, int] = {}
        self._knocked: list[Address] = []
        self._flight: tuple[bytes, ...] = ()
        self._out: list[Datagram] = []

    def _fresh(self) -> "Association":
        from firmware.net.dtls import Association  # noqa: PLC0415 - loaded with the identity

        agreed = self.command.handshake
        association = Association(self._identity, agreed.prints, active=agreed.active)
        association.start()
        return association

    @property
    def named(self) -> str:
        """The host that SDP named."""
        return self.command.remote[0]

    @property
    def _follows(self) -> bool:
        return self.command.symmetric and not self.command.checked

    @property
    def peer(self) -> Address | None:
        """Where the far end was when it proved who it is, if we follow it there."""
        return self.source if self._follows else None

    # What comes

    def feed(self, data: bytes, source: Address, now: float) -> None:
        """Take a DTLS datagram if its source may be heard."""
        stuck = data[0] == _HANDSHAKE and now - self._heard_at > _HALTS
        if (stuck or source[0] == self.named) and self._may_give_way(source):
            self._begin_anew()
        if self.source is None:
            if source[0] != self.named and self._has_had_enough(source[0]):
                return
            self.source = source
        if source[0] != self.source[0]:
            return
        self.source, self._heard_at = source, now
        self.association.feed(data)
        if self.association.failure and source[0] != self.named:
            self._spoilt[source[0]] = self._spoilt.get(source[0], 0) + 1
            self._begin_anew()

    def _has_had_enough(self, host: str) -> bool:
        """Whether somebody who was not named may not try any more."""
        return self.strangers >= _STRANGERS or self._spoilt.get(host, 0) >= _EACH

    def _may_give_way(self, source: Address) -> bool:
        """Whether somebody else is heard who was not named, and has come to no end."""
        heard = self.source
        elsewhere = heard is not None and heard[0] not in (self.named, source[0])
        return elsewhere and not self.association.over

    def _begin_anew(self) -> None:
        """What came from elsewhere was not the far end."""
        self.strangers += 1
        self.source = None
        self.association = self._fresh()

    def knock(self, data: bytes, source: Address) -> None:
        """Take a STUN datagram: a far end without connectivity checks opens its gateway.

        RFC 5763 §6.7.2: it is answered as long as the handshake goes on.
        """
        message = parse_stun(data)
        if message is None or not message.asks or self.command.checked or self.association.over:
            return
        if self._welcome(source):
            self._out.append((binding_response(message.transaction, Endpoint(*source)), source))

    def seen_at(self, source: Address) -> None:
        """The far end of the call has been heard from there, under keys it had before."""
        if self.source is None and not self.association.over:
            self._welcome(source)

    def _welcome(self, source: Address) -> bool:
        """Whether somebody may have an answer; a new place hears what the named one was told."""
        if source == self.command.remote or source in self._knocked:
            return True
        if len(self._knocked) >= _KNOCKS:
            return False
        self._knocked.append(source)
        if self._follows and self.source is None:
            self._out += ((each, source) for each in self._flight)
        return True

    # What goes

    def open_way(self, transaction: bytes) -> None:
        """RFC 5763 §6.7.2: who waits for the other to begin opens its gateway, once."""
        if not (self.command.handshake.active or self.command.checked or self.association.over):
            self._out.append((binding_request(transaction), self.command.remote))

    def take(self) -> list[Datagram]:
        """What is to be sent now, and where to."""
        out, self._out = self._out, []
        flight = self.association.take()
        if flight:
            self._flight = flight
        places = self._places()
        out += ((each, place) for each in flight for place in places)
        return out

    def _places(self) -> tuple[Address, ...]:
        if not self._follows:
            return (self.command.remote,)
        if self.source is not None:
            return (self.source,)
        return (self.command.remote, *self._knocked)

    def stop(self) -> None:
        """No clock runs any more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def is_handshake(report: Foreign) -> bool:
    """Whether a datagram is DTLS (RFC 7983 §7)."""
    return bool(report.data) and 20 <= report.data[0] < 64
