"""What a MESSAGE carries, as text for people (RFC 3428 §7).

Only plain text is read, alone, among other parts or within message/cpim (RFC 3862). Nothing that a
sender wrote is ever run, fetched or shown as more than its letters (A21, A23).
"""

from typing import Final

from firmware.sip.errors import ParseError
from firmware.sip.headers import readable
from firmware.sip.message import Headers
from firmware.sip.multipart import Part, understood

PLAIN: Final = "text/plain"
CPIM: Final = "message/cpim"
LONGEST: Final = 4096
"""Octets; more is no message for a phone's screen."""
_LATIN: Final = frozenset({"iso-8859-1", "latin1", "latin-1", "iso8859-1", "windows-1252"})


def read_parts(headers: Headers, body: bytes, known: tuple[str, ...]) -> tuple[Part, ...]:
    """The parts of a body that are of a `known` type, a letter's envelope taken off.

    Raises:
        ParseError: malformed (400), too long (413), or nothing in it is known (415).
    """
    if len(body) > LONGEST:
        raise ParseError("message too long", 413)
    if not headers.get("Content-Type"):
        # RFC 3261 §20.15: a body has a type; what has none is read as text all the same.
        return (Part(PLAIN, body),)
    found = understood(headers, body, (*known, CPIM))
    parts = tuple(inner for part in found if (inner := _opened(part, known)).media_type in known)
    if not parts:
        raise ParseError("nothing in this message is understood", 415)
    return parts


def text_of(part: Part) -> str:
    """The letters of a text part, line breaks kept, all other controls left out."""
    charset = part.params.get("charset", "utf-8").lower()
    if charset in _LATIN:
        text = part.body.decode("latin-1")
    else:
        # What is no UTF-8 was Latin-1 in a program that did not say so.
        text = readable(part.body.decode("utf-8", "surrogateescape"))
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return "".join(letter for letter in text if letter == "\n" or letter.isprintable()).strip("\n")


def _opened(part: Part, known: tuple[str, ...]) -> Part:
    """What is in the envelope: its own headers, a blank line, those of the text, the text."""
    if part.media_type != CPIM:
        return part
    _, _, rest = part.body.replace(b"\r\n", b"\n").partition(b"\n\n")
    head, _, text = rest.partition(b"\n\n")
    headers = Headers()
    for row in head.decode("utf-8", "replace").split("\n")[:20]:
        name, colon, value = row.partition(":")
        if colon:
            headers.add(name.strip(), value.strip())
    inner = understood(headers, text, known)
    return inner[0] if inner else Part("", b"")
