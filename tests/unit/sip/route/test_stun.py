"""STUN Binding messages: the vectors of RFC 5769, and what strangers may send."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.sip.flow import Endpoint
from firmware.sip.route.stun import binding_request, binding_response, is_stun, parse_stun

VECTORS = Path(__file__).parents[3] / "data" / "rfc5769"
PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION = bytes(range(12))
FINGERPRINT = 0x8028


def vector(name):
    return (VECTORS / f"{name}.bin").read_bytes()


@pytest.mark.parametrize(
    ("name", "mapped"),
    [
        ("2.2_ipv4_response", Endpoint("192.0.2.1", 32853)),
        ("2.3_ipv6_response", Endpoint("2001:db8:1234:5678:11:2233:4455:6677", 32853)),
    ],
)
def test_the_answers_of_rfc_5769(name, mapped):
    """RFC 8489 §14.2 XOR-MAPPED-ADDRESS, §14.5 integrity, §14.7 fingerprint.

    The types are those of RFC 8489 §18.3.1, RFC 8489 §18.3.2.
    """
    message = parse_stun(vector(name))
    assert message.succeeded
    assert message.mapped == mapped
    assert message.is_signed_with(PASSWORD)
    assert not message.is_signed_with(b"guess")


def test_the_request_of_rfc_5769():
    """RFC 8489 §5: the header, and what it is a transaction of."""
    message = parse_stun(vector("2.1_sample_request"))
    assert message.kind == 1
    assert not message.succeeded
    assert not message.refused
    assert message.mapped is None
    assert message.is_signed_with(PASSWORD)


def test_a_request_without_a_fingerprint_is_read_too():
    message = parse_stun(vector("2.4_long_term_request"))
    assert message.attributes[0x0014] == b"example.org"


@pytest.mark.parametrize("name", ["2.1_sample_request", "2.2_ipv4_response", "2.3_ipv6_response"])
def test_one_wrong_octet_is_noticed(name):
    """RFC 8489 §14.7."""
    good = vector(name)
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 1
        message = parse_stun(bytes(bad))
        # Whoever makes the fingerprint another attribute has made a message without one.
        assert message is None or FINGERPRINT not in message.attributes, place


def test_what_we_ask_is_answered_with_where_we_are():
    asked = parse_stun(binding_request(TRANSACTION))
    assert asked.kind == 1
    assert asked.transaction == TRANSACTION
    for seen in (Endpoint("203.0.113.9", 40000), Endpoint("2001:db8::7", 1)):
        assert parse_stun(binding_response(TRANSACTION, seen)).mapped == seen


def test_a_server_of_rfc_3489_says_it_plainly():
    """RFC 8489 §14.1."""
    head = bytes.fromhex("0101000c2112a442") + TRANSACTION
    message = parse_stun(head + bytes.fromhex("000100080001a147c0000201"))
    assert message.mapped == Endpoint("192.0.2.1", 41287)


def test_an_answer_that_asks_to_know_more_than_we_do_is_no_success():
    """RFC 8489 §6.3.3: an unknown attribute that must be understood."""
    head = bytes.fromhex("010100142112a442") + TRANSACTION
    known = bytes.fromhex("000100080001a147c0000201")
    assert not parse_stun(head + known + bytes.fromhex("7777000401020304")).succeeded
    assert parse_stun(head + known + bytes.fromhex("8777000401020304")).succeeded


def test_sip_and_stun_are_told_apart():
    """RFC 8489 §6.3, RFC 7983 §7."""
    assert is_stun(binding_request(TRANSACTION))
    for sip in (b"REGISTER sip:pbx SIP/2.0\r\n\r\n", b"SIP/2.0 200 OK\r\n\r\n", b"\r\n", b""):
        assert not is_stun(sip)
        assert parse_stun(sip) is None


@given(st.binary(max_size=200))
def test_a21_no_datagram_raises(data):
    parse_stun(data)
    message = parse_stun(b"\x01\x01" + len(data).to_bytes(2, "big") + bytes.fromhex("2112a442")
                         + TRANSACTION + data)  # fmt: skip
    if message is not None:
        assert message.mapped is None or 0 <= message.mapped.port < 65536
        message.is_signed_with(b"x")
