"""DTMF within speech: which keys somebody pressed who sends them as tones (ITU-T Q.23, Q.24). Pure.

Every 10 ms a window of 20 ms is correlated with the eight frequencies, which is what a Goertzel
filter computes; audioop does it in C. A window shows a key if one row and one column make up nearly
all of its power, and neither is much louder than the other. How far the phase has turned since the
window before tells the true frequencies, far better than the window's own width would. A key begins
when three windows in a row show it (a tone of 40 ms fills three, one of 23 ms at most two) and has
ended when four do not, so that a hole of 10 ms makes no second key of it.

Not for a call in which telephone-events were agreed on.
"""

import math
from array import array
from functools import lru_cache
from typing import NamedTuple

from firmware.base.pcm import SAMPLE_BYTES, audioop
from firmware.dsp.tones import DTMF

_PEAK = 32767
_ROWS = tuple(sorted({row for row, _ in DTMF.values()}))
_COLUMNS = tuple(sorted({column for _, column in DTMF.values()}))
_KEYS = {pair: key for key, pair in DTMF.items()}
_HIGHEST_RATE = 12000
"""Enough for 1,633 Hz; faster sound is halved first, neighbour added to neighbour."""

_HOP_MS = 10
_FAINTEST = 260.0
"""Root mean square in samples: both tones together at -42 dBov, far below any telephone line."""
_SHARE = 0.8
"""Of the window's power in the two tones: speech and music have more besides."""
_FEWEST, _MOST = 24, 72
"""Zeros that two tones cross in a window, 27 to 67, and some to spare: four of five windows of
speech cross fewer, and are not worth the correlations."""
_OFF = 0.025
"""The largest error of a frequency: 1.5 % must be taken, 3.5 % must not."""
_LOUDER_COLUMN = 10 ** (5.5 / 10)
_LOUDER_ROW = 10 ** (9.5 / 10)
"""Twist as powers: 4 dB and 8 dB must be taken."""
_BEGIN, _END = 3, 4
"""Windows in a row that show a key, or do not."""
_STEADY = 4.0
"""The largest change of power from window to window of one key: 6 dB."""


class Pressed(NamedTuple):
    """A key that has ended, and about how long it was."""

    key: str
    duration_ms: int


_NOTHING: tuple[Pressed, ...] = ()


class _Show(NamedTuple):
    """What a window shows: a key, its power and the phases of its two tones."""

    row: int
    column: int
    power: float
    phases: tuple[float, float]


