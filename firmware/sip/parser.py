"""Octets to SIP messages: one datagram, or a stream cut into messages.

    parse(data)      a whole message; raises ParseError, which knows how to answer
    validate(m)      whether a message that could be read keeps the rules of RFC 3261
    StreamFramer     cuts a TCP stream into messages, pings and pongs

Header names come out long and in their usual capitals, values trimmed and on one line, and
otherwise exactly as they arrived: octets that are no UTF-8 survive as surrogate escapes
(`firmware.sip.headers.readable` makes text for people). What values mean is none of `parse`'s
business. Its work is linear in the length of the data and bounded by the limits below.
"""

import re
from typing import Final

from firmware.sip.errors import ParseError
from firmware.sip.framer import MOST_OCTETS, Ping, Pong, StreamFramer
from firmware.sip.headers import TOKEN
from firmware.sip.message import COMPACT_FORMS, Headers, Message, Request, Response
from firmware.sip.methods import KNOWN
from firmware.sip.validate import validate

__all__ = ["MOST_OCTETS", "Ping", "Pong", "StreamFramer", "parse", "validate"]

MOST_ROWS: Final = 256
"""The most header rows in a message."""
MOST_VIAS: Final = 70
"""The most Vias: Max-Forwards starts at 70 (RFC 3261 §8.1.1.6)."""
MOST_IN_ROW: Final = 8_192
"""The longest header row in characters, unfolded."""

MOST_COMMAS: Final = 512
"""The most commas among the headers: whoever asks for a list's values is not kept busy by them."""
MOST_SEMICOLONS: Final = 2_048
"""The most semicolons, for the same reason: a parameter costs no more than a list's value."""

_USUAL = """
Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Answer-Mode
Authentication-Info Authorization Call-ID Call-Info Contact Content-Disposition Content-Encoding
Content-Language Content-Length Content-Transfer-Encoding Content-Type CSeq Date Diversion
Error-Info Event Expires Flow-Timer From Geolocation History-Info Identity Identity-Info
In-Reply-To Info-Package Join Max-Breadth Max-Forwards MIME-Version Min-Expires Min-SE
Organization P-Access-Network-Info P-Asserted-Identity P-Associated-URI P-Called-Party-ID
P-Early-Media P-Preferred-Identity Path Permission-Missing Priority Priv-Answer-Mode Privacy
Proxy-Authenticate Proxy-Authentication-Info Proxy-Authorization Proxy-Require RAck Reason
Record-Route Recv-Info Refer-Sub Refer-To Referred-By Reject-Contact Remote-Party-ID Replaces
Reply-To Request-Disposition Require Resource-Priority Retry-After Route RSeq Security-Client
Security-Server Security-Verify Server Service-Route Session-Expires SIP-ETag SIP-If-Match Subject
Subscription-State Supported Suppress-If-Match Target-Dialog Timestamp To Unsupported User-Agent
Via Warning WWW-Authenticate
"""

_LONG_NAMES: Final[dict[str, str]] = {
    **{name.lower(): name for name in _USUAL.split()},
    **COMPACT_FORMS,
    **{short.upper(): name for short, name in COMPACT_FORMS.items()},
    **{name: name for name in _USUAL.split()},
}
_FOLD: Final = re.compile(r"\r\n[ \t]++")
_VERSION: Final = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
_STATUS: Final = re.compile(r"[1-6][0-9][0-9]")
_NUL: Final = re.compile(r"(?<!\\)(?:\\\\)*+\x00")
_UNWRITABLE: Final = re.compile(r"[\r\n\x00]")
_FOR_A_RESPONSE: Final = frozenset({"Via", "From", "To", "Call-ID", "CSeq"})


def parse(data: bytes) -> Message:
    """Read one whole message, as a datagram or as `StreamFramer` cut it.

    What follows the body that Content-Length announces is dropped (RFC 3261 §18.3).

    Raises:
        ParseError: it is no SIP/2.0 message; `partial` tells whom to answer.
    """
    try:
        return _parse(data)
    except ParseError as error:
        error.partial = _salvage(data)
        raise


def _parse(data: bytes) -> Message:
    if len(data) > MOST_OCTETS:
        raise ParseError("message too long", 513)
    # RFC 3261 §7.5: line breaks before the start line mean nothing.
    if data[:1] in (b"\r", b"\n"):
        data = data.lstrip(b"\r\n")
    octets, blank, body = data.partition(b"\r\n\r\n")
    if not blank:
        raise ParseError("headers without end")
    lines = _lines(octets)
    message = _start(lines.pop(0))
    rows, lengths = _rows(lines)
    message.headers = Headers(rows)
    message.body = body if not lengths else _body(body, lengths)
    return message


