"""A recording that is played into a conversation, for everybody in it to hear. Pure.

It is added to the conversation, which goes on: a far end hears it with our voice, the person at
the desk hears it with the far end's. One of several far ends belongs to all of them (`bridge`).
"""

from typing import Protocol

from firmware.dsp.resample import Resampler


class Samples(Protocol):
    """Octets that stay where they are; only slices are copied."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> bytes: ...


class Clip:
    """Recorded sound, 16-bit mono."""

    __slots__ = ("pcm", "rate")

    def __init__(self, pcm: Samples, rate: int) -> None:
        self.pcm = pcm
        self.rate = rate


class Insert:
    """One playing of a clip: `advance` once a frame, then `at` for every rate that is wanted."""

    __slots__ = ("_clip", "_filters", "_frame", "_piece", "_place")

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._place = 0
        self._piece = b""
        self._frame: dict[int, bytes] = {}
        self._filters: dict[int, Resampler] = {}

    @property
    def over(self) -> bool:
        """Whether all of it has been played."""
        return self._place >= len(self._clip.pcm)

    def advance(self) -> None:
        """The next 20 ms."""
        size = self._clip.rate // 50 * 2
        self._piece = self._clip.pcm[self._place : self._place + size].ljust(size, b"\0")
        self._place += size
        self._frame.clear()

    def at(self, rate: int) -> bytes:
        """This frame of it at another rate, the same for everybody who asks."""
        if rate == self._clip.rate:
            return self._piece
        frame = self._frame.get(rate)
        if frame is None:
            # A filter remembers: it is shown each frame once, however many hear it.
            resampler = self._filters.get(rate)
            if resampler is None:
                resampler = self._filters[rate] = Resampler(self._clip.rate, rate)
            frame = self._frame[rate] = resampler.convert(self._piece)
        return frame
