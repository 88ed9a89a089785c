"""How late a loudspeaker's sound comes into the microphone, found in the sound itself. Pure.

What a card has queued is known and held at one level, but not what lies behind it: a USB box, a
mixer of ALSA's, a television. So twice a second the loudness of the last moments in the microphone,
in steps of 4 ms, is laid along that of what was played. Loudness survives a room where the waveform
does not; what is measured is about the middle of the echo. Our own voice is in the microphone as
well, so that only a delay on which several looks agree is believed.
"""

import math
from array import array
from collections import deque

from firmware.base.pcm import SAMPLE_BYTES, audioop

LONGEST = 0.4
"""Seconds that an echo may be late."""
_STEPS = 5
_STEP = 0.02 / _STEPS
_PIECE, _FURTHEST = round(1.6 / _STEP), round(LONGEST / _STEP)
"""Steps that are compared, and by how many they may be shifted."""
_EVERY = 25
_FLOOR = 30.0
"""Added to each step's root mean square: what is fainter is all one silence."""
_DECIBEL = 200
_LIVELY = 2.5
"""Decibels by which what was played must rise and fall to be told from itself a moment later."""
_ALIKE = 0.8
"""What may be left of the loudness heard when that played is taken out of it."""
_LOOKS, _AGREED, _APART = 5, 3, 0.010
"""Three of five are enough while nothing is known; to change one's mind takes them all."""


class EchoDelay:
    """One pair of loudspeaker and microphone; `note` each frame."""

    __slots__ = ("_frames", "_heard", "_knows", "_looks", "_played")

    def __init__(self) -> None:
        self._played: deque[int] = deque(maxlen=_PIECE + _FURTHEST)
        self._heard: deque[int] = deque(maxlen=_PIECE)
        self._looks: deque[float] = deque(maxlen=_LOOKS)
        self._frames = 0
        self._knows = False

    def forget(self) -> None:
        """Sound was lost: what is measured begins anew."""
        for each in (self._played, self._heard, self._looks):
            each.clear()

    def note(self, played: bytes, heard: bytes) -> float | None:
        """What was played and heard in a frame; seconds of delay whenever it is known anew."""
        self._played.extend(_loudness(played))
        self._heard.extend(_loudness(heard))
        self._frames += 1
        if self._frames % _EVERY or len(self._played) < _PIECE + _FURTHEST:
            return None
        late = self._look()
        if late is None:
            return None
        self._looks.append(late)
        middle = sorted(self._looks)[(len(self._looks) - 1) // 2]
        near = sum(abs(each - middle) <= _APART for each in self._looks)
        if near < (_LOOKS if self._knows else _AGREED):
            return None
        self._knows = True
        return middle

    def _look(self) -> float | None:
        """Seconds between what was played and the same in the microphone, None if unclear."""
        played, heard = _swings(self._played), _swings(self._heard)
        alive = audioop.rms(heard, SAMPLE_BYTES)
        if not alive or audioop.rms(played, SAMPLE_BYTES) < _LIVELY * _DECIBEL:
            return None
        place, factor = audioop.findfit(played, heard)
        if not math.isfinite(factor) or factor <= 0:
            return None
        like = played[place * SAMPLE_BYTES :][: len(heard)]
        rest = audioop.add(heard, audioop.mul(like, SAMPLE_BYTES, -factor), SAMPLE_BYTES)
        if audioop.rms(rest, SAMPLE_BYTES) > alive * _ALIKE:
            return None
        return (_FURTHEST - place) * _STEP


def _loudness(frame: bytes) -> list[int]:
    """Each step of a frame, in parts of a decibel."""
    size = len(frame) // _STEPS & ~1
    steps = (frame[at * size : (at + 1) * size] for at in range(_STEPS))
    return [
        round(20 * _DECIBEL * math.log10(audioop.rms(each, SAMPLE_BYTES) + _FLOOR))
        for each in steps
    ]


def _swings(steps: deque[int]) -> bytes:
    """How much louder or fainter than the mean each of them is."""
    mean = round(sum(steps) / len(steps))
    return array("h", [each - mean for each in steps]).tobytes()
