"""The mean level of what passes, from one look to the next. Pure."""

import math


class LevelMeter:
    """Takes the root mean square of frames, in samples."""

    __slots__ = ("_frames", "_power")

    def __init__(self) -> None:
        self._power = 0
        self._frames = 0

    def add(self, rms: int) -> None:
        """A frame passed."""
        self._power += rms * rms
        self._frames += 1

    def take(self) -> float:
        """The root mean square since the last look."""
        frames, power = self._frames, self._power
        self._frames = self._power = 0
        return math.sqrt(power / frames) if frames else 0.0
