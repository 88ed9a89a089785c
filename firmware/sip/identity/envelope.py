"""All that an INVITE says about itself, gathered for the phone."""

from typing import Final

from firmware.sip.bodies import shown
from firmware.sip.facts import CallFacts, DiversionReason
from firmware.sip.headers import NameAddr
from firmware.sip.identity.alerting import answering, icon, ring_kind
from firmware.sip.identity.date import seconds_of
from firmware.sip.identity.diversion import diversion_of
from firmware.sip.identity.who import is_anonymous
from firmware.sip.message import Headers
from firmware.sip.notifications import Party

_LONGEST: Final = 128


def facts_of(headers: Headers, sender: NameAddr) -> tuple[CallFacts, Party | None]:
    """What the headers say, and who sent the call on to us, if anybody did."""
    wish = answering(headers)
    diversion = diversion_of(headers)
    facts = CallFacts(
        anonymous=is_anonymous(headers, sender),
        ring=ring_kind(headers),
        answer=wish.wish,
        answer_required=wish.required,
        answer_after=wish.after,
        diversion=DiversionReason.UNKNOWN if diversion is None else diversion.reason,
        diversions=0 if diversion is None else diversion.times,
        subject=_text(headers, "Subject"),
        priority=_text(headers, "Priority").lower(),
        organization=_text(headers, "Organization"),
        software=_text(headers, "User-Agent"),
        icon=shown(icon(headers)),
        sent_at=seconds_of(headers.get("Date")),
    )
    return facts, None if diversion is None else diversion.by


def _text(headers: Headers, name: str) -> str:
    return shown(headers.get(name) or "")[:_LONGEST]
