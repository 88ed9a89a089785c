"""Asks name servers: UDP, then TCP for a long answer, one server after the other.

Each question has a number and a port of its own that nobody can guess, and its socket hears the
server alone (RFC 5452 §9): whoever wants to forge an answer has to hit all three. Not here: what is
remembered of answers (`resolver`).
"""

import asyncio
import contextlib
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path
from typing import cast

from firmware.net.dns_wire import NO_ERROR, NO_SUCH_NAME, Answer, WireError, answer_to, question

_TRY_SECONDS = 2.0
"""How long one server is waited for before the next one is asked."""
_PORT = 53

Server = tuple[str, int]
"""An address and a port."""


class DnsError(Exception):
    """No server gave an answer: each refused, failed or said nonsense."""


class SilentError(DnsError):
    """No server said anything that could be waited for."""


class DnsClient:
    """Asks some servers, that one first which answered last (RFC 4504 §2.2)."""

    def __init__(self, servers: Iterable[Server]) -> None:
        self.servers = tuple(servers)

    async def ask(self, name: str, kind: str, seconds: float) -> Answer:
        """The rows of a name, or that there is none (`code`).

        Raises:
            DnsError: nobody answers.
            WireError: there can be no such name.
        """
        question(0, name, kind)
        until = asyncio.get_running_loop().time() + seconds
        willing = list(self.servers)
        while willing:
            for server in tuple(willing):
                try:
                    answer = await _one(server, name, kind, until)
                except TimeoutError:
                    continue
                except (OSError, WireError, EOFError):
                    willing.remove(server)
                    continue
                if answer.code in (NO_ERROR, NO_SUCH_NAME):
                    self.servers = (server, *(each for each in self.servers if each != server))
                    return answer
                willing.remove(server)
        raise DnsError(f"{name}: {'no server will say' if self.servers else 'there is no server'}")


def configured(file: Path) -> tuple[Server, ...]:
    """The servers of a resolv.conf(5); blocking."""
    servers = []
    with contextlib.suppress(OSError):
        for row in file.read_text(errors="replace").splitlines():
            word, address, *_ = *row.split(), "", ""
            if word == "nameserver" and _is_literal(address):
                servers.append((address, _PORT))
    return tuple(servers)


def _is_literal(address: str) -> bool:
    with contextlib.suppress(ValueError):
        return bool(ipaddress.ip_address(address))
    return False


async def _one(server: Server, name: str, kind: str, until: float) -> Answer:
    """What one server says; TimeoutError if it is slower than others might be."""
    left = until - asyncio.get_running_loop().time()
    if left <= 0:
        raise SilentError(f"{name}: nobody answered in time")
    query = question(int.from_bytes(os.urandom(2)), name, kind)
    async with asyncio.timeout(min(left, _TRY_SECONDS)):
        answer = await _by_datagram(server, query)
        # RFC 7766 §5: what was too long for a datagram is asked for again.
        return await _by_stream(server, query) if answer.truncated else answer


async def _by_datagram(server: Server, query: bytes) -> Answer:
    loop = asyncio.get_running_loop()
    ear = _Ear(query, loop.create_future())
    transport, _ = await loop.create_datagram_endpoint(lambda: ear, remote_addr=server)
    try:
        return await ear.answer
    finally:
        transport.close()


class _Ear(asyncio.DatagramProtocol):
    """Sends a query and waits for what answers it; anything else is not for us."""

    def __init__(self, query: bytes, answer: asyncio.Future[Answer]) -> None:
        self._query = query
        self.answer = answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.DatagramTransport", transport).sendto(self._query)

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:
        del addr
        try:
            answer = answer_to(self._query, data)
        except WireError as error:
            self.error_received(error)
        else:
            if answer is not None and not self.answer.done():
                self.answer.set_result(answer)

    def error_received(self, exc: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc)


async def _by_stream(server: Server, query: bytes) -> Answer:
    reader, writer = await asyncio.open_connection(*server)
    try:
        writer.write(len(query).to_bytes(2) + query)  # RFC 1035 §4.2.2
        size = int.from_bytes(await reader.readexactly(2))
        answer = answer_to(query, await reader.readexactly(size))
    finally:
        writer.close()
    if answer is None:
        raise WireError("this is no answer to the question")
    return answer
