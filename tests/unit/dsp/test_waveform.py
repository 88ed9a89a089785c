"""Waveforms held against each other."""

import math
from array import array

import pytest

from firmware.base.pcm import audioop
from firmware.dsp.waveform import best_match, likeness, period_of, ring, squeezed, turn


def wave(hertz, samples=640, rate=8000, peak=8000.0):
    step = 2 * math.pi * hertz / rate
    return array("h", (int(peak * math.sin(step * n)) for n in range(samples))).tobytes()


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("hertz", [80, 100, 160, 250, 380])
def test_the_period_of_a_voice_is_found_at_any_rate(rate, hertz):
    sound = wave(hertz, rate // 25, rate)
    found = period_of(sound, rate, 0.010)
    periods = found / (rate / hertz)
    assert periods == pytest.approx(round(periods), abs=0.03)
    assert round(periods) >= 1


def test_a_waveform_upside_down_is_no_match():
    sound = wave(100)
    pattern = sound[200:360]
    place = best_match(sound[:320], pattern)
    assert likeness(sound[place * 2 : place * 2 + 160], pattern) > 0.99
    upside_down = audioop.mul(sound, 2, -1)
    found = best_match(upside_down[:320], pattern)
    assert likeness(upside_down[found * 2 : found * 2 + 160], pattern) > 0.9


def test_likeness_is_one_for_the_same_shape_and_none_for_silence():
    assert likeness(wave(200), audioop.mul(wave(200), 2, 0.3)) == pytest.approx(1.0, abs=0.01)
    assert likeness(wave(200), audioop.mul(wave(200), 2, -1)) == pytest.approx(-1.0, abs=0.01)
    assert likeness(wave(200), bytes(1280)) == 0.0


def test_a_ring_goes_round():
    cycle = ring(wave(200), 40, 8)
    assert len(cycle) == 80
    assert turn(cycle, 0, 100) == (cycle * 3)[:200]
    assert turn(cycle, 130, 5) == (cycle * 5)[260:270]


@pytest.mark.parametrize(("samples", "wanted"), [(160, 160), (150, 160), (171, 160), (2, 160)])
def test_a_squeezed_sound_has_the_wanted_length(samples, wanted):
    assert len(squeezed(wave(100), samples, wanted)) == wanted * 2


def test_a_squeezed_sound_keeps_its_shape():
    squashed = squeezed(wave(100, 400), 200, 160)
    assert likeness(squashed[:300], wave(125, 150)) > 0.99
