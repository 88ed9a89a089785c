"""Sines of whole hertz, cut from one table of a second with the stride of the frequency.

The sample n of f hertz is entry (f·n mod rate) of a table that holds one turn in `rate` steps.
Slices with a stride run in C, so a 20 ms block of any tone costs a few microseconds and no tone
needs a table of its own.
"""

import math
from array import array
from functools import lru_cache

PEAK = 32767


@lru_cache(maxsize=8)
def _turn(rate: int) -> "array[int]":
    """One turn of a sine in `rate` samples at full scale."""
    step = 2 * math.pi / rate
    # A list first would be half a megabyte of numbers, and the heap would keep the room.
    return array("h", (round(PEAK * math.sin(step * index)) for index in range(rate)))


def prepare(rate: int) -> None:
    """Make the table of a rate (a few milliseconds), so that no tone has to wait for it."""
    _turn(rate)


class Sine:
    """A sine that runs on from block to block; the frequency is rounded to whole hertz."""

    __slots__ = ("_hertz", "_phase", "_rate", "_table")

    def __init__(self, frequency: float, rate: int, degrees: float = 0.0) -> None:
        """Begin at `degrees`; a frequency of half the rate or more is folded back."""
        self._rate = rate
        self._hertz = max(1, round(frequency) % rate)
        self._table = _turn(rate)
        self._phase = round(degrees / 360 * rate) % rate

    def block(self, samples: int) -> bytes:
        """The next samples at full scale."""
        out = array("h")
        table, hertz, rate, phase = self._table, self._hertz, self._rate, self._phase
        while len(out) < samples:
            piece = table[phase::hertz]
            out += piece
            phase += len(piece) * hertz - rate
        surplus = len(out) - samples
        if surplus:
            del out[samples:]
        self._phase = (phase - surplus * hertz) % rate
        return out.tobytes()
