"""Levels in dBov."""

from array import array

import pytest

from firmware.dsp.level import SILENCE, dbov, level_of, rms, sine_peak
from firmware.dsp.tones import Tone


def test_a_full_scale_square_wave_is_zero():
    """RFC 6465 §3."""
    assert level_of(array("h", [-32768, 32767] * 80).tobytes()) == pytest.approx(0, abs=0.001)


def test_a_full_scale_sine_is_three_decibels_lower():
    assert sine_peak(-3.0103) == pytest.approx(32768, rel=1e-4)
    assert level_of(Tone((1000,), -3.02, 8000).block(800)) == pytest.approx(-3.02, abs=0.01)


def test_half_the_amplitude_is_six_decibels_less():
    assert dbov(8192) - dbov(16384) == pytest.approx(-6.02, abs=0.01)


@pytest.mark.parametrize("pcm", [b"", bytes(320)])
def test_silence_has_the_lowest_level(pcm):
    assert rms(pcm) == 0
    assert level_of(pcm) == SILENCE
