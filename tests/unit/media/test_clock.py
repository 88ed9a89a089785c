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


def test_beside_a_card_that_sets_the_pace_nothing_is_ever_skipped():
    beat = Beat(100.0)
    now = 100.0
    for _ in range(100_000):  # half an hour with a card that is 500 ppm slow
        now += FRAME * 1.0005
        assert beat.due < now
        beat.follow(now)
    assert beat.take_worst() < 0.001


def test_a_card_that_forgets_to_block_does_not_make_the_engine_spin():
    beat = Beat(100.0)
    beat.follow(100.0)
    assert beat.due == pytest.approx(100.0 + FRAME / 2)
