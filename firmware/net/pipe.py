"""What stands between the octets of a connection and SIP messages, with no socket in it.

    octets ──▶ (TLS) ──▶ framer | WebSocket ──▶ whole messages, pings, pongs
    octets ◀── (TLS) ◀── framer | WebSocket ◀── one message

A layer with a handshake is `ready` when that is over; what it wants to say stands in `take`.
"""

from typing import Protocol

from firmware.net.link_error import LinkError
from firmware.sip.framer import Ping, Pong, StreamFramer
from firmware.sip.notifications import FailureCause

PING = b"\r\n\r\n"
PONG = b"\r\n"
Piece = bytes | Ping | Pong


class Secure(Protocol):
    """The layer of octets below: TLS."""

    ready: bool
    ended: bool

    @property
    def domains(self) -> tuple[str, ...]:
        """The verified identities of the far end; none if it showed no certificate."""

    def begin(self) -> None:
        """Say the first word if it is ours."""

    def feed(self, data: bytes) -> bytes:
        """What arrived, deciphered; it may be empty.

        Raises:
            LinkError: the far end is not whom we want, or speaks no TLS.
        """

    def wrap(self, data: bytes) -> None:
        """Send; only when ready."""

    def take(self) -> bytes:
        """What must go to the socket now."""

    def end(self) -> None:
        """Say that nothing more comes."""


class Cutter(Protocol):
    """The layer that finds messages in octets."""

    ready: bool

    @property
    def unfinished(self) -> bool:
        """Whether a message has begun and not ended."""

    def begin(self) -> None:
        """Say the first word if it is ours."""

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces that are whole now.

        Raises:
            LinkError: it cannot be cut any more; `found` has what was whole before.
        """

    def wrap(self, data: bytes) -> None:
        """Send one message, a `PING` or a `PONG`; only when ready."""

    def take(self) -> bytes:
        """What must go to the layer below now."""

    def end(self) -> None:
        """Say that nothing more comes."""


class Framed:
    """SIP on a bare stream: `StreamFramer` as a `Cutter`."""

    def __init__(self) -> None:
        self.framer = StreamFramer()
        self.ready = True
        self._out: list[bytes] = []

    @property
    def unfinished(self) -> bool:
        """Whether a message has begun and not ended."""
        return self.framer.pending > 0

    def begin(self) -> None:
        """Nothing need be said first."""

    def feed(self, data: bytes) -> list[Piece]:
        """The pieces that are whole now.

        Raises:
            LinkError: where the next message begins cannot be told.
        """
        pieces: list[Piece] = [*self.framer.feed(data)]
        if self.framer.broken:
            cause = FailureCause.REFUSED
            raise LinkError(cause, "it sent something that is not SIP", pieces)
        return pieces

    def wrap(self, data: bytes) -> None:
        """Send as it is."""
        self._out.append(data)

    def take(self) -> bytes:
        """What was wrapped."""
        data, self._out = b"".join(self._out), []
        return data

    def end(self) -> None:
        """A stream just ends."""


class Pipe:
    """The layers of one connection."""

    def __init__(self, cutter: Cutter, secure: Secure | None = None) -> None:
        self._secure = secure
        self._cutter = cutter

    @property
    def ready(self) -> bool:
        """Whether every handshake is over, so that messages may be sent."""
        return self._cutter.ready and (self._secure is None or self._secure.ready)

    @property
    def shaking(self) -> bool:
        """Whether the next octets belong to a handshake that costs time: off the loop with them."""
        return self._secure is not None and not self._secure.ready

    @property
    def ended(self) -> bool:
        """Whether the far end said that nothing more comes."""
        return self._secure is not None and self._secure.ended

    @property
    def domains(self) -> tuple[str, ...]:
        """The verified identities of the far end."""
        return self._secure.domains if self._secure is not None else ()

    @property
    def unfinished(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._cutter.unfinished

    def begin(self) -> None:
        """The connection stands."""
        if self._secure is not None:
            self._secure.begin()
        else:
            self._cutter.begin()

    def feed(self, data: bytes) -> list[Piece]:
        """What arrived, cut; `take` has what is to be said to it.

        Raises:
            LinkError: this connection is of no use (any more).
        """
        secure = self._secure
        if secure is None:
            return self._cutter.feed(data)
        before = secure.ready
        plain = secure.feed(data)
        if secure.ready and not before:
            self._cutter.begin()
        return self._cutter.feed(plain) if plain else []

    def send(self, data: bytes) -> None:
        """Send one message, `PING` or `PONG`; `take` has its octets."""
        self._cutter.wrap(data)

    def take(self) -> bytes:
        """The octets for the socket."""
        data = self._cutter.take()
        if self._secure is None:
            return data
        if data:
            self._secure.wrap(data)
        return self._secure.take()

    def end(self) -> bytes:
        """Take leave; returns the octets for the socket."""
        self._cutter.end()
        data = self.take()
        if self._secure is None:
            return data
        self._secure.end()
        return data + self._secure.take()
