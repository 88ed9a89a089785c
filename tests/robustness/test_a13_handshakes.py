"""A13 at the phone's TLS port: who never finishes a handshake costs nobody anything."""

import socket

import pytest

from tests.support.certificates import Authority
from tests.support.phone import line
from tests.support.waiting import wait_for


@pytest.fixture
def phone(far_end, start_phone, tmp_path):
    """A phone that is registered by UDP and listens for TLS too."""
    certificate = Authority(tmp_path / "authority").issue("DNS:phone.example")
    made = start_phone(line("101", far_end.server), certificate=certificate)
    made.wait_registered()
    return made


def test_a13_two_hundred_handshakes_that_never_end_leave_the_phone_alone(
    held_up, phone, far_end, ground
):
    strangers = []
    try:
        for number in range(200):
            stranger = ground.socket(far_end.address, socket.SOCK_STREAM)
            stranger.connect((phone.address, 5061))
            # Half of them say the first words of TLS, the others nothing.
            stranger.sendall(b"\x16\x03\x01\x02\x00\x01" if number % 2 else b"")
            strangers.append(stranger)
        far_end.call(f"sip:101@{phone.address}")
        phone.wait("a call, over UDP", lambda status: status.calls)
        assert not held_up(phone)
        wait_for("every one to be hung up on", lambda: all(map(_is_over, strangers)), 30)
    finally:
        for stranger in strangers:
            stranger.close()
    assert "Traceback" not in phone.log()


def _is_over(sock):
    sock.settimeout(0.01)
    try:
        return sock.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True
