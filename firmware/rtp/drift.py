"""How much faster the far end's clock runs than ours, from the fastest packets of a call. Pure.

What a clock gains shows as packets that come earlier and earlier by our own: the slope of the least
transit time (RFC 3550 §6.4.1's, as `rtp.jitter` follows it) is the drift. It takes a straight line
through the moments of the last minutes, older ones counting less, and says nothing in the first
minute, when the network's own trembling would still be most of it.
"""

import math

_MEMORY = 120.0
_PATIENCE = 60.0
"""Seconds."""
_STEP = 0.02
"""Another way through the network, or another source: no clock gains so much in a second."""


class DriftMeter:
    """`note` about once a second, then `ppm`."""

    __slots__ = ("_began", "_first", "_last", "_now", "_t", "_tt", "_ty", "_w", "_y")

    def __init__(self) -> None:
        self._began = self._now = self._first = self._last = 0.0
        self._w = self._t = self._tt = self._y = self._ty = 0.0

    def note(self, now: float, transit: float) -> None:
        """The least transit time of late, in seconds of any origin."""
        if not self._w or abs(transit - self._last) > _STEP:
            self._begin(now, transit)
            return
        passed = now - self._now
        keep = math.exp(-passed / _MEMORY)
        # Time is counted back from now, so that the sums stay small for ever.
        self._tt = keep * (self._tt - 2 * passed * self._t + passed * passed * self._w)
        self._ty = keep * (self._ty - passed * self._y)
        self._t = keep * (self._t - passed * self._w)
        self._w = keep * self._w + 1.0
        self._y = keep * self._y + transit - self._first
        self._now, self._last = now, transit

    @property
    def ppm(self) -> float | None:
        """Positive: the far end's clock is the faster one; None: not known yet."""
        spread = self._tt * self._w - self._t * self._t
        if self._now - self._began < _PATIENCE or spread <= 0:
            return None
        return -1e6 * (self._ty * self._w - self._t * self._y) / spread

    def _begin(self, now: float, transit: float) -> None:
        self._began = self._now = now
        self._first = self._last = transit
        self._w = 1.0
        self._t = self._tt = self._y = self._ty = 0.0
