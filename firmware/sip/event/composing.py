"""isComposing: somebody is writing a text (RFC 3994).

Of the document two words matter; they are looked for as text, so nothing of XML can be abused (A15)
and no parser need be loaded for it.
"""

import re
from typing import Final

from msgspec import Struct

from firmware.sip.event.package import BodyError

MEDIA_TYPE: Final = "application/im-iscomposing+xml"
_SPACE: Final = "urn:ietf:params:xml:ns:im-iscomposing"
UNSAID: Final = 120.0
"""Seconds after which a writer who said no more is idle (RFC 3994 §3.3)."""
SHORTEST: Final = 60
"""The least seconds between two refreshes (RFC 3994 §3.2)."""
_LONGEST: Final = 600.0
_STATE: Final = re.compile(rb"<(?:[\w.-]{1,64}:)?state(?:\s[^<>]{0,200})?>\s*(\w{1,32})\s*</")
_REFRESH: Final = re.compile(rb"<(?:[\w.-]{1,64}:)?refresh(?:\s[^<>]{0,200})?>\s*(\d{1,8})\s*</")


class Composing(Struct, frozen=True):
    """Whether somebody writes; `refresh` is the seconds this holds without another word."""

    active: bool
    refresh: float = UNSAID


def read_composing(body: bytes) -> Composing:
    """Read the document.

    Raises:
        BodyError: it is none.
    """
    state = _STATE.search(body)
    if state is None or b"isComposing" not in body:
        raise BodyError("no state")
    refresh = _REFRESH.search(body)
    # RFC 3994 §3.5: a state nobody knows is as idle.
    active = state[1].lower() == b"active"
    return Composing(active, UNSAID if refresh is None else min(float(refresh[1]), _LONGEST))


def write_composing(composing: Composing) -> bytes:
    """The document for a state of ours."""
    state = "active" if composing.active else "idle"
    refresh = f"<refresh>{int(composing.refresh)}</refresh>" if composing.active else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n'
        f'<isComposing xmlns="{_SPACE}"><state>{state}</state>'
        f"<contenttype>text/plain</contenttype>{refresh}</isComposing>\r\n"
    ).encode()
