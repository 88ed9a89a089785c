"""A1 to A4, P7: who is none of our servers cannot ring the phone, nor learn that it is there."""

import contextlib
import itertools
import socket

import pytest

from firmware.control import schema as s
from tests.support.far_end import bracketed
from tests.support.ground import BOTH_FAMILIES
from tests.support.phone import line
from tests.support.waiting import wait_for
from tests.support.wav import strength

pytestmark = BOTH_FAMILIES

METHODS = ("INVITE", "OPTIONS", "REGISTER", "MESSAGE", "NOTIFY", "SUBSCRIBE", "REFER", "BYE")


@pytest.fixture
def stranger(ground):
    """A UDP socket at an address of nobody's server."""
    return ground.socket(ground.stranger, seconds=0.4)


def request(sock, phone, user, method="INVITE", transport="UDP", number=1):
    address, port = sock.getsockname()[:2]
    host, here = bracketed(address), f"IN IP{6 if ':' in address else 4} {address}"
    body = f"v=0\r\no=- 1 1 {here}\r\ns=-\r\nc={here}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
    return (
        f"{method} sip:{user}@{phone.host} SIP/2.0\r\n"
        f"Via: SIP/2.0/{transport} {host}:{port};branch=z9hG4bK-{port}-{number};rport\r\n"
        f"From: <sip:1000@{host}>;tag=1\r\nTo: <sip:{user}@{phone.host}>\r\n"
        f"Call-ID: scan-{port}-{number}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:1000@{host}:{port}>\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def silent(sock):
    """Whether nothing comes back."""
    try:
        sock.recv(65_535)
    except TimeoutError:
        return True
    return False


def contact_user(far_end):
    return far_end.registrations[-1].contact.partition(":")[2].partition("@")[0]


def test_a02_a_strangers_invite_for_our_line_neither_rings_nor_is_answered(phone, stranger):
    stranger.sendto(request(stranger, phone, "101"), (phone.address, 5060))
    assert silent(stranger)
    assert phone.status().state == "idle"
    assert phone.status().calls == ()
    wait_for("the log to say what it was", lambda: "INVITE" in phone.log())
    assert stranger.getsockname()[0] in phone.log()  # and who


def test_a02_not_even_our_own_contact_user_helps_a_stranger(phone, far_end, stranger):
    stranger.sendto(request(stranger, phone, contact_user(far_end)), (phone.address, 5060))
    assert silent(stranger)
    assert phone.status().calls == ()


def test_a01_a_scanner_learns_nothing(phone, stranger):
    asked = itertools.product(METHODS, ("100", "101", "1000", "admin"))
    for number, (method, user) in enumerate(asked):
        packet = request(stranger, phone, user, method, number=number)
        stranger.sendto(packet, (phone.address, 5060))
    assert silent(stranger)
    assert phone.status().calls == ()


def test_a02_over_tcp_a_stranger_is_hung_up_on(phone, ground):
    sock = ground.socket(ground.stranger, socket.SOCK_STREAM)
    sock.connect((phone.address, 5060))
    sock.sendall(request(sock, phone, "101", transport="TCP"))
    heard = b""
    with contextlib.suppress(ConnectionError):
        while piece := sock.recv(4096):
            heard += piece
    assert heard == b""
    assert phone.status().calls == ()


def test_a03_a_wrong_user_from_our_server_gets_404_and_does_not_ring(phone, far_end, ground):
    server = ground.socket(far_end.address)
    server.sendto(request(server, phone, "nobody"), (phone.address, 5060))
    status = 0
    while status < 200:
        status = int(server.recv(65_535).split()[1])
    assert status == 404
    assert phone.status().calls == ()


def test_a03_our_user_and_our_contact_ring(phone, far_end):
    for user in ("101", contact_user(far_end)):
        call = far_end.call(f"sip:{user}@{phone.host}")
        phone.wait_state("ringing")
        far_end.hang_up(call)
        phone.wait_state("idle")


def test_a04_the_contact_cannot_be_guessed_and_is_kept(start_phone, far_end):
    users = set()
    for number in range(2):
        phone = start_phone(line("101", far_end.server), name=f"phone{number}")
        far_end.wait_registered(number + 1)
        users.add(contact_user(far_end))
    assert len(users) == 2
    assert all(len(user) >= 13 for user in users)  # 64 bits in letters of five
    phone.close()
    phone.start()
    wait_for("the next REGISTER", lambda: len(far_end.registrations) >= 4)
    assert contact_user(far_end) in users


def test_p07_a_stranger_gets_no_media_and_is_not_heard(phone, far_end, stranger):
    """He shouts 1,500 Hz while the far end says 620 Hz, and goes on when it has fallen silent."""
    far_end.call(f"sip:101@{phone.host}")
    phone.wait_state("ringing")
    phone.ask(s.Hook(move=s.HookMove.UP))
    phone.wait_state("talking")
    port = wait_for("sound", lambda: far_end.heard)[0].port
    far_end.speak_to((phone.address, port), 620, seconds=1.5)
    status = phone.wait("his first packets", lambda status: _received(status) > 3)
    began = status.calls[0].duration
    far_end.speak_to((phone.address, port), 1500, sock=stranger)
    phone.wait(
        "the far end, both, the stranger alone", lambda status: status.calls[0].duration > began + 3
    )
    assert silent(stranger)
    count = len(far_end.heard)
    wait_for("more sound where it belongs", lambda: len(far_end.heard) > count + 10)
    phone.close()
    assert strength(phone.heard, 620) > 0.9
    # The quiet noise in which a far end that falls silent fades away has a little of every pitch.
    assert strength(phone.heard, 1500) < 0.05


def _received(status):
    rtp = status.calls[0].rtp
    return rtp.received if rtp else 0
