"""What is heard when packets are missing: the last pitch period again and again, fading.

In the spirit of ITU-T G.711 Appendix I, without its delay: the period is found by correlation over
the last 10 ms and more, the seams are cross-faded, from the second missing frame on two and then
three periods are repeated so that it does not buzz, and after 60 ms the voice is gone and the noise
of the room is left.

If the frame after the gap has come already, the gap is bridged from both sides: the past is
repeated forwards, the future backwards, both are bent a little so that their periods meet the other
shore, and one passes into the other. Any rate; cost only when something is missing.
"""

from array import array

from firmware.base.pcm import SAMPLE_BYTES, audioop
from firmware.dsp.noise import RoomNoise
from firmware.dsp.waveform import (
    QUIET,
    at_rate,
    best_match,
    crossfade,
    period_of,
    ring,
    squeezed,
    step_at,
    turn,
)

_PATTERN = 0.010
_SEAM = 0.004
_HISTORY = 0.065
_STEADY = 0.010
_GONE = 0.060
_PERIODS = 3
_FUTURE_PATTERN = 0.006
_FUTURE_LONGEST = 0.0125
"""A frame of the future has 20 ms: a period and what it is compared with must fit."""
_BEND = 0.25
"""The most a side is bent to meet the other, in its periods: more would be another match."""
_SHORE = 0.010
"""Seconds of the other side that are looked for."""


