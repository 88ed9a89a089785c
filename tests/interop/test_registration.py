"""Registered as large networks want it, by Kamailio: SHA-256, Path, flows, Service-Route, GRUU."""

import socket

import pytest

from firmware.base.tokens import Tokens
from firmware.control import schema as s
from firmware.sip.core import AgentSettings, Core
from firmware.sip.effects import Transmit
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.reach.stun_ping import StunPing, is_stun
from tests.support.kamailio_network import Edge, Registrar
from tests.support.phone import Phone, line
from tests.support.waiting import wait_for
from tests.support.wav import loudest_tone

pytestmark = [pytest.mark.interop, pytest.mark.timeout(120)]


@pytest.fixture
def setup(request):
    """What is special about this test's registrar; parametrise it indirectly."""
    return getattr(request, "param", {})


@pytest.fixture
def registrar(need, need_module, network, tmp_path, setup):
    need("kamailio")
    need_module("outbound", "kamailio-outbound-modules")
    return Registrar(network, tmp_path / "registrar", **setup)


@pytest.fixture
def edges(network, tmp_path, registrar):
    return [Edge(network, tmp_path / f"edge{number}", registrar) for number in (1, 2)]


@pytest.fixture
def make_phone(network, tmp_path, registrar):
    phones = []
    addresses = iter([network.party() for _ in range(3)])

    def make(user, *, tone_hz=440.0, folder="", **more):
        settings = {"namespace": network, "address": next(addresses), "tone_hz": tone_hz}
        rows = line(user, more.pop("server", registrar.server), **more)
        phone = Phone(tmp_path / (folder or user), rows, **settings)
        phones.append(phone)
        return phone

    yield make
    for phone in reversed(phones):
        phone.close()


def call(caller, callee, seconds=2):
    """The caller dials 102, both hear each other's tone, the caller hangs up."""
    caller.ask(s.Dial(target="102"))
    caller.wait_state("talking")
    caller.wait("sound", lambda status: status.calls[0].duration > seconds)
    caller.ask(s.HangUp())
    caller.wait_state("idle")
    callee.wait("the end of the call", lambda status: not status.calls)


def heard(phone, hertz):
    phone.close()
    found, _, purity = loudest_tone(phone.heard)
    assert found == pytest.approx(hertz, rel=0.01)
    assert purity > 0.9


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_the_digest_is_sha_256(make_phone, registrar, transport):
    phone = make_phone("101", transport=transport)
    phone.wait_registered()
    wait_for("the log", lambda: len(registrar.got("REGISTER")) > 1)
    assert "algorithm=SHA-256" in registrar.got("REGISTER")[1]
    assert registrar.knows("101")


@pytest.mark.parametrize("setup", [{"algorithm": "MD5"}], indirect=True, ids=["MD5"])
def test_md5_is_taken_where_there_is_nothing_else(make_phone, registrar):
    make_phone("101").wait_registered()
    assert "algorithm=MD5" in registrar.got("REGISTER")[1]


def test_f20_a_wrong_password_is_said_in_words_and_tried_slowly(make_phone, registrar):
    phone = make_phone("101", password="guess")
    status = phone.wait("a reason", lambda found: found.lines[0].reason and found.reason)
    assert "password" in status.lines[0].reason.lower()
    assert len(registrar.got("REGISTER")) == 3


def test_f49_two_phones_on_one_account_both_ring_and_both_stay(make_phone, registrar):
    desk = make_phone("102", folder="desk")
    sofa = make_phone("102", folder="sofa")
    caller = make_phone("101")
    for phone in (desk, sofa, caller):
        phone.wait_registered()
    for lifted, other in ((desk, sofa), (sofa, desk)):
        caller.ask(s.Dial(target="102"))
        for phone in (lifted, other):
            phone.wait_state("ringing")
        lifted.ask(s.Answer())
        caller.wait_state("talking")
        other.wait("the bell to stop", lambda status: not status.calls)
        caller.ask(s.HangUp())
        for phone in (caller, lifted):
            phone.wait("the end of the call", lambda status: not status.calls)
    assert len(registrar.got("REGISTER")) == 6, "each its challenge and its answer, and no war"


@pytest.mark.parametrize("setup", [{"service_route": True}], indirect=True, ids=["route"])
def test_the_service_route_is_followed(make_phone, registrar):
    alice = make_phone("101")
    bob = make_phone("102", tone_hz=620.0, auto_answer="always")
    for phone in (alice, bob):
        phone.wait_registered()
    call(alice, bob)
    (invite,) = [row for row in registrar.got("INVITE") if "sip:102@" in row]
    assert f"route=<sip:{registrar.host}:5060;lr;orig>" in invite
    heard(alice, 620)
    heard(bob, 440)


