"""What we use of aioice: another version has to show that it has it yet."""

import asyncio
import importlib.metadata
import inspect
import socket

import pytest
from aioice import stun, turn

from firmware.net.ice_places import read
from firmware.net.ice_relay import Relay, RelayError, TurnServer, carrier_of, client_of


def test_it_is_the_version_that_was_read():
    assert importlib.metadata.version("aioice") == "0.13.0"


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (
            turn.create_turn_endpoint,
            (
                *("protocol_factory", "server_addr", "username", "password", "ssl", "transport"),
                "channel_refresh_time",
            ),
        ),
        (stun.Message.__init__, ("message_method", "message_class", "transaction_id")),
        (stun.Message.check_message_integrity, ("key",)),
        (stun.Message.add_message_integrity, ("key",)),
        (turn.TurnTransport.sendto, ("data", "addr")),
        (turn.TurnTransport.get_extra_info, ("name",)),
        (turn.TurnTransport.close, ()),
        (turn.TurnClientMixin.channel_bind, ("channel_number", "addr")),
    ],
)
def test_the_functions_that_are_called(function, names):
    assert set(names) <= set(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    "name",
    [
        *("USERNAME", "PRIORITY", "USE-CANDIDATE", "ICE-CONTROLLING", "ICE-CONTROLLED"),
        *("XOR-MAPPED-ADDRESS", "ERROR-CODE", "MESSAGE-INTEGRITY", "FINGERPRINT"),
    ],
)
def test_the_attributes_that_are_read_and_written(name):
    """RFC 8489 §14, RFC 8445 §16.1."""
    assert name in stun.ATTRIBUTES_BY_NAME


def test_a_message_comes_back_as_it_was():
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, transaction_id=b"t" * 12)
    message.attributes |= {"USERNAME": "a:b", "PRIORITY": 7, "USE-CANDIDATE": None}
    message.add_message_integrity(b"key")
    again = read(bytes(message))
    assert again is not None
    assert again.attributes["USERNAME"] == "a:b"
    assert again.check_message_integrity(b"key")
    assert not again.check_message_integrity(b"other")
    assert again.transaction_id == b"t" * 12


def nobody_listens(*_datagram):
    pass


class Server(asyncio.DatagramProtocol):
    """Gives one place away, without asking who wants it."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        request = stun.parse_message(data)
        answer = stun.Message(request.message_method, stun.Class.RESPONSE, request.transaction_id)
        answer.attributes |= {
            "LIFETIME": 600,
            "XOR-MAPPED-ADDRESS": addr,
            "XOR-RELAYED-ADDRESS": ("198.51.100.5", 5000),
        }
        self.transport.sendto(bytes(answer), addr)


@pytest.fixture
async def server():
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Server, local_addr=("127.0.0.44", 0))
    host, port = transport.get_extra_info("sockname")
    yield TurnServer(host, port, "u", "p")
    transport.close()


async def test_a_relay_its_places_and_the_socket_under_it(server):
    """RFC 8656 §7; the socket is marked for voice, and is a private name."""
    relay = await Relay.allocate(server, nobody_listens, 46)
    assert relay.address == ("198.51.100.5", 5000)
    assert relay.seen_as[1]
    assert client_of(relay._transport).peer_to_channel == {}
    carrier = carrier_of(relay._transport)
    assert carrier is not None
    assert carrier.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 46 << 2
    await relay.close()


async def test_who_gives_no_place_says_why():
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as closed:
        closed.bind(("127.0.0.44", 0))
        nobody = TurnServer(*closed.getsockname(), "u", "p", "tcp")
        with pytest.raises(RelayError):
            await Relay.allocate(nobody, nobody_listens, 46)
