"""What a request says about itself beside who sent it, and what we say: values for the phone.

Texts are the far end's, fit for a screen (`bodies.shown`) and cut to a length a screen can hold.
"""

import enum

from msgspec import Struct


class RingKind(enum.Enum):
    """How a call wants to be announced (RFC 7462 §7 and what PBXs write instead)."""

    USUAL = "usual"
    INTERNAL = "internal"
    EXTERNAL = "external"
    PRIORITY = "priority"
    SHORT = "short"
    NONE = "none"


class AnswerWish(enum.Enum):
    """Whether the caller wants to be answered without a hand on the phone.

    The wish decides nothing: it is followed where the line's `auto_answer` allows it (A20).
    """

    NONE = "none"
    MANUAL = "manual"
    """A person shall answer (RFC 5373 §4.3.3)."""
    AUTO = "auto"
    PRIVILEGED = "privileged"
    """Priv-Answer-Mode: even to somebody who does not want to be disturbed (RFC 5373 §4.1)."""


class DiversionReason(enum.Enum):
    """Why a call was sent on to us."""

    UNKNOWN = "unknown"
    UNCONDITIONAL = "unconditional"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNAVAILABLE = "unavailable"
    DO_NOT_DISTURB = "do_not_disturb"
    DEFLECTION = "deflection"
    FOLLOW_ME = "follow_me"
    TIME_OF_DAY = "time_of_day"


class CallFacts(Struct, frozen=True):
    """What an INVITE says about itself.

    `answer_after` is seconds; it counts only with the wish AUTO or PRIVILEGED. `icon` is the URI
    of a picture of the caller (`https:` only), which nobody here fetches. `software` is the
    User-Agent, `priority` in lower case.
    """

    anonymous: bool = False
    ring: RingKind = RingKind.USUAL
    answer: AnswerWish = AnswerWish.NONE
    answer_required: bool = False
    answer_after: float = 0.0
    diversion: DiversionReason = DiversionReason.UNKNOWN
    diversions: int = 0
    subject: str = ""
    priority: str = ""
    organization: str = ""
    software: str = ""
    icon: str = ""
    sent_at: float | None = None
    """The Date header as seconds since 1970, None without a readable one."""


class Activity(enum.Enum):
    """What we say of ourselves; the value is RPID's word, empty for none."""

    AVAILABLE = ""
    AWAY = "away"
    ON_THE_PHONE = "on-the-phone"
    DO_NOT_DISTURB = "busy"
