"""Behind a gateway that translates, forgets and rewrites (F55)."""

import re

import pytest

from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.notifications import (
    CallConfirmed,
    CallRef,
    IncomingCall,
    OfferWanted,
    RegistrationChanged,
    RegistrationState,
    RequestReceived,
)
from tests.support.nat import OUTER, Nat

INNER, PBX = "10.0.0.2", "192.0.2.9"


@pytest.fixture
def office(world, sip):
    """A registrar outside that tells what it sees (RFC 3581), and a desk with a private address."""
    pbx = sip.Desk(world, PBX, hand_up=frozenset({"REGISTER"}), open_house=True)
    pbx.line(PBX, register=False, accept_any_user=True)
    pbx.contacts = {}

    def script(heard):
        if isinstance(heard, RequestReceived):
            row = heard.request.headers.get("Contact")
            uri, gone = re.search("<(.*?)>", row).group(1), "expires=0" in row
            pbx.contacts.pop(uri, None)
            if not gone and heard.request.headers.get("Expires") != "0":
                pbx.contacts[uri] = world.now
            rows = [("Contact", f"<{each}>;expires=3600") for each in pbx.contacts]
            pbx.agent.respond(heard.key, 200, world.now, rows)

    pbx.script = script
    desk = sip.Desk(world, INNER)
    desk.line(PBX)
    desk.agent.register(sip.LINE, world.now)
    return pbx, desk


def hosts(pbx):
    return [uri.partition("@")[2].partition(";")[0] for uri in pbx.contacts]


def is_registered(desk):
    return desk.last(RegistrationChanged).state is RegistrationState.REGISTERED


def rings(world, pbx, desk, name="in"):
    """The PBX calls what is registered: does it reach the desk?"""
    before = len(desk.of(IncomingCall))
    (uri,) = pbx.contacts
    call = CallRef(f"{name}-{world.now}")
    pbx.agent.invite(CallRef(f"pbx-{world.now}"), pbx.agent._core.lines and "desk", uri, world.now)
    wanted = len(pbx.of(OfferWanted))
    world.run(0.1)
    if len(pbx.of(OfferWanted)) > wanted or pbx.of(OfferWanted):
        pbx.agent.offer(pbx.last(OfferWanted).call, b"v=0", world.now)
    world.run(3.0)
    del call
    return len(desk.of(IncomingCall)) > before


def test_f55_the_contact_is_where_the_registrar_sees_us(world, office):
    """RFC 3581 §4: `received` and `rport` of the answer; the useless private one is removed."""
    Nat(world, INNER)
    pbx, desk = office
    world.run(5.0)
    assert is_registered(desk)
    assert hosts(pbx) == [f"{OUTER}:20000"]
    assert rings(world, pbx, desk)


def test_without_a_gateway_the_contact_is_our_own_and_registered_once(world, office):
    pbx, desk = office
    world.run(5.0)
    assert hosts(pbx) == [f"{INNER}:5060"]
    assert len(pbx.of(RequestReceived)) == 1
    assert is_registered(desk)


def test_f55_calls_that_we_place_carry_the_outer_contact_too(world, office):
    Nat(world, INNER)
    pbx, desk = office
    world.run(5.0)
    desk.agent.invite(CallRef("out"), "desk", "600", world.now)
    world.run(0.1)
    desk.agent.offer(CallRef("out"), b"v=0 offer", world.now)
    world.run(0.1)
    arrived = pbx.last(IncomingCall)
    pbx.agent.accept(arrived.call, b"v=0 answer", world.now)
    world.run(1.0)
    assert pbx.of(CallConfirmed), "the ACK found its way"
    assert any(
        f"@{OUTER}:20000".encode() in data for _, _, _, data in world.log
        if data.startswith(b"INVITE")
    )  # fmt: skip


def test_f55_the_beat_keeps_a_mapping_alive(world, office):
    nat = Nat(world, INNER, life=30.0)
    pbx, desk = office
    world.run(3000.0)
    assert nat.forgotten == 0
    assert rings(world, pbx, desk)


def test_f55_a_forgetful_gateway_is_noticed_and_the_beat_becomes_faster(world, office):
    """A gateway that forgets after 12 s: twice found out, and from then on never again."""
    nat = Nat(world, INNER, life=12.0)
    pbx, desk = office
    world.run(300.0)
    assert 1 <= nat.forgotten <= 4
    seen = nat.forgotten
    world.run(1200.0)
    assert nat.forgotten == seen
    assert is_registered(desk)
    assert len(pbx.contacts) == 1
    assert rings(world, pbx, desk)


def test_f55_a_gateway_that_was_rebooted_is_noticed_within_a_beat(world, office):
    nat = Nat(world, INNER)
    pbx, desk = office
    world.run(100.0)
    nat.reboot()
    world.run(32.0)
    assert rings(world, pbx, desk)
    assert hosts(pbx) == [f"{OUTER}:20001"]


