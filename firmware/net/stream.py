"""SIP over TCP: a listener and the connections it or we opened, cut into messages.

A connection that sends garbage, half a message for too long, or nothing at all is closed; UDP and
the other connections do not notice.
"""

import asyncio
import contextlib
import errno
import itertools
import socket
from typing import Protocol

from firmware.net.addresses import family_of
from firmware.net.binding import bind
from firmware.sip.flow import Endpoint, Flow, Target, Transport
from firmware.sip.parser import Ping, Pong, StreamFramer

CONNECT_SECONDS = 5.0
HALF_MESSAGE_SECONDS = 10.0
"""How long the rest of a message that has begun may take (A13)."""
STRANGER_IDLE_SECONDS = 120.0
"""How long a connection that somebody else opened may stay silent."""
MOST_CONNECTIONS = 64
_MOST_QUEUED = 1 << 20


class StreamSink(Protocol):
    """Where streams report."""

    def stream_message(self, data: bytes, flow: Flow) -> None:
        """One whole message arrived."""

    def stream_closed(self, flow: Flow, reason: str) -> None:
        """The connection is gone."""


class _Connection(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, owner: "Streams", *, ours: bool) -> None:
        self._owner = owner
        self._ours = ours
        self._framer = StreamFramer()
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._half = False
        self._spoken = False
        self.flow: Flow | None = None
        self.reason = "closed by the far end"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        if not remote or not self._owner.admit(ours=self._ours):
            transport.abort()
            return
        self.flow = Flow(
            Transport.TCP,
            Endpoint(local[0], local[1]),
            Endpoint(remote[0], remote[1]),
            self._owner.next_number(),
        )
        self._owner.opened(self.flow, self)
        self._arm()

    def data_received(self, data: bytes) -> None:
        if self.flow is None or self._transport is None:
            return
        pieces = self._framer.feed(data)
        for piece in pieces:
            if self._transport.is_closing():
                return  # what came before was answered by closing
            match piece:
                case Ping():
                    self.send(b"\r\n")
                case Pong():
                    self._owner.sink.stream_message(b"\r\n", self.flow)
                case bytes():
                    self._spoken = True
                    self._owner.sink.stream_message(piece, self.flow)
        if self._framer.broken:
            self.close("it sent something that is not SIP")
        self._arm(whole=bool(pieces))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.flow is not None:
            reason = (getattr(exc, "strerror", None) or str(exc)) if exc else self.reason
            self._owner.closed(self.flow, reason)

    @property
    def silent_stranger(self) -> bool:
        """Whether somebody else opened it and has brought no message: line breaks are none.

        A stranger that did bring one was hung up on; who has spoken is a friend.
        """
        return not (self._ours or self._spoken)

    def send(self, data: bytes) -> None:
        """Queue bytes; a peer that does not read is dropped before it fills the memory."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > _MOST_QUEUED:
            self.close("it does not read")

    def close(self, reason: str) -> None:
        """Close without waiting."""
        self.reason = reason
        if self._transport is not None:
            self._transport.abort()

    def _arm(self, *, whole: bool = True) -> None:
        """Set how long the peer has; drops of half a message do not buy it more time."""
        half = self._framer.pending > 0
        if half and self._half and not whole:
            return
        self._half = half
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if half or not self._ours:
            limit = HALF_MESSAGE_SECONDS if half else STRANGER_IDLE_SECONDS
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(limit, self.close, "it was silent too long")


class Streams:
    """All TCP connections of the phone."""

    def __init__(self, sink: StreamSink) -> None:
        self.sink = sink
        self._numbers = itertools.count(1)
        self._open: dict[int, _Connection] = {}
        self._servers: list[asyncio.Server] = []

    def __len__(self) -> int:
        return len(self._open)

    async def listen(self, host: str, port: int) -> int:
        """Accept connections on `host`; returns the port.

        Raises:
            PortTakenError: somebody else has the port.
            ListenError: the address or the port is not ours to have.
        """
        loop = asyncio.get_running_loop()
        sock = socket.socket(family_of(host), socket.SOCK_STREAM)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family_of(host) == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bind(sock, host, port)
        except OSError:
            sock.close()
            raise
        server = await loop.create_server(lambda: _Connection(self, ours=False), sock=sock)
        self._servers.append(server)
        return int(sock.getsockname()[1])

    async def connect(self, target: Target) -> Flow:
        """Open a connection.

        Raises:
            OSError: it could not be opened (TimeoutError after `CONNECT_SECONDS`).
        """
        if target.transport is not Transport.TCP:
            # What asks for TLS must never travel in the clear.
            name = target.transport.via
            raise OSError(errno.EPROTONOSUPPORT, f"{name} is not in this release")
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_SECONDS):
            _, connection = await loop.create_connection(
                lambda: _Connection(self, ours=True),
                target.remote.host,
                target.remote.port,
                local_addr=(target.local.host, 0),
            )
        if connection.flow is None:
            raise ConnectionAbortedError(errno.ECONNABORTED, "the far end hung up at once")
        return connection.flow

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
            server.close()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(server.wait_closed(), 1.0)

    async def close(self) -> None:
        """Close everything."""
        for connection in list(self._open.values()):
            connection.close("the phone stops")
        await self.deafen()
        await asyncio.sleep(0)  # the connections are told of their end on the loop's next round

    def next_number(self) -> int:
        """A connection number that was never used before."""
        return next(self._numbers)

    def admit(self, *, ours: bool) -> bool:
        """Whether one more connection is welcome.

        When all places are taken, the oldest stranger that has said nothing makes room (A13).
        """
        if ours or len(self._open) < MOST_CONNECTIONS:
            return True
        for connection in self._open.values():
            if connection.flow is not None and connection.silent_stranger:
                connection.close("it said nothing and another wanted its place")
                self.closed(connection.flow, connection.reason)
                return True
        return False

    def opened(self, flow: Flow, connection: _Connection) -> None:
        """A connection stands."""
        self._open[flow.number] = connection

    def closed(self, flow: Flow, reason: str) -> None:
        """A connection ended."""
        if self._open.pop(flow.number, None) is not None:
            self.sink.stream_closed(flow, reason)
