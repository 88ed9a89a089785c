"""A14: messages that are too much: 64 kB, ten thousand headers, five hundred Vias, 500 m-lines."""

import contextlib
import socket

import pytest

from tests.support.far_end import bracketed
from tests.support.ground import BOTH_FAMILIES

pytestmark = BOTH_FAMILIES
MANY = {
    "64 kB of body": ("", "x" * 60_000),
    "10,000 headers": ("a:\r\n" * 10_000, ""),
    "500 Vias": ("v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n" * 500, ""),
    "one header of 50 kB": ("Subject: " + "x" * 50_000 + "\r\n", ""),
    "500 media": ("Content-Type: application/sdp\r\n", "v=0\r\n" + "m=audio 9 RTP/AVP 0\r\n" * 500),
}
TOLD = {
    "64 kB of body": 488,  # it is no session description of anything we could do
    "10,000 headers": 400,
    "500 Vias": 400,
    "one header of 50 kB": 400,
    "500 media": 488,
}


def request(sock, phone, transport, number, more, body):
    """An INVITE for our line, with more than is good for it at its end."""
    address, port = sock.getsockname()[:2]
    host = bracketed(address)
    return (
        f"INVITE sip:101@{phone.host} SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} {host}:{port};branch=z9hG4bK-{port}-{number};rport\r\n"
        f"From: <sip:far@{host}>;tag=1\r\nTo: <sip:101@{phone.host}>\r\n"
        f"Call-ID: big-{port}-{number}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:far@{host}:{port}>\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}"
    ).encode()


def final_status(sock, call_id):
    """The final answer to one request; 0 if the connection ends first."""
    heard = b""
    with contextlib.suppress(ConnectionError):
        while piece := sock.recv(65_535):
            heard += piece
            for answer in heard.split(b"SIP/2.0 ")[1:]:
                whole = b"\r\n\r\n" in answer and call_id in answer
                if whole and not answer.startswith(b"1"):
                    return int(answer.split()[0])
    return 0


KINDS = {"UDP": socket.SOCK_DGRAM, "TCP": socket.SOCK_STREAM}


@pytest.mark.parametrize("transport", KINDS)
def test_a14_the_server_is_told_that_it_is_too_much(phone, far_end, ground, transport):
    told = {}
    for number, (what, (more, body)) in enumerate(MANY.items()):
        sock = ground.socket(far_end.address, KINDS[transport])
        sock.connect((phone.address, 5060))
        sock.sendall(request(sock, phone, transport, number, more, body))
        call_id = b"big-%d-%d" % (sock.getsockname()[1], number)
        told[what] = final_status(sock, call_id)
    assert told == TOLD
    assert phone.status().calls == ()
    assert phone.status().state == "idle"
    assert "Traceback" not in phone.log()


def test_a14_a_length_beyond_all_reason_is_answered_and_the_connection_closed(
    phone, far_end, ground
):
    sock = ground.socket(far_end.address, socket.SOCK_STREAM)
    sock.connect((phone.address, 5060))
    whole = request(sock, phone, "TCP", 1, "", "")
    sock.sendall(whole.replace(b"Content-Length: 0", b"Content-Length: 1000000"))
    assert final_status(sock, b"big-") == 400
    with contextlib.suppress(ConnectionError):
        assert sock.recv(100) == b""


@pytest.mark.parametrize("what", ["10,000 headers", "500 Vias"])
def test_a14_over_tcp_the_server_is_hung_up_on_if_nobody_can_be_told(phone, far_end, ground, what):
    """From, To and Call-ID stand behind it all: too far to be looked for."""
    sock = ground.socket(far_end.address, socket.SOCK_STREAM)
    sock.connect((phone.address, 5060))
    whole = request(sock, phone, "TCP", 1, "", "")
    via = whole.index(b"Via:")
    sock.sendall(whole[:via] + MANY[what][0].encode() + whole[via:])
    assert final_status(sock, b"") == 0
    phone.wait_registered()
    assert phone.status().calls == ()


def test_a14_a_stranger_gets_nothing_for_it(phone, ground):
    stranger = ground.socket(ground.stranger)
    for number, (more, body) in enumerate(MANY.values()):
        packet = request(stranger, phone, "UDP", number, more, body)
        stranger.sendto(packet, (phone.address, 5060))
    stranger.sendto(b"x" * 65_000, (phone.address, 5060))
    phone.wait_registered()  # it took its turn, and whatever was sent before had been read
    stranger.settimeout(0)
    with pytest.raises(BlockingIOError):
        stranger.recv(100)
    assert "Traceback" not in phone.log()


def test_a14_over_tcp_a_stranger_is_hung_up_on_for_it(phone, ground):
    for number, (more, body) in enumerate(MANY.values()):
        stranger = ground.socket(ground.stranger, socket.SOCK_STREAM)
        stranger.connect((phone.address, 5060))
        stranger.sendall(request(stranger, phone, "TCP", number, more, body))
        assert final_status(stranger, b"") == 0
    phone.wait_registered()
    assert "Traceback" not in phone.log()
