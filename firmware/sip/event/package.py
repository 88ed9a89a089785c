"""What every event package is made of: its name, its media types, its reader, its rules.

An event package is a row in `firmware.sip.event.table.PACKAGES` and one file that can read (and, if
we notify it, write) its documents. It knows nothing of subscriptions: those are
`sip.subscribing` and the rooms in `sip.usage`.

Here too: the two headers of RFC 6665 §8.2, Event and Subscription-State.
"""

import enum
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct, field

from firmware.sip.errors import ParseError
from firmware.sip.headers import TOKEN, delta_seconds, parse_params, unquote, write_params
from firmware.sip.uri import Params


class Document(Struct, frozen=True):
    """What a notification says: each package has its own values below this one."""

    @property
    def over(self) -> bool:
        """Whether what is watched has ceased to exist, so that watching on is of no use."""
        return False


class BodyError(ValueError):
    """A body that is not what its media type promises; the NOTIFY is answered 400."""


class Reader(Protocol):
    """Reads the bodies of one subscription, in their order; it may remember earlier ones."""

    def read(self, content_type: str, body: bytes) -> Document:
        """The whole state after this body, partial states merged in.

        `content_type` is the header as it came (see `kind_of`).

        Raises:
            BodyError: the body is malformed.
            GapError: something is missing before it.
        """


class GapError(Exception):
    """A partial state whose predecessor we do not have: the whole must be asked for again.

    `document` is the state as far as it is known.
    """

    def __init__(self, document: Document | None = None) -> None:
        super().__init__("a document is missing")
        self.document = document


class Package(Struct, frozen=True):
    """One event package, as a subscriber needs it.

    `accept` are the media types asked for, best first; `expires` are seconds; with `forks` the
    dialogs of all forks are kept (RFC 6665 §5.4.9), without only the first.
    """

    name: str
    accept: tuple[str, ...]
    reader: Callable[[], Reader]
    expires: int = 3600
    forks: bool = False


def kind_of(content_type: str) -> str:
    """The media type of a Content-Type in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def parameter(content_type: str, name: str) -> str:
    """A parameter of a Content-Type without quotes; empty if there is none."""
    _, semicolon, rest = content_type.partition(";")
    try:
        params = parse_params(semicolon + rest)
    except ParseError:
        return ""
    return next((unquote(value or "") for key, value in params if key.lower() == name), "")


# --- Event ----------------------------------------------------------------------------------------


class Event(Struct, frozen=True):
    """An Event header (RFC 6665 §8.2.1): package with its templates, id, other parameters."""

    package: str
    id: str | None = None
    params: Params = ()

    def __str__(self) -> str:
        mark = "" if self.id is None else f";id={self.id}"
        return f"{self.package}{mark}{write_params(self.params)}"

    def same(self, other: "Event") -> bool:
        """RFC 6665 §8.2.1: package and id decide, letter by letter; other parameters do not."""
        return self.package == other.package and self.id == other.id

    def param(self, name: str) -> str | None:
        """The value of a parameter without quotes; None if there is none."""
        for key, value in self.params:
            if key.lower() == name:
                return unquote(value or "")
        return None


def parse_event(text: str) -> Event:
    """Read an Event header.

    Raises:
        ParseError: it is not one.
    """
    name, semicolon, rest = text.strip().partition(";")
    name = name.strip()
    if TOKEN.fullmatch(name) is None:
        raise ParseError("bad Event")
    params = parse_params(semicolon + rest)
    mark = next((value for key, value in params if key.lower() == "id"), None)
    others = tuple(row for row in params if row[0].lower() != "id")
    return Event(name, mark, others)


# --- Subscription-State ---------------------------------------------------------------------------


class Standing(enum.Enum):
    """The three words of a Subscription-State."""

    ACTIVE = "active"
    PENDING = "pending"
    TERMINATED = "terminated"


class Reason(enum.Enum):
    """Why a subscription was ended (RFC 6665 §4.1.3)."""

    DEACTIVATED = "deactivated"
    PROBATION = "probation"
    REJECTED = "rejected"
    TIMEOUT = "timeout"
    GIVEUP = "giveup"
    NORESOURCE = "noresource"
    INVARIANT = "invariant"


FINAL: Final = frozenset({Reason.REJECTED, Reason.NORESOURCE, Reason.INVARIANT})
"""After these a client should not subscribe again (RFC 6665 §4.1.3)."""
AT_ONCE: Final = frozenset({Reason.DEACTIVATED, Reason.TIMEOUT})
"""After these it may, immediately; a retry-after means nothing (RFC 6665 §4.1.3)."""


class SubscriptionState(Struct, frozen=True):
    """A Subscription-State header; seconds are None where it names none.

    A reason that no RFC names is None, as if there were none (RFC 6665 §4.1.3).
    """

    standing: Standing
    expires: int | None = None
    reason: Reason | None = None
    retry_after: int | None = None
    params: Params = field(default=())

    def __str__(self) -> str:
        rows: list[tuple[str, str | None]] = []
        if self.expires is not None:
            rows.append(("expires", str(self.expires)))
        if self.reason is not None:
            rows.append(("reason", self.reason.value))
        if self.retry_after is not None:
            rows.append(("retry-after", str(self.retry_after)))
        return self.standing.value + write_params((*rows, *self.params))


_REASONS: Final = {reason.value: reason for reason in Reason}
_STANDINGS: Final = {standing.value: standing for standing in Standing}


def parse_subscription_state(text: str) -> SubscriptionState:
    """Read a Subscription-State header; an unknown word counts as active.

    Raises:
        ParseError: it is not one.
    """
    word, semicolon, rest = text.strip().partition(";")
    word = word.strip().lower()
    if TOKEN.fullmatch(word) is None:
        raise ParseError("bad Subscription-State")
    params = {key.lower(): value or "" for key, value in parse_params(semicolon + rest)}
    standing = _STANDINGS.get(word, Standing.ACTIVE)
    ended = standing is Standing.TERMINATED
    return SubscriptionState(
        standing,
        # RFC 6665 §4.1.3: expires means nothing once terminated, the other two nothing before.
        None if ended else _seconds(params.get("expires")),
        _REASONS.get(params.get("reason", "").lower()) if ended else None,
        _seconds(params.get("retry-after")) if ended else None,
    )


def _seconds(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return delta_seconds(text)
    except ParseError:
        return None
