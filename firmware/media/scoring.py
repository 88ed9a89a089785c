"""How the far end is heard, in figures: an opinion each second, and what RTCP tells of it. Pure.

The opinion is the E-model's (`rtp.quality`); the delay it takes is half the round trip, the jitter
buffer's and the frames' on both sides.
"""

import math

from firmware.dsp.level import SILENCE, dbov
from firmware.media.kinds import Levels
from firmware.media.levels import EchoLoss
from firmware.media.reception import Reception
from firmware.rtp.jitter import FAR
from firmware.rtp.quality import GMIN, Opinion, mos, rating
from firmware.rtp.xr import VoipMetrics

_FRAMES_MS = 40.0
"""One frame is filled before it is sent, one is played."""
_FRAME_MS = 20.0
_DBM0 = 6.2
"""0 dBm0 of G.711 is so far below the square wave that dBov counts from, for a sine."""


class Scoring:
    """One stream's marks."""

    __slots__ = ("_echo", "_opinion", "_reception")

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._opinion = Opinion()
        self._echo = EchoLoss()

    @property
    def mos(self) -> float | None:
        """The opinion of the last seconds, None before anything was heard."""
        return self._opinion.mos

    @property
    def levels(self) -> Levels:
        """How loud the far end and its room are of late, and its echo."""
        level, loss = self._reception.level, self._echo.decibels
        echo_loss = None if loss is None else round(loss)
        return Levels(_dbm0(math.sqrt(level.speech)), _dbm0(level.room), echo_loss)

    def second(self, round_trip_ms: float, heard: float = SILENCE, told: float = SILENCE) -> None:
        """A second passed, in which they and we were so loud (dBov)."""
        self._echo.second(heard, told)
        reception = self._reception
        buffer = reception.buffer
        expected = buffer.expected
        self._opinion.hear(
            buffer.pattern.missed,
            expected,
            delay_ms=self._mouth_to_ear(round_trip_ms),
            burst_ratio=buffer.pattern.burst_ratio(expected),
            codec=reception.codec,
        )

    def _mouth_to_ear(self, round_trip_ms: float) -> float:
        return round_trip_ms / 2 + self._reception.buffer.delay_ms + _FRAMES_MS

    def metrics(self, round_trip_ms: float) -> VoipMetrics | None:
        """RFC 3611 §4.7 of the whole call so far; None while nobody is heard."""
        reception = self._reception
        buffer, source = reception.buffer, reception.rtp.ssrc
        expected = buffer.expected
        if source is None or expected <= 0:
            return None
        bursts = buffer.pattern.figures(expected)
        share = min(1.0, buffer.pattern.missed / expected)
        ratio = buffer.pattern.burst_ratio(expected)
        # The listening opinion knows no delay, that of a conversation does (RFC 3611 §4.7.5).
        listening = rating(0.0, share, ratio, reception.codec)
        talking = rating(self._mouth_to_ear(round_trip_ms), share, ratio, reception.codec)
        levels = self.levels
        return VoipMetrics(
            ssrc=source,
            lost=min(1.0, max(0, buffer.lost) / expected),
            discarded=min(1.0, buffer.late / expected),
            burst_density=bursts.burst_density,
            gap_density=bursts.gap_density,
            burst_ms=round(bursts.burst_length * 20),
            gap_ms=round(bursts.gap_length * 20),
            round_trip_ms=round(round_trip_ms),
            end_system_ms=round(buffer.delay_ms + _FRAMES_MS),
            signal_level=levels.speech,
            noise_level=levels.noise,
            echo_loss=levels.echo_loss,
            gmin=GMIN,
            rating=round(talking),
            listening=mos(listening),
            conversation=mos(talking),
            buffer_nominal_ms=round(buffer.target_ms),
            # Beyond that whole frames are left out.
            buffer_most_ms=round(buffer.target_ms + FAR * _FRAME_MS),
            # With the frame that is waited for while packets are lost.
            buffer_limit_ms=round(buffer.policy.highest * 1000 + (FAR + 1) * _FRAME_MS),
        )


def _dbm0(root_mean_square: float) -> int | None:
    return round(dbov(root_mean_square) + _DBM0) if root_mean_square else None
