"""Sample-rate conversion for cards whose source has a rate of its own (a file, a web page). Pure.

A windowed-sinc polyphase filter for any rational ratio: output `n` lies at input time `n·M/L`, so
outputs that share a phase form a regular grid over the input. Each grid is computed by a few
passes in C over whole slices, which makes loading a file quick without numpy. This is not the
resampler of the call path (that one also follows drift): see `firmware.dsp`.
"""

import math
import sys
import warnings
from array import array

with warnings.catch_warnings():
    # The standard library's copy announces its end on import; audioop-lts follows it from 3.13.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

_ZERO_CROSSINGS = 16
_PASSBAND = 0.92
"""Part of the narrower band that is kept; the rest is the filter's slope."""
_HEADROOM = 0.25
"""Sums are formed at a quarter of full scale, so that none clips on the way."""


class RateConverter:
    """Converts a stream of 16-bit mono PCM from one rate to another, piece by piece.

    Delay: half the filter, under 1 ms from 16 kHz up. Pieces may have any length; the sum of the
    outputs does not depend on how the stream was cut.
    """

    def __init__(self, rate_in: int, rate_out: int) -> None:
        divisor = math.gcd(rate_in, rate_out)
        self._up = rate_out // divisor
        self._down = rate_in // divisor
        self._phases = _filters(self._up, self._down)
        self._taps = len(self._phases[0])
        self._history = array("i", bytes(4 * (self._taps - 1)))
        self._consumed = 0
        self._produced = 0

    def convert(self, pcm: bytes) -> bytes:
        """The part of the output that this piece of input completes."""
        if self._up == self._down:
            return pcm
        samples = self._history
        samples.frombytes(audioop.lin2lin(pcm, 2, 4))
        fresh = len(pcm) // 2
        # Output n may be formed once input number floor(n·M/L) has arrived.
        end = -(-(self._consumed + fresh) * self._up // self._down)
        out = array("h", bytes(2 * (end - self._produced)))
        for start in range(self._produced, min(end, self._produced + self._up)):
            out[start - self._produced :: self._up] = self._grid(samples, start, end)
        self._history = samples[fresh:]
        self._consumed += fresh
        self._produced = end
        self._wrap()
        return out.tobytes()

    def _grid(self, samples: "array[int]", start: int, end: int) -> "array[int]":
        """Outputs start, start + L, … below end: all of one phase, one input step of M apart."""
        taps = self._phases[start * self._down % self._up]
        count = -(-(end - start) // self._up)
        first = start * self._down // self._up - self._consumed
        total = bytes(4 * count)
        for k, weight in enumerate(taps):
            grid = samples[first + k :: self._down][:count]
            total = audioop.add(total, audioop.mul(grid.tobytes(), 4, weight), 4)
        rounded = audioop.bias(total, 4, int(0x8000 * _HEADROOM))
        loud = audioop.mul(rounded, 4, 1 / _HEADROOM)
        return array("h", audioop.lin2lin(loud, 4, 2))

    def _wrap(self) -> None:
        """Whole cycles of the ratio are forgotten, so that the counters stay small for ever."""
        cycles = min(self._consumed // self._down, self._produced // self._up)
        self._consumed -= cycles * self._down
        self._produced -= cycles * self._up


def _filters(up: int, down: int) -> list[list[float]]:
    """For each of the `up` phases the weights of the newest `taps` inputs, oldest first."""
    stretch = max(1.0, down / up)
    taps = 2 * math.ceil(_ZERO_CROSSINGS * stretch)
    cutoff = _PASSBAND / stretch
    middle = taps / 2
    phases = []
    for phase in range(up):
        centre = middle - 1 + phase / up
        weights = [_kernel(k - centre, cutoff, middle) for k in range(taps)]
        gain = _HEADROOM / sum(weights)
        phases.append([weight * gain for weight in weights])
    return phases


def _kernel(x: float, cutoff: float, half_width: float) -> float:
    """A sinc of this cutoff (1 = half the input rate) under a Blackman window."""
    if abs(x) >= half_width:
        return 0.0
    t = math.pi * x / half_width
    window = 0.42 + 0.5 * math.cos(t) + 0.08 * math.cos(2 * t)
    return window * (1.0 if x == 0 else math.sin(math.pi * x * cutoff) / (math.pi * x * cutoff))


def to_mono(pcm: bytes, channels: int) -> bytes:
    """The mean of the channels of interleaved 16-bit PCM."""
    if channels == 1:
        return pcm
    samples = array("i", audioop.lin2lin(pcm, 2, 4))
    total = bytes(4 * (len(samples) // channels))
    for channel in range(channels):
        part = samples[channel::channels].tobytes()
        total = audioop.add(total, audioop.mul(part, 4, 1 / channels), 4)
    return audioop.lin2lin(total, 4, 2)


def little_endian(pcm: bytes) -> bytes:
    """Between little-endian samples (WAV, wire) and the machine's own order; works both ways."""
    return pcm if sys.byteorder == "little" else audioop.byteswap(pcm, 2)
