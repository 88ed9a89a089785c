"""F35: an input that is too loud, or stuck, hurts nobody."""

import math
from array import array

import numpy as np
import pytest

from firmware.base.pcm import audioop
from firmware.dsp.limiter import CEILING, Limiter


def frame(sample):
    return array("h", (sample(n) for n in range(320))).tobytes()


QUIET = frame(lambda n: round(300 * math.sin(n / 5)))


def test_ordinary_speech_passes_untouched():
    assert {Limiter().limit(QUIET) for _ in range(5)} == {QUIET}


@pytest.mark.parametrize("sample", [32767, -32768, 12_000])
def test_f35_an_input_that_is_stuck_falls_silent(sample):
    limiter = Limiter()
    last = [limiter.limit(frame(lambda _: sample)) for _ in range(30)][-1]
    assert audioop.max(last, 2) < 40


@pytest.mark.parametrize(
    "wave",
    [
        lambda n: round(32767 * math.sin(n / 5)),
        lambda n: 32767 if n % 32 < 16 else -32768,
        lambda n: 32767 if n % 32 < 8 else -9000,
    ],
)
def test_f35_full_scale_is_turned_down_and_nothing_wraps_round(wave):
    limiter = Limiter()
    said = frame(wave)
    for _ in range(50):
        heard = limiter.limit(said)
        assert audioop.max(heard, 2) <= CEILING + 33
        same = np.corrcoef(np.frombuffer(heard, np.int16), np.frombuffer(said, np.int16))[0, 1]
        assert same > 0.999, "something wrapped round"


def test_after_something_loud_speech_comes_back_slowly():
    limiter = Limiter()
    limiter.limit(frame(lambda n: 32767 if n % 32 < 16 else -32767))
    levels = [audioop.max(limiter.limit(QUIET), 2) for _ in range(50)]
    assert levels[0] < 0.95 * levels[-1]
    assert levels == sorted(levels)
    assert levels[-1] == audioop.max(QUIET, 2)


def test_nothing_is_nothing():
    assert Limiter().limit(b"") == b""
