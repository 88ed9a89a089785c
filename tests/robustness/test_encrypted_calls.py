"""Encrypted calls under attack, and when a process dies in one."""

import os
import signal

import pytest

from firmware.control import schema as s
from tests.support.far_end import arriving, media_port, pitch
from tests.support.own_time import HeldUp
from tests.support.phone import line
from tests.support.waiting import wait_for
from tests.support.wav import loudest_tone

LAST_OF_ROUND = 0xFFF8
"""The far end's numbers pass 65,535 a moment after this one."""


@pytest.fixture
def phone(far_end, start_phone):
    far_end.encrypts = True
    made = start_phone(line("101", far_end.server, srtp="require", srtp_keys="sdes"))
    made.wait_registered()
    return made


@pytest.fixture
def talking(phone, far_end):
    """An encrypted call is up: the phone says 440 Hz, the far end 620 Hz."""
    phone.ask(s.Dial(target="204"))
    port = media_port(far_end.wait_call().offer)
    phone.wait_state("talking")
    far_end.speak_to((phone.address, port), first=LAST_OF_ROUND)
    wait_for("half a second of sound", lambda: len(far_end.heard) > 25)
    return port


def sent_twice(sealed):
    """Whether anything went out twice under one SSRC, that is: under one index of one key."""
    seen = [(each[8:12], each[2:4]) for each in sealed if not 192 <= each[1] <= 223]
    return len(seen) != len(set(seen))


def test_a_killed_audio_process_goes_on_with_the_counters_and_never_repeats_itself(
    phone, far_end, talking
):
    """RFC 3711 §9.1: a new engine, a new SSRC; and it hears on past 65,536 packets."""
    time_to_report = phone.status().calls[0].duration + 1.2
    phone.wait("a report", lambda status: status.calls[0].duration > time_to_report)
    first = far_end.heard[-1]

    os.kill(phone.child(), signal.SIGKILL)
    killed, held = arriving(), HeldUp(phone.pid)

    back = far_end.wait_heard("sound again", lambda packet: packet.ssrc != first.ssrc, 20)
    mark = phone.heard.stat().st_size
    assert back.arrived - killed < 1 + held.seconds(phone.child())
    wait_for("most of a second of sound", lambda: far_end.heard[-1].at > back.at + 0.9)
    assert phone.heard.stat().st_size > mark
    assert not sent_twice(far_end.sealed)
    assert far_end.guard.refused == 0
    again = [packet for packet in far_end.heard if packet.ssrc == back.ssrc]
    assert pitch(again) == pytest.approx(440, abs=10)
    phone.close()
    hertz, _, purity = loudest_tone(phone.heard, after=mark)
    assert hertz == pytest.approx(620, rel=0.01)
    assert purity > 0.9


def test_a10_forged_replayed_and_plain_packets_are_not_heard_and_end_nothing(
    phone, far_end, talking
):
    """CVE-2021-41105: a hundred bad packets once ended a call elsewhere."""
    target = (phone.address, talking)
    own = far_end._rtp
    sealed = far_end.guard.seal(b"\x80\x00\x00\x07" + bytes(4) + b"\0\0\0\x09" + b"\xff" * 160)
    plain = b"\x80\x00\x00\x08" + bytes(4) + b"\0\0\0\x09" + b"\x00" * 160
    for number in range(200):
        own.sendto(sealed, target)
        own.sendto(sealed[:-1] + bytes([number]), target)
        own.sendto(plain[:2] + number.to_bytes(2) + plain[4:], target)
        own.sendto(far_end.sealed[number % 20], target)
        own.sendto(b"\x81\xc9\x00\x07" + os.urandom(32), target)
    before = len(far_end.heard)
    wait_for("half a second more", lambda: len(far_end.heard) > before + 25)
    assert not phone.status().calls[0].secure, "its keys went over UDP: no lock for that"
    assert not sent_twice(far_end.sealed)
    phone.ask(s.HangUp())
    phone.wait_state("idle")
    phone.close()
    hertz, _, purity = loudest_tone(phone.heard)
    assert hertz == pytest.approx(620, rel=0.01)
    assert purity > 0.9


def test_a24_no_key_is_in_the_log_or_in_the_ladder(phone, far_end, talking):
    del talking
    offer = far_end.wait_call().offer
    keys = [row.split(b"inline:")[1].decode() for row in offer.split(b"\r\n") if b"inline:" in row]
    assert len(keys) == 4
    rows = phone.ask(s.Ladder(), s.LadderReply).rows
    assert any("INVITE" in row for row in rows)
    said = "\n".join([phone.log(), *rows, repr(phone.status())])
    assert not any(key[:12] in said for key in keys)
    assert "inline" not in said
