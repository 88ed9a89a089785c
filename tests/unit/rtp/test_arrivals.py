"""What has come of a source, whoever plays it: order, doubles, and the schedule it tells."""

import pytest

from firmware.rtp.arrivals import Arrivals
from firmware.rtp.delay import FixedDelay
from firmware.rtp.packet import RtpPacket
from firmware.rtp.playout import Put


def speech(sequence: int, timestamp: int | None = None, ssrc: int = 7) -> RtpPacket:
    timestamp = sequence * 160 if timestamp is None else timestamp
    return RtpPacket(0, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, bytes(160))


@pytest.fixture
def make():
    def made(capacity=100):
        return Arrivals(8000, 160, FixedDelay(0.020), capacity)

    return made


def waiting(arrivals):
    return [entry.sequence for entry in arrivals._store]


def test_what_was_overtaken_is_put_where_it_belongs(make):
    arrivals = make()
    said = [arrivals.put(speech(number), 1.0 + number / 1000) for number in (5, 7, 6, 8)]
    assert said == [Put.RESTARTED, Put.QUEUED, Put.QUEUED, Put.QUEUED]
    assert waiting(arrivals) == [5, 6, 7, 8]


def test_a_number_that_waits_already_is_a_double(make):
    arrivals = make()
    for number in (5, 6, 7):
        arrivals.put(speech(number), 1.0)
    assert arrivals.put(speech(6), 1.0) is Put.DUPLICATE
    assert (len(arrivals), arrivals.duplicate) == (3, 1)


def test_both_numbers_are_counted_on_past_their_wraps(make):
    """RFC 3550 §5.1: sixteen bits of one, thirty-two of the other."""
    arrivals = make()
    for step in range(6):
        arrivals.put(speech(65_533 + step, 2**32 - 480 + step * 160), step * 0.02)
    assert waiting(arrivals) == list(range(65_533, 65_539))
    assert [entry.timestamp for entry in arrivals._store][-1] == 2**32 - 480 + 800
    assert arrivals.transit == pytest.approx(-(2**32 - 480) / 8000)


def test_the_fastest_packet_of_the_last_seconds_tells_the_schedule(make):
    arrivals = make()
    for number in range(1500):
        late = 0.005 if number == 10 else 0.030
        arrivals.put(speech(number), number * 0.02 + late)
        if number in (100, 250):
            assert arrivals.transit == pytest.approx(0.005)
    assert arrivals.transit == pytest.approx(0.030)


def test_a_source_that_takes_the_place_of_another_begins_anew(make):
    arrivals = make()
    for number in range(5):
        arrivals.put(speech(number), number * 0.02)
    assert arrivals.put(speech(900, ssrc=8), 0.1) is Put.RESTARTED
    assert (waiting(arrivals), arrivals.restarts) == ([900], 1)


def test_a_number_without_a_sound_is_in_the_row(make):
    arrivals = make()
    arrivals.put(speech(5), 0.0)
    arrivals.note(speech(6, 800), 0.02)
    arrivals.note(speech(6, 800, ssrc=8), 0.02)
    assert [entry.packet is None for entry in arrivals._store] == [False, True]


def test_nobody_playing_does_not_fill_the_memory(make):
    arrivals = make(capacity=50)
    for index in range(10_000):
        arrivals.put(speech(index, ssrc=7), index * 0.02)
    assert len(arrivals) == 50
    assert arrivals.cut == 9950


def test_ten_thousand_sources_leave_one_packet_at_most(make):
    arrivals = make()
    for index in range(10_000):
        arrivals.put(speech(index, ssrc=index), index * 0.02)
    assert len(arrivals) == 1
    assert arrivals.restarts == 9_999