def test_a_gruu_is_our_contact_and_leads_back_to_us(make_phone, registrar):
    alice = make_phone("101", gruu=True)
    bob = make_phone("102", tone_hz=620.0, auto_answer="always", gruu=True)
    for phone in (alice, bob):
        phone.wait_registered()
    call(alice, bob)
    (invite,) = [row for row in registrar.got("INVITE") if "sip:102@" in row]
    assert f"contact=<sip:101@{registrar.host};gr=urn:uuid:" in invite
    (bye,) = registrar.got("BYE")
    assert ";gr=urn:uuid:" in bye.partition(" from ")[0], "the callee's GRUU"
    heard(alice, 620)
    heard(bob, 440)


def test_a_phone_behind_an_edge_is_reached_over_its_own_connection(make_phone, registrar, edges):
    """RFC 3327 and RFC 5626: the registrar knows it by Path, the edge by its flow."""
    bob = make_phone(
        "102", tone_hz=620.0, transport="tcp", proxy=edges[0].server, auto_answer="always"
    )
    alice = make_phone("101")
    for phone in (alice, bob):
        phone.wait_registered()
    register = edges[0].got("REGISTER")[-1]
    assert "reg-id=1" in register
    call(alice, bob)
    assert edges[0].got("INVITE"), "by the Path"
    heard(alice, 620)
    heard(bob, 440)


def test_f25_of_two_flows_one_is_enough(make_phone, registrar, edges):
    bob = make_phone(
        "102",
        tone_hz=620.0,
        transport="tcp",
        proxy=edges[0].server,
        proxies=(edges[1].server,),
        auto_answer="always",
    )
    alice = make_phone("101")
    for phone in (alice, bob):
        phone.wait_registered()
    for number, edge in enumerate(edges, 1):
        wait_for("both flows", lambda edge=edge: len(edge.got("REGISTER")) >= 2)
        assert f"reg-id={number}" in edge.got("REGISTER")[-1]
    edges[0].process.terminate()
    edges[0].process.wait(10)
    assert bob.status().lines[0].registered
    alice.ask(s.Dial(target="102"))
    alice.wait_state("talking", 60)
    alice.wait("sound", lambda status: status.calls[0].duration > 2)
    assert edges[1].got("INVITE")
    alice.ask(s.HangUp())
    alice.wait_state("idle")
    heard(alice, 620)


@pytest.mark.parametrize("setup", [{"flow_timer": 10}], indirect=True, ids=["10 s"])
def test_f25_a_flow_is_kept_by_pings_and_its_end_is_noticed(make_phone, registrar):
    """Kamailio answers a ping; after it was killed and is back the phone is too."""
    phone = make_phone("101", transport="tcp")
    phone.wait_registered()
    assert registrar.knows("101")
    registrar.process.kill()
    registrar.process.wait(10)
    registrar.start()  # everything forgotten
    wait_for("the phone to be back", lambda: registrar.knows("101"), 75)
    phone.wait_registered()


def test_f25_datagram_flows_by_two_edges_and_their_stun(make_phone, registrar, edges):
    """RFC 5626 §4.4.2: over UDP too the edge keeps the flow, and takes STUN on its SIP port."""
    bob = make_phone(
        "102",
        tone_hz=620.0,
        proxy=edges[0].server,
        proxies=(edges[1].server,),
        auto_answer="always",
    )
    alice = make_phone("101")
    for phone in (alice, bob):
        phone.wait_registered()
    assert "reg-id=1" in edges[0].got("REGISTER")[-1]
    call(alice, bob)
    assert registrar.knows("102")
    heard(alice, 620)
    heard(bob, 440)


def test_kamailio_answers_our_stun_ping(network, edges):
    core, told = Core(AgentSettings(), Tokens(b"0123456789abcdef")), []
    with network.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2.0)
        sock.bind((network.party(), 0))
        here, there = Endpoint(*sock.getsockname()), Endpoint(edges[0].address, 5060)
        flow = Flow(Transport.UDP, here, there)
        ping = StunPing(core, flow, lambda *what: told.append(what), None)
        ping.start(0.0)
        (sent,) = core.effects
        assert isinstance(sent, Transmit)
        sock.sendto(sent.data, (there.host, there.port))
        answer = sock.recv(2048)
    assert is_stun(answer)
    ping.answered(answer, 0.1)
    assert told == [(True, False, 0.1)]
    assert ping.mapped == here


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_nothing_is_left_at_the_registrar_after_a_clean_end(make_phone, registrar, transport):
    phone = make_phone("101", transport=transport)
    phone.wait_registered()
    assert registrar.knows("101")
    phone.close()
    wait_for("the binding to go", lambda: not registrar.knows("101"))
