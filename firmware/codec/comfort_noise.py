"""Comfort noise: what a pause sounds like at the far end (RFC 3389).

It is told as a level and, if the sender likes, as the reflection coefficients of an all-pole filter
that gives it its colour. Here it is read, written and made. The filter runs as its impulse
response, tap by tap over whole frames, because that is arithmetic audioop does in C.
"""

from typing import Final

from msgspec import Struct

from firmware.base.noise import WHITE_LEVEL, white_noise
from firmware.base.pcm import SAMPLE_BYTES, audioop

STATIC_NUMBER: Final = 13
_LOUDEST, _SILENT = 0.0, -127.0
_MOST_ORDER: Final = 12
"""More coefficients are left out, as a receiver may (RFC 3389 §3)."""
_TAPS = 40
_CEILING = -20.0
"""dBov: nobody's room is louder than speech; a packet that says so is not believed."""
_APPROACH = 0.25
"""How much of the way to a new level is gone in one frame."""


class Noise(Struct, frozen=True):
    """A pause: `level` in dBov, `reflections` between -1 and 1, none for white noise."""

    level: float
    reflections: tuple[float, ...] = ()

    def write(self) -> bytes:
        """The payload (RFC 3389 §3.3)."""
        level = round(-min(_LOUDEST, max(_SILENT, self.level)))
        indices = (round(each * 32768 / 258) + 127 for each in self.reflections)
        return bytes((level, *(min(254, max(0, index)) for index in indices)))


def read(payload: bytes) -> Noise | None:
    """The noise of a payload, None for one without a level."""
    if not payload:
        return None
    # RFC 3389 §3.1: the first bit means nothing. §3.2: index 255 does not exist yet.
    indices = payload[1 : 1 + _MOST_ORDER]
    if 255 in indices:
        indices = b""
    return Noise(-float(payload[0] & 0x7F), tuple(258 * (each - 127) / 32768 for each in indices))


class ComfortNoise:
    """One stream's pauses: `describe` what is told of them, `block` what is heard.

    `rate` is samples a second. The level glides to what was told, so that an update does not click.
    """

    __slots__ = ("_gain", "_place", "_sequence", "_tail", "_taps", "_target", "active")

    def __init__(self) -> None:
        self.active = False
        """Whether the far end pauses and told how it sounds."""
        self._sequence = 0
        self._gain = 0.0
        self._target = 0.0
        self._place = 0
        self._taps: tuple[float, ...] = (1.0,)
        self._tail = b""

    def describe(self, payload: bytes, sequence: int) -> None:
        """A packet told how it sounds now; one that makes no sense changes nothing."""
        noise = read(payload)
        if noise is None:
            return
        self._sequence = sequence
        level = min(noise.level, _CEILING)
        self._target = 0.0 if level <= _SILENT else 32768 * 10 ** (level / 20) / WHITE_LEVEL
        self._taps = _response(noise.reflections)
        if not self.active:
            self.active = True
            self._gain = self._target

    def play(self, sequence: int) -> None:
        """Speech of this sequence number is played: what came after the pause began ends it."""
        if self.active and (sequence - self._sequence) & 0xFFFF < 0x8000:
            self.active = False

    def block(self, samples: int) -> bytes:
        """The next samples."""
        self._gain += (self._target - self._gain) * _APPROACH
        white = self._white(samples)
        taps = self._taps
        if len(taps) == 1:
            return audioop.mul(white, SAMPLE_BYTES, self._gain)
        size, keep = samples * SAMPLE_BYTES, (len(taps) - 1) * SAMPLE_BYTES
        line = self._tail.rjust(keep, b"\0")[-keep:] + white
        self._tail = line[-keep:]
        total = bytes(size)
        for index, tap in enumerate(taps):
            start = keep - index * SAMPLE_BYTES
            part = audioop.mul(line[start : start + size], SAMPLE_BYTES, tap)
            total = audioop.add(total, part, SAMPLE_BYTES)
        # Made quiet only now: each product was rounded down.
        return audioop.mul(total, SAMPLE_BYTES, self._gain)

    def _white(self, samples: int) -> bytes:
        table = white_noise()
        start = self._place
        end = start + samples * SAMPLE_BYTES
        self._place = end % len(table)
        return (
            table[start:end] if end <= len(table) else (table * (end // len(table) + 1))[start:end]
        )


def _response(reflections: tuple[float, ...]) -> tuple[float, ...]:
    """The impulse response of the filter, at a gain that leaves the power of white noise as it is.

    The prediction coefficients come from the reflections by the usual recursion; a lattice whose
    reflections stay between -1 and 1 is stable whatever they are.
    """
    if not any(reflections):
        return (1.0,)
    predictor: list[float] = []
    for each in reflections:
        predictor = [a + each * b for a, b in zip(predictor, reversed(predictor), strict=True)]
        predictor.append(each)
    heard = [1.0]
    for index in range(1, _TAPS):
        past = zip(predictor, reversed(heard[max(0, index - len(predictor)) :]), strict=False)
        heard.append(-sum(a * h for a, h in past))
    power = sum(each * each for each in heard) ** 0.5
    return tuple(each / power for each in heard)
