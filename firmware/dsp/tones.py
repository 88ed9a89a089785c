"""Tones by frequency, level and cadence, as 16-bit samples (ITU-T E.180 gives the world's).

A `TonePlayer` plays segments: each begins and ends with a ramp of 5 ms, so that nothing clicks, and
the phase runs on from block to block. Which tones a country has is for `cadence`.
"""

import math
from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from firmware.base.pcm import SAMPLE_BYTES, audioop
from firmware.dsp.level import sine_peak
from firmware.dsp.sine import PEAK, Sine

RAMP_SECONDS = 0.005
SHORTEST_SECONDS = 0.04
_LONGEST_LOOP = 0.25

_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
DTMF: dict[str, tuple[int, int]] = {
    # ITU-T Q.23
    key: (row, column)
    for row, keys in zip(_ROWS, ("123A", "456B", "789C", "*0#D"), strict=True)
    for column, key in zip(_COLUMNS, keys, strict=True)
}


class Segment(Protocol):
    """`seconds` (0 = for ever) of `frequencies` (Hz, none = silence) at `level` dBov each."""

    @property
    def frequencies(self) -> Sequence[float]: ...
    @property
    def seconds(self) -> float: ...
    @property
    def level(self) -> float: ...


class Tone:
    """A steady sound of some frequencies at one level each, without ramps."""

    __slots__ = ("_gain", "_loop", "_place", "_sines")

    def __init__(self, frequencies: Sequence[float], level: float, rate: int) -> None:
        self._gain = sine_peak(level) / PEAK
        self._place = 0
        hertz = tuple(round(frequency) for frequency in frequencies)
        self._loop = _loop(hertz, self._gain, rate) if hertz else None
        self._sines = () if self._loop else tuple(Sine(each, rate) for each in hertz)

    def block(self, samples: int) -> bytes:
        """The next samples."""
        size = samples * SAMPLE_BYTES
        loop = self._loop
        if loop is None:
            return _sum(self._sines, self._gain, samples) if self._sines else bytes(size)
        start = self._place
        self._place = (start + size) % len(loop)
        end = start + size
        if end <= len(loop):
            return loop[start:end]
        return (loop * (end // len(loop) + 1))[start:end]


def _sum(sines: Sequence[Sine], gain: float, samples: int) -> bytes:
    total = audioop.mul(sines[0].block(samples), SAMPLE_BYTES, gain)
    for sine in sines[1:]:
        part = audioop.mul(sine.block(samples), SAMPLE_BYTES, gain)
        total = audioop.add(total, part, SAMPLE_BYTES)
    return total


@lru_cache(maxsize=64)
def _loop(hertz: tuple[int, ...], gain: float, rate: int) -> bytes | None:
    """One whole period of a sound, if that is short: most tones of the world's networks are."""
    period = rate // math.gcd(rate, *hertz)
    if period > rate * _LONGEST_LOOP:
        return None
    return _sum([Sine(each, rate) for each in hertz], gain, period)


@lru_cache(maxsize=8)
def _ramp(rate: int) -> tuple[float, ...]:
    """Factors from nothing to all, a raised cosine."""
    length = round(rate * RAMP_SECONDS)
    return tuple(0.5 - 0.5 * math.cos(math.pi * (n + 0.5) / length) for n in range(length))


class TonePlayer:
    """Plays segments; from the last one it goes on at `repeat_from`, or ends if that is -1.

    A sound that is stopped fades within 5 ms; one that plays once comes to its end, after at least
    40 ms. After `ended` there is only silence.
    """

    __slots__ = (
        "_index",
        "_left",
        "_played",
        "_ramp",
        "_rate",
        "_repeat_from",
        "_segments",
        "_stopping",
        "_tone",
        "ended",
    )

    def __init__(self, segments: Sequence[Segment], repeat_from: int, rate: int) -> None:
        """Begin; a `repeat_from` beyond the segments counts as -1."""
        self._segments = tuple(segments)
        # Segments of no length at all would repeat for ever without a sample.
        self._repeat_from = repeat_from if repeat_from < len(self._segments) else -1
        self._rate = rate
        self._ramp = _ramp(rate)
        self._stopping = False
        self.ended = not self._segments
        self._left: int | None = 0
        self._played = 0
        self._index = -1
        self._tone: Tone | None = None
        if not self.ended:
            self._next_segment()

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self._rate

    def stop(self) -> None:
        """Fade out in the next block; a segment that sounds is not played to its end."""
        if self._tone is None:
            self.ended = True
        elif not self._stopping:
            self._stopping = True
            ramp = len(self._ramp)
            self._left = ramp if self._left is None else min(self._left, ramp)

    def block(self, samples: int) -> bytes:
        """The next samples, silence where nothing sounds."""
        parts: list[bytes] = []
        wanted = samples
        while wanted and not self.ended:
            count = wanted if self._left is None else min(wanted, self._left)
            parts.append(self._piece(count))
            wanted -= count
            if self._left is not None:
                self._left -= count
                if not self._left:
                    self._next_segment()
        if wanted:
            parts.append(bytes(wanted * SAMPLE_BYTES))
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _next_segment(self) -> None:
        self._index += 1
        if self._index >= len(self._segments):
            self._index = self._repeat_from
        if self._stopping or self._index < 0:
            self.ended = True
            self._tone = None
            return
        segment = self._segments[self._index]
        sounds = bool(segment.frequencies)
        self._left = self._length(segment, sounds=sounds)
        self._played = 0
        self._tone = Tone(segment.frequencies, segment.level, self._rate) if sounds else None

    def _length(self, segment: Segment, *, sounds: bool) -> int | None:
        if segment.seconds <= 0:
            return None
        shortest = SHORTEST_SECONDS if sounds else RAMP_SECONDS
        return round(max(segment.seconds, shortest) * self._rate)

    def _piece(self, count: int) -> bytes:
        if self._tone is None:
            return bytes(count * SAMPLE_BYTES)
        pcm = self._tone.block(count)
        ramp = len(self._ramp)
        if self._played < ramp:
            pcm = self._rising(pcm)
        if self._left is not None and self._left - count < ramp:
            pcm = self._falling(pcm, self._left)
        self._played += count
        return pcm

    def _rising(self, pcm: bytes) -> bytes:
        samples = array("h", pcm)
        for index, factor in enumerate(self._ramp[self._played : self._played + len(samples)]):
            samples[index] = int(samples[index] * factor)
        return samples.tobytes()

    def _falling(self, pcm: bytes, left: int) -> bytes:
        """`left` samples remain of the segment, of which `pcm` are the next."""
        samples = array("h", pcm)
        ramp = self._ramp
        for index in range(max(0, left - len(ramp)), len(samples)):
            samples[index] = int(samples[index] * ramp[left - index - 1])
        return samples.tobytes()
