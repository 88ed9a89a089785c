"""A stream whose ways are checked: nothing leaves before one is known, STUN finds its way up."""

import pytest

from firmware.base.tokens import Tokens
from firmware.media.messages import ConfigureStream, Foreign, OpenStream, PayloadFormat
from firmware.media.stream import Stream
from firmware.rtp.packet import RtpPacket, write_rtp

PCMU = PayloadFormat(0, "PCMU", 8000)
THERE, STRANGER = ("192.0.2.9", 4000), ("198.51.100.1", 9)
NOWHERE = ("", 0)
STUN = b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12)


@pytest.fixture
def stream():
    return Stream(OpenStream(1, (PCMU,)), Tokens(b"seed"), 100.0)


def on(stream, place):
    order = ConfigureStream(1, place, place, (PCMU,), checked=True)
    stream.configure(order, 100.0)


def speak(stream, source, count=10):
    for number in range(count):
        packet = RtpPacket(0, number, number * 160, 7, b"\xff" * 160)
        stream.receive(write_rtp(packet), source, 100 + number * 0.02)


def test_a08_before_a_way_was_found_nothing_leaves_whoever_speaks(stream):
    """RFC 8445 §12.1: nor reports, nor what keeps a way open."""
    on(stream, NOWHERE)
    speak(stream, THERE)
    assert not stream.sends
    assert stream.remote == NOWHERE
    assert stream.keep_alive(200.0) == b""
    assert stream.control_due > 1e9
    assert stream.farewell(200.0) == b""


def test_what_comes_before_is_heard(stream):
    """RFC 8445 §12.2."""
    on(stream, NOWHERE)
    speak(stream, THERE)
    stream.hear(100.3)
    stream.report()
    assert stream.reports[-1].received == 8, "the first two have still to show that they follow"


def test_a_way_opens_it_and_its_loss_closes_it(stream):
    on(stream, THERE)
    assert stream.sends
    on(stream, NOWHERE)
    assert not stream.sends


def passed_up(stream):
    return [one for one in stream.reports if isinstance(one, Foreign)]


def test_a_flood_of_strangers_leaves_room_for_the_far_ends_word(stream):
    """RFC 7675 §5.1: or whoever floods could end a call."""
    on(stream, THERE)
    for _ in range(1000):
        stream.receive(STUN, STRANGER, 101.0)
    stream.receive(STUN, THERE, 101.0)
    assert len(passed_up(stream)) == 201
    assert passed_up(stream)[-1].source == THERE


def test_it_is_told_on_which_socket_it_came(stream):
    stream.receive(STUN, THERE, 101.0)
    stream.receive_control(STUN, THERE, 101.0)
    assert [one.control for one in passed_up(stream)] == [False, True]
