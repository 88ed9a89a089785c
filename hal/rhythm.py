"""On, off, on, off: where in a rhythm a moment lies. Pure.

One shape for the cadence of a bell and the blinking of a lamp.
"""

import math

_SHORTEST = 1e-4
"""Seconds; a moment just before a change is taken for the one after it."""
Rhythm = tuple[float, ...]
"""Seconds on, off, on, off …, repeated; an odd length ends in an "on" that the next one joins."""


def phase(rhythm: Rhythm, elapsed: float) -> tuple[bool, float]:
    """Whether it is on `elapsed` seconds after its beginning, and for how many seconds it stays so.

    Nothing, or nothing but zeros, is off for ever; one without an "off" is on for ever.
    """
    total = math.fsum(rhythm)
    if total <= 0:
        return False, math.inf
    if not any(rhythm[1::2]):
        return True, math.inf
    left = (elapsed + _SHORTEST) % total
    for place, seconds in enumerate(rhythm):
        if left < seconds:
            return place % 2 == 0, max(seconds - left + _SHORTEST, _SHORTEST)
        left -= seconds
    return phase(rhythm, 0.0)
