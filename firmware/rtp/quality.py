"""How a call sounds, as a number: the E-model, and how the losses lie in time. Pure.

The rating R is that of ITU-T G.107 (06/2015) with its default values for all that an IP phone does
not know: no echo, no room noise. Left of it are the delay (G.107 §7.4) and what the codec
and the packets that were missing cost (G.107 §7.5). The codecs' figures are those of ITU-T G.113
Appendix I; wide-band codecs are rated on the same narrow-band scale, so that a figure means the
same whatever was spoken. How losses lie in time is RFC 3611 §4.7.2's bursts and gaps.
"""

import math

from msgspec import Struct

_BEST = 93.2
"""R with nothing but the defaults (G.107 §7.1)."""
_MOST_IMPAIRED = 95.0
GMIN = 16
"""Packets in a row that must be heard for a gap (RFC 3611 §4.7.2)."""


class Robustness(Struct, frozen=True):
    """What a codec costs by itself (`impairment`, Ie) and how it bears losses (`bearing`, Bpl)."""

    impairment: float
    bearing: float


_G711 = Robustness(0.0, 25.1)
"""With concealment (G.113 table I.4)."""
_OTHER = Robustness(10.0, 15.0)
_CODECS = {
    "PCMU": _G711,
    "PCMA": _G711,
    "L16": _G711,
    # No narrow-band figures are published for these; what they lose is bridged as well.
    "G722": Robustness(0.0, 20.0),
    "opus": Robustness(0.0, 30.0),
}


def rating(delay_ms: float, loss: float, burst_ratio: float = 1.0, codec: str = "PCMU") -> float:
    """R of ITU-T G.107: mouth-to-ear delay, share of packets that were not heard, how bursty.

    `burst_ratio` is 1 for losses at random, more when they come together (G.107 §7.5).
    """
    robust = _CODECS.get(codec, _OTHER)
    per_cent = min(1.0, max(0.0, loss)) * 100
    return _BEST - _delay_impairment(delay_ms) - _loss_impairment(robust, per_cent, burst_ratio)


def _loss_impairment(robust: Robustness, per_cent: float, burst_ratio: float) -> float:
    """Ie,eff of G.107 equation (7-29)."""
    if not per_cent:
        return robust.impairment
    share = per_cent / (per_cent / max(1.0, burst_ratio) + robust.bearing)
    return robust.impairment + (_MOST_IMPAIRED - robust.impairment) * share


def _delay_impairment(delay_ms: float) -> float:
    """Idd of G.107 equations (7-27) and (7-28): nothing up to 100 ms, then talking gets hard."""
    if delay_ms <= 100:
        return 0.0
    doublings = math.log2(delay_ms / 100)
    near = float((1 + doublings**6) ** (1 / 6))
    far = float((1 + (doublings / 3) ** 6) ** (1 / 6))
    return 25 * (near - 3 * far + 2)


def mos(rating: float) -> float:
    """The mean opinion of a rating, 1 to 4.5 (G.107 Annex B)."""
    if rating <= 0:
        return 1.0
    if rating >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6)


class BurstFigures(Struct, frozen=True):
    """RFC 3611 §4.7.2: shares 0 to 1 within bursts and gaps, mean lengths in packets."""

    burst_density: float = 0.0
    gap_density: float = 0.0
    burst_length: float = 0.0
    gap_length: float = 0.0


class LossPattern:
    """Which packets were not heard, whether lost or too late; costs nothing while all are.

    `missed` counts them. Sequence numbers are counted on past their wraps.
    """

    __slots__ = (
        "_burst_losses",
        "_burst_packets",
        "_bursts",
        "_gap_losses",
        "_last",
        "_losses",
        "_runs",
        "_start",
        "missed",
    )

    def __init__(self) -> None:
        self.missed = 0
        self._runs = 0
        self._bursts = self._burst_packets = self._burst_losses = self._gap_losses = 0
        self._start = self._losses = 0
        self._last: int | None = None

    def miss(self, sequence: int, count: int = 1) -> None:
        """So many packets from this number on were not heard."""
        if count <= 0:
            return
        last = self._last
        self.missed += count
        if last is None or not 0 < sequence - last <= GMIN:
            self._close()
            self._start = sequence
        if last is None or sequence != last + 1:
            self._runs += 1
        self._losses += count
        self._last = sequence + count - 1

    def restart(self) -> None:
        """The numbers begin anew."""
        self._close()
        self._last = None

    def figures(self, expected: int) -> BurstFigures:
        """How the losses lay among so many packets so far."""
        bursts, packets, losses = self._bursts, self._burst_packets, self._burst_losses
        alone = self._gap_losses
        if self._losses > 1 and self._last is not None:
            bursts, packets = bursts + 1, packets + self._last - self._start + 1
            losses += self._losses
        else:
            alone += self._losses
        rest = max(0, expected - packets)
        return BurstFigures(
            losses / packets if packets else 0.0,
            min(1.0, alone / rest) if rest else 0.0,
            packets / bursts if bursts else 0.0,
            rest / (bursts + 1),
        )

    def burst_ratio(self, expected: int) -> float:
        """The mean run of losses, by what it would be if they fell at random (G.107 §7.5)."""
        if not self._runs or expected <= 0:
            return 1.0
        share = min(0.99, self.missed / expected)
        return max(1.0, self.missed / self._runs * (1 - share))

    def _close(self) -> None:
        if self._losses > 1 and self._last is not None:
            self._bursts += 1
            self._burst_packets += self._last - self._start + 1
            self._burst_losses += self._losses
        else:
            self._gap_losses += self._losses
        self._losses = 0


class Opinion:
    """The opinion of the last seconds: once a second `hear` what was missed since the last time."""

    __slots__ = ("_expected", "_loss", "_missed", "rating")

    _REMEMBERS = 0.25
    """The weight of a new second: a bad moment is forgotten after some ten of them."""

    def __init__(self) -> None:
        self.rating: float | None = None
        """R; None before anything was heard."""
        self._loss = 0.0
        self._missed = self._expected = 0

    @property
    def mos(self) -> float | None:
        """The mean opinion, None before anything was heard."""
        return None if self.rating is None else mos(self.rating)

    def hear(
        self, missed: int, expected: int, *, delay_ms: float, burst_ratio: float, codec: str
    ) -> None:
        """A second passed; `missed` and `expected` count packets from the beginning."""
        new = expected - self._expected
        if new <= 0:
            return  # the far end pauses
        share = min(1.0, max(0, missed - self._missed) / new)
        self._missed, self._expected = missed, expected
        weight = self._REMEMBERS if self.rating is not None else 1.0
        self._loss += (share - self._loss) * weight
        self.rating = rating(delay_ms, self._loss, burst_ratio, codec)
