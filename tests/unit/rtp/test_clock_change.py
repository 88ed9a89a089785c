"""Two lines of timestamps that are one (RFC 3550 §5.1)."""

import pytest

from firmware.rtp.clock_change import ClockChange
from firmware.rtp.jitter import JitterBuffer
from firmware.rtp.packet import RtpPacket

CHANGE = ClockChange(before=8000, after=48000, end=16_000, start=70_000, ssrc=7, sequence=100)


def packet(sequence, timestamp, ssrc=7):
    return RtpPacket(0, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, b"x")


def test_what_was_at_the_border_is_there_still():
    assert CHANGE.moved(16_000) == 70_000
    assert CHANGE.moved(16_000 - 160) == 70_000 - 960
    assert CHANGE.lasting(160) == 960
    assert CHANGE.shift == pytest.approx(2.0 - 70 / 48)


def test_a_packet_from_before_is_counted_in_the_new_clock():
    found, ticks = CHANGE.straggler(packet(98, 16_000 - 320), 160, 8000, newest=103)
    assert (found.timestamp, found.sequence, ticks) == (70_000 - 1920, 98, 960)


@pytest.mark.parametrize(
    ("late", "clock", "newest"),
    [
        (packet(101, 16_160), 8000, 103),
        (packet(98, 15_680), 16000, 103),
        (packet(98, 15_680, ssrc=8), 8000, 103),
        (packet(104, 16_640), 8000, 103),
        (packet(99 + 65536, 16_640), 8000, 98 + 65536),
        (packet(90, 14_400), 8000, 90 + 2000),
    ],
    ids=["after it", "a third clock", "another source", "the newest", "once round", "long ago"],
)
def test_no_other_packet_is_a_straggler(late, clock, newest):
    """The far end has changed back: the number of the change comes round after 65,536 packets."""
    assert CHANGE.straggler(late, 160, clock, newest) is None


def test_a_clock_changes_only_where_packets_join():
    buffer = JitterBuffer()
    assert buffer.change_clock(packet(0, 0), 0.0, 16000) is None
    buffer.put(packet(0, 0), 0.0)
    assert buffer.change_clock(packet(0, 0), 0.0, 8000) is None, "not ahead"
    buffer.put(packet(10, 1600), 0.0)
    assert buffer.change_clock(packet(11, 99, ssrc=8), 0.02, 16000) is None, "another source"
    buffer.put(packet(10, 1600), 0.0)
    assert buffer.change_clock(packet(5000, 99), 0.02, 8000) is None, "far away"
    buffer.put(packet(10, 1600), 0.0)
    change = buffer.change_clock(packet(11, 5), 0.02, 48000)
    assert (change.end, change.start, buffer.clock) == (1760, 5, 48000)
