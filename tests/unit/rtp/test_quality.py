"""The E-model and the pattern of losses."""

import random

import pytest

from firmware.rtp.quality import LossPattern, Opinion, mos, rating


def test_an_undisturbed_call_has_the_rating_of_the_default_values():
    assert rating(20, 0.0) == pytest.approx(93.2)
    assert mos(93.2) == pytest.approx(4.41, abs=0.01)


@pytest.mark.parametrize(
    ("delay", "expected"), [(0, 0.0), (100, 0.0), (150, 0.2), (200, 3.0), (300, 14.6), (400, 24.4)]
)
def test_delay_costs_little_up_to_150_ms_and_then_much(delay, expected):
    assert 93.2 - rating(delay, 0.0) == pytest.approx(expected, abs=0.7)


@pytest.mark.parametrize(("loss", "expected"), [(0.01, 3.6), (0.05, 15.8), (0.10, 27.1), (1, 76.0)])
def test_losses_cost_by_how_the_codec_bears_them(loss, expected):
    assert 93.2 - rating(0, loss) == pytest.approx(expected, abs=0.1)
    assert rating(0, loss, codec="unheard-of") < rating(0, loss)


def test_losses_in_bursts_are_worse_than_alone():
    assert rating(0, 0.1, burst_ratio=3.0) < rating(0, 0.1) - 3


def test_opinions_stay_within_their_scale():
    opinions = [mos(each / 10) for each in range(-500, 1500)]
    assert min(opinions) == 1.0
    assert max(opinions) == 4.5
    assert opinions == sorted(opinions)


def test_losses_at_random_have_a_burst_ratio_of_one():
    rng = random.Random(3)  # noqa: S311 - a seeded network
    pattern = LossPattern()
    for number in range(20_000):
        if rng.random() < 0.1:
            pattern.miss(number)
    assert pattern.burst_ratio(20_000) == pytest.approx(1.0, abs=0.05)


def test_bursts_and_gaps_are_told_apart():
    """RFC 3611 §4.7.2: fewer than sixteen packets between two losses are a burst."""
    pattern = LossPattern()
    for number in (100, 105, 106, 110):  # a burst of eleven packets, four of them lost
        pattern.miss(number)
    pattern.miss(500)  # alone
    pattern.miss(700, 3)
    figures = pattern.figures(1000)
    assert pattern.missed == 8
    assert figures.burst_length == (11 + 3) / 2
    assert figures.burst_density == 7 / 14
    assert figures.gap_density == 1 / (1000 - 14)
    assert figures.gap_length == (1000 - 14) / 3


def test_numbers_that_begin_anew_do_not_join_bursts():
    pattern = LossPattern()
    pattern.miss(10)
    pattern.restart()
    pattern.miss(12)
    assert pattern.figures(100).burst_length == 0


def test_a_bad_moment_is_heard_at_once_and_forgiven_after_some_seconds():
    opinion = Opinion()
    assert opinion.mos is None
    marks = []
    for second in range(30):
        missed = 25 if second >= 5 else 0
        opinion.hear(missed, 50 * (second + 1), delay_ms=60, burst_ratio=1.0, codec="PCMU")
        marks.append(opinion.mos)
    assert marks[4] == pytest.approx(4.4, abs=0.02)
    assert marks[5] < 3.8
    assert marks[29] == pytest.approx(4.4, abs=0.05)


def test_a_pause_leaves_the_opinion_as_it_was():
    opinion = Opinion()
    opinion.hear(0, 50, delay_ms=60, burst_ratio=1.0, codec="PCMU")
    before = opinion.mos
    opinion.hear(0, 50, delay_ms=60, burst_ratio=1.0, codec="PCMU")
    assert opinion.mos == before
