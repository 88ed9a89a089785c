"""Speech made shorter or longer by one pitch period: nobody hears it, and the delay has moved.

Where two neighbouring periods look alike one of them is left out, or said twice, and the seam is
cross-faded; the pitch stays. In the spirit of WSOLA, on what is at hand: 20 ms and more. Whether
the place is a good one is for the caller to say by `likeness`, 1 for equal periods. Pure.
"""

from typing import NamedTuple

from firmware.base.pcm import SAMPLE_BYTES, audioop
from firmware.dsp.waveform import (
    LONGEST_PERIOD,
    SHORTEST_PERIOD,
    best_match,
    crossfade,
    likeness,
    step_at,
)

_SEAM = 0.005
_QUIET = 60
"""Below this root mean square nobody hears a seam, whatever it joins."""


class Stretched(NamedTuple):
    """The new sound, and how alike the periods were that were joined."""

    pcm: bytes
    likeness: float


def shorter(pcm: bytes, rate: int, most: float = LONGEST_PERIOD) -> Stretched | None:
    """Without one period near its beginning, of at most `most` seconds; None: too short for it."""
    samples = len(pcm) // SAMPLE_BYTES
    seam, least = round(rate * _SEAM), round(rate * SHORTEST_PERIOD)
    longest = min(round(rate * min(most, LONGEST_PERIOD)), samples - seam)
    if longest < least:
        return None
    size = seam * SAMPLE_BYTES
    start = pcm[:size]
    searched = pcm[least * SAMPLE_BYTES : (longest + seam) * SAMPLE_BYTES]
    place = (least + best_match(searched, start, step_at(rate))) * SAMPLE_BYTES
    again = pcm[place : place + size]
    return Stretched(crossfade(start, again) + pcm[place + size :], _alike(start, again))


def longer(pcm: bytes, rate: int) -> Stretched | None:
    """With its last period said twice; None: too short for it."""
    samples = len(pcm) // SAMPLE_BYTES
    seam, least = round(rate * _SEAM), round(rate * SHORTEST_PERIOD)
    start = samples - seam
    longest = min(round(rate * LONGEST_PERIOD), start)
    if longest < least:
        return None
    size = seam * SAMPLE_BYTES
    end = pcm[-size:]
    searched = pcm[(start - longest) * SAMPLE_BYTES : (start - least) * SAMPLE_BYTES + size]
    place = (start - longest + best_match(searched, end, step_at(rate))) * SAMPLE_BYTES
    again = pcm[place : place + size]
    return Stretched(pcm[:-size] + crossfade(end, again) + pcm[place + size :], _alike(end, again))


def _alike(one: bytes, other: bytes) -> float:
    if max(audioop.rms(one, SAMPLE_BYTES), audioop.rms(other, SAMPLE_BYTES)) < _QUIET:
        return 1.0
    return likeness(one, other)
