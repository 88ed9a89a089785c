"""On, off, on, off: where in a rhythm a moment lies. Pure.

One shape for the cadence of a bell and the blinking of a lamp. How lamps blink stands here for all
of them; what cannot import it (the page's style, front panels) is held to it by a test.
"""

import math
from collections.abc import Mapping

from hal.ports import LampPattern

_SHORTEST = 1e-4
"""Seconds; a moment just before a change is taken for the one after it."""
Rhythm = tuple[float, ...]
"""Seconds on, off, on, off …, repeated; an odd length ends in an "on" that the next one joins."""
BLINKING: Mapping[LampPattern, Rhythm] = {
    LampPattern.OFF: (),
    LampPattern.ON: (1.0,),
    LampPattern.SLOW_BLINK: (0.7, 0.7),
    LampPattern.FAST_BLINK: (0.2, 0.2),
}


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
