"""What is heard when a packet is missing: the last pitch period again and again, fading.

In the spirit of ITU-T G.711 Appendix I, without its delay: the period is found by correlation over
the last 20 ms and more, the seams are cross-faded, from the second missing frame on two and then
three periods are repeated so that it does not buzz, and after 60 ms there is silence. The way back
is a cross-fade as well. Any rate; cost only when something is missing.
"""

from array import array
from functools import lru_cache

from firmware.base.pcm import SAMPLE_BYTES, audioop

_SHORTEST_PITCH = 0.0025
_LONGEST_PITCH = 0.015
_PATTERN = 0.020
_SEAM = 0.004
_HISTORY = 0.065
_STEADY = 0.010
_GONE = 0.060
_PERIODS = 3
_QUIET = 16
"""Below this root mean square there is no pitch to look for."""


@lru_cache(maxsize=16)
def _slope(length: int) -> tuple[float, ...]:
    return tuple((index + 0.5) / length for index in range(length))


def crossfade(old: bytes, new: bytes) -> bytes:
    """From one sound to the other over their common length; both are 16-bit samples."""
    length = min(len(old), len(new)) // SAMPLE_BYTES
    before, after = array("h", old[: length * 2]), array("h", new[: length * 2])
    for index, share in enumerate(_slope(length)):
        after[index] = int(before[index] + (after[index] - before[index]) * share)
    return after.tobytes()


class Concealer:
    """One stream's memory of what was played, and the invention of what was not."""

    __slots__ = (
        "_cut",
        "_cycle",
        "_gone",
        "_history",
        "_invented",
        "_keep",
        "_periods",
        "_pitch",
        "_place",
        "_rate",
        "_seam",
        "_silent",
        "_source",
        "_steady",
    )

    def __init__(self, rate: int) -> None:
        """Begin in silence; `rate` is samples a second."""
        self._rate = rate
        self._seam = round(rate * _SEAM) * SAMPLE_BYTES
        self._keep = round(rate * _HISTORY) * SAMPLE_BYTES
        self._steady = round(rate * _STEADY)
        self._gone = round(rate * _GONE)
        self._history = self._source = bytes(self._keep)
        self._cycle = b"\0\0"
        self._pitch = SAMPLE_BYTES
        self._periods = 1
        self._place = 0
        self._invented = 0
        self._silent = True
        self._cut = b""

    def heard(self, pcm: bytes) -> bytes:
        """A decoded frame, joined to what was played before it."""
        if self._invented:
            pcm = self._join(self._more(self._seam // SAMPLE_BYTES), pcm)
            self._invented = 0
        elif self._cut:
            pcm = self._join(self._cut, pcm)
            self._cut = b""
        elif self._silent:
            pcm = self._join(bytes(self._seam), pcm)
        self._silent = False
        self._history = (self._history + pcm)[-self._keep :]
        return pcm

    def cut(self, pcm: bytes) -> None:
        """A decoded frame that is left out: the next one is joined where this one would begin."""
        if not self._cut:
            self._cut = pcm[: self._seam]

    def conceal(self, samples: int) -> bytes:
        """So many samples in place of what is missing."""
        self._cut = b""
        if self._silent or self._invented >= self._gone:
            self._invented += samples
            pcm = bytes(samples * SAMPLE_BYTES)
        elif not self._invented:
            self._begin()
            pcm = self._more(samples)
        else:
            old = self._turn(self._seam // SAMPLE_BYTES, self._place)
            self._loop(self._periods + 1)
            pcm = self._faded(self._join(old, self._turn(samples, self._place)))
            self._advance(samples)
        self._history = (self._history + pcm)[-self._keep :]
        return pcm

    def pause(self, samples: int) -> bytes:
        """So many samples while the talker is silent: a short fade, then nothing."""
        size = samples * SAMPLE_BYTES
        if self._silent:
            return bytes(size)
        old = self.conceal(self._seam // SAMPLE_BYTES)
        self._silent = True
        self._invented = 0
        self._history = bytes(self._keep)
        return (crossfade(old, bytes(self._seam)) + bytes(size))[:size]

    def _join(self, old: bytes, new: bytes) -> bytes:
        seam = min(len(old), self._seam, len(new))
        return crossfade(old[:seam], new[:seam]) + new[seam:]

    def _begin(self) -> None:
        """Find the pitch and make its last period into a loop."""
        self._source = self._history
        self._pitch = self._find_pitch()
        self._place = 0
        self._loop(1)

    def _loop(self, periods: int) -> None:
        """Repeat the last periods, their end faded into what came before their beginning."""
        length = self._pitch * periods
        if periods > _PERIODS or length + self._seam > self._keep:
            return
        self._periods = periods
        seam = min(self._seam, length // 4 & ~1)
        source = self._source
        cycle = source[-length:]
        before = source[-length - seam : -length]
        self._cycle = cycle[:-seam] + crossfade(cycle[-seam:], before)

    def _more(self, samples: int) -> bytes:
        """The next samples of the loop."""
        pcm = self._faded(self._turn(samples, self._place))
        self._advance(samples)
        return pcm

    def _turn(self, samples: int, place: int) -> bytes:
        """Samples of the loop from a place on."""
        cycle = self._cycle
        end = place + samples * SAMPLE_BYTES
        return (cycle * (end // len(cycle) + 1))[place:end]

    def _advance(self, samples: int) -> None:
        self._place = (self._place + samples * SAMPLE_BYTES) % len(self._cycle)
        self._invented += samples

    def _faded(self, pcm: bytes) -> bytes:
        """The next invented samples with the gain that belongs to their moment."""
        steady, gone = self._steady, self._gone
        start = self._invented
        count = len(pcm) // SAMPLE_BYTES
        if start + count <= steady:
            return pcm
        samples = array("h", pcm)
        span = gone - steady
        for index in range(max(0, steady - start), count):
            samples[index] = int(samples[index] * max(0, gone - start - index) / span)
        return samples.tobytes()

    def _find_pitch(self) -> int:
        """The length of a period, in octets."""
        source, rate = self._source, self._rate
        longest = round(rate * _LONGEST_PITCH)
        pattern = round(rate * _PATTERN)
        if audioop.rms(source[-pattern * 2 :], SAMPLE_BYTES) < _QUIET:
            return longest * SAMPLE_BYTES
        shortest = round(rate * _SHORTEST_PITCH)
        searched = source[-(pattern + longest) * 2 : len(source) - shortest * 2]
        offset, _ = audioop.findfit(searched, source[-pattern * 2 :])
        return (longest - offset) * SAMPLE_BYTES