class Concealer:
    """One stream's memory of what was played, and the invention of what was not.

    `settle` is the seconds that a decoder needs after a gap until it can be believed; what it
    says until then is replaced as well.
    """

    __slots__ = (
        "_bridged",
        "_cut",
        "_cycle",
        "_gone",
        "_history",
        "_invented",
        "_keep",
        "_mend",
        "_noise",
        "_periods",
        "_pitch",
        "_place",
        "_rate",
        "_return",
        "_seam",
        "_settle",
        "_silent",
        "_source",
        "_steady",
        "room",
    )

    def __init__(self, rate: int, settle: float = 0.0) -> None:
        """Begin in silence; `rate` is samples a second."""
        self._rate = rate
        self._seam = round(rate * _SEAM)
        self._settle = round(rate * settle)
        self._return = max(self._seam, self._settle * 2) * SAMPLE_BYTES
        self._keep = round(rate * _HISTORY) * SAMPLE_BYTES
        self._steady = round(rate * _STEADY)
        self._gone = round(rate * _GONE)
        self._history = self._source = bytes(self._keep)
        self._cycle = b"\0\0"
        self._pitch = 1
        self._periods = 1
        self._place = 0
        self._invented = 0
        self._silent = True
        self._bridged = False
        self._cut = self._mend = b""
        self._noise = RoomNoise()
        self.room = 0.0
        """Root mean square of the room's noise, which is left when a voice has faded."""

    def onward(self, rate: int, settle: float) -> "Concealer":
        """That of a codec which takes over in the middle of a word, perhaps at another rate.

        A decoder begins with its memory empty: what this one would have said next passes into it.
        """
        other = Concealer(rate, settle)
        other.room = self.room
        if not self._silent:
            other._silent = False
            history = at_rate(self._history, self._rate, rate)
            other._history = history[-other._keep :].rjust(other._keep, b"\0")
            other._cut = at_rate(self.conceal(self._seam), self._rate, rate)
        return other

    def settles(self, seconds: float) -> bool:
        """Whether a decoder that needs so long is another than the one so far."""
        return round(self._rate * seconds) != self._settle

    def heard(self, pcm: bytes) -> bytes:
        """A decoded frame, joined to what was played before it."""
        if self._invented:
            if self._bridged:
                pcm = self._mend + pcm[len(self._mend) :]
            else:
                pcm = _join(self._more(self._return // SAMPLE_BYTES), pcm)
            self._invented = 0
            self._bridged = False
        elif self._cut:
            pcm = _join(self._cut, pcm)
            self._cut = b""
        elif self._silent:
            pcm = _join(bytes(self._seam * SAMPLE_BYTES), pcm)
        self._silent = False
        self._history = (self._history + pcm)[-self._keep :]
        return pcm

    def cut(self, pcm: bytes) -> None:
        """A decoded frame that is left out: the next one is joined where this one would begin."""
        if not self._cut:
            self._cut = pcm[: self._seam * SAMPLE_BYTES]

    def conceal(self, samples: int, following: bytes = b"") -> bytes:
        """So many samples in place of what is missing; `following` is the frame right after it."""
        self._cut = b""
        self._bridged = False
        if self._silent:
            pcm = self._noise.block(samples, self.room)
            self._invented += samples
        elif len(following) >= self._rate // 50 * SAMPLE_BYTES:
            pcm = self._bridge(samples, following)
        else:
            pcm = self._faded(self._forwards(samples))
            self._advance(samples)
        self._history = (self._history + pcm)[-self._keep :]
        return pcm

    def pause(self, samples: int) -> bytes:
        """So many samples while the talker is silent: a short fade, then the room alone."""
        if self._silent:
            return self._noise.block(samples, self.room)
        size = samples * SAMPLE_BYTES
        old = self.conceal(self._seam)
        self._silent = True
        self._invented = 0
        self._bridged = False
        self._history = bytes(self._keep)
        quiet = self._noise.block(samples, self.room)
        return (crossfade(old, quiet) + quiet[len(old) :])[:size]

    # From one side

    def _forwards(self, samples: int) -> bytes:
        """The past repeated from here on, not yet faded; the place stays."""
        if self._invented >= self._gone:
            return bytes(samples * SAMPLE_BYTES)
        if not self._invented:
            self._source = self._history
            self._pitch = period_of(self._source, self._rate, _PATTERN)
            self._place = 0
            self._loop(1)
            return turn(self._cycle, 0, samples)
        old = turn(self._cycle, self._place, self._seam)
        self._loop(self._periods + 1)
        return _join(old, turn(self._cycle, self._place, samples))

    def _loop(self, periods: int) -> None:
        """Repeat more of the last periods, if there are as many."""
        length = self._pitch * periods
        if periods <= _PERIODS and length + self._seam <= self._keep // SAMPLE_BYTES:
            self._periods = periods
            self._cycle = ring(self._source, length, self._seam)

    def _more(self, samples: int) -> bytes:
        """The next samples of the ring, on the way back."""
        if self._silent or self._invented >= self._gone:
            return self._noise.block(samples, self.room)
        return self._faded(turn(self._cycle, self._place, samples))

    def _advance(self, samples: int) -> None:
        self._place += samples
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
        pcm = samples.tobytes()
        if self.room < 1:
            return pcm
        # The room comes in as the voice goes.
        share = min(1.0, max(0.0, (start + count / 2 - steady) / span))
        return audioop.add(pcm, self._noise.block(count, self.room * share), SAMPLE_BYTES)

    # From both sides

    def _bridge(self, samples: int, following: bytes) -> bytes:
        """Between the past and the frame that has come after the gap."""
        settle = self._settle
        gap = samples + settle
        shore = round(self._rate * _SHORE)
        future = audioop.reverse(following[settle * SAMPLE_BYTES :], SAMPLE_BYTES)
        period = period_of(future, self._rate, _FUTURE_PATTERN, _FUTURE_LONGEST)
        backwards = ring(future, period, min(self._seam, len(future) // 2 - period))
        reach = max(period, self._pitch) + shore
        ahead = self._forwards(gap + reach)
        back = turn(backwards, 0, gap + reach)
        there = following[settle * SAMPLE_BYTES :][: shore * SAMPLE_BYTES]
        here = audioop.reverse(self._history[-shore * SAMPLE_BYTES :], SAMPLE_BYTES)
        ahead = self._faded(self._bent(ahead, gap, there, self._pitch))
        back = audioop.reverse(self._bent(back, gap, here, period), SAMPLE_BYTES)
        pcm = crossfade(ahead, back)
        self._advance(samples)
        self._bridged = True
        self._mend = pcm[samples * SAMPLE_BYTES :]
        return pcm[: samples * SAMPLE_BYTES]

    def _bent(self, sound: bytes, length: int, shore: bytes, period: int) -> bytes:
        """A repeated sound whose periods meet `shore` after `length` samples."""
        span = min(int(period * _BEND), length - 1)
        near = sound[(length - span) * SAMPLE_BYTES :][: 2 * span * SAMPLE_BYTES + len(shore)]
        if audioop.rms(shore, SAMPLE_BYTES) < QUIET or not span:
            return sound[: length * SAMPLE_BYTES]
        place = best_match(near, shore, step_at(self._rate))
        return squeezed(sound, length - span + place, length)


def _join(old: bytes, new: bytes) -> bytes:
    seam = min(len(old), len(new))
    return crossfade(old[:seam], new[:seam]) + new[seam:]
