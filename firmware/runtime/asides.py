"""What the runtime itself takes from the stream of inputs, before the phone gets them.

Statistics, the crash mirror and the log are no business of the phone machine; it sees these inputs
too and ignores what it does not need.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from firmware.base.phrase import phrase
from firmware.media.messages import EngineLog, Foreign, StreamReport
from firmware.phone.events import Event
from firmware.phone.features.certificate import ENOUGH_DAYS
from firmware.runtime.house import House
from firmware.sip.notifications import (
    CallEnded,
    CardAdvanced,
    CertificateEnds,
    DialogSaved,
    IncomingCall,
    OfferWanted,
    RegistrationChanged,
    Stranger,
)

_LOG = logging.getLogger(__name__)
_ENGINE = logging.getLogger("firmware.media")


def aside(house: House, event: Event) -> None:
    """Take what the runtime wants from an input."""
    taker = ASIDES.get(type(event))
    if taker is not None:
        taker(house, event)


def keep_report(house: House, report: StreamReport) -> None:
    """The newest figures of each call's stream."""
    call = house.streams.get(report.stream)
    if call is not None:
        house.reports[call] = report
    if house.encryption is not None:
        house.encryption.note(report)
    if report.final:
        house.streams.pop(report.stream, None)
        if call is not None:
            house.reports.pop(call, None)
            house.finished = report


def feed_handshake(house: House, report: Foreign) -> None:
    """A datagram on a media socket that is no media: DTLS or STUN, perhaps."""
    if house.ways is not None:
        house.ways.feed(report)
    if house.encryption is not None:
        house.encryption.feed(report)


def mirror_dialog(house: House, saved: DialogSaved) -> None:
    """A crash must not leave the far end talking to nobody (F46)."""
    house.keeper.keep_dialog(saved.call, saved.snapshot)
    if saved.snapshot is None and house.encryption is not None:
        house.encryption.over(saved.call)


def keep_card(house: House, card: CardAdvanced) -> None:
    """What a SIM card has seen it must not take again, in any life."""
    house.keeper.keep_card(card.line, card.numbers)


def name_call(house: House, call: IncomingCall | OfferWanted) -> None:
    """Who asks for the ladder of a call, also of one that came to nothing, names it as we do."""
    house.last_calls.named(call.call, call.call_id)


def keep_ending(house: House, ended: CallEnded) -> None:
    """Why a call is over, for whoever asks for its ladder afterwards."""
    house.last_calls.ended(ended)


def log_engine(house: House, line: EngineLog) -> None:
    """The audio process writes no log of its own."""
    del house
    _ENGINE.log(logging.getLevelNamesMapping().get(line.level.upper(), logging.INFO), line.text)


def log_registration(house: House, change: RegistrationChanged) -> None:
    """One line whenever a line's state changes, none for a refresh."""
    seen = (change.state, change.cause, change.status)
    if house.registrations.get(change.line) != seen:
        house.registrations[change.line] = seen
        state = phrase(f"log.line_{change.state.value}")
        reason = f" ({change.status} {change.phrase})" if change.status else ""
        said = phrase("log.line", line=change.line, state=state, reason=reason, where=change.where)
        _LOG.info(said)


def log_stranger(house: House, stranger: Stranger) -> None:
    """Somebody rattled at the door."""
    del house
    _LOG.info(
        phrase(
            "log.stranger",
            count=stranger.count,
            method=repr(stranger.method),
            source=stranger.source,
        )
    )


def log_certificate(house: House, certificate: CertificateEnds) -> None:
    """Our own certificate ends soon (F27)."""
    del house
    if certificate.days < ENOUGH_DAYS:
        _LOG.warning(phrase("log.certificate_ends", file=certificate.file, days=certificate.days))


ASIDES: Mapping[type, Callable[[House, Any], None]] = {
    StreamReport: keep_report,
    Foreign: feed_handshake,
    DialogSaved: mirror_dialog,
    CardAdvanced: keep_card,
    IncomingCall: name_call,
    OfferWanted: name_call,
    CallEnded: keep_ending,
    EngineLog: log_engine,
    RegistrationChanged: log_registration,
    Stranger: log_stranger,
    CertificateEnds: log_certificate,
}
