"""Sockets on loopback, seen from the outside."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field

import pytest

from firmware.sip.flow import Flow
from firmware.sip.notifications import FailureCause
from tests.support.driver_party import pair, parties  # noqa: F401 - fixtures for every file here

LOOPBACK = {"IPv4": "127.0.0.1", "IPv6": "::1"}
SECONDS = 20.0


@pytest.fixture(params=LOOPBACK)
def loopback(request):
    """Each test twice: over IPv4 and over IPv6."""
    return LOOPBACK[request.param]


@dataclass
class Ear:
    """Hears what a transport reports."""

    messages: list[tuple[bytes, Flow]] = field(default_factory=list)
    closed: list[tuple[Flow, str]] = field(default_factory=list)
    causes: list[FailureCause | None] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def stream_message(self, data, flow):
        self.messages.append((data, flow))
        self._news.set()

    def stream_closed(self, flow, reason, cause=None):
        self.closed.append((flow, reason))
        self.causes.append(cause)
        self._news.set()

    async def until(self, true_of):
        """Wait until something is true of this ear."""
        async with asyncio.timeout(SECONDS):
            while not true_of(self):
                self._news.clear()
                await self._news.wait()


@pytest.fixture
def ear():
    return Ear()


@pytest.fixture
def empty():
    """Wait until a `Streams` has no connection left: nobody tells of one that never stood."""

    async def wait(streams):
        async with asyncio.timeout(SECONDS):
            while len(streams):  # noqa: ASYNC110 - see above
                await asyncio.sleep(0)

    return wait


@pytest.fixture
def udp_socket():
    """Plain UDP sockets on an address, closed after the test."""
    with contextlib.ExitStack() as stack:

        def make(host, port=0):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            sock = stack.enter_context(socket.socket(family, socket.SOCK_DGRAM))
            sock.settimeout(SECONDS)
            sock.bind((host, port))
            return sock

        yield make


@pytest.fixture
async def wire():
    """Plain TCP connections `(reader, writer)`, closed after the test."""
    writers = []

    async def connect(host, port):
        reader, writer = await asyncio.open_connection(host, port)
        writers.append(writer)
        return reader, writer

    yield connect
    for writer in writers:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