def test_f55_a_gateway_with_another_port_each_time_causes_no_storm(world, office):
    nat = Nat(world, INNER, life=1.0)
    pbx, desk = office
    world.run(600.0)
    assert nat.forgotten > 20
    assert len(pbx.of(RequestReceived)) < 300
    assert is_registered(desk)


@pytest.mark.parametrize("symmetric", [False, True])
def test_f55_a_gateway_that_rewrites_messages_is_borne(world, office, symmetric):
    """An ALG: what we say of ourselves arrives with the outer address, and comes back with ours."""
    Nat(world, INNER, alg=True, symmetric=symmetric)
    pbx, desk = office
    world.run(60.0)
    assert is_registered(desk)
    assert hosts(pbx) == [f"{OUTER}:20000"]
    assert len(pbx.of(RequestReceived)) <= 3
    assert rings(world, pbx, desk)


def test_what_a_stream_says_of_ports_is_no_nat(world, sip):
    """The far end of a connection always sees the port of the connection."""
    desk = sip.Desk(world, "192.0.2.1")
    pbx = sip.Desk(world, PBX, hand_up=frozenset({"REGISTER"}), open_house=True)
    pbx.line(PBX, register=False, accept_any_user=True)
    pbx.script = lambda heard: (
        pbx.agent.respond(heard.key, 200, world.now, [("Expires", "3600")])
        if isinstance(heard, RequestReceived)
        else None
    )
    desk.line(PBX, transport=Transport.TCP)
    desk.agent.register(sip.LINE, world.now)
    world.run(5.0)
    requests = pbx.of(RequestReceived)
    assert len(requests) == 1
    assert "192.0.2.1:5060" in requests[0].request.headers.get("Contact")


class TestRules:
    """Networks that know us by another name."""

    @pytest.fixture
    def appearance(self):
        from firmware.sip.route.appearance import Appearance  # noqa: PLC0415 - only here

        return Appearance(rules(("10.0.0.0/8", "pbx-side.example"), ("10.9.0.0/16", "192.0.2.77")))

    @pytest.mark.parametrize(
        ("remote", "host"),
        [
            ("10.1.2.3", "pbx-side.example"),
            ("10.9.2.3", "192.0.2.77"),
            ("192.0.2.3", ""),
            ("2001:db8::1", ""),
            ("no address", ""),
        ],
    )
    def test_the_narrowest_network_says_what_we_are_called(self, appearance, remote, host):
        assert appearance.host_for(remote) == host

    def test_a_rule_is_stronger_than_what_a_stun_server_saw(self, appearance):
        local = Endpoint("172.16.0.5", 5060)
        appearance.told_by_stun(local, Endpoint("203.0.113.9", 1234))
        inside = Flow(Transport.UDP, local, Endpoint("10.1.1.1", 5060))
        outside = Flow(Transport.UDP, local, Endpoint("198.51.100.1", 5060))
        assert appearance.contact_for(inside, local) == Endpoint("pbx-side.example", 5060)
        assert appearance.contact_for(outside, local) == Endpoint("203.0.113.9", 1234)

    def test_far_ends_in_our_own_network_are_not_sent_to_the_outside(self):
        from firmware.sip.route.appearance import Appearance  # noqa: PLC0415 - only here

        appearance, local = Appearance(), Endpoint("10.0.0.5", 5060)
        appearance.told_by_stun(local, Endpoint("8.8.4.4", 1234))
        beside = Flow(Transport.UDP, local, Endpoint("10.0.0.9", 5060))
        assert appearance.contact_for(beside, local) == local
        appearance.forget()
        assert len(appearance) == 0

    def test_via_contact_and_session_description_show_the_name(self, world, sip):
        pbx = sip.Pbx(world, "10.1.1.9")
        desk = sip.Desk(world, "172.16.0.5", nat=rules(("10.0.0.0/8", "pbx-side.example")))
        desk.line("10.1.1.9")
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        sent = pbx.requests("REGISTER")[0]
        assert "UDP pbx-side.example:5060;" in sent.headers.get("Via")
        assert "@pbx-side.example:5060>" in sent.headers.get("Contact")
        desk.agent.invite(CallRef("out"), sip.LINE, "600", world.now)
        world.run(0.1)
        wanted = desk.last(OfferWanted)
        assert (wanted.local, wanted.shown) == ("172.16.0.5", "pbx-side.example")


def rules(*rows):
    import ipaddress  # noqa: PLC0415 - only here

    from firmware.sip.route.appearance import NatRule  # noqa: PLC0415 - only here

    return tuple(NatRule(ipaddress.ip_network(network), host) for network, host in rows)
