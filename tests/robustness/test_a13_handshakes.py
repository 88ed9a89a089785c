"""A13 at the phone's TLS port: who never finishes a handshake costs nobody anything."""

import socket

import pytest

from firmware.control import schema as s
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


def test_a13_two_hundred_handshakes_that_never_end_leave_the_phone_alone(phone, far_end, ground):
    strangers = two_hundred(phone, far_end, ground)
    far_end.call(f"sip:101@{phone.address}")
    phone.wait("a call, over UDP", lambda status: status.calls)
    alarms = lag_alarms(phone)
    wait_for("every one to be hung up on", lambda: all(map(_is_over, strangers)), 15)
    # Whoever holds up the loop does it each time; a machine that stands still does it once.
    for _ in range(3):
        if not alarms:
            break
        before = lag_alarms(phone)
        again = two_hundred(phone, far_end, ground)
        alarms = lag_alarms(phone) - before
        wait_for("every one to be hung up on", lambda again=again: all(map(_is_over, again)), 15)
    assert alarms == 0
    assert "Traceback" not in phone.log()


def two_hundred(phone, far_end, ground):
    """Half of them say the first words of TLS, the others nothing."""
    strangers = [ground.socket(far_end.address, socket.SOCK_STREAM) for _ in range(200)]
    for number, stranger in enumerate(strangers):
        stranger.connect((phone.address, 5061))
        stranger.sendall(b"\x16\x03\x01\x02\x00\x01" if number % 2 else b"")
    return strangers


def lag_alarms(phone):
    return phone.ask(s.Stats(), s.StatsReply).counters["lag_alarms"]


def _is_over(sock):
    sock.settimeout(0.01)
    try:
        return sock.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionError:
        return True
