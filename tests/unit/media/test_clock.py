"""The 20 ms grid."""

import pytest

from firmware.media.clock import FRAME, Beat


def test_frames_stay_on_the_grid_however_late_single_ones_are():
    beat = Beat(100.0)
    for number, late in enumerate((0.0, 0.003, 0.019, 0.001, 0.0)):
        assert beat.due == pytest.approx(100.0 + number * FRAME)
        assert beat.take(beat.due + late) == 0
    assert beat.take_worst() == pytest.approx(0.019)
    assert beat.take_worst() == 0


def test_a_short_stall_is_caught_up_frame_by_frame():
    beat = Beat(100.0)
    now = 100.15
    frames = 0
    while now >= beat.due:
        assert beat.take(now) == 0
        frames += 1
    assert frames == 8


def test_after_a_long_stall_the_lost_frames_are_counted_and_not_played():
    beat = Beat(100.0)
    assert beat.take(103.0) == 150
    assert beat.due == pytest.approx(103.02)
    assert beat.take_worst() == pytest.approx(3.0)


def test_beside_a_card_that_sets_the_pace_its_clock_is_the_one_that_counts():
    beat = Beat(100.0)
    now = 100.0
    for _ in range(100_000):  # half an hour with a card that is 1000 ppm slow
        now += FRAME * 1.001
        assert beat.due < now
        assert beat.follow(now) == 0
    assert beat.take_worst() < 0.001


def test_periods_that_come_by_twos_are_no_stall():
    beat = Beat(100.0)
    now = 100.0
    for _ in range(10_000):
        for wait in (0.001, 2 * FRAME - 0.001):
            now += wait
            assert beat.follow(now) == 0


@pytest.mark.parametrize("waits", [[3.0], [0.06] * 25, [0.15] * 12], ids=len)
def test_a_card_that_stalls_costs_the_frames_of_that_time(waits):
    beat = Beat(100.0)
    now, done = 100.0, 0
    for wait in [FRAME] * 50 + waits + [FRAME] * 50:
        now += wait
        done += 1 + beat.follow(now)
    assert done * FRAME == pytest.approx(now - 100.0, abs=0.21)


def test_a_card_that_forgets_to_block_does_not_make_the_engine_spin():
    beat = Beat(100.0)
    beat.follow(100.0)
    assert beat.due == pytest.approx(100.0 + FRAME / 2)
