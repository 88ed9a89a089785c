"""F28: requests longer than the path's MTU, in fragments as they come and by TCP as they go."""

import socket

import pytest

from firmware.control import schema as s
from tests.support.namespace import namespace_or_skip
from tests.support.phone import Phone, line
from tests.support.waiting import wait_for

MTU = 1280


@pytest.fixture
def narrow():
    """A network whose packets hold little: everything long is cut on the way."""
    with namespace_or_skip() as network:
        assert network.run("ip", "link", "set", "lo", "mtu", str(MTU)).returncode == 0
        yield network


@pytest.fixture
def ends(narrow, tmp_path):
    """A phone without registrar, and the address of the peer that may call it."""
    here, there = narrow.party(), narrow.party()
    rows = line("101", f"{there}:5060", register=False, display_name="x" * 120)
    phone = Phone(tmp_path / "phone", rows, namespace=narrow, address=here)
    yield phone, there
    phone.close()


def invite(phone, there, octets):
    body = "v=0\r\n" + "a=padding\r\n" * (octets // 11)
    return (
        f"INVITE sip:101@{phone.host} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {there}:5060;branch=z9hG4bKlong;rport\r\n"
        f"From: <sip:far@{there}>;tag=1\r\nTo: <sip:101@{phone.host}>\r\n"
        "Call-ID: long\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:far@{there}:5060>\r\nContent-Type: text/plain\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


@pytest.mark.parametrize("octets", [3000, 20_000])
def test_f28_fragments_are_put_together(narrow, ends, octets):
    phone, there = ends
    with narrow.socket(socket.AF_INET, socket.SOCK_DGRAM) as far:
        far.settimeout(5)
        far.bind((there, 5060))
        message = invite(phone, there, octets)
        assert len(message) > 2 * MTU
        far.sendto(message, (phone.address, 5060))
        answer = far.recv(65_535)
    # It was read to its last octet: the body is of a kind that a phone does not take.
    assert answer.startswith(b"SIP/2.0 415 ")


@pytest.mark.parametrize("by_tcp", [True, False], ids=["with TCP", "without TCP"])
def test_f28_a_long_invite_goes_by_tcp_and_where_there_is_none_in_fragments(narrow, ends, by_tcp):
    phone, there = ends
    with (
        narrow.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        narrow.socket(socket.AF_INET, socket.SOCK_STREAM) as listener,
    ):
        datagrams.settimeout(5)
        datagrams.bind((there, 5060))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.settimeout(5)
        listener.bind((there, 5060))
        if by_tcp:
            listener.listen()
        phone.ask(s.Dial(target="9" * 220))
        if by_tcp:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(5)
                message = b""
                while len(message) <= 1300:  # TCP may bring it in pieces
                    message += (piece := connection.recv(65_535))
                    assert piece, message
        else:
            message = datagrams.recv(65_535)
    way = b"TCP" if by_tcp else b"UDP"
    assert len(message) > 1300
    assert message.startswith(b"INVITE sip:999")
    assert b"\r\nVia: SIP/2.0/" + way + b" " in message
    phone.ask(s.HangUp())
    wait_for("the end", lambda: phone.status().state in ("idle", "released"))
