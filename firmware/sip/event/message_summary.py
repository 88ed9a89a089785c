"""message-summary: how many messages wait in a mailbox (RFC 3842).

The body is lines of `name: value`; servers differ in case, blanks and line ends, so the reader
takes whatever can only mean one thing.
"""

import re
from typing import Final

from msgspec import Struct

from firmware.sip.event.package import BodyError, Document, Package

MEDIA_TYPE: Final = "application/simple-message-summary"
_MOST_OCTETS: Final = 16_384
_MOST_LINES: Final = 200
_MOST: Final = 2**32 - 1
_COUNTS: Final = re.compile(
    r"([0-9]{1,20})[ \t]*/[ \t]*([0-9]{1,20})"
    r"(?:[ \t]*\([ \t]*([0-9]{1,20})[ \t]*/[ \t]*([0-9]{1,20})[ \t]*\))?"
)
_VOICE: Final = "voice-message"


class Counts(Struct, frozen=True):
    """Messages of one kind: new, old, and the urgent ones among them."""

    new: int
    old: int
    urgent_new: int = 0
    urgent_old: int = 0


class MessageSummary(Document, frozen=True):
    """A mailbox. `voice` is None if the server counts none; `account` is what to dial for it."""

    waiting: bool
    account: str = ""
    voice: Counts | None = None
    kinds: tuple[tuple[str, Counts], ...] = ()


class SummaryReader:
    """Each body is the whole state (RFC 3842 §3.5)."""

    def read(self, content_type: str, body: bytes) -> MessageSummary:
        """The mailbox.

        Raises:
            BodyError: it does not say whether messages wait.
        """
        del content_type
        return read_summary(body)


def read_summary(body: bytes) -> MessageSummary:
    """Read `application/simple-message-summary` (RFC 3842 §5.2).

    Raises:
        BodyError: it does not say whether messages wait.
    """
    if len(body) > _MOST_OCTETS:
        raise BodyError("too long")
    waiting: bool | None = None
    account = ""
    kinds: dict[str, Counts] = {}
    for line in body.decode("utf-8", "replace").splitlines()[:_MOST_LINES]:
        name, colon, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon:
            continue
        if name == "messages-waiting":
            waiting = _yes(value)
        elif name == "message-account":
            account = "".join(filter(str.isprintable, value))
        elif (counts := _counts(value)) is not None:
            kinds[name] = counts
    if waiting is None:
        raise BodyError("no Messages-Waiting")
    return MessageSummary(waiting, account, kinds.get(_VOICE), tuple(kinds.items()))


def _yes(value: str) -> bool:
    if value.lower() not in ("yes", "no"):
        raise BodyError("Messages-Waiting is neither yes nor no")
    return value.lower() == "yes"


def _counts(value: str) -> Counts | None:
    match = _COUNTS.match(value)
    if match is None:
        return None
    # RFC 3842 §3.5: a larger number counts as 2^32-1.
    return Counts(*(min(int(number or 0), _MOST) for number in match.groups()))


PACKAGE: Final = Package("message-summary", (MEDIA_TYPE,), SummaryReader, expires=3600)
