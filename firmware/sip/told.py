"""What the phone must know of messages and published state (the rest is `notifications`)."""

import enum

from msgspec import Struct

from firmware.sip.names import (
    CallRef,
    FailureCause,
    LineName,
    MessageRef,
    Party,
    PublicationRef,
)


class MessageReceived(Struct, frozen=True):
    """Somebody whom the line trusts sent a text (RFC 3428), in a call or outside.

    `sent_at` is what the sender says, seconds since 1970.
    """

    line: LineName
    sender: Party
    text: str
    call: CallRef | None = None
    subject: str = ""
    sent_at: float | None = None


class MessageOutcome(Struct, frozen=True):
    """What became of a text of ours; without `cause` the next hop took it.

    A 202 says no more than that somebody keeps it (RFC 3428 §4).
    """

    ref: MessageRef
    line: LineName
    cause: FailureCause | None = None
    status: int = 0
    phrase: str = ""


class ComposingChanged(Struct, frozen=True):
    """Somebody writes a text to us, or has stopped (RFC 3994)."""

    line: LineName
    sender: Party
    active: bool
    call: CallRef | None = None


class InfoAnswered(Struct, frozen=True):
    """What became of an INFO of ours with a package (RFC 6086); without `cause` it was taken."""

    call: CallRef
    package: str
    cause: FailureCause | None = None
    status: int = 0


class PublicationState(enum.Enum):
    """Where a publication stands with its server."""

    TRYING = "trying"
    PUBLISHED = "published"
    WAITING = "waiting"
    ENDED = "ended"


class PublicationChanged(Struct, frozen=True):
    """A publication of ours moved on; while WAITING it is tried again in `retry_in` seconds."""

    ref: PublicationRef
    line: LineName
    state: PublicationState
    cause: FailureCause | None = None
    status: int = 0
    phrase: str = ""
    retry_in: float = 0.0


class PresenceChanged(Struct, frozen=True):
    """Somebody who is watched can be reached, or not; `available` None = nothing is known.

    `activities` are the words of RFC 4480 §3.2, such as `on-the-phone`; `note` is their own.
    """

    line: LineName
    who: str
    available: bool | None = None
    activities: tuple[str, ...] = ()
    note: str = ""
