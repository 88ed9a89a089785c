"""isComposing: somebody is writing a text (RFC 3994)."""

from dataclasses import dataclass
from typing import Final

from firmware.sip.event.package import BodyError
from firmware.sip.event.xml import read_xml

MEDIA_TYPE: Final = "application/im-iscomposing+xml"
_SPACE: Final = "urn:ietf:params:xml:ns:im-iscomposing"
UNSAID: Final = 120.0
"""Seconds after which a writer who said no more is idle (RFC 3994 §3.3)."""
SHORTEST: Final = 60
"""The least seconds between two refreshes (RFC 3994 §3.2)."""
_LONGEST: Final = 600.0


@dataclass(frozen=True, slots=True)
class Composing:
    """Whether somebody writes; `refresh` is the seconds this holds without another word."""

    active: bool
    refresh: float = UNSAID


def read_composing(body: bytes) -> Composing:
    """Read the document.

    Raises:
        BodyError: it is none.
    """
    root = read_xml(body, "isComposing")
    state = root.said("state").lower()
    if not state:
        raise BodyError("no state")
    text = root.said("refresh")
    number = text.isascii() and text.isdigit() and len(text) < 9
    # RFC 3994 §3.5: a state nobody knows is as idle.
    return Composing(state == "active", min(float(text), _LONGEST) if number else UNSAID)


def write_composing(composing: Composing) -> bytes:
    """The document for a state of ours."""
    state = "active" if composing.active else "idle"
    refresh = f"<refresh>{int(composing.refresh)}</refresh>" if composing.active else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        f'<isComposing xmlns="{_SPACE}"><state>{state}</state>'
        f"<contenttype>text/plain</contenttype>{refresh}</isComposing>\r\n"
    ).encode()
