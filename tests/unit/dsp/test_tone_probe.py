"""The judge of what is heard must itself be right."""

import math
import random
from array import array

import pytest

from firmware.dsp.level import SILENCE
from firmware.dsp.tone_probe import dominant, dominant_pair, tone_level
from firmware.dsp.tones import Tone


def sine(hertz: float, rate: int = 8000, seconds: float = 0.2, peak: float = 8000) -> bytes:
    count = round(rate * seconds)
    return array(
        "h", [round(peak * math.sin(math.tau * hertz * n / rate + 0.7)) for n in range(count)]
    ).tobytes()


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("hertz", [62.0, 300.25, 437.4, 999.5, 1000.0, 3333.3])
def test_a_tone_between_whole_hertz_is_measured_to_a_tenth(hertz, rate):
    found, level = dominant(sine(hertz, rate), rate)
    assert found == pytest.approx(hertz, abs=0.1)
    assert level == pytest.approx(20 * math.log10(8000 / 32768 / math.sqrt(2)), abs=0.6)


def test_a_tone_in_noise_is_found():
    rng = random.Random(3)  # noqa: S311 - noise
    noisy = array("h", (round(value + rng.gauss(0, 4000)) for value in array("h", sine(1000))))
    assert dominant(noisy.tobytes(), 8000)[0] == pytest.approx(1000, abs=1)


@pytest.mark.parametrize("pcm", [b"", bytes(20), bytes(3200)])
def test_silence_has_no_tone(pcm):
    assert dominant(pcm, 8000) == (0.0, SILENCE)
    assert dominant_pair(pcm, 8000) == (0, 0)


def test_what_is_not_there_is_not_heard():
    pcm = Tone((1000,), -10, 8000).block(1600)
    assert tone_level(pcm, 8000, 1000) == pytest.approx(-10, abs=0.05)
    assert tone_level(pcm, 8000, 1500) < -60


def test_the_weaker_of_two_tones_is_found_as_well():
    loud, soft = array("h", sine(440)), array("h", sine(1234, peak=800))
    both = array("h", (a + b for a, b in zip(loud, soft, strict=True)))
    assert dominant_pair(both.tobytes(), 8000) == pytest.approx((440, 1234), abs=1)
