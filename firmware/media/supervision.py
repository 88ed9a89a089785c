"""What the phone is told of a stream: whether each end hears the other, and the figures. Pure.

When somebody is taken to be silent: `hearing`, `unheard`; what the far end is worth to the ear:
`scoring`. Here stands what explains a silence, and how all of it becomes reports.
"""

from firmware.dsp.level import dbov
from firmware.media.hearing import PATIENCE, HearingWatch
from firmware.media.messages import (
    HearingChanged,
    Silence,
    StreamReport,
    Unheard,
    UnheardChanged,
)
from firmware.media.reception import Reception
from firmware.media.reporting import Reporting
from firmware.media.scoring import Scoring
from firmware.media.sending import Sending
from firmware.rtp.drift import DriftMeter
from firmware.rtp.srtp import Guard
from firmware.rtp.xr import VoipMetrics

_LONGEST_REST = 60.0
"""Seconds of a pause that comfort noise announced before it counts as silence."""

_SIGN_OF_LIFE = 35.0
"""Seconds for which RTCP or an empty packet shows life; of the latter two in a row may be lost."""


class Supervision:
    """Of the stream of this number. `now` is the engine's monotonic seconds."""

    __slots__ = (
        "_drift",
        "_guard",
        "_number",
        "_reception",
        "_reporting",
        "_scoring",
        "_sending",
        "_watch",
    )

    def __init__(
        self,
        number: int,
        reception: Reception,
        sending: Sending,
        reporting: Reporting,
        guard: Guard,
    ) -> None:
        self._number = number
        self._reception = reception
        self._sending = sending
        self._reporting = reporting
        self._guard = guard
        self._scoring = Scoring(reception)
        self._watch = HearingWatch()
        self._drift = DriftMeter()

    def expect(self, now: float, *, expecting: bool) -> None:
        """Whether media should arrive from now on."""
        self._watch.expect(now, expecting=expecting)

    def hearing(self, now: float, card_fault: str) -> HearingChanged | None:
        """Whether the far end can be heard; None: as before.

        `card_fault` is what is wrong with our ear.
        """
        reception = self._reception
        heard_at = reception.heard_at
        if heard_at is not None:
            rests = reception.resting and now - heard_at < _LONGEST_REST
            self._watch.heard(now if rests else heard_at)
            if now - heard_at < PATIENCE:
                # What went wrong before is no explanation for a silence that comes later.
                reception.stranger = reception.undecodable = None
        cause, detail = self._cause(card_fault, now)
        if not self._watch.changed(now, cause):
            return None
        heard = self._watch.cause is None
        return HearingChanged(self._number, self._watch.cause, "" if heard else detail)

    def _cause(self, card_fault: str, now: float) -> tuple[Silence, str]:
        """What would explain silence just now."""
        reception = self._reception
        if card_fault:
            return Silence.CARD_FAILED, card_fault
        if self._guard.in_a_row:
            return Silence.NOT_AUTHENTIC, f"{self._guard.in_a_row} packets"
        if reception.undecodable is not None:
            number = reception.undecodable
            reason = reception.faults.get(number, "nobody offered it")
            return Silence.NOT_DECODABLE, f"payload type {number}: {reason}"
        if reception.stranger is not None:
            host, port = reception.stranger
            return Silence.OTHER_SOURCE, f"{host} port {port}"
        alive = now - reception.alive_at < _SIGN_OF_LIFE
        there = alive and not self._reporting.session.ended_by_them
        return (Silence.NO_SOUND if there else Silence.NO_PACKETS), ""

    def arriving(self, refused: int, why: str, *, sends: bool) -> UnheardChanged | None:
        """Once a second: whether what we send gets out and arrives; None: as before.

        `refused` is how many datagrams our kernel did not take so far, and `why` the last one.
        """
        unheard = self._reporting.unheard
        unheard.refused(refused)
        if not unheard.changed(sends=sends):
            return None
        detail = why if unheard.cause is Unheard.REFUSED else ""
        return UnheardChanged(self._number, unheard.cause, detail)

    def drift(self, now: float) -> None:
        """Once a second: how the far end's clock goes against ours."""
        heard_at = self._reception.heard_at
        if heard_at is not None and now - heard_at < 1.0:
            self._drift.note(now, self._reception.buffer.transit)

    def metrics(self) -> VoipMetrics | None:
        """What the far end may know of how we hear it; None while we do not."""
        return self._scoring.metrics(self._reporting.session.remote.round_trip_ms)

    def report(self, *, final: bool) -> StreamReport:
        """Once a second, and a last time: the figures."""
        sending, reception, buffer = self._sending, self._reception, self._reception.buffer
        source = reception.rtp.source
        remote = self._reporting.session.remote
        level_in, level_out = dbov(reception.level.take()), dbov(sending.level.take())
        self._scoring.second(remote.round_trip_ms, level_in, level_out)
        return StreamReport(
            stream=self._number,
            sent=sending.rtp.packets,
            received=reception.received,
            lost=max(0, buffer.lost),
            late=buffer.late,
            duplicate=buffer.duplicate,
            concealed=buffer.concealed,
            jitter_ms=source.jitter_ms if source else 0.0,
            delay_ms=buffer.delay_ms,
            round_trip_ms=remote.round_trip_ms,
            remote_lost=remote.lost,
            level_in=level_in,
            level_out=level_out,
            codec=reception.codec or (sending.speech.name if sending.speech else ""),
            source=reception.latch.locked,
            ssrc=sending.rtp.ssrc,
            final=final,
            mos=self._scoring.mos,
            remote_mos=remote.mos,
            target_ms=buffer.target_ms,
            stretched=reception.player.stretched,
            drift_ppm=self._drift.ppm,
            levels=self._scoring.levels,
            refused=self._guard.refused,
            heard=self._guard.heard(
                reception.rtp.ssrc, source.extended_highest & 0xFFFF if source else 0
            ),
        )
