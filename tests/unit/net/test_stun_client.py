"""Questions to a STUN server on loopback, and the memory of a NAT that the test plays."""

import asyncio

import pytest

from firmware.base.tokens import Tokens
from firmware.net import stun_client
from firmware.net.stun_client import StunClient, binding_life
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.route.stun import binding_response, parse_stun
from tests.support.virtual_loop import in_no_time

LOCAL, SERVER = Endpoint("10.0.0.2", 5060), Endpoint("192.0.2.3", 3478)
SEEN = Endpoint("203.0.113.1", 20000)


@pytest.fixture
def wires():
    """A client and what it sent."""
    sent = []
    return StunClient(lambda flow, data: sent.append((flow, data)), Tokens(b"seed" * 8)), sent


def answer(sent, seen=SEEN):
    return binding_response(parse_stun(sent[-1][1]).transaction, seen)


async def test_the_answer_is_where_we_are_seen(wires):
    client, sent = wires
    asking = asyncio.create_task(client.ask(LOCAL, SERVER))
    await asyncio.sleep(0)
    flow, _ = sent[0]
    assert flow == Flow(Transport.UDP, LOCAL, SERVER)
    assert client.receive(answer(sent), flow)
    assert await asking == SEEN
    assert len(client) == 0


async def test_a07_only_the_server_that_was_asked_can_answer(wires, monkeypatch):
    monkeypatch.setattr(stun_client, "_WAITS", (0.05,))
    client, sent = wires
    asking = asyncio.create_task(client.ask(LOCAL, SERVER))
    await asyncio.sleep(0)
    forged = Flow(Transport.UDP, LOCAL, Endpoint("192.0.2.66", 3478))
    assert not client.receive(answer(sent), forged)
    guessed = binding_response(bytes(12), SEEN)
    assert not client.receive(guessed, Flow(Transport.UDP, LOCAL, SERVER))
    assert await asking is None


async def test_a_silent_server_is_asked_again_and_given_up(wires, monkeypatch):
    monkeypatch.setattr(stun_client, "_WAITS", (0.01, 0.02, 0.03))
    client, sent = wires
    assert await client.ask(LOCAL, SERVER) is None
    assert len(sent) == 3
    assert len({data for _, data in sent}) == 1, "RFC 8489 §6.2.1: the same message again"
    assert len(client) == 0


async def test_what_is_no_stun_is_left_to_sip(wires):
    client, _ = wires
    assert not client.receive(b"OPTIONS sip:x SIP/2.0\r\n\r\n", Flow(Transport.UDP, LOCAL, SERVER))


class Server(asyncio.DatagramProtocol):
    """A STUN server behind a NAT that forgets after `life` seconds."""

    def __init__(self, life):
        self._life = life
        self._port, self._last = 20000, None

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, source):
        now = asyncio.get_running_loop().time()
        if self._last is not None and now - self._last > self._life:
            self._port += 1
        self._last = now
        seen = Endpoint("203.0.113.1", self._port)
        self._transport.sendto(binding_response(parse_stun(data).transaction, seen), source)


@pytest.mark.parametrize(("life", "measured"), [(10.0, 0.3), (0.2, 0.1), (0.02, 0.0)])
def test_f55_how_long_a_nat_remembers_is_measured(life, measured):
    """As RFC 5780 finds it, with one port instead of two."""

    async def measuring():
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Server(life), local_addr=("127.0.0.1", 0)
        )
        here = Endpoint("127.0.0.1", transport.get_extra_info("sockname")[1])
        found = await binding_life(here, Tokens(b"seed" * 8), (0.05, 0.1, 0.3))
        transport.close()
        return found

    assert in_no_time(measuring(), 0.02) == measured
