"""Frames at another sampling rate, from block to block without a seam.

libspeexdsp does it well; without it a straight line between samples must do: whole frames all the
same, but with images above the speech.
"""

from firmware.base.pcm import SAMPLE_BYTES, audioop
from firmware.dsp.speex import SpeexResampler, available


class _LineResampler:
    """Linear interpolation in C; from higher to lower rates neighbours are averaged first."""

    __slots__ = ("_factor", "_pending", "_rate", "_state", "_wanted")

    def __init__(self, rate: int, wanted: int) -> None:
        self._rate = rate
        self._wanted = wanted
        self._factor = rate // wanted if rate > wanted and rate % wanted == 0 else 1
        self._state: tuple[int, tuple[tuple[int, int], ...]] | None = None
        self._pending = b""

    def convert(self, pcm: bytes) -> bytes:
        if self._factor > 1:
            pcm = self._smooth(pcm)
        out, self._state = audioop.ratecv(
            pcm, SAMPLE_BYTES, 1, self._rate, self._wanted, self._state
        )
        # The first block has no sample before it and comes out a little short.
        return out.rjust(len(pcm) * self._wanted // self._rate & ~1, b"\0")

    def _smooth(self, pcm: bytes) -> bytes:
        """The mean of as many neighbours as become one sample: nulls where images would fold."""
        history = self._pending or bytes((self._factor - 1) * SAMPLE_BYTES)
        line = history + pcm
        self._pending = line[-(self._factor - 1) * SAMPLE_BYTES :]
        share = 1 / self._factor
        total = audioop.mul(line[: len(pcm)], SAMPLE_BYTES, share)
        for tap in range(1, self._factor):
            part = line[tap * SAMPLE_BYTES : tap * SAMPLE_BYTES + len(pcm)]
            total = audioop.add(total, audioop.mul(part, SAMPLE_BYTES, share), SAMPLE_BYTES)
        return total


class _Unchanged:
    __slots__ = ()

    def convert(self, pcm: bytes) -> bytes:
        return pcm


class Resampler:
    """A stream of frames from one rate to another; each stream and direction has its own."""

    __slots__ = ("_worker", "convert")

    def __init__(self, rate: int, wanted: int, *, library: bool = True) -> None:
        """Rates in samples a second; `library` False forbids libspeexdsp."""
        worker: SpeexResampler | _LineResampler | _Unchanged
        if rate == wanted:
            worker = _Unchanged()
        elif library and available():
            worker = SpeexResampler(rate, wanted)
        else:
            worker = _LineResampler(rate, wanted)
        self._worker = worker
        self.convert = worker.convert
        """Bytes of a frame to bytes of a frame: 20 ms in, 20 ms out."""
