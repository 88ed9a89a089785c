"""The level of what passes: the mean from one look to the next, the quiet between words. Pure."""

import math

_SPEECH, _LOUD = 3.2, 330.0
"""Speech is so many times louder than its room, or louder than any room (-40 dBov)."""
_TALKSPURTS = 1 / 256
_HEARD, _NOTHING, _QUIET = -45.0, -126.0, -50.0
_BELOW_OURS = 10.0
_KNOWN_AFTER = 5
_FADES = 0.05
_RISE = 1.004
"""A frame: a room that became louder is believed after some ten seconds."""


class LevelMeter:
    """Takes the root mean square of frames, in samples."""

    __slots__ = ("_frames", "_power", "quietest", "speech")

    def __init__(self) -> None:
        self.quietest = 0.0
        """Root mean square of the quietest frame of late: the room without the voice."""
        self.speech = 0.0
        """Mean square of the frames that hold speech, of late; 0 = none did."""
        self._power = 0
        self._frames = 0

    def add(self, rms: int) -> None:
        """A frame passed."""
        self._power += rms * rms
        self._frames += 1
        if rms:  # nothing at all is a line that is not there yet, or one that rests
            quietest = self.quietest
            self.quietest = quietest * _RISE if 0 < quietest < rms else rms
            if rms > _LOUD or (quietest and rms > quietest * _SPEECH):
                weight = _TALKSPURTS if self.speech else 1.0
                self.speech += (rms * rms - self.speech) * weight

    @property
    def room(self) -> float:
        """Root mean square of the room, 0 while nothing but voice has been heard."""
        return self.quietest if self.quietest < _LOUD else 0.0

    def take(self) -> float:
        """The root mean square since the last look."""
        frames, power = self._frames, self._power
        self._frames = self._power = 0
        return math.sqrt(power / frames) if frames else 0.0


class EchoLoss:
    """How much quieter the far end hears itself than it speaks, from what passes in a second.

    A lower bound: it is measured while they speak and we do not, and our room is in it too. Once a
    second `second`, in dBov; `decibels` is None while there was no such time.
    """

    __slots__ = ("_best", "_loudest", "_seconds")

    def __init__(self) -> None:
        self._best = 0.0
        self._loudest = _NOTHING
        self._seconds = 0

    def second(self, heard: float, told: float) -> None:
        """So loud they spoke, so loud was what they were told."""
        self._loudest = max(self._loudest - _FADES, told)
        silent_here = told < max(_QUIET, self._loudest - _BELOW_OURS)
        if told > _NOTHING and heard > _HEARD and silent_here:
            self._seconds += 1
            self._best = max(self._best - _FADES, heard - told)

    @property
    def decibels(self) -> float | None:
        """What is known of it."""
        return self._best if self._seconds >= _KNOWN_AFTER else None
