"""P2, A11, A13: somebody floods the phone while a call is up; the call does not notice."""

import itertools
import socket
import time

import pytest

from firmware.control import schema as s
from tests.support.far_end import arriving
from tests.support.own_time import HeldUp
from tests.support.waiting import wait_for

pytestmark = pytest.mark.realtime
SECONDS = 3.0
RATE = 500


@pytest.fixture
def talking(phone, far_end):
    """A call whose sound has settled."""
    phone.ask(s.Dial(target="204"))
    phone.wait_state("talking")
    wait_for("sound", lambda: len(far_end.heard) > 25)


def garbage(number):
    """SIP that nobody can read, or that is for nobody."""
    match number % 4:
        case 0:
            return b"\xff\x00INVITE sip:101 SIP/2.0\r\n\r\n"
        case 1:
            return b"INVITE sip:101@x SIP/2.0\r\nVia: SIP/2.0/UDP ;;;\r\n" + b"a: b\r\n" * 200
        case 2:
            return b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bK%d\r\n\r\n" % number
        case _:
            return b"REGISTER " * 1000


def gaps(packets):
    """Seconds between neighbouring packets, by the kernel's clock."""
    return [b.arrived - a.arrived for a, b in itertools.pairwise(packets)]


def test_p02_five_hundred_malformed_packets_a_second_leave_the_sound_alone(
    held_up, phone, far_end, talking
):
    began, start, held = arriving(), time.monotonic(), HeldUp(phone.child())
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        for number in range(int(SECONDS * RATE)):
            stranger.sendto(garbage(number), (phone.address, 5060))
            time.sleep(max(0.0, start + number / RATE - time.monotonic()))  # noqa: TID251 - a flood

    end = arriving()
    far_end.wait_heard("what came later", lambda packet: packet.arrived > end, 20)
    machine = held.seconds()
    # Whoever floods may be late himself.
    during = [packet for packet in far_end.heard if began < packet.arrived <= end]
    assert len(during) == pytest.approx(50 * (end - began), abs=5 + 50 * machine)
    assert max(gaps(during)) < 0.06 + machine
    status = phone.status()
    assert status.state == "talking"
    assert not held_up(phone)
    assert "Traceback" not in phone.log()
    assert len(phone.log()) < 20_000  # A23: nor is the log flooded


def test_a13_two_hundred_idle_connections_leave_the_phone_alone(phone, far_end, talking):
    strangers = []
    try:
        where = (phone.address, 5060)
        strangers.extend(socket.create_connection(where, 20) for _ in range(200))
        began, held = len(far_end.heard), HeldUp(phone.child())
        wait_for("a second of sound", lambda: len(far_end.heard) > began + 50)
        assert max(gaps(far_end.heard[began:])) < 0.06 + held.seconds()
        far_end.call(f"sip:101@{phone.address}")
        phone.wait("a second call, over UDP", lambda status: len(status.calls) == 2)
    finally:
        for stranger in strangers:
            stranger.close()
    assert "Traceback" not in phone.log()
