"""A14: messages that are too much: 64 kB, ten thousand headers, five hundred Vias, 500 m-lines."""

import contextlib
import socket

import pytest

MANY = {
    "64 kB of body": ("", "x" * 60_000),
    "10,000 headers": ("a:\r\n" * 10_000, ""),
    "500 Vias": ("v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n" * 500, ""),
    "one header of 50 kB": ("Subject: " + "x" * 50_000 + "\r\n", ""),
    "500 media": ("Content-Type: application/sdp\r\n", "v=0\r\n" + "m=audio 9 RTP/AVP 0\r\n" * 500),
}


def request(sock, phone, transport, number, more, body):
    """An INVITE for our line, with more than is good for it at its end."""
    host, port = sock.getsockname()
    return (
        f"INVITE sip:101@{phone.address} SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} {host}:{port};branch=z9hG4bK-{port}-{number};rport\r\n"
        f"From: <sip:far@{host}>;tag=1\r\nTo: <sip:101@{phone.address}>\r\n"
        f"Call-ID: big-{port}-{number}\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:far@{host}:{port}>\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}"
    ).encode()


@pytest.fixture
def sockets():
    """UDP and TCP sockets on an address, closed after the test."""
    made = []

    def make(host, kind=socket.SOCK_DGRAM):
        sock = socket.socket(socket.AF_INET, kind)
        made.append(sock)
        sock.settimeout(5)
        sock.bind((host, 0))
        return sock

    yield make
    for sock in made:
        sock.close()


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


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a14_the_server_is_told_that_it_is_too_much(phone, far_end, sockets, transport):
    kind = socket.SOCK_DGRAM if transport == "UDP" else socket.SOCK_STREAM
    for number, (more, body) in enumerate(MANY.values()):
        sock = sockets(far_end.address, kind)
        sock.connect((phone.address, 5060))
        sock.sendall(request(sock, phone, transport, number, more, body))
        call_id = b"big-%d-%d" % (sock.getsockname()[1], number)
        status = final_status(sock, call_id)
        assert 400 <= status < 600 or (transport == "TCP" and status == 0), list(MANY)[number]
    assert phone.status().calls == ()
    assert phone.status().state == "idle"
    assert "Traceback" not in phone.log()


def test_a14_a_stranger_gets_nothing_for_it(phone, sockets):
    stranger = sockets("127.0.0.1")
    for number, (more, body) in enumerate(MANY.values()):
        packet = request(stranger, phone, "UDP", number, more, body)
        stranger.sendto(packet, (phone.address, 5060))
    stranger.sendto(b"x" * 65_507, (phone.address, 5060))
    phone.wait_registered()  # it took its turn, and whatever was sent before had been read
    stranger.settimeout(0)
    with pytest.raises(BlockingIOError):
        stranger.recv(100)
    assert "Traceback" not in phone.log()
