"""SIP over connections: listeners, and the connections that they or we opened.

TCP, TLS and WebSockets differ only in the layers of their `Pipe`. A connection that sends garbage,
half a message or half a handshake for too long, or nothing at all is closed; UDP and the other
connections do not notice.
"""

import asyncio
import contextlib
import itertools
import socket
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from firmware.net.addresses import endpoint_of, family_of, name_of
from firmware.net.binding import SIGNALLING, bind, mark
from firmware.net.link_error import LinkError
from firmware.net.pipe import PONG, Framed, Piece, Pipe
from firmware.sip.causes import cause_of_trouble
from firmware.sip.flow import Endpoint, Flow, Target, Terms, TlsTerms, Transport
from firmware.sip.framer import Ping, Pong
from firmware.sip.notifications import FailureCause

if TYPE_CHECKING:
    from firmware.net.security import Security

CONNECT_SECONDS = 5.0
HANDSHAKE_SECONDS = 5.0
"""How long TLS and WebSocket may take to begin (A13)."""
HALF_MESSAGE_SECONDS = 10.0
"""How long the rest of a message that has begun may take (A13)."""
STRANGER_IDLE_SECONDS = 120.0
"""How long a connection that somebody else opened may stay silent."""
OWN_IDLE_SECONDS = 900.0
"""How long one that we opened may be of no use; a registration's is kept alive by its pings."""
UNREAD_SECONDS = 30.0
"""How long what we sent may stay unacknowledged before the connection is dead (F25)."""
MOST_CONNECTIONS = 64
_MOST_QUEUED = 1 << 20
_LEAVE_SECONDS = 1.0
_TCP_USER_TIMEOUT = 18  # linux/tcp.h; the socket module of Python 3.11 has it on some builds only


class Door(Struct, frozen=True):
    """One more way to listen: a port (0 = one that is free), and a certificate if it is secure."""

    transport: Transport
    port: int = 0
    tls: TlsTerms | None = None


class StreamSink(Protocol):
    """Where streams report."""

    def stream_message(self, data: bytes, flow: Flow) -> None:
        """One whole message arrived."""

    def stream_closed(self, flow: Flow, reason: str, cause: FailureCause | None = None) -> None:
        """The connection is gone; `cause` if more is known than the system's words."""


