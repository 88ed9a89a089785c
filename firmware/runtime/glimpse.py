"""Messages of a trace, looked at leniently: garbage has its place on a ladder too. Pure.

Nothing here decides what a message means; what cannot be read is empty.
"""

import re

from firmware.runtime.trace import Seen
from firmware.sip.errors import ParseError
from firmware.sip.headers import parse_reason, readable

_LONG = {"c": "content-type", "m": "contact", "r": "refer-to", "o": "event", "f": "from", "t": "to"}
_PASSWORD = re.compile(r"(?i)(sips?:[^:@\s<>\"]*):[^@\s<>\"]*@")
_PARTY = re.compile(r"^\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^<\"]*))\s*<\s*(?:sips?|tel):([^@;>]*)")


def is_request(seen: Seen) -> bool:
    """Whether somebody asks for something."""
    return not seen.first.upper().startswith("SIP/")


def method(seen: Seen) -> str:
    """The method that a request is of, or that a response answers."""
    return seen.cseq.rpartition(" ")[2]


def asks(seen: Seen, name: str) -> bool:
    """Whether it is a request of this method."""
    return is_request(seen) and method(seen) == name


def status(seen: Seen) -> str:
    """The three digits of a response."""
    found = seen.first[8:11]
    return found if len(found) == 3 and found.isdecimal() else ""


def label(seen: Seen) -> str:
    """A message in a word or two: what stands on its arrow."""
    if is_request(seen):
        return seen.first.partition(" ")[0]
    about = method(seen)
    return seen.first[8:].strip() + (f" ({about})" if about else "")


def headers(seen: Seen) -> dict[str, str]:
    """The first row of each header, names in small letters."""
    head = seen.data.partition(b"\r\n\r\n")[0].decode("utf-8", "replace")
    found: dict[str, str] = {}
    for row in re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")[1:]:
        name, _, value = row.partition(":")
        name = name.strip().lower()
        found.setdefault(_LONG.get(name, name), value.strip())
    return found


def body(seen: Seen) -> str:
    """What follows the headers."""
    return seen.data.partition(b"\r\n\r\n")[2].decode("utf-8", "replace")


def why(seen: Seen) -> str:
    """What a Reason or Warning header says, in brackets behind a sentence."""
    rows = headers(seen)
    try:
        found = parse_reason(rows.get("reason", ""))
    except ParseError:
        return f" ({readable(rows['warning'])})" if "warning" in rows else ""
    cause = "" if found.cause is None else f" {found.cause}"
    return f" ({found.protocol}{cause}{f' {found.text}' if found.text else ''})"


def who(row: str) -> str:
    """A party of a From or To row as a person would name it."""
    found = _PARTY.match(row)
    if found is None:
        return row.partition(";")[0].strip("<> ")
    name = (found.group(1) or found.group(2) or "").strip()
    return name or found.group(3)


def clean(text: str) -> str:
    """Without what could do something to a terminal (A23)."""
    return "".join(letter for letter in text if letter.isprintable())


def masked(row: str) -> str:
    """Without the passwords of URIs (A24)."""
    return _PASSWORD.sub(r"\1:•••@", row)
