"""Whether the person speaks, and what the far end is told of it while they do not. Pure.

A pause begins when the level has stayed near the noise floor for a while; then comfort noise says
how loud the room is, again when that changes, and once a second so that nobody takes the silence
for a broken line (RFC 3389 §5 leaves all of this to us).
"""

from firmware.codec.comfort_noise import Noise
from firmware.dsp.level import dbov

_HANGOVER = 15
"""Frames after the last loud one: the quiet ends of words belong to them."""
_ABOVE_FLOOR = 2.8
_FLOOR_RISES = 1.005
"""A frame: 2 dB a second, slower than speech and faster than a fan that starts."""
_FAINT = 24
"""Root mean square in samples, about -63 dBov: below is silence whatever the floor."""
_LOUD = 1600
"""About -26 dBov: above is speech whatever the floor."""
_SMOOTHING = 1 / 8
_CHANGE_DB = 3.0
_SOONEST, _LATEST = 10, 50
"""Frames between two descriptions of the noise."""


class Pauses:
    """One stream's microphone; `take` each frame."""

    __slots__ = ("_floor", "_level", "_quiet", "_said", "_since")

    def __init__(self) -> None:
        self._floor = float(_LOUD)
        self._quiet = 0
        self._level = 0.0
        self._said = 0.0
        self._since = 0

    def take(self, rms: int) -> bytes | None:
        """A frame of this root mean square: None = speech, else the comfort noise to send, if any.

        `b""` is the usual case in a pause: nothing is sent at all.
        """
        self._floor = min(max(float(rms), 1.0), self._floor * _FLOOR_RISES)
        if rms > _LOUD or rms > max(_FAINT, self._floor * _ABOVE_FLOOR):
            self._quiet = 0
            return None
        self._level += (rms - self._level) * (_SMOOTHING if self._quiet else 1.0)
        self._quiet += 1
        if self._quiet <= _HANGOVER:
            return None
        return self._describe(first=self._quiet == _HANGOVER + 1)

    def interrupt(self) -> None:
        """Something else than the microphone is sent: what follows is told anew."""
        self._quiet = 0

    def _describe(self, *, first: bool) -> bytes:
        level = dbov(self._level)
        changed = abs(level - self._said) >= _CHANGE_DB
        self._since += 1
        if not first and self._since < _LATEST and not (changed and self._since >= _SOONEST):
            return b""
        self._since = 0
        self._said = level
        return Noise(level).write()
