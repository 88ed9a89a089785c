"""Who has our SSRC, and how often we leave it (RFC 3550 §8.2)."""

import pytest

from firmware.rtp.collision import Collisions
from firmware.rtp.latch import ReportLatch
from firmware.rtp.session import RtpSender

ONE, OTHER = ("192.0.2.1", 4000), ("192.0.2.2", 4000)


def test_each_place_makes_us_choose_once():
    """RFC 3550 §8.2: data and reports have places of their own."""
    met = Collisions()
    assert met.is_new(ONE, 0.0)
    assert not met.is_new(ONE, 1.0)
    assert met.is_new(ONE, 1.0, control=True)
    assert met.is_new(OTHER, 2.0)
    assert met.looped == 1


def test_a_place_is_remembered_while_it_goes_on_and_for_ten_intervals():
    """RFC 3550 §8.2."""
    met = Collisions()
    met.is_new(ONE, 0.0)
    assert not any(met.is_new(ONE, 40.0 * step) for step in range(1, 20))
    assert met.is_new(ONE, 40.0 * 19 + 51)


def test_a11_ten_thousand_places_leave_a_few():
    met = Collisions()
    for number in range(10_000):
        met.is_new(("192.0.2.1", number), float(number))
    assert len(met._places) == 4


@pytest.mark.parametrize(
    ("sequence", "timestamp", "ours"),
    [
        (99, 9840, True),
        (65530, 1000, True),
        (100, 10_000, False),
        (99, 10_160, False),
        (50, 9840 - (1 << 20), False),
        (30_000, 9840, False),
    ],
    ids=["the last", "over the wrap", "the next", "of the future", "long ago", "another row"],
)
def test_what_we_have_sent_of_late_is_known_by_number_and_time(sequence, timestamp, ours):
    sender = RtpSender(1, 65500, 0)
    for _ in range(100 + 36):
        sender.packet(b"x", 0, 160)
    sender.timestamp = 10_000
    assert sender.has_sent(sequence, timestamp & 0xFFFFFFFF) is ours


def test_who_said_nothing_has_sent_nothing():
    sender = RtpSender(1, 100, 1000)
    assert sender.silent
    assert not sender.has_sent(99, 1000)
    sender.empty(127)
    assert not sender.silent
    sender.restart(2, 7)
    assert sender.silent


def test_a_report_of_the_named_host_ends_belief_in_any_other():
    latch = ReportLatch()
    assert latch.admit(OTHER, named=False, heard=False)
    assert not latch.admit(("192.0.2.3", 1), named=False, heard=False)
    assert latch.admit((ONE[0], 9), named=True, heard=False)
    assert not latch.admit(OTHER, named=False, heard=False)
    assert latch.strangers == 2
    latch.forget()
    assert latch.admit(OTHER, named=False, heard=False)


def test_whose_sound_is_heard_is_believed_alone():
    latch = ReportLatch()
    assert not latch.admit(OTHER, named=False, heard=True)
    assert latch.admit(ONE, named=True, heard=True)
