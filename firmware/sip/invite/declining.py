"""Saying no to an offer that cannot be refused: one that came in a response (RFC 6337 §2.3).

The ACK or PRACK must carry an answer all the same; this one takes nothing (RFC 3264 §6: port 0 for
each medium), and then the call ends. It is the only place where the stack writes a description by
itself, so it looks at no more than the beginnings of lines.
"""

import re
from collections.abc import Callable
from typing import Final, Protocol

from firmware.sip.bodies import Rows
from firmware.sip.headers import Reason
from firmware.sip.invite.waiting import Kind, Waiting
from firmware.sip.status import phrase_for

Deliver = Callable[[bytes, float], None]
"""Carries our answer: in the ACK or PRACK."""
BreakOff = Callable[[int, str, float], None]
"""Ends the call, with a status and words for why."""


class BreaksOff(Protocol):
    """A call that is up, as far as it can be ended for its media."""

    def break_off(self, status: int, words: str, now: float) -> None:
        """End it; the far end hears why."""


_MEDIUM: Final = re.compile(rb"^m=(\S+) \d+(?:/\d+)? (.*)$")
_ORIGIN: Final = re.compile(rb"^o=(\S+ \d+) (\d+) (.*)$", re.MULTILINE)
_MOST_MEDIA: Final = 32
_NOWHERE: Final = b"IN IP4 0.0.0.0"


def declined(offer: bytes, ours: bytes = b"") -> bytes:
    """An answer that takes none of the media offered; empty if it is no description.

    `ours` is what we said last, whose origin goes on (RFC 3264 §8).
    """
    media = [found for line in offer.split(b"\n") if (found := _MEDIUM.match(line.rstrip(b"\r")))]
    if not media or len(media) > _MOST_MEDIA:
        return b""
    rows = [b"v=0", b"o=" + _origin(ours), b"s=-", b"c=" + _NOWHERE, b"t=0 0"]
    rows += [b"m=%b 0 %b" % found.groups() for found in media]
    return b"\r\n".join(rows) + b"\r\n"


def _origin(ours: bytes) -> bytes:
    before = _ORIGIN.search(ours.replace(b"\r", b""))
    if before is None:
        return b"- 1 1 " + _NOWHERE
    name, version, where = before.groups()
    return b"%b %d %b" % (name, int(version[:18]) + 1, where)


def late_offer(offer: bytes, ours: bytes, deliver: Deliver, break_off: BreakOff) -> Waiting:
    """What the phone must decide about an offer in a response; a refusal ends the call."""

    def refuse(status: int, rows: Rows, now: float) -> None:
        deliver(declined(offer, ours), now)
        break_off(status, _words(status, rows), now)

    def leave(now: float) -> None:
        deliver(declined(offer, ours), now)

    return Waiting(Kind.RESPONSE, None, deliver, refuse, leave)


def because(status: int, words: str) -> str:
    """The Reason value of the BYE or CANCEL that follows (RFC 3326 §2)."""
    return str(Reason("SIP", status, words))


def _words(status: int, rows: Rows) -> str:
    """What the phone says, without the code and host of a Warning (RFC 3261 §20.43)."""
    warning = next((value for name, value in rows if name == "Warning"), "")
    found = re.search(r'"(.*)"', warning)
    return found.group(1) if found and found.group(1) else phrase_for(status)