class _Connection(asyncio.Protocol):
    """One connection."""

    def __init__(
        self,
        owner: "Streams",
        pipe: Pipe,
        transport: Transport,
        ready: "asyncio.Future[Flow] | None" = None,
        terms: Terms | None = None,
    ) -> None:
        """`ready`, if we opened it, is told of the flow when every handshake is over."""
        self._owner = owner
        self._pipe = pipe
        self._kind = transport
        self._ready = ready
        self._ours = ready is not None
        self._terms = terms
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        # What came while a step of the handshake was under way in its thread.
        self._early: list[bytes] = []
        self._step: asyncio.Future[list[Piece]] | None = None
        self._lost = False
        self._half = False
        self._spoken = False
        self._left = False
        self.flow: Flow | None = None
        self.trouble = LinkError(FailureCause.REFUSED, "closed by the far end")

    # --- asyncio ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not transport.get_extra_info("peername") or not self._owner.admit(ours=self._ours):
            transport.abort()
            return
        self._owner.joined(self, transport.get_extra_info("socket"))
        self._set_timer(HANDSHAKE_SECONDS, "it was silent too long")
        self._advance(self._pipe.begin)

    def data_received(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._step is not None:
            self._early.append(data)
        elif self._pipe.shaking:
            self._begin_step(data)
        else:
            self._take_in(lambda: self._pipe.feed(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        if isinstance(exc, OSError) and not self._left:
            words = exc.strerror or str(exc)
            self.trouble = LinkError(cause_of_trouble(words), words)
        # What is being looked at may be the far end's last word, and say why.
        if self._step is None or self._left:
            self._end()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._ready is not None and not self._ready.done():
            self._ready.set_exception(self.trouble)
        self._owner.left(self)

    # --- the connections' side --------------------------------------------------------------

    @property
    def silent_stranger(self) -> bool:
        """Whether somebody else opened it and has brought no message: line breaks are none.

        A stranger that did bring one was hung up on; who has spoken is a friend.
        """
        return not (self._ours or self._spoken)

    def send(self, data: bytes) -> None:
        """Queue a message; a peer that does not read is dropped before it fills the memory."""
        if self._transport is None or self._transport.is_closing():
            return
        self._pipe.send(data)
        self._flush()
        if self._ours and not self._half:
            self._arm()
        if self._transport.get_write_buffer_size() > _MOST_QUEUED:
            self.close("it does not read")

    def close(self, reason: str) -> None:
        """Close without waiting for what is queued; the far end hears of it if it listens."""
        self._give_up(LinkError(FailureCause.REFUSED, reason))

    # --- helpers ----------------------------------------------------------------------------

    def _begin_step(self, data: bytes) -> None:
        self._step = self._owner.apart(partial(self._pipe.feed, data))
        self._step.add_done_callback(self._stepped)

    def _stepped(self, step: "asyncio.Future[list[Piece]]") -> None:
        """A step of the handshake is over; what came meanwhile is next."""
        self._step = None
        early, self._early = b"".join(self._early), []
        trouble = None if step.cancelled() else step.exception()
        if self._lost and isinstance(trouble, LinkError):
            self.trouble = trouble
        if self._lost and trouble is None and early and self._pipe.shaking and not self._left:
            self._begin_step(early)
        elif self._lost:
            self._end()
        elif not self._left:
            self._take_in(step.result)
            if early:
                self.data_received(early)

    def _take_in(self, feed: Callable[[], list[Piece]]) -> None:
        """What the layers make of something that arrived."""
        pieces: list[Piece] = []
        self._advance(lambda: pieces.extend(feed()), pieces)
        if self.flow is not None and self._transport and not self._transport.is_closing():
            self._arm(whole=bool(pieces))

    def _advance(self, step: Callable[[], None], pieces: list[Piece] | None = None) -> None:
        """One step of the layers: what they say is sent, what they found is handed up."""
        trouble: LinkError | None = None
        try:
            step()
        except LinkError as error:
            trouble = error
        self._flush()
        if trouble is None and self.flow is None and self._pipe.ready:
            self._open()
        self._hand_up([*(pieces or ()), *(trouble.found if trouble else ())])
        if trouble is not None:
            self._give_up(trouble)
        elif self._pipe.ended:
            self.close("closed by the far end")

    def _open(self) -> None:
        assert self._transport is not None
        here = endpoint_of(self._transport.get_extra_info("sockname"))
        there = endpoint_of(self._transport.get_extra_info("peername"))
        # Whom we opened it to is in the terms; who opened it to us may have shown who it is.
        who = () if self._ours else self._pipe.domains
        self.flow = Flow(self._kind, here, there, self._owner.next_number(), self._terms, who)
        self._owner.opened(self.flow, self)
        self._arm()
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(self.flow)

    def _hand_up(self, pieces: list[Piece]) -> None:
        for piece in pieces:
            if self.flow is None or self._transport is None or self._transport.is_closing():
                return  # what came before was answered by closing
            match piece:
                case Ping():
                    self.send(PONG)
                case Pong():
                    self._owner.sink.stream_message(PONG, self.flow)
                case bytes():
                    self._spoken = True
                    self._owner.sink.stream_message(piece, self.flow)

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            data = self._pipe.take()
            if data:
                self._transport.write(data)

    def _give_up(self, trouble: LinkError) -> None:
        transport = self._transport
        if self._left:
            return
        self.trouble, self._left = trouble, True
        if transport is None or transport.is_closing():
            return
        if self._step is not None:
            transport.abort()  # the layers are busy, and have nothing to say that matters
            return
        farewell = self._pipe.end() if self._pipe.ready else self._pipe.take()
        if not farewell or transport.get_write_buffer_size():
            transport.abort()
            return
        transport.write(farewell)
        transport.close()
        asyncio.get_running_loop().call_later(_LEAVE_SECONDS, transport.abort)

    def _arm(self, *, whole: bool = True) -> None:
        """Set how long the peer has; drops of half a message do not buy it more time."""
        half = self._pipe.unfinished
        if half and self._half and not whole:
            return
        self._half = half
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        limit = OWN_IDLE_SECONDS if self._ours else STRANGER_IDLE_SECONDS
        self._set_timer(HALF_MESSAGE_SECONDS if half else limit, "it was silent too long")

    def _set_timer(self, seconds: float, reason: str) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self.close, reason)


class Streams:
    """All connections of the phone."""

    def __init__(self, sink: StreamSink, dscp: int = SIGNALLING) -> None:
        self.sink = sink
        self.security: Security | None = None
        """What secure connections are made with, once one was wanted."""
        self.dscp = dscp
        """The mark of connections that are made from now on."""
        self._numbers = itertools.count(1)
        self._all: dict[_Connection, None] = {}
        self._open: dict[int, _Connection] = {}
        self._servers: list[asyncio.Server] = []

    def __len__(self) -> int:
        return len(self._all)

    async def listen(
        self,
        host: str,
        port: int,
        transport: Transport = Transport.TCP,
        tls: TlsTerms | None = None,
    ) -> int:
        """Accept connections on `host`; returns the port.

        Raises:
            PortTakenError: somebody else has the port.
            ListenError: the address or the port is not ours to have.
            LinkError: the certificate or its key cannot be used.
        """
        make = plain
        if transport is not Transport.TCP:
            make = await (await self._secured()).door(transport, tls)
        loop = asyncio.get_running_loop()
        sock = socket.socket(family_of(host), socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family_of(host) == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            mark(sock, self.dscp)  # those that are accepted inherit it, and so does their SYN-ACK
            bind(sock, host, port)
        except OSError:
            sock.close()
            raise
        server = await loop.create_server(lambda: _Connection(self, make(), transport), sock=sock)
        self._servers.append(server)
        return int(sock.getsockname()[1])

    async def connect(self, target: Target, terms: Terms | None = None) -> Flow:
        """Open a connection and let its handshakes come to their end.

        Raises:
            LinkError: the far end is not whom the terms ask for, or refuses.
            OSError: it could not be opened (TimeoutError after `CONNECT_SECONDS` or
                `HANDSHAKE_SECONDS`).
        """
        transport, remote = target.transport, target.remote
        pipe = plain()
        if transport is not Transport.TCP:
            pipe = await (await self._secured()).opener(transport, remote, terms)
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[Flow] = loop.create_future()
        connection = _Connection(self, pipe, transport, ready, terms)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                sock = await self._connected(target)
                await loop.create_connection(lambda: connection, sock=sock)
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                return await ready
        except BaseException:
            ready.cancel()
            connection.close("given up")
            raise

    async def _connected(self, target: Target) -> socket.socket:
        """A connected socket whose very first packet bears our mark."""
        sock = socket.socket(family_of(target.remote.host), socket.SOCK_STREAM)
        try:
            sock.setblocking(False)  # noqa: FBT003 - as socket wants it
            mark(sock, self.dscp)
            sock.bind(name_of(Endpoint(target.local.host, 0)))
            await asyncio.get_running_loop().sock_connect(sock, name_of(target.remote))
        except BaseException:
            sock.close()
            raise
        return sock

    def apart(self, step: Callable[[], list[Piece]]) -> "asyncio.Future[list[Piece]]":
        """Do one step of a handshake off the loop."""
        assert self.security is not None
        return self.security.apart(step)

    async def _secured(self) -> "Security":
        """Loaded in a thread: a phone by UDP or TCP never pays for it."""
        make = await asyncio.to_thread(_load_security)
        if self.security is None:
            self.security = make()
        return self.security

    def send(self, flow: Flow, data: bytes) -> bool:
        """Send on a connection; False if it is gone."""
        connection = self._open.get(flow.number)
        if connection is None:
            return False
        connection.send(data)
        return True

    def close_flow(self, flow: Flow) -> None:
        """Close one connection."""
        if (connection := self._open.get(flow.number)) is not None:
            connection.close("closed by us")

    async def deafen(self) -> None:
        """Listen no more; connections stay."""
        servers, self._servers = self._servers, []
        for server in servers:
            server.close()  # waiting for it would be waiting for its connections
        await asyncio.sleep(0)

    async def close(self) -> None:
        """Close everything."""
        for connection in list(self._all):
            connection.close("the phone stops")
        if self.security is not None:
            self.security.close()
        await self.deafen()
        await asyncio.sleep(0)  # the connections are told of their end on the loop's next round

    def next_number(self) -> int:
        """A connection number that was never used before."""
        return next(self._numbers)

    def admit(self, *, ours: bool) -> bool:
        """Whether one more connection is welcome.

        When all places are taken, the oldest stranger that has said nothing makes room (A13).
        """
        if ours or len(self._all) < MOST_CONNECTIONS:
            return True
        for connection in self._all:
            if connection.silent_stranger:
                connection.close("it said nothing and another wanted its place")
                self.left(connection)
                return True
        return False

    def joined(self, connection: _Connection, sock: socket.socket) -> None:
        """A connection takes a place."""
        self._all[connection] = None
        with contextlib.suppress(OSError):
            milliseconds = int(UNREAD_SECONDS * 1000)
            sock.setsockopt(socket.IPPROTO_TCP, _TCP_USER_TIMEOUT, milliseconds)

    def opened(self, flow: Flow, connection: _Connection) -> None:
        """A connection can carry messages."""
        self._open[flow.number] = connection

    def left(self, connection: _Connection) -> None:
        """A connection ended."""
        self._all.pop(connection, None)
        flow = connection.flow
        if flow is not None and self._open.pop(flow.number, None) is not None:
            trouble = connection.trouble
            self.sink.stream_closed(flow, str(trouble), trouble.cause)


def plain() -> Pipe:
    """The layers of a bare TCP connection."""
    return Pipe(Framed())


def _load_security() -> "type[Security]":
    from firmware.net.security import Security  # noqa: PLC0415 - see `_secured`

    return Security
