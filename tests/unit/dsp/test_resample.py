"""Between card and codec rates, with and without libspeexdsp."""

from pathlib import Path

import pytest

from firmware.dsp.level import level_of
from firmware.dsp.resample import Resampler
from firmware.dsp.speex import LIBRARY, SpeexError, SpeexResampler, available
from firmware.dsp.tone_probe import dominant
from firmware.dsp.tones import Tone

PAIRS = [
    (8000, 16000), (8000, 48000), (16000, 48000),
    (16000, 8000), (48000, 8000), (48000, 16000), (8000, 8000),
]  # fmt: skip
LIBRARIES = [
    pytest.param(True, id="speex", marks=pytest.mark.skipif(not available(), reason=LIBRARY)),
    pytest.param(False, id="plain"),
]


def converted(frequency, rate, wanted, *, library, level=-10.0, frames=20) -> list[bytes]:
    tone, resampler = Tone((frequency,), level, rate), Resampler(rate, wanted, library=library)
    return [resampler.convert(tone.block(rate // 50)) for _ in range(frames)]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(("rate", "wanted"), PAIRS)
def test_twenty_milliseconds_stay_twenty_milliseconds(rate, wanted, library):
    lengths = {len(frame) for frame in converted(1000, rate, wanted, library=library)}
    assert lengths == {wanted // 50 * 2}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize(("rate", "wanted"), PAIRS)
def test_a_tone_keeps_its_pitch_and_level_without_a_seam(rate, wanted, library):
    heard = b"".join(converted(1000, rate, wanted, library=library)[5:])
    hertz, level = dominant(heard, wanted)
    assert hertz == pytest.approx(1000, abs=0.2)
    assert level == pytest.approx(-10, abs=0.6)
    assert level_of(heard) == pytest.approx(level, abs=0.3)  # nothing but the tone


@pytest.mark.skipif(not available(), reason=LIBRARY)
@pytest.mark.parametrize("frequency", [4500, 7000, 20000])
def test_what_the_lower_rate_cannot_hold_does_not_fold_back(frequency):
    heard = b"".join(converted(frequency, 48000, 8000, library=True)[5:])
    assert level_of(heard) < -60


def test_without_the_library_folding_is_at_least_weakened():
    assert level_of(b"".join(converted(7000, 48000, 8000, library=False)[5:])) < -20


@pytest.mark.skipif(not available(), reason=LIBRARY)
def test_rates_the_library_does_not_know_are_an_error_in_words():
    with pytest.raises(SpeexError, match="from 0 to 8000"):
        SpeexResampler(0, 8000)


@pytest.mark.parametrize("library", LIBRARIES)
def test_frames_of_any_length_are_taken(library):
    resampler = Resampler(8000, 16000, library=library)
    for samples in (0, 1, 80, 480, 160):
        assert len(resampler.convert(bytes(samples * 2))) == samples * 4


@pytest.mark.skipif(not available(), reason=LIBRARY)
def test_ten_thousand_resamplers_are_given_back():
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])

    SpeexResampler(8000, 16000)
    before = resident()
    for _ in range(10_000):
        SpeexResampler(8000, 16000)
    assert resident() - before < 500  # pages; each resampler needs one or two
