"""STUN keeps a flow alive where the server agreed to it (RFC 5626 §4.4.2, §8, RFC 6223 §4.3)."""

import pytest

from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.notifications import RegistrationChanged
from firmware.sip.notifications import RegistrationState as State
from firmware.sip.reach.stun_ping import StunPing, is_stun

MAGIC = bytes.fromhex("2112a442")
FLOW = Flow(Transport.UDP, Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5060))


def success(request, seen, *, kind=0x0020, before=b""):
    """A binding success as a server writes it (RFC 8489 §14.2)."""
    mask = request[4:20] if kind == 0x0020 else bytes(16)
    octets = bytes(int(part) for part in seen.host.split("."))
    port = (seen.port ^ int.from_bytes(mask[:2], "big")).to_bytes(2, "big")
    hidden = bytes(a ^ b for a, b in zip(octets, mask, strict=False))
    attribute = kind.to_bytes(2, "big") + b"\0\x08\0\x01" + port + hidden
    body = before + attribute
    return b"\x01\x01" + len(body).to_bytes(2, "big") + request[4:20] + body


class Server:
    """A registrar that takes our keep-alives, and the NAT in front of it."""

    def __init__(self, pbx, desk):
        self.pbx, self.desk = pbx, desk
        self.pings = []
        self.seen = Endpoint("198.51.100.1", 30000)
        self.answer = lambda ping: success(ping, self.seen)
        register = pbx.receive

        def receive(data, flow):
            if not is_stun(data):
                register(data, flow)
                return
            self.pings.append((pbx.world.now, data))
            answer = self.answer(data)
            if answer:
                pbx.say(answer, flow)

        pbx.receive = receive
        pbx.verdicts = [self.keeping] * 100

    def keeping(self, request):
        response = self.pbx.verdict(request, 200)
        response.headers.set("Via", response.headers.get("Via") + "=30")
        return response


@pytest.fixture
def server(world, desk, pbx, sip):
    server = Server(pbx, desk)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).state is State.REGISTERED
    return server


def test_it_is_sent_as_often_as_the_server_wants(world, server, pbx):
    """RFC 6223 §4.4, §5: the value that the server gave to `keep` in our Via."""
    world.run(300.0)
    assert 10 <= len(server.pings) <= 13
    assert not pbx.requests("OPTIONS")
    assert len({data for _, data in server.pings}) == len(server.pings), "each has its own id"
    assert len(pbx.requests("REGISTER")) == 1


def test_a_server_that_said_nothing_gets_none(world, desk, pbx, sip):
    server = Server(pbx, desk)
    pbx.verdicts = []
    desk.agent.register(sip.LINE, world.now)
    world.run(300.0)
    assert not server.pings


def test_f55_another_address_means_registering_again(world, server, pbx):
    world.run(60.0)
    server.seen = Endpoint("198.51.100.1", 30001)
    world.run(60.0)
    assert len(pbx.requests("REGISTER")) >= 2


def test_f25_a_silent_server_is_asked_seven_times_and_then_doubted(world, server, pbx):
    """RFC 8489 §6.2.1: 0, 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 seconds, then eight more."""
    world.run(40.0)
    server.pings.clear()
    server.answer = lambda _: b""
    world.run(30.0)
    begun = server.pings[0][0]
    world.run(45.0)
    first = [at - begun for at, _ in server.pings[:7]]
    assert first == pytest.approx([0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5], abs=0.01)
    assert len(pbx.requests("REGISTER")) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda ping: success(ping[:8] + bytes(12), Endpoint("192.0.2.1", 1)),
        lambda ping: ping,
        lambda ping: success(ping, Endpoint("192.0.2.1", 1))[:24],
        lambda ping: b"\x01\x01\xff\xff" + ping[4:],
        lambda ping: b"\x01\x01\0\x04" + ping[4:] + b"\0\x20\xff\xff",
        lambda ping: b"\x01\x01\0\x08" + ping[4:] + b"\0\x20\0\x04abcd",
    ],
    ids=["another id", "our own", "cut off", "a lying length", "a lying attribute", "too short"],
)
def test_what_is_no_answer_changes_nothing(world, server, pbx, change):
    server.answer = change
    world.run(25.0)
    assert len(pbx.requests("REGISTER")) == 1


def test_nobody_else_can_answer(world, server, desk, sip):
    """A7: the identifier is not to be guessed, and the flow is looked at too."""
    forger = sip.Stranger(world, "192.0.2.66")
    server.answer = lambda ping: forger.tell(success(ping, Endpoint("6.6.6.6", 6)), desk) or b""
    world.run(40.0)
    (beat,) = desk.agent._keepalives._beats.values()
    assert not beat.answers


@pytest.mark.parametrize("kind", [0x0020, 0x0001], ids=["XOR-MAPPED-ADDRESS", "an old server"])
def test_the_address_is_read(desk, kind):
    told = []
    ping = StunPing(desk.agent._core, FLOW, lambda *what: told.append(what), None)
    ping.start(0.0)
    (sent,) = [effect.data for effect in desk.agent.take_effects() if hasattr(effect, "data")]
    unknown = b"\x80\x22\0\x03abc\0"
    seen = Endpoint("198.51.100.7", 4321)
    ping.answered(success(sent, seen, kind=kind, before=unknown), 1.0)
    assert told == [(True, False, 1.0)]
    assert ping.mapped == seen
    assert len(desk.agent) == 0


def test_sip_is_not_taken_for_stun():
    assert not is_stun(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n")
    assert not is_stun(b"\r\n\r\n")
    assert not is_stun(b"\0\x01\0\0" + MAGIC)
    assert is_stun(b"\0\x01\0\0" + MAGIC + bytes(12))
