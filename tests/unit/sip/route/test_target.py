"""RFC 3263 as a table, RFC 2782 by drawing lots."""

from collections import Counter

import pytest

from firmware.base.tokens import Tokens
from firmware.sip.effects import QueryId, ResolveTarget
from firmware.sip.flow import Transport
from firmware.sip.route.target import (
    AddressQuestion,
    NaptrRecord,
    ServiceQuestion,
    SrvRecord,
    is_numeric,
    may_be_reached,
    order_addresses,
    order_srv,
    questions,
    services_of,
)

UDP, TCP, TLS, WS, WSS = Transport
NAME = "pbx.example"


def ask(host: str, port: int | None, transport: Transport | None, *, secure: bool = False):
    return questions(ResolveTarget(QueryId(1), host, port, transport, secure))


@pytest.mark.parametrize(
    ("host", "port", "transport", "secure", "services", "fallback_port", "fallback_transport"),
    [
        ("192.0.2.1", None, None, False, [], 5060, UDP),
        ("192.0.2.1", 5080, None, False, [], 5080, UDP),
        ("192.0.2.1", None, TCP, False, [], 5060, TCP),
        ("192.0.2.1", None, TLS, False, [], 5061, TLS),
        ("192.0.2.1", None, None, True, [], 5061, TLS),
        ("2001:db8::1", None, None, False, [], 5060, UDP),
        (NAME, 5080, None, False, [], 5080, UDP),
        (NAME, 5060, TCP, False, [], 5060, TCP),
        (NAME, 5080, None, True, [], 5080, TLS),
        (NAME, None, None, False, [("_sip._udp", UDP), ("_sip._tcp", TCP)], 5060, UDP),
        (NAME, None, UDP, False, [("_sip._udp", UDP)], 5060, UDP),
        (NAME, None, TCP, False, [("_sip._tcp", TCP)], 5060, TCP),
        (NAME, None, TLS, False, [("_sips._tcp", TLS)], 5061, TLS),
        (NAME, None, None, True, [("_sips._tcp", TLS)], 5061, TLS),
        (NAME, None, TCP, True, [("_sips._tcp", TLS)], 5061, TLS),
        (NAME, None, UDP, True, [("_sips._tcp", TLS)], 5061, TLS),
        (NAME, None, WS, False, [], 80, WS),
        (NAME, None, WSS, False, [], 443, WSS),
        (NAME, None, WS, True, [], 443, WSS),
    ],
)
def test_what_must_be_asked(  # noqa: PLR0917 - a row of the table
    host, port, transport, secure, services, fallback_port, fallback_transport
):
    """RFC 3263 §4.2, RFC 3261 §19.1.2, RFC 7118 §5.5, RFC 5630 §3.1.3."""
    asked = ask(host, port, transport, secure=secure)
    assert asked.services == tuple(
        ServiceQuestion(f"{service}.{host}", over) for service, over in services
    )
    assert asked.fallback == AddressQuestion(host, fallback_port, fallback_transport)


def test_the_transports_looked_for_are_ours_to_name():
    effect = ResolveTarget(QueryId(1), NAME, None, None)
    asked = questions(effect, (TLS, TCP, WS))
    assert [service.transport for service in asked.services] == [TLS, TCP]


def test_an_address_needs_no_question():
    assert ask("[::1]", None, None).fallback == AddressQuestion("::1", 5060, UDP)
    assert ask("[::1]", None, None).fallback.numeric
    assert not ask(NAME, None, None).fallback.numeric
    assert is_numeric("192.0.2.1")
    assert is_numeric("fe80::1%eth0")
    assert not is_numeric("192.0.2")


def record(priority: int, weight: int, host: str = "a") -> SrvRecord:
    return SrvRecord(priority, weight, 5060, host)


def test_records_come_by_priority():
    records = [record(20, 9, "c"), record(10, 0, "a"), record(15, 5, "b")]
    ordered = order_srv(records, Tokens(b"seed"))
    assert [row.host for row in ordered] == ["a", "b", "c"]


def test_within_a_priority_the_weights_decide_who_is_first():
    tokens = Tokens(b"seed")
    records = [record(0, 60, "often"), record(0, 20, "seldom"), record(0, 20, "rarely")]
    first = Counter(order_srv(records, tokens)[0].host for _ in range(2000))
    assert 1100 < first["often"] < 1300
    assert 320 < first["seldom"] < 480
    assert sum(first.values()) == 2000


def test_weight_zero_has_a_small_chance_and_is_never_lost():
    tokens = Tokens(b"seed")
    records = [record(0, 99, "heavy"), record(0, 0, "zero")]
    orders = [order_srv(records, tokens) for _ in range(1000)]
    assert all(len(order) == 2 for order in orders)
    assert 0 < sum(order[0].host == "zero" for order in orders) < 50


def test_weights_of_zero_alone_keep_their_order():
    records = [record(0, 0, host) for host in "abc"]
    assert order_srv(records, Tokens(b"seed")) == records


