"""The shovel between the audio process and a relay, and a server of our own that gives places."""

import asyncio
import socket
import ssl

import pytest
from aioice import stun

from firmware.net.ice_relay import Relay, Shovel, TurnServer, trust_in
from tests.support.certificates import Authority


@pytest.fixture(params=["127.0.0.46", "::1"])
def engine(request):
    """The audio process's end of a call."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.bind((request.param, 0))
        sock.setblocking(False)  # noqa: FBT003 - the socket's own signature
        yield sock


async def some_turns():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_it_carries_both_ways(engine):
    out = []
    shovel = Shovel(engine.getsockname()[:2], out.append)
    for number in range(3):
        engine.sendto(bytes([number]), shovel.address)
    await some_turns()
    assert out == [b"\0", b"\1", b"\2"]
    shovel.inward(b"heard")
    data, source = engine.recvfrom(100)
    assert (data, source[:2]) == (b"heard", shovel.address)
    shovel.close()


async def test_a08_it_hears_nobody_but_the_audio_process(engine):
    """Somebody else on this machine cannot speak through our relay."""
    out = []
    shovel = Shovel(engine.getsockname()[:2], out.append)
    with socket.socket(engine.family, socket.SOCK_DGRAM) as other:
        other.sendto(b"stranger", shovel.address)
    await some_turns()
    assert out == []
    shovel.close()


async def test_an_audio_process_that_is_gone_is_no_trouble():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.46", 0))
        shovel = Shovel(sock.getsockname(), lambda _data: None)
    shovel.inward(b"one")
    shovel.inward(b"two")
    await some_turns()
    shovel.close()


PLACE, FAR = ("198.51.100.5", 5000), ("192.0.2.9", 4000)


class Server(asyncio.DatagramProtocol):
    """A TURN server that asks nobody who he is, and sends back what it is to relay."""

    def __init__(self):
        self.methods = []

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        if data[0] >> 6 == 1:  # on a channel (RFC 8656 §12.4)
            self.transport.sendto(data, addr)
            return
        request = stun.parse_message(data)
        self.methods.append((request.message_method, request.attributes.get("LIFETIME")))
        answer = stun.Message(request.message_method, stun.Class.RESPONSE, request.transaction_id)
        answer.attributes |= {
            "LIFETIME": request.attributes.get("LIFETIME", 600),
            "XOR-MAPPED-ADDRESS": addr,
            "XOR-RELAYED-ADDRESS": PLACE,
        }
        self.transport.sendto(bytes(answer), addr)


@pytest.fixture
async def server():
    loop = asyncio.get_running_loop()
    transport, made = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.47", 0))
    made.named = TurnServer(*transport.get_extra_info("sockname"), "u", "hush")
    yield made
    transport.close()


async def test_a_place_what_goes_through_it_and_its_return(server):
    """RFC 8656 §7, §12, §8: allocate, bind a channel, give back by a lifetime of nothing."""
    came = asyncio.get_running_loop().create_future()
    relay = await Relay.allocate(server.named, lambda *what: came.set_result(what), 46)
    assert relay.address == PLACE
    relay.send(b"through", FAR)
    assert await asyncio.wait_for(came, 10) == (b"through", FAR)
    await relay.close()
    assert [method.name for method, _ in server.methods] == ["ALLOCATE", "CHANNEL_BIND", "REFRESH"]
    assert server.methods[-1][1] == 0


async def test_who_may_come_in_is_told_again_before_that_runs_out(server, monkeypatch):
    """RFC 8656 §9, §12: a permission holds for five minutes, and a channel renews it."""
    monkeypatch.setattr("firmware.net.ice_relay._REFRESH", 0.05)
    relay = await Relay.allocate(server.named, lambda *_what: None, 46)
    relay.send(b"through", FAR)
    async with asyncio.timeout(10):
        while server.methods.count((stun.Method.CHANNEL_BIND, None)) < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await relay.close()
    assert {method.name for method, _ in server.methods[1:-1]} == {"CHANNEL_BIND"}


def test_its_password_is_not_shown():
    """A24."""
    assert "hush" not in repr(TurnServer("h", 1, "u", "hush"))


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("office"))


class TestTrust:
    """TURN over TLS: whose certificate is believed."""

    @staticmethod
    async def reached(trust, made):
        """Whether a server with this certificate is believed."""
        ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        ours.load_cert_chain(made.cert, made.key)
        server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.46", 0, ssl=ours)
        try:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), ssl=trust)
        except ssl.SSLCertVerificationError:
            return False
        else:
            writer.close()
            return True
        finally:
            server.close()

    async def test_a_private_authority_is_believed_where_a_line_names_it(self, office):
        made = office.issue("IP:127.0.0.46")
        assert await self.reached(trust_in((str(office.file),)), made)
        assert not await self.reached(trust_in(()), made)

    async def test_it_vouches_for_the_name_alone_that_is_asked_for(self, office):
        """RFC 8656 §3.1, RFC 8489 §6.2.3: the certificate is one for this server."""
        trust = trust_in((str(office.file),))
        assert not await self.reached(trust, office.issue("IP:127.0.0.47"))
        assert not await self.reached(trust, office.issue("IP:127.0.0.46", ends=-0.5))

    @pytest.mark.parametrize("content", [None, "", "no certificate"])
    def test_a_file_that_is_none_is_named(self, tmp_path, content):
        file = tmp_path / "office.pem"
        if content is not None:
            file.write_text(content)
        with pytest.raises(OSError, match=r"office\.pem: ."):
            trust_in((str(file),))
