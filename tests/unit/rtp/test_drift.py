"""The far end's clock against ours, from when its packets come."""

import random

import pytest

from firmware.rtp.drift import DriftMeter


def call(ppm, seconds, *, jitter=0.0, begin=0.0, meter=None):
    """A far end whose clock is so much faster, seen once a second."""
    dice = random.Random(4)  # noqa: S311 - a network
    meter = meter or DriftMeter()
    for second in range(seconds):
        now = begin + second
        meter.note(now, 7.0 - now * ppm * 1e-6 + dice.uniform(0, jitter))
    return meter


@pytest.mark.parametrize("ppm", [0, 30, 200, -200, 1000])
def test_f31_the_drift_of_a_quiet_network_is_exact(ppm):
    assert call(ppm, 70).ppm == pytest.approx(ppm, abs=0.01)


@pytest.mark.parametrize("ppm", [0, 100, -100])
def test_f31_a_trembling_network_is_averaged(ppm):
    assert call(ppm, 300, jitter=0.003).ppm == pytest.approx(ppm, abs=8)


def test_nothing_is_said_before_it_is_known():
    assert DriftMeter().ppm is None
    assert call(200, 60).ppm is None
    assert call(200, 61).ppm is not None


def test_another_way_through_the_network_begins_anew():
    meter = call(100, 100)
    meter.note(100.0, 9.0)
    assert meter.ppm is None


def test_a_clock_that_changes_is_followed():
    meter = call(100, 600)
    shift = 7.0 - 600 * 100e-6
    for second in range(600):
        meter.note(600.0 + second, shift + second * 50e-6)
    assert meter.ppm == pytest.approx(-50, abs=8)


def test_a_day_keeps_its_precision():
    assert call(20, 86_400).ppm == pytest.approx(20, abs=0.1)