def test_the_root_means_that_the_service_is_not_there():
    assert order_srv([record(0, 0, ".")], Tokens(b"seed")) == []
    assert order_srv([record(0, 0, "")], Tokens(b"seed")) == []
    assert order_srv([], Tokens(b"seed")) == []


@pytest.mark.parametrize(
    ("host", "port", "transport", "secure", "naptr"),
    [
        (NAME, None, None, False, NAME),
        (NAME, None, None, True, NAME),
        (NAME, None, UDP, False, ""),
        (NAME, 5060, None, False, ""),
        ("192.0.2.1", None, None, False, ""),
    ],
)
def test_directions_are_asked_for_only_when_the_uri_leaves_it_open(
    host, port, transport, secure, naptr
):
    """RFC 3263 §4.1."""
    assert ask(host, port, transport, secure=secure).naptr == naptr


def naptr(order: int, preference: int, service: str, flags: str = "s", to: str = "x"):
    return NaptrRecord(order, preference, flags, service, to)


@pytest.mark.parametrize(
    ("records", "supported", "secure", "chosen"),
    [
        ([naptr(2, 1, "SIP+D2U"), naptr(1, 9, "SIP+D2T")], (UDP, TCP), False, [TCP, UDP]),
        ([naptr(1, 9, "SIP+D2U"), naptr(1, 2, "SIP+D2T")], (UDP, TCP), False, [TCP, UDP]),
        ([naptr(1, 1, "SIPS+D2T"), naptr(2, 1, "sip+d2u")], (UDP, TCP), False, [UDP]),
        ([naptr(1, 1, "SIPS+D2T"), naptr(2, 1, "SIP+D2U")], (UDP, TLS), False, [TLS, UDP]),
        ([naptr(1, 1, "SIP+D2U"), naptr(2, 1, "SIPS+D2T")], (UDP,), True, [TLS]),
        ([naptr(1, 1, "SIP+D2U")], (UDP,), True, []),
        ([naptr(1, 1, "SIP+D2W"), naptr(2, 1, "SIPS+D2W")], (WS, WSS), False, [WS, WSS]),
        ([naptr(1, 1, "SIP+D2S"), naptr(1, 1, "E2U+sip")], (UDP, TCP), False, []),
        ([naptr(1, 1, "SIP+D2U", "u"), naptr(1, 1, "SIP+D2T", to="")], (UDP, TCP), False, []),
    ],
)
def test_the_services_that_a_domain_offers_us(records, supported, secure, chosen):
    """RFC 3263 §4.1, RFC 3403 §4.1, RFC 7118 §10.2."""
    found = services_of(records, supported, secure=secure)
    assert [service.transport for service in found] == chosen


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        # IPv6 before IPv4, and the other family second.
        (
            [
                ("192.0.2.1", "192.0.2.9"),
                ("192.0.2.2", "192.0.2.9"),
                ("2001:db8::1", "2001:db8::9"),
            ],
            ["2001:db8::1", "192.0.2.1", "192.0.2.2"],
        ),
        (
            [
                ("2001:db8::1", "2001:db8::9"),
                ("2001:db8::2", "2001:db8::9"),
                ("192.0.2.1", "192.0.2.9"),
            ],
            ["2001:db8::1", "192.0.2.1", "2001:db8::2"],
        ),
        # What we have no address for comes last.
        ([("2001:db8::1", None), ("192.0.2.1", "192.0.2.9")], ["192.0.2.1", "2001:db8::1"]),
        # A private network of IPv6 after IPv4; a link-local address toward a global one last.
        ([("fd00::1", "fd00::9"), ("192.0.2.1", "192.0.2.9")], ["192.0.2.1", "fd00::1"]),
        ([("2001:db8::1", "fe80::9"), ("192.0.2.1", "192.0.2.9")], ["192.0.2.1", "2001:db8::1"]),
        ([("fe80::1%eth0", "fe80::9%eth0")], ["fe80::1%eth0"]),
        ([("192.0.2.2", "192.0.2.9"), ("192.0.2.1", "192.0.2.9")], ["192.0.2.2", "192.0.2.1"]),
        ([("::1", "::1"), ("127.0.0.1", "127.0.0.1")], ["::1", "127.0.0.1"]),
        ([], []),
    ],
)
def test_f54_addresses_of_both_families_in_their_order(pairs, expected):
    """RFC 6157 §5, RFC 6724 §6, RFC 8305 §4. RFC 6724 §2.1, RFC 6724 §3.1, RFC 6724 §3.2."""
    assert order_addresses(pairs) == expected


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        ("127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("224.0.0.251", False),
        ("ff02::fb", False),
        ("255.255.255.255", False),
        ("::ffff:224.0.0.1", False),
        ("no address", False),
    ],
)
def test_a22_a_name_does_not_lead_to_everybody_or_nobody(address, verdict):
    assert may_be_reached(address) is verdict
