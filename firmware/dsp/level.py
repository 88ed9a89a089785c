"""Levels: dBov, where 0 is the power of a full-scale square wave (RFC 6465 §3, ITU-T G.100.1).

A full-scale sine is -3.01 dBov. Silence is `SILENCE`, the lowest value there is.
"""

import math

from firmware.base.pcm import SAMPLE_BYTES, audioop

FULL_SCALE = 32768
SILENCE = -127.0


def rms(pcm: bytes) -> int:
    """Root mean square of 16-bit samples, in samples; 0 for no samples."""
    return audioop.rms(pcm, SAMPLE_BYTES) if pcm else 0


def dbov(root_mean_square: float) -> float:
    """The level of a root mean square in samples."""
    if root_mean_square <= 0:
        return SILENCE
    return max(SILENCE, 20 * math.log10(root_mean_square / FULL_SCALE))


def level_of(pcm: bytes) -> float:
    """The level of 16-bit samples in dBov."""
    return dbov(rms(pcm))


def sine_peak(level: float) -> float:
    """The peak, in samples, of a sine of `level` dBov."""
    return FULL_SCALE * math.sqrt(2) * float(10 ** (level / 20))
