"""sips addresses: TLS all the way or no call, and the Contact that says so (RFC 5630)."""

import re

import pytest

from firmware.sip.effects import ResolveTarget
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.notifications import CallEnded, IncomingCall, OfferWanted, RegistrationChanged
from firmware.sip.notifications import RegistrationState as State
from tests.support.sip_link import LINE, ref


def line(world, desk, pbx, transport=Transport.TLS, server=""):
    desk.line(server or pbx.endpoint.host, transport=transport)
    desk.agent.register(LINE, world.now)
    world.run(0.5)
    assert desk.last(RegistrationChanged).state is State.REGISTERED


def call(world, desk, target):
    desk.agent.invite(ref("one"), LINE, target, world.now)
    world.run(0.2)
    if desk.of(OfferWanted):
        desk.agent.offer(ref("one"), b"v=0", world.now)
    world.run(0.3)


class TestCalling:
    """RFC 5630 §5.1.1."""

    def test_a_sips_address_is_looked_up_for_tls_whatever_the_line_uses(self, world, desk, pbx):
        line(world, desk, pbx, Transport.UDP)
        desk.agent.invite(ref("one"), LINE, "sips:bob@far.example", world.now)
        (asked,) = [each for each in desk.agent.take_effects() if isinstance(each, ResolveTarget)]
        assert asked.secure

    def test_it_does_not_follow_a_registration_by_udp(self, world, desk, pbx):
        line(world, desk, pbx, Transport.UDP)
        call(world, desk, f"sips:bob@{pbx.endpoint.host}")
        assert not [each for each in pbx.requests("INVITE") if "/UDP" in each.headers.get("Via")]

    def test_the_contact_is_sips_then_and_names_no_transport(self, world, desk, pbx):
        # RFC 3261 §8.1.1.8
        line(world, desk, pbx)
        call(world, desk, f"sips:bob@{pbx.endpoint.host}")
        (invite,) = pbx.requests("INVITE")
        assert invite.uri == f"sips:bob@{pbx.endpoint.host}"
        contact = invite.headers.get("Contact")
        assert contact.startswith("<sips:")
        assert "transport" not in contact

    def test_for_a_sip_address_it_is_a_sip_contact_even_over_tls(self, world, desk, pbx):
        # RFC 5630 §5.1.1.2
        line(world, desk, pbx)
        call(world, desk, "bob")
        assert pbx.requests("INVITE")[0].headers.get("Contact").startswith("<sip:")

    @pytest.mark.parametrize(
        ("status", "rows"), [(416, ()), (480, (("Warning", '380 pbx "SIPS Not Allowed"'),))]
    )
    def test_a_far_end_without_tls_is_not_tried_without(self, world, desk, pbx, sip, status, rows):
        # RFC 5630 §5.1.1: a sips URI is never changed to a sip URI.
        line(world, desk, pbx)

        def refuse(message):
            if getattr(message, "method", "") != "INVITE":
                return pbx.register(message)
            return [sip.answer_to(message, status, *rows)]

        pbx.reply = refuse
        call(world, desk, f"sips:bob@{pbx.endpoint.host}")
        assert desk.last(CallEnded).status == status
        assert {each.uri[:5] for each in pbx.requests("INVITE")} == {"sips:"}


class TestRegistering:
    def test_a_line_at_a_sips_server_registers_a_sips_contact(self, world, desk, pbx):
        # RFC 5630 §5.1.1.1
        line(world, desk, pbx, server=f"sips:{pbx.endpoint.host}")
        (register,) = pbx.requests("REGISTER")
        assert register.uri == f"sips:{pbx.endpoint.host}"
        for name in ("From", "To", "Contact"):
            assert "<sips:" in register.headers.get(name), name


def ask(world, desk, pbx, sip, flow, contact):
    """The PBX calls us by a sips address over a flow; the answer's status and Warning."""
    uri = re.sub("^sip:", "sips:", pbx.contact())
    rows = (("Contact", contact),) if contact else ()
    invite = sip.request("INVITE", uri, *rows, body=b"v=0")
    from firmware.sip.writer import write  # noqa: PLC0415

    desk.agent.receive(write(invite), flow, world.now)
    world.run(0.1)
    answers = [each for each in pbx.inbox if getattr(each, "status", 0) > 100]
    return (answers[-1].status, answers[-1].headers.get("Warning")) if answers else None


class TestBeingCalled:
    """RFC 5630 §5.1.2."""

    def test_over_our_tls_connection_it_rings_and_our_contact_is_sips(self, world, desk, pbx, sip):
        line(world, desk, pbx)
        ((flow, _),) = desk.agent._core.streams.values()
        assert ask(world, desk, pbx, sip, flow, "<sips:alice@192.0.2.9>") is None
        coming = desk.last(IncomingCall)
        desk.agent.ring(coming.call, world.now)
        world.run(0.1)
        (ringing,) = pbx.responses(180)
        assert ringing.headers.get("Contact").startswith("<sips:")

    def test_a_caller_whose_own_address_is_less_safe_is_refused(self, world, desk, pbx, sip):
        line(world, desk, pbx)
        ((flow, _),) = desk.agent._core.streams.values()
        assert ask(world, desk, pbx, sip, flow, "<sip:alice@192.0.2.9>") == (400, None)

    def test_by_datagram_it_was_promised_better(self, world, desk, pbx, sip):
        # RFC 5630 §4
        line(world, desk, pbx)
        flow = Flow(Transport.UDP, desk.endpoint, Endpoint(pbx.endpoint.host, 5060))
        found = ask(world, desk, pbx, sip, flow, "<sips:alice@192.0.2.9>")
        assert found == (480, '380 phone "SIPS Not Allowed"')

    def test_a_phone_without_tls_does_not_know_the_scheme(self, world, desk, pbx, sip):
        # RFC 3261 §8.2.2.1
        line(world, desk, pbx, Transport.UDP)
        flow = Flow(Transport.UDP, desk.endpoint, Endpoint(pbx.endpoint.host, 5060))
        assert ask(world, desk, pbx, sip, flow, "<sips:alice@192.0.2.9>") == (416, None)
        assert not desk.of(IncomingCall)
