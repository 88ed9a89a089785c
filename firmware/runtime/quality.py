"""From the figures of a call to a report for its collector (RFC 6035)."""

from typing import Final

from firmware.media.messages import StreamReport
from firmware.phone.commands import ReportQuality
from firmware.rtp import quality
from firmware.runtime.house import House
from firmware.sip.event.quality import MEDIA_TYPE, PACKAGE, CallQuality, Opinion, write_quality
from firmware.sip.usage.publication import State

_PACKET_MS: Final = 20.0


def report_quality(house: House, command: ReportQuality) -> None:
    """Publish how a call sounded, or sounds.

    Raises:
        LocalError: its line is no more, or the collector cannot be addressed.
    """
    parted, report = command.parted, command.report
    to_wall = house.wall() - house.now()
    identity = house.agent.identity(parted.line)
    heard = report.received > 0
    known = house.last_calls.find(parted.call)
    figures = CallQuality(
        call_id=known.call_id if known else parted.call,
        local_uri=identity.uri,
        local_name=identity.name,
        remote_uri=parted.remote.uri,
        remote_name=parted.remote.name,
        outgoing=parted.outgoing,
        started_at=parted.answered_at + to_wall,
        ended_at=parted.ended_at + to_wall,
        codec=report.codec,
        received=report.received,
        lost=report.lost,
        late=report.late,
        local=parted.local,
        remote=report.source,
        ssrc=report.ssrc or None,
        jitter_ms=report.jitter_ms if heard else None,
        buffer_ms=report.delay_ms if heard else None,
        signal_dbm0=report.levels.speech,
        noise_dbm0=report.levels.noise,
        echo_loss_db=report.levels.echo_loss,
        # Nought means that no receiver report came back.
        round_trip_ms=report.round_trip_ms or None,
        listening=_opinion(report, 0.0) if heard else None,
        conversation=_opinion(report, _one_way_ms(report)) if heard else None,
        alert=command.alert,
    )
    state = State(PACKAGE, MEDIA_TYPE, write_quality(figures))
    house.agent.publications.report(parted.line, parted.collector, state, house.now())


def _one_way_ms(report: StreamReport) -> float:
    """From mouth to ear: half of the way there and back, our buffer, and a packet of speech."""
    return report.round_trip_ms / 2 + report.delay_ms + _PACKET_MS


def _opinion(report: StreamReport, delay_ms: float) -> Opinion:
    expected = max(report.received + report.lost, 1)
    rating = quality.rating(delay_ms, (report.lost + report.late) / expected, codec=report.codec)
    return Opinion(rating, quality.mos(rating))
