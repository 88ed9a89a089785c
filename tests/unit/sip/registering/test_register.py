"""What stands in a REGISTER, and what a registrar may have changed in the next."""

import re

import pytest

from firmware.base.tokens import Tokens
from firmware.sip.account import Account
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.line import Line
from firmware.sip.message import Headers, Response
from firmware.sip.notifications import LineName
from firmware.sip.registering.register import Register

HERE, THERE = Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5060)
UDP, TCP = Flow(Transport.UDP, HERE, THERE), Flow(Transport.TCP, HERE, THERE, 1)


class Placed:
    """As much of the core as a REGISTER asks for: lots, and where the far end sees us."""

    def __init__(self):
        self.tokens = Tokens(b"s" * 16)
        self.seen_at = "192.0.2.1:5060"

    def address(self, line, flow, *, secure):
        del flow
        return f"{'sips' if secure else 'sip'}:{line.contact_user}@{self.seen_at}"


@pytest.fixture
def core():
    return Placed()


@pytest.fixture
def make(core):
    def made(**more):
        account = Account(LineName("desk"), "me", "pbx.example", **more)
        return Register(core, Line(account, "abc", "urn:uuid:1", None), 1)

    return made


def refusal(status, *rows):
    return Response(status, "No", Headers(list(rows)))


def test_all_of_a_binding_have_one_call_id_and_a_cseq_that_counts(make):
    """RFC 3261 §10.2."""
    register = make()
    said = [
        register.binding(UDP, removing=False),
        register.plain("<sip:abc@192.0.2.7>;expires=0"),
        register.binding(UDP, removing=True),
    ]
    assert len({each.headers.get("Call-ID") for each in said}) == 1
    assert [each.headers.get("CSeq") for each in said] == ["1 REGISTER", "2 REGISTER", "3 REGISTER"]
    assert [each.headers.get("Expires") for each in said] == ["3600", None, "0"]
    assert {each.uri for each in said} == {"sip:pbx.example"}


def test_the_contact_is_where_the_far_end_sees_us(make, core):
    register = make()
    row = register.binding(UDP, removing=False).headers.get("Contact")
    assert row.startswith('<sip:abc@192.0.2.1:5060>;+sip.instance="<urn:uuid:1>"')
    assert register.contact == "sip:abc@192.0.2.1:5060"
    assert not register.is_misplaced(UDP)
    core.seen_at = "198.51.100.1:30000"
    assert register.is_misplaced(UDP)


def test_f55_a_nat_that_gives_every_datagram_another_port_is_followed_a_few_times_only(make, core):
    register = make()
    register.binding(UDP, removing=False)
    core.seen_at = "198.51.100.1:30000"
    assert [register.is_misplaced(UDP) for _ in range(5)] == [True, True, True, False, False]
    register.binding(UDP, removing=False)
    assert not register.is_misplaced(UDP)
    core.seen_at = "198.51.100.1:30001"
    assert register.is_misplaced(UDP)


@pytest.mark.parametrize(
    ("least", "asked"),
    [("7200", "7200"), ("3600", None), ("60", None), ("604801", None), ("", None), ("soon", None)],
)
def test_f18_423_is_heeded_if_it_wants_a_longer_time(make, least, asked):
    """RFC 3261 §10.2.8."""
    register = make()
    assert register.mended(refusal(423, ("Min-Expires", least))) is (asked is not None)
    next_one = register.binding(UDP, removing=False)
    assert next_one.headers.get("Expires") == (asked or "3600")


def test_439_registers_as_of_old(make):
    """RFC 5626 §4.2.1."""
    register = make(transport=Transport.TCP)
    first = register.binding(TCP, removing=False).headers
    assert re.search(r";ob>;reg-id=1;", first.get("Contact"))
    assert first.get("Supported") == "path, outbound"
    assert register.mended(refusal(439))
    again = register.binding(TCP, removing=False).headers
    assert "reg-id" not in again.get("Contact")
    assert again.get("Supported") == "path"
    assert not register.mended(refusal(439))


def test_by_an_edge_proxy_it_has_a_reg_id_and_a_route(make):
    headers = make(proxy="edge.example").binding(UDP, removing=False).headers
    assert ";reg-id=1;" in headers.get("Contact")
    assert headers.get("Route") == "<sip:edge.example;lr>"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 503])
def test_other_refusals_change_nothing(make, status):
    assert not make().mended(refusal(status))
