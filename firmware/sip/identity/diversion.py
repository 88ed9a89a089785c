"""Who sent a call on to us, and why: History-Info (RFC 7044) and Diversion (RFC 5806).

Both are hop by hop additions of servers. The person is told of the last who sent the call on: that
is whom the caller reached, or hoped to.
"""

from typing import Final

from msgspec import Struct

from firmware.base.values import replace
from firmware.sip.bodies import party
from firmware.sip.errors import ParseError
from firmware.sip.facts import DiversionReason
from firmware.sip.headers import NameAddr, parse_reason
from firmware.sip.identity.privacy import wishes
from firmware.sip.identity.who import addresses
from firmware.sip.message import Headers
from firmware.sip.notifications import Party

Why = DiversionReason

# The words of RFC 5806.
_BY_WORD: Final = {
    "unknown": Why.UNKNOWN,
    "user-busy": Why.BUSY,
    "no-answer": Why.NO_ANSWER,
    "unavailable": Why.UNAVAILABLE,
    "out-of-service": Why.UNAVAILABLE,
    "unconditional": Why.UNCONDITIONAL,
    "time-of-day": Why.TIME_OF_DAY,
    "do-not-disturb": Why.DO_NOT_DISTURB,
    "deflection": Why.DEFLECTION,
    "follow-me": Why.FOLLOW_ME,
    "away": Why.UNAVAILABLE,
}
# RFC 4458 §2.2 for the URI's cause, and the status that made a server try elsewhere.
_BY_STATUS: Final = {
    404: Why.UNKNOWN,
    302: Why.UNCONDITIONAL,
    301: Why.UNCONDITIONAL,
    408: Why.NO_ANSWER,
    480: Why.DEFLECTION,
    486: Why.BUSY,
    487: Why.DEFLECTION,
    503: Why.UNAVAILABLE,
    600: Why.BUSY,
}


class Diversion(Struct, frozen=True):
    """The last who sent the call on (None: somebody who wants no name), why, and how often."""

    by: Party | None
    reason: DiversionReason = Why.UNKNOWN
    times: int = 1


def diversion_of(headers: Headers) -> Diversion | None:
    """How the call came to us, None if it came straight."""
    return _by_diversion(headers) or _by_history(headers)


def _by_diversion(headers: Headers) -> Diversion | None:
    # RFC 5806: whoever sends a call on puts itself on top.
    found = list(addresses(headers.all("Diversion")))
    if not found:
        return None
    last = found[0]
    reason = _BY_WORD.get((last.param("reason") or "").lower(), Why.UNKNOWN)
    private = (last.param("privacy") or "off").lower() not in ("off", "none")
    times = sum(_counter(each) for each in found)
    return Diversion(None if private else party(last), reason, times)


def _counter(entry: NameAddr) -> int:
    text = entry.param("counter") or "1"
    return min(int(text), 99) if text.isascii() and text.isdigit() and len(text) < 4 else 1


class _Entry(Struct, frozen=True):
    """One hi-entry: `index` as numbers, `mapped` = the entry of another person it came from."""

    index: tuple[int, ...]
    address: NameAddr
    mapped: tuple[int, ...]


_Entries = dict[tuple[int, ...], _Entry]


def _by_history(headers: Headers) -> Diversion | None:
    entries: _Entries = {}
    for address in addresses(headers.all("History-Info")):
        index = _index(address.param("index"))
        if index:
            entries[index] = _Entry(index, address, _index(address.param("mp")))
    diverted = sorted(index for index, entry in entries.items() if _is_diverted(entry, entries))
    if not diverted:
        return None
    last = entries[diverted[-1]]
    source = _source(last, entries)
    reason = _cause(last) or (_reason(source) if source else None) or Why.UNKNOWN
    hidden = source is None or _is_private(source, headers)
    by = None if hidden or source is None else _person(source.address)
    return Diversion(by, reason, len(diverted))


def _person(address: NameAddr) -> Party:
    """Without the headers that only the history wants in the URI."""
    return party(NameAddr(address.name, replace(address.uri, headers=())))


def _index(text: str | None) -> tuple[int, ...]:
    """RFC 7044 §10.3: numbers with dots; `()` if it is none."""
    parts = (text or "").split(".")[:20]
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        return ()
    return tuple(map(int, parts))


def _is_diverted(entry: _Entry, entries: _Entries) -> bool:
    """Whether this entry is another person than the one it was made from.

    RFC 7044 §10.4 marks that with `mp`, and another phone of the same person with `rc` or `np`;
    older servers (RFC 4244) only tell the cause, in the new URI or as Reason of the former.
    """
    if entry.mapped or _cause(entry) is not None:
        return True
    if entry.address.has("rc") or entry.address.has("np"):
        return False
    source = _source(entry, entries)
    return source is not None and _reason(source) is not None


def _source(entry: _Entry, entries: _Entries) -> _Entry | None:
    """Whom the call was for before: named by `mp`, else tried before, else one level up."""
    if entry.mapped:
        return entries.get(entry.mapped)
    before = entries.get((*entry.index[:-1], entry.index[-1] - 1))
    if before is not None and _reason(before) is not None:
        return before
    return entries.get(entry.index[:-1]) or before


def _cause(entry: _Entry) -> DiversionReason | None:
    """RFC 4458 §2.2: `cause` in the URI that a call was sent on to."""
    text = entry.address.uri.param("cause") or ""
    return _BY_STATUS.get(int(text)) if text.isascii() and text.isdigit() else None


def _reason(entry: _Entry) -> DiversionReason | None:
    """RFC 7044 §10.2: why the request to this entry did not succeed, as a Reason in its URI."""
    for name, value in entry.address.uri.headers:
        if name.lower() == "reason":
            try:
                reason = parse_reason(value)
            except ParseError:
                return None
            if reason.protocol.upper() == "SIP":
                return _BY_STATUS.get(reason.cause or 0, Why.UNKNOWN)
    return None


def _is_private(entry: _Entry, headers: Headers) -> bool:
    """RFC 7044 §10.1.1: an entry, or all of them, may not be shown."""
    if wishes(headers) & {"history", "header", "session"}:
        return True
    return any(
        name.lower() == "privacy" and value.lower() != "none"
        for name, value in entry.address.uri.headers
    )