def _lines(octets: bytes) -> list[str]:
    head = octets.decode("utf-8", "surrogateescape")
    if "\r\n " in head or "\r\n\t" in head:
        head = _FOLD.sub(" ", head)
    lines = head.split("\r\n")
    breaks = len(lines) - 1
    if breaks > MOST_ROWS:
        raise ParseError("too many header rows")
    if head.count(",") > MOST_COMMAS or head.count(";") > MOST_SEMICOLONS:
        raise ParseError("too many values")
    if head.count("\n") != breaks or head.count("\r") != breaks:
        raise ParseError("lone CR or LF among the headers")
    if len(head) > MOST_IN_ROW and max(map(len, lines)) > MOST_IN_ROW:
        raise ParseError("header row too long")
    # A quoted-pair may hold a NUL (RFC 3261 §25.1); nothing else may.
    if "\0" in head and _NUL.search(head):
        raise ParseError("NUL among the headers")
    return lines


def _rows(lines: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    rows: list[tuple[str, str]] = []
    lengths: list[str] = []
    vias = 0
    for line in lines:
        name, colon, value = line.partition(":")
        long = _LONG_NAMES.get(name) or _long_name(name)
        if not colon:
            raise ParseError("header row without colon")
        value = value.strip(" \t")
        rows.append((long, value))
        if long == "Via":
            vias += 1 + value.count(",")
        elif long == "Content-Length":
            lengths.append(value)
    if vias > MOST_VIAS:
        raise ParseError("too many Vias")
    return rows, lengths


def _long_name(name: str) -> str:
    name = name.rstrip(" \t")
    if TOKEN.fullmatch(name) is None:
        raise ParseError("bad header name")
    return _LONG_NAMES.get(name.lower(), name)


def _start(line: str) -> Message:
    if line[:4].upper() == "SIP/":
        version, _, rest = line.partition(" ")
        status, _, phrase = rest.partition(" ")
        _check_version(version)
        if _STATUS.fullmatch(status) is None:
            raise ParseError("bad status code")
        return Response(int(status), phrase)
    parts = line.split(" ")
    if len(parts) != 3:
        raise ParseError("bad request line")
    method, uri, version = parts
    if method not in KNOWN and TOKEN.fullmatch(method) is None:
        raise ParseError("bad method")
    _check_version(version)
    if not uri:
        raise ParseError("no Request-URI")
    return Request(method, uri)


def _check_version(version: str) -> None:
    if version in ("SIP/2.0", "sip/2.0"):
        return
    if _VERSION.fullmatch(version) is None:
        raise ParseError("not a SIP message")
    if version.upper() != "SIP/2.0":
        raise ParseError("unknown SIP version", 505)


def _body(body: bytes, lengths: list[str]) -> bytes:
    # RFC 4475 §3.3.9: lengths that differ are as good as none.
    text = lengths[0]
    if len(lengths) > 1 and any(other != text for other in lengths):
        raise ParseError("several Content-Lengths")
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        raise ParseError("bad Content-Length")
    length = int(text)
    if length == len(body):
        return body
    if length > len(body):
        raise ParseError("body shorter than Content-Length")
    return body[:length]


def _salvage(data: bytes) -> Request | None:
    """What of a bad request a response needs, or None if nobody could be answered."""
    octets = data[:MOST_OCTETS].lstrip(b"\r\n").partition(b"\r\n\r\n")[0]
    head = _FOLD.sub(" ", octets.decode("utf-8", "surrogateescape"))
    line, *lines = head.split("\r\n", MOST_ROWS + 1)
    method, _, rest = line.partition(" ")
    if TOKEN.fullmatch(method) is None or "SIP/" not in rest.upper():
        return None
    partial = Request(method, rest.strip(" ").partition(" ")[0])
    for row in lines[:MOST_ROWS]:
        name, colon, value = row[:MOST_IN_ROW].partition(":")
        name = name.rstrip(" \t")
        long = _LONG_NAMES.get(name) or _LONG_NAMES.get(name.lower(), "")
        if colon and long in _FOR_A_RESPONSE and not _UNWRITABLE.search(value):
            partial.headers.add(long, value.strip(" \t"))
    return partial if "Via" in partial.headers else None
