"""Speech made shorter or longer by a period."""

import itertools
import math
from array import array

import pytest

from firmware.dsp.level import level_of
from firmware.dsp.time_stretch import longer, shorter
from firmware.dsp.tone_probe import dominant
from firmware.dsp.tones import Tone


def voice(hertz, samples, rate=8000):
    return Tone((hertz, 2 * hertz, 3 * hertz), -25, rate).block(samples)


def steepest(pcm):
    return max(abs(b - a) for a, b in itertools.pairwise(array("h", pcm)))


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("hertz", [100, 160, 250])
@pytest.mark.parametrize("how", [shorter, longer])
def test_a_voice_changes_its_length_by_whole_periods_and_keeps_its_pitch(how, hertz, rate):
    frame = voice(hertz, rate // 25, rate)
    done = how(frame, rate)
    periods = abs(len(done.pcm) - len(frame)) / 2 / (rate / hertz)
    assert periods == pytest.approx(round(periods), abs=0.05)
    assert round(periods) >= 1
    assert (len(done.pcm) < len(frame)) is (how is shorter)
    assert done.likeness > 0.95
    assert steepest(done.pcm) < steepest(frame) * 1.1
    assert level_of(done.pcm) == pytest.approx(level_of(frame), abs=0.8)


@pytest.mark.parametrize("how", [shorter, longer])
def test_the_ends_stay_so_that_the_neighbours_fit(how):
    frame = voice(160, 160)
    done = how(frame, 8000).pcm
    near = array("h", done[:2] + done[-2:])
    wanted = array("h", frame[:2] + frame[-2:])
    assert all(math.isclose(a, b, abs_tol=200) for a, b in zip(near, wanted, strict=True))
    if how is shorter:
        assert done[-40:] == frame[-40:]
    else:
        assert done[:40] == frame[:40]
        assert done[-40:] == frame[-40:]


def test_no_more_is_left_out_than_is_wanted():
    frame = voice(100, 320)
    done = shorter(frame, 8000, 0.004)
    assert 20 <= (len(frame) - len(done.pcm)) / 2 <= 32


def test_a_place_that_does_not_fit_says_so():
    # A voice that changes into another one in the middle: no two periods are alike.
    torn = voice(110, 40) + Tone((731, 1733), -25, 8000).block(40) + voice(317, 80)
    assert shorter(torn, 8000).likeness < 0.9


def test_silence_may_always_be_changed():
    assert shorter(bytes(320), 8000).likeness == 1.0
    assert longer(bytes(320), 8000).likeness == 1.0


@pytest.mark.parametrize("samples", [0, 1, 20, 40, 59])
def test_what_is_too_short_stays(samples):
    assert shorter(bytes(samples * 2), 8000) is None
    assert longer(bytes(samples * 2), 8000) is None


def test_a_tone_that_is_stretched_again_and_again_is_still_that_tone():
    tone = Tone((440,), -20, 8000)
    out = b"".join(longer(tone.block(160), 8000).pcm for _ in range(50))
    assert dominant(out, 8000)[0] == pytest.approx(440, abs=4)
