"""The level of what passes: the mean from one look to the next, the quiet between words. Pure."""

import math

_RISE = 1.004
"""A frame: a room that became louder is believed after some ten seconds."""


class LevelMeter:
    """Takes the root mean square of frames, in samples."""

    __slots__ = ("_frames", "_power", "quietest")

    def __init__(self) -> None:
        self.quietest = 0.0
        """Root mean square of the quietest frame of late: the room without the voice."""
        self._power = 0
        self._frames = 0

    def add(self, rms: int) -> None:
        """A frame passed."""
        self._power += rms * rms
        self._frames += 1
        if rms:  # nothing at all is a line that is not there yet, or one that rests
            quietest = self.quietest
            self.quietest = quietest * _RISE if 0 < quietest < rms else rms

    def take(self) -> float:
        """The root mean square since the last look."""
        frames, power = self._frames, self._power
        self._frames = self._power = 0
        return math.sqrt(power / frames) if frames else 0.0
