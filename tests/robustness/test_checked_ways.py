"""Calls whose ways are checked, under attack: by floods, and as a weapon against others."""

import os
import signal
import socket
import time
from pathlib import Path

import pytest
from aioice import stun

from firmware.control import schema as s
from tests.support.phone import line
from tests.support.waiting import wait_for
from tests.support.wav import loudest_tone

FLOOD = 2000
_BURST = 100
"""Datagrams to each port in a frame: five thousand a second."""


@pytest.fixture
def victim(ground):
    """Somebody on the network who has nothing to do with any call."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((ground.address(), 0))
        sock.setblocking(False)  # noqa: FBT003 - the socket's own signature
        yield sock


def heard_by(victim):
    """Everything that came."""
    found = []
    while True:
        try:
            found.append(victim.recv(2048))
        except BlockingIOError:
            return found


def pointing_at(victim, count):
    """A description that says: I am over there, a hundred times."""
    host, port = victim.getsockname()

    def says(body):
        lines = [f"a=ice-ufrag:evil\r\na=ice-pwd:{'x' * 24}\r\n"]
        lines += [
            f"a=candidate:{n} 1 UDP {9000 - n} {host} {port if not n else 1024 + n} typ host\r\n"
            for n in range(count)
        ]
        head, _, tail = body.decode().partition("m=audio ")
        _, _, rest = tail.partition(" ")
        before = head.partition("c=IN IP4 ")[2].split()[0]
        head = head.replace(f"c=IN IP4 {before}", f"c=IN IP4 {host}")
        return f"{head}m=audio {port} {rest}{''.join(lines)}".encode()

    return says


def test_a08_sound_is_no_weapon_against_somebody_who_has_not_agreed(start_phone, far_end, victim):
    """RFC 8839 §9.3, CVE-2026-0826: a few checks arrive, however many places are named."""
    far_end.says = pointing_at(victim, 1000)
    phone = start_phone(line("101", far_end.server, ice="on"))
    phone.wait_registered()
    phone.ask(s.Dial(target="204"))
    phone.wait_state("talking")
    phone.wait("a second", lambda status: status.calls[0].duration > 1)
    came = heard_by(victim)
    assert came, "it was checked"
    assert len(came) < 12
    assert all(data[0] < 4 for data in came)
    figures = phone.status().calls[0]
    assert figures.way == ""
    assert figures.rtp is None or figures.rtp.sent == 0


def strangers_checks():
    """Checks without our password, some of them bent."""
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes |= {"USERNAME": "who:ever", "PRIORITY": 1, "USE-CANDIDATE": None}
    message.add_message_integrity(b"no")
    whole = bytes(message)
    for number in range(FLOOD):
        yield whole if number % 2 else whole[: number % len(whole)]


def media_ports(address):
    """The UDP ports that somebody has at an address, but for SIP's."""
    host = socket.inet_aton(address)[::-1].hex().upper()
    rows = (row.split()[1].split(":") for row in Path("/proc/net/udp").read_text().splitlines()[1:])
    ports = {int(port, 16) for place, port in rows if place == host}
    return sorted(ports - {5060})


@pytest.fixture
def two(start_phone, ground):
    """Two phones in a call whose way was found; the first one calls."""
    here, there = ground.address(), ground.address()
    alone = {"register": False, "ice": "on"}
    other = line("102", f"{here}:5060", auto_answer="always", **alone)
    second = start_phone(other, name="second", address=there, tone_hz=1000)
    first = start_phone(line("101", f"{there}:5060", **alone), address=here)
    first.ask(s.Dial(target="102"))
    first.wait("a way", lambda status: status.calls and status.calls[0].way == "host")
    return first, second


@pytest.mark.slow
def test_p09_who_has_vanished_is_sent_nothing_after_thirty_seconds(two):
    """RFC 7675 §5.1; and the phone says so, and looks for another way."""
    first, second = two
    stopped = (second.pid, second.child())
    first.wait("figures", lambda status: status.calls[0].rtp is not None)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        first.wait("the way to be lost", lambda status: status.calls[0].way == "", 40)
        assert time.monotonic() - began < 31
        sent = first.wait("figures", lambda status: status.calls[0].duration > 2).calls[0].rtp.sent
        enough = first.status().calls[0].duration + 3
        later = first.wait("three seconds", lambda status: status.calls[0].duration > enough)
        assert later.calls[0].rtp.sent - sent < 60, "what the last report had not counted yet"
        assert "is not reached any more" in first.log()
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_p02_a_flood_of_checks_disturbs_no_call(two, ground):
    """A8: what is not under our password is neither answered nor believed."""
    first, second = two
    here = first.address
    ports = media_ports(here)
    assert len(ports) == 2, "RTP and RTCP"
    mark = first.heard.stat().st_size
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((ground.address(), 0))
        stranger.setblocking(False)  # noqa: FBT003 - as above
        for number, data in enumerate(strangers_checks()):
            for port in ports:
                stranger.sendto(data, (here, port))
            if not number % _BURST:
                time.sleep(0.02)  # noqa: TID251 - what the kernel itself drops proves nothing
        wait_for("a second of sound", lambda: first.heard.stat().st_size > mark + 16000)
        assert heard_by(stranger) == [], "A2: strangers get no answer"
    status = first.wait("figures", lambda found: found.calls[0].rtp is not None)
    figures = status.calls[0]
    assert (figures.way, figures.state) == ("host", "talking")
    assert figures.rtp.lost <= 2
    first.ask(s.HangUp())
    second.wait("the end", lambda status: not status.calls)
    first.close()
    hertz, _, purity = loudest_tone(first.heard, after=mark)
    assert hertz == pytest.approx(1000, rel=0.01)
    assert purity > 0.9
