"""From the figures of a call to a report for its collector (RFC 6035)."""

from firmware.phone.commands import ReportQuality
from firmware.runtime.house import House
from firmware.sip.event.quality import MEDIA_TYPE, PACKAGE, CallQuality, write_quality
from firmware.sip.usage.publication import State


def report_quality(house: House, command: ReportQuality) -> None:
    """Publish how a call sounded.

    Raises:
        LocalError: its line is no more, or the collector cannot be addressed.
    """
    parted, report = command.parted, command.report
    to_wall = house.wall() - house.now()
    identity = house.agent.identity(parted.line)
    heard = report.received > 0
    known = house.last_calls.find(parted.call)
    quality = CallQuality(
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
        # Nought means that no receiver report came back.
        round_trip_ms=report.round_trip_ms or None,
    )
    state = State(PACKAGE, MEDIA_TYPE, write_quality(quality))
    house.agent.publications.report(parted.line, parted.collector, state, house.now())