class DtmfDetector:
    """One stream's ear for keys; `hear` takes its frames."""

    __slots__ = ("_before", "_buffer", "_hits", "_key", "_misses", "_odd", "_rate", "_sounding")

    def __init__(self) -> None:
        self._rate = 0
        self._odd = b""
        self._buffer = b""
        self._before: _Show | None = None
        self._key = ""
        self._hits = 0
        self._misses = 0
        self._sounding = False

    def hear(self, pcm: bytes, rate: int) -> tuple[Pressed, ...]:
        """The keys that ended with this frame of `rate` samples a second, of any length."""
        if not self._hits and audioop.rms(pcm, SAMPLE_BYTES) < _FAINTEST / 2:
            self._buffer = self._odd = b""
            self._before = None
            return _NOTHING
        slow, pcm = self._slowed(pcm, rate)
        if slow != self._rate:
            self._rate = slow
            self._buffer = b""
            self._before = None
        buffer = self._buffer + pcm
        hop = slow * _HOP_MS // 1000 * SAMPLE_BYTES
        place, pressed = 0, []
        while place + 2 * hop <= len(buffer):
            pair = buffer[place + hop : place + 3 * hop]
            # What fills three windows fills one of any two: the second tells for both.
            if not self._hits and len(pair) == 2 * hop and self._look(pair) is None:
                self._before = None
                place += 2 * hop
                continue
            ended = self._judge(self._look(buffer[place : place + 2 * hop]))
            if ended is not None:
                pressed.append(ended)
            place += hop
        self._buffer = buffer[place:]
        return tuple(pressed)

    def _slowed(self, pcm: bytes, rate: int) -> tuple[int, bytes]:
        """The sound at a rate that is cheap to look at."""
        if rate <= _HIGHEST_RATE:
            return rate, pcm
        factor = 4 if rate > 2 * _HIGHEST_RATE else 2
        pcm = self._odd + pcm
        whole = len(pcm) - len(pcm) % (factor * SAMPLE_BYTES)
        self._odd = pcm[whole:]
        pcm = pcm[:whole]
        for _ in range(factor // 2):
            pcm = audioop.tomono(pcm, SAMPLE_BYTES, 0.5, 0.5)
        return rate // factor, pcm

    def _look(self, window: bytes) -> _Show | None:
        """The pair of tones that fills a window, None if none does."""
        rms = audioop.rms(window, SAMPLE_BYTES)
        if rms < _FAINTEST or not _FEWEST <= audioop.cross(window, SAMPLE_BYTES) <= _MOST:
            return None
        least = rms * rms * _SHARE / (1 + _LOUDER_ROW)
        rows, columns = _templates(self._rate)
        row, low, low_phase = _strongest(window, rows)
        if low < least:
            return None
        column, high, high_phase = _strongest(window, columns)
        if low + high < _SHARE * rms * rms:
            return None
        if high > low * _LOUDER_COLUMN or low > high * _LOUDER_ROW:
            return None
        return _Show(row, column, low + high, (low_phase, high_phase))

    def _judge(self, show: _Show | None) -> Pressed | None:
        """Count windows; the key that ended with this one."""
        before, self._before = self._before, show
        key = "" if show is None else _KEYS[_ROWS[show.row], _COLUMNS[show.column]]
        if show is not None and before is not None and not self._continues(before, show):
            key = ""
        if key and key == self._key:
            self._hits += 1 + self._misses
            self._misses = 0
            self._sounding = self._sounding or self._hits >= _BEGIN
            return None
        self._misses += 1
        if self._sounding and self._misses < _END and not key:
            return None
        ended = Pressed(self._key, self._hits * _HOP_MS) if self._sounding else None
        self._key, self._hits, self._misses, self._sounding = key, int(bool(key)), 0, False
        return ended

    def _continues(self, before: _Show, show: _Show) -> bool:
        """Whether two windows show the same tones, and those of a key."""
        if (before.row, before.column) != (show.row, show.column):
            return True  # another key: nothing can be said of its frequencies yet
        if not 1 / _STEADY < show.power / before.power < _STEADY:
            return False
        return all(
            self._true(hertz, later - earlier)
            for hertz, earlier, later in zip(
                (_ROWS[show.row], _COLUMNS[show.column]), before.phases, show.phases, strict=True
            )
        )

    def _true(self, hertz: int, turned: float) -> bool:
        """Whether a tone that turned so far in a hop has this frequency."""
        hop = self._rate * _HOP_MS // 1000 / self._rate
        astray = (turned - 2 * math.pi * hertz * hop + math.pi) % (2 * math.pi) - math.pi
        return abs(astray) / (2 * math.pi * hop) <= hertz * _OFF


_Templates = tuple[tuple[bytes, bytes], ...]


@lru_cache(maxsize=4)
def _templates(rate: int) -> tuple[_Templates, _Templates]:
    """Sine and cosine of each row and column, shaped so that neighbours hardly disturb."""
    size = 2 * (rate * _HOP_MS // 1000)
    shape = [0.5 - 0.5 * math.cos(2 * math.pi * (n + 0.5) / size) for n in range(size)]

    def wave(hertz: int, start: float) -> bytes:
        turn = 2 * math.pi * hertz / rate
        return array(
            "h", [round(_PEAK * shape[n] * math.sin(turn * n + start)) for n in range(size)]
        ).tobytes()

    def both(group: tuple[int, ...]) -> _Templates:
        return tuple((wave(hertz, 0.0), wave(hertz, math.pi / 2)) for hertz in group)

    return both(_ROWS), both(_COLUMNS)


def _strongest(window: bytes, templates: _Templates) -> tuple[int, float, float]:
    """The place, power and phase of the tone that is most in a window."""
    findfactor = audioop.findfactor
    best, place, sine, cosine = -1.0, 0, 0.0, 0.0
    for index, (in_phase, across) in enumerate(templates):
        s, c = findfactor(window, in_phase), findfactor(window, across)
        power = s * s + c * c
        if power > best:
            best, place, sine, cosine = power, index, s, c
    # The factor of a shaped sine is 4/3 of the amplitude, in full scales.
    return place, best * (0.75 * _PEAK) ** 2 / 2, math.atan2(cosine, sine)
