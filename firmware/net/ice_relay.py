"""A relayed place of ours at a TURN server (RFC 8656), and what carries media to and from it.

    engine ◀─▶ its media socket ◀─ loopback ─▶ shovel ◀─▶ relay ◀─▶ TURN server ◀─▶ far end

To the audio engine the shovel is a far end like any other, one on the machine itself: a datagram
socket on loopback that hears the engine's socket and nobody else. The relay stays on the loop,
since permissions, channels and the allocation have to be renewed there.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from aioice import stun, turn
from msgspec import Struct

from firmware.net.addresses import family_of
from firmware.net.binding import mark
from firmware.net.loop_tls import bring_tls
from firmware.sdp.ice import Address

if TYPE_CHECKING:
    import ssl

_AT_ONCE = 32
"""Datagrams of the engine carried in one turn of the loop."""
_LARGEST = 2048
_REFRESH = 240.0
"""Seconds after which channels are renewed: a permission holds for 300 (RFC 8656 §9)."""
_NEVER = 1 << 31
LOOPBACK = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}

Inward = Callable[[bytes, Address], None]


class TurnServer(Struct, frozen=True):
    """Where allocations are made; `transport` is udp, tcp or tls, `host` a name only for tls.

    `trust` says whose certificate is believed, None where no TLS is spoken.
    """

    host: str
    port: int
    user: str
    password: str
    transport: str = "udp"
    trust: "ssl.SSLContext | None" = None

    def __repr__(self) -> str:
        """Without the password (A24)."""
        return f"TurnServer({self.host}:{self.port}/{self.transport})"


class RelayError(OSError):
    """The server gives us no place; the text is a clause."""


def trust_in(authorities: tuple[str, ...]) -> "ssl.SSLContext":
    """Believe the system's authorities and those of these files. Reads them: for a thread.

    Raises:
        OSError: a file cannot be used; its name is in it.
    """
    import ssl  # noqa: PLC0415 - for TURN over TLS alone

    made = ssl.create_default_context()
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if authorities:
        # What a person names is trusted, also if it is no root.
        made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    for file in authorities:
        try:
            made.load_verify_locations(cafile=file)
        except OSError as error:
            raise OSError(f"{file}: {error.strerror or 'no certificates'}") from error
    return made


class Relay(asyncio.DatagramProtocol):
    """One allocation; `inward(data, source)` takes what comes from far ends."""

    def __init__(self, inward: Inward, dscp: int) -> None:
        self._inward = inward
        self._dscp = dscp
        self._transport: turn.TurnTransport | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._gone = asyncio.get_running_loop().create_future()

    @classmethod
    async def allocate(cls, server: TurnServer, inward: Inward, dscp: int) -> "Relay":
        """Ask for a place.

        Raises:
            RelayError: there is none.
        """
        if server.transport == "tls":
            await bring_tls()
        try:
            _, relay = await turn.create_turn_endpoint(
                lambda: cls(inward, dscp),
                (server.host, server.port),
                server.user,
                server.password,
                channel_refresh_time=_NEVER,
                ssl=server.trust or (server.transport == "tls" or None),
                transport="udp" if server.transport == "udp" else "tcp",
            )
        except (OSError, stun.TransactionError) as error:
            raise RelayError(str(error) or type(error).__name__) from error
        return relay

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # It behaves like the loop's own, and is none.
        self._transport = cast("turn.TurnTransport", transport)
        carrier = carrier_of(self._transport)
        if carrier is not None:
            mark(carrier, self._dscp)
        loop = asyncio.get_running_loop()
        self._keeper = loop.create_task(_keep_channels(self._transport))

    @property
    def address(self) -> Address:
        """The place."""
        host, port = self._info("sockname")
        return host, port

    @property
    def seen_as(self) -> Address:
        """Where the server sees us."""
        host, port = self._info("related_address")
        return host, port

    def _info(self, name: str) -> Address:
        assert self._transport is not None
        found: Address = self._transport.get_extra_info(name)
        return found

    def send(self, data: bytes, remote: Address) -> None:
        """Send to a far end; the first time that asks the server for a channel to it."""
        if self._transport is not None:
            self._transport.sendto(data, remote)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._inward(data, (addr[0], addr[1]))

    def error_received(self, exc: Exception) -> None:
        """One far end cannot be reached; its checks will say so."""

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._stop_keeping()
        if not self._gone.done():
            self._gone.set_result(None)

    def _stop_keeping(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()

    async def close(self) -> None:
        """Give the place back."""
        self._stop_keeping()
        if self._transport is not None:
            self._transport.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._gone, 1.0)


def client_of(transport: turn.TurnTransport) -> turn.TurnClientMixin:
    """What speaks to the server."""
    name = "_TurnTransport__inner_protocol"  # there is no other way to it
    found: turn.TurnClientMixin = getattr(transport, name)
    return found


async def _keep_channels(transport: turn.TurnTransport) -> None:
    """Renew what lets far ends in, before it runs out and before sound has to wait for it.

    aioice would renew a channel with the packet that comes after 500 s; until then a server that
    counts permissions by themselves (RFC 8656 §9) lets nothing in, and that packet waits.
    """
    client = client_of(transport)
    while True:
        await asyncio.sleep(_REFRESH)
        for remote, channel in tuple(client.peer_to_channel.items()):
            with contextlib.suppress(stun.TransactionError, ConnectionError):
                await client.channel_bind(channel, remote)


def carrier_of(transport: turn.TurnTransport) -> socket.socket | None:
    """The socket under an allocation, None where there is none."""
    carrier: asyncio.BaseTransport = client_of(transport).transport
    found: object = carrier.get_extra_info("socket")
    return cast("socket.socket", found) if hasattr(found, "setsockopt") else None


class Shovel:
    """Carries between the engine's socket at `engine` and `outward`."""

    def __init__(self, engine: Address, outward: Callable[[bytes], None]) -> None:
        """Make the socket.

        Raises:
            OSError: there is no loopback.
        """
        self._outward = outward
        family = family_of(engine[0])
        self._socket = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            self._socket.bind((LOOPBACK[family], 0))
            self._socket.connect(engine)
        except OSError:
            self._socket.close()
            raise
        host, port = self._socket.getsockname()[:2]
        self.address: Address = (host, port)
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def _readable(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                data = self._socket.recv(_LARGEST)
            except OSError:
                return
            self._outward(data)

    def inward(self, data: bytes) -> None:
        """Something of the far end for the engine."""
        with contextlib.suppress(OSError):
            self._socket.send(data)

    def close(self) -> None:
        """Carry no more."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
