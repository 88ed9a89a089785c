"""White noise: the stuff that pauses and quiet rooms are made of. Pure."""

import sys
from functools import lru_cache

from firmware.base.pcm import SAMPLE_BYTES, audioop

WHITE_LEVEL = 2048
"""Root mean square of the noise, in samples."""
_SAMPLES = 8192
_POWER = 88000
_ENDS = 800
"""Octets at the ends of the large number that are zero or hardly random."""


@lru_cache(maxsize=1)
def white_noise() -> bytes:
    """Half a second at 16 kHz of it, the same every time: nobody can tell, and no lots are drawn.

    The binary digits of a large power of three pass for random ones, and C computes them in two
    milliseconds.
    """
    size = _SAMPLES * SAMPLE_BYTES
    uniform = (3**_POWER).to_bytes(_POWER // 5, sys.byteorder)[-size - _ENDS : -_ENDS]
    return audioop.mul(uniform, SAMPLE_BYTES, WHITE_LEVEL / audioop.rms(uniform, SAMPLE_BYTES))
