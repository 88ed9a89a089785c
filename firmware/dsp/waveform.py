"""Waveforms held against each other: where one resembles another, how one passes into the other.

What concealment and time-stretching are made of. Sounds are 16-bit samples as bytes, lengths and
places are counted in samples. The correlations are audioop's, so a search costs microseconds; it
is asked only when something is missing or must be shortened.
"""

from array import array
from functools import lru_cache

from firmware.base.pcm import SAMPLE_BYTES, audioop

SHORTEST_PERIOD = 0.0025
"""Seconds of the highest voice's pitch period; the shortest anybody has is the same for a child."""
LONGEST_PERIOD = 0.015
QUIET = 16
"""Below this root mean square there is no pitch to look for."""


@lru_cache(maxsize=32)
def slope(length: int) -> tuple[float, ...]:
    """Shares from nothing to all, one a sample."""
    return tuple((index + 0.5) / length for index in range(length))


def crossfade(old: bytes, new: bytes) -> bytes:
    """From one sound to the other over their common length."""
    length = min(len(old), len(new)) // SAMPLE_BYTES
    before, after = array("h", old[: length * 2]), array("h", new[: length * 2])
    for index, share in enumerate(slope(length)):
        after[index] = int(before[index] + (after[index] - before[index]) * share)
    return after.tobytes()


def likeness(one: bytes, other: bytes) -> float:
    """The normalised correlation of two equally long sounds: 1 for the same shape, 0 for none."""
    weight, reference = audioop.rms(one, SAMPLE_BYTES), audioop.rms(other, SAMPLE_BYTES)
    if not weight or not reference:
        return 0.0
    return audioop.findfactor(one, other) * reference / weight


def best_match(searched: bytes, pattern: bytes, step: int = 1) -> int:
    """Where in `searched` the pattern is found best, upright; looked for at each `step` places.

    audioop's own search takes a waveform turned upside down for a match, which is why it is not
    used.
    """
    size = len(pattern)
    last = (len(searched) - size) // SAMPLE_BYTES
    factor, rms = audioop.findfactor, audioop.rms

    def fit(place: int) -> float:
        part = searched[place * 2 : place * 2 + size]
        weight = rms(part, SAMPLE_BYTES)
        return factor(part, pattern) / weight if weight else 0.0

    top = max(range(0, last + 1, step), key=fit)
    if step > 1:
        near = range(max(0, top - step + 1), min(last, top + step - 1) + 1)
        top = max(near, key=fit)
    return top


def period_of(sound: bytes, rate: int, pattern: float, longest: float = LONGEST_PERIOD) -> int:
    """The pitch period at the end of a sound, in samples.

    `pattern` is the seconds that are compared; with `longest` they must fit into the sound. What
    is too quiet to have a pitch gets the longest one.
    """
    most = min(round(rate * longest), len(sound) // SAMPLE_BYTES - round(rate * pattern))
    size = round(rate * pattern) * SAMPLE_BYTES
    end = sound[-size:]
    if audioop.rms(end, SAMPLE_BYTES) < QUIET:
        return most
    searched = sound[-size - most * 2 : len(sound) - round(rate * SHORTEST_PERIOD) * 2]
    return most - best_match(searched, end, step_at(rate))


def step_at(rate: int) -> int:
    """How coarsely to look first: as finely as 8 kHz shows it."""
    return max(1, rate // 8000)


def ring(sound: bytes, period: int, seam: int) -> bytes:
    """The last `period` samples as a ring: its end fades into what came before its beginning."""
    seam = min(seam, period // 4)
    length, seam_bytes = period * SAMPLE_BYTES, seam * SAMPLE_BYTES
    if not seam:
        return sound[-length:]
    before = sound[-length - seam_bytes : -length]
    return sound[-length:-seam_bytes] + crossfade(sound[-seam_bytes:], before)


def turn(cycle: bytes, place: int, samples: int) -> bytes:
    """So many samples of a ring from a place on."""
    start = place % (len(cycle) // SAMPLE_BYTES) * SAMPLE_BYTES
    end = start + samples * SAMPLE_BYTES
    return (cycle * (end // len(cycle) + 1))[start:end]


def squeezed(sound: bytes, samples: int, wanted: int) -> bytes:
    """The first `samples` of a sound in the time of `wanted`: pitch and all, by straight lines."""
    if samples == wanted:
        return sound[: wanted * SAMPLE_BYTES]
    more = sound[: (samples + 2) * SAMPLE_BYTES]
    out, _ = audioop.ratecv(more, SAMPLE_BYTES, 1, samples, wanted, None)
    size = wanted * SAMPLE_BYTES
    return out[:size] if len(out) >= size else out + out[-SAMPLE_BYTES:] * (wanted - len(out) // 2)


def at_rate(pcm: bytes, rate: int, wanted: int) -> bytes:
    """Some milliseconds at another rate: too short for their aliases to be heard."""
    if rate == wanted or not pcm:
        return pcm
    # It begins with what it begins with, and not with silence.
    _, state = audioop.ratecv(pcm[:2] * 2, 2, 1, rate, wanted, None)
    return audioop.ratecv(pcm, 2, 1, rate, wanted, state)[0]
