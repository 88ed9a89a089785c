"""What a receiver knows of a source: RFC 3550 §A.1, §A.3, §A.8."""

import pytest

from firmware.rtp.sequence import SourceState, SourceVerdict


def feed(state: SourceState, sequences, *, start: float = 0.0) -> list[SourceVerdict]:
    return [
        state.update(sequence & 0xFFFF, index * 160, start + index * 0.02)
        for index, sequence in enumerate(sequences)
    ]


def test_two_packets_in_a_row_end_the_probation():
    state = SourceState(100, 8000)
    assert feed(state, [100, 101]) == [SourceVerdict.PROBATION, SourceVerdict.VALID]
    assert state.valid
    assert state.expected == 1


def test_packets_that_do_not_follow_one_another_stay_on_probation():
    state = SourceState(100, 8000)
    assert set(feed(state, [100, 7, 90, 12])) == {SourceVerdict.PROBATION}
    assert not state.valid


def test_a_trusted_source_counts_from_its_first_packet():
    state = SourceState(0, 8000, probation=0)
    feed(state, range(10))
    assert (state.expected, state.received, state.lost) == (10, 10, 0)


def test_the_number_is_counted_on_past_its_wrap():
    state = SourceState(65530, 8000, probation=0)
    feed(state, range(65530, 65530 + 20))
    assert state.extended_highest == 65549
    assert state.lost == 0


def test_lost_late_and_doubled_packets_are_counted_as_the_rfc_says():
    state = SourceState(0, 8000, probation=0)
    feed(state, [0, 1, 2, 4, 5, 7, 6, 6])  # 3 is lost, 6 is late and doubled
    assert (state.expected, state.received, state.lost) == (8, 8, 0)


def test_a_packet_out_of_order_across_the_wrap_is_no_new_cycle():
    state = SourceState(65534, 8000, probation=0)
    feed(state, [65534, 65536, 65535, 65537])
    assert state.extended_highest == 65537


def test_a_far_number_is_believed_when_it_is_repeated():
    state = SourceState(10, 8000, probation=0)
    feed(state, [10, 11, 12])
    assert feed(state, [40000]) == [SourceVerdict.IMPLAUSIBLE]
    assert feed(state, [13]) == [SourceVerdict.VALID]
    assert feed(state, [50000, 50001]) == [SourceVerdict.IMPLAUSIBLE, SourceVerdict.RESTARTED]
    assert state.received == 1
    assert state.expected == 1


def test_the_fraction_lost_is_that_of_the_interval():
    state = SourceState(0, 8000, probation=0)
    feed(state, [0, 1, 2, 3, 8])  # nine expected, five came
    assert state.take_fraction_lost() == 4 * 256 // 9
    assert state.take_fraction_lost() == 0
    feed(state, [9, 10])
    assert state.take_fraction_lost() == 0


def test_even_packets_have_no_jitter():
    state = SourceState(0, 8000, probation=0)
    feed(state, range(500))
    assert state.jitter_ms == pytest.approx(0, abs=1e-6)


def test_jitter_settles_at_the_mean_difference_of_transit():
    state = SourceState(0, 8000, probation=0)
    for index in range(2000):
        state.update(index & 0xFFFF, index * 160, index * 0.02 + (0.010 if index % 2 else 0))
    assert state.jitter_ms == pytest.approx(10, rel=0.01)


def test_the_wrap_of_the_timestamp_is_no_jitter():
    state = SourceState(0, 8000, probation=0)
    begin = 2**32 - 8000
    for index in range(200):
        state.update(index, (begin + index * 160) & 0xFFFFFFFF, 5.0 + index * 0.02)
    assert state.jitter_ms == pytest.approx(0, abs=1e-3)


def test_timestamps_that_begin_anew_are_no_jitter():
    """RFC 3550 §A.8 alone would tell of hours, and forget them only after hundreds of packets."""
    source = SourceState(0, 8000, 0)
    for number in range(200):
        line = 1_000_000_000 if number >= 100 else 0
        source.update(number, number * 160 + line, number * 0.02)
    assert source.jitter_ms < 0.1


def test_jitter_keeps_its_length_when_the_clock_changes():
    """RFC 3550 §6.4.1."""
    source = SourceState(0, 8000, 0)
    for number in range(200):
        source.update(number, number * 160, number * 0.02 + number % 2 * 0.01)
    before = source.jitter_ms
    source.run_at(48000)
    assert source.jitter_ms == pytest.approx(before) == pytest.approx(10, rel=0.05)
    for number in range(200, 400):
        source.update(number, number * 960, number * 0.02)
    assert source.jitter_ms < 0.1
