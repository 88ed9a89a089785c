"""Which tone is in some samples, and how loud: how tests and the self-test check sound by content.

A small Fourier transform finds the neighbourhood; correlation with sine and cosine, which is what
a Goertzel filter computes, measures there. audioop does it in C as the factor that fits one signal
to another best. Made for checks, not for the audio path: a look costs milliseconds.
"""

import cmath
import math
from array import array
from functools import lru_cache

from firmware.base.pcm import SAMPLE_BYTES, audioop
from firmware.dsp.level import SILENCE, dbov
from firmware.dsp.sine import PEAK, Sine

_LOWEST = 50
_SHORTEST = 64
_LONGEST = 8192


def tone_level(pcm: bytes, rate: int, frequency: float) -> float:
    """The level of one frequency (whole hertz) in dBov."""
    return dbov(_amplitude(pcm, rate, round(frequency)) / math.sqrt(2))


def dominant(pcm: bytes, rate: int) -> tuple[float, float]:
    """The strongest frequency in Hz and its level in dBov; (0, SILENCE) if there is nothing.

    Good to about 0.1 Hz for a lone tone of 100 ms. Looks from 50 Hz to half the rate.
    """
    peaks = _peaks(pcm, rate, 1)
    if not peaks:
        return 0.0, SILENCE
    hertz = peaks[0]
    return hertz + _offset(pcm, rate, hertz), tone_level(pcm, rate, hertz)


def dominant_pair(pcm: bytes, rate: int) -> tuple[int, int]:
    """The two strongest frequencies in whole Hz, the lower first: which key, which dial tone.

    (0, 0) if there is nothing. 100 ms tell tones apart that differ by 50 Hz.
    """
    peaks = sorted(_peaks(pcm, rate, 2))
    return (peaks[0], peaks[1]) if len(peaks) == 2 else (0, 0)


def _peaks(pcm: bytes, rate: int, count: int) -> list[int]:
    """The strongest frequencies, strongest first, at least four lines of the spectrum apart."""
    samples = array("h", pcm[: _LONGEST * SAMPLE_BYTES])
    if len(samples) < _SHORTEST or not audioop.rms(pcm, SAMPLE_BYTES):
        return []
    size = 1 << (len(samples) - 1).bit_length()
    length = len(samples)
    # The window keeps a strong tone's skirt below a weak neighbour.
    shaped: list[complex] = [
        value * (0.5 - 0.5 * math.cos(2 * math.pi * (index + 0.5) / length))
        for index, value in enumerate(samples)
    ]
    shaped += [0j] * (size - length)
    powers = [abs(line) for line in _transform(shaped)[: size // 2]]
    width = max(1, 4 * size // length)
    found: list[int] = []
    for _ in range(count):
        lowest = _LOWEST * size // rate
        line = max(range(lowest, size // 2), key=powers.__getitem__)
        found.append(_refined(pcm, rate, line * rate / size, rate / size))
        powers[max(0, line - width) : line + width] = [0.0] * (
            min(size // 2, line + width) - max(0, line - width)
        )
    return found


def _refined(pcm: bytes, rate: int, about: float, line: float) -> int:
    """The whole hertz within a line of `about` that fits best."""
    low, high = max(1, math.floor(about - line)), min(rate // 2 - 1, math.ceil(about + line))
    return max(range(low, high + 1), key=lambda hertz: _amplitude(pcm, rate, hertz))


@lru_cache(maxsize=16)
def _turns(size: int) -> list[complex]:
    return [cmath.exp(-2j * math.pi * index / size) for index in range(size // 2)]


def _transform(values: list[complex]) -> list[complex]:
    """The discrete Fourier transform; the length is a power of two."""
    size = len(values)
    if size == 1:
        return values
    even, odd = _transform(values[::2]), _transform(values[1::2])
    turned = [turn * value for turn, value in zip(_turns(size), odd, strict=True)]
    return [a + b for a, b in zip(even, turned, strict=True)] + [
        a - b for a, b in zip(even, turned, strict=True)
    ]


def _fit(pcm: bytes, rate: int, hertz: int) -> tuple[float, float]:
    """How much sine and cosine of `hertz` is in `pcm`, in samples of peak."""
    samples = len(pcm) // SAMPLE_BYTES
    pcm = pcm[: samples * SAMPLE_BYTES]
    sine = Sine(hertz, rate).block(samples)
    cosine = Sine(hertz, rate, 90).block(samples)
    return audioop.findfactor(pcm, sine) * PEAK, audioop.findfactor(pcm, cosine) * PEAK


def _amplitude(pcm: bytes, rate: int, hertz: int) -> float:
    return math.hypot(*_fit(pcm, rate, hertz))


def _offset(pcm: bytes, rate: int, hertz: int) -> float:
    """How far the tone is from `hertz`: by the turn of its phase between the two halves."""
    half = len(pcm) // 4
    sine, cosine = _fit(pcm[: half * 2], rate, hertz)
    later_sine, later_cosine = _fit(pcm[half * 2 : half * 4], rate, hertz)
    turned = math.atan2(later_cosine, later_sine) - math.atan2(cosine, sine)
    expected = 2 * math.pi * ((hertz * half / rate) % 1)
    difference = (turned - expected + math.pi) % (2 * math.pi) - math.pi
    return difference * rate / (2 * math.pi * half)
