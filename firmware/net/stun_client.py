"""Asks a STUN server where it sees us, and measures how long a NAT remembers (RFC 8489, RFC 5780).

The question leaves from the SIP socket itself, or its answer would be about another mapping. How
long a mapping lives is measured with a socket of its own, so that nobody's calls depend on it.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import cast

from firmware.base.tokens import Tokens
from firmware.net.addresses import family_of
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.route.stun import TRANSACTION_OCTETS, binding_request, is_stun, parse_stun

# RFC 8489 §6.2.1: RTO 500 ms, doubled; a phone that starts does not wait for all seven.
_WAITS = (0.5, 1.0, 2.0, 4.0)
SILENCES = (20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 140.0)
"""Seconds of silence after which the mapping is looked at, one after the other."""

Send = Callable[[Flow, bytes], None]


class StunClient:
    """Questions that are open; `len` is their number."""

    def __init__(self, send: Send, tokens: Tokens) -> None:
        self._send = send
        self._tokens = tokens
        self._open: dict[bytes, tuple[Flow, asyncio.Future[Endpoint | None]]] = {}

    def __len__(self) -> int:
        return len(self._open)

    def receive(self, data: bytes, flow: Flow) -> bool:
        """Take a datagram of a SIP socket; False if it is no answer to a question of ours."""
        message = parse_stun(data) if self._open and is_stun(data) else None
        asked = self._open.get(message.transaction) if message is not None else None
        # A7: by the transaction nobody can guess, and from the server that was asked.
        if message is None or asked is None or asked[0].remote != flow.remote:
            return False
        answer = asked[1]
        if not answer.done() and (message.succeeded or message.refused):
            answer.set_result(message.mapped if message.succeeded else None)
        return True

    async def ask(self, local: Endpoint, server: Endpoint) -> Endpoint | None:
        """Where `server` sees our socket `local`; None if it does not say."""
        transaction = self._tokens.octets(TRANSACTION_OCTETS)
        flow = Flow(Transport.UDP, local, server)
        answer: asyncio.Future[Endpoint | None] = asyncio.get_running_loop().create_future()
        self._open[transaction] = (flow, answer)
        try:
            for wait in _WAITS:
                self._send(flow, binding_request(transaction))
                with contextlib.suppress(TimeoutError):
                    return await asyncio.wait_for(asyncio.shield(answer), wait)
        finally:
            del self._open[transaction]
        return None


class _Own(asyncio.DatagramProtocol):
    """A socket of our own with a client on it."""

    def __init__(self, server: Endpoint, tokens: Tokens) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None
        self.client = StunClient(self._send, tokens)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The loop's own class does not say on every Python that it is one.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        source = Endpoint(addr[0], addr[1])
        self.client.receive(data, Flow(Transport.UDP, Endpoint("", 0), source))

    def _send(self, flow: Flow, data: bytes) -> None:
        if self._transport is not None:
            self._transport.sendto(data, (flow.remote.host, flow.remote.port))


async def binding_life(
    server: Endpoint, tokens: Tokens, silences: tuple[float, ...] = SILENCES
) -> float:
    """Seconds of silence that a mapping survives, as far as they were tried; 0 = not known.

    Raises:
        OSError: there is no way to the server.
    """
    loop = asyncio.get_running_loop()
    any_of = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104 - whichever way leads
    anywhere = (any_of[family_of(server.host)], 0)
    transport, own = await loop.create_datagram_endpoint(
        lambda: _Own(server, tokens), local_addr=anywhere
    )
    here, longest = Endpoint("", 0), 0.0
    try:
        before = await own.client.ask(here, server)
        for silence in silences:
            await asyncio.sleep(silence)
            now = await own.client.ask(here, server)
            if now is None or now != before:
                break
            longest = silence
    finally:
        transport.close()
    return longest
