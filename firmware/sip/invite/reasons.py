"""Reason: why a request that ends something was sent (RFC 3326), read and written."""

from typing import Final

from msgspec import Struct

from firmware.sip.bodies import shown
from firmware.sip.errors import ParseError
from firmware.sip.headers import Reason, parse_reason, parse_retry_after, values
from firmware.sip.message import Headers

ELSEWHERE: Final = str(Reason("SIP", 200, "Call completed elsewhere"))
_NON_SELECTED: Final = 26
"""Q.850: another user was selected; what a gateway says for "answered elsewhere"."""


class Why(Struct, frozen=True):
    """What the far end said of the end: words for people, and whether another phone has it."""

    text: str = ""
    elsewhere: bool = False


def why(headers: Headers) -> Why:
    """The Reason of a CANCEL or BYE; what cannot be read says nothing."""
    try:
        reasons = [parse_reason(value) for value in values(headers, "Reason")]
    except ParseError:
        return Why()
    text = next((each.text for each in reasons if each.text), "")
    return Why(shown(text), any(map(_elsewhere, reasons)))


def retry_after(headers: Headers) -> int:
    """The seconds of Retry-After, 0 if there is none that can be read."""
    try:
        return parse_retry_after(headers.get("Retry-After") or "")
    except ParseError:
        return 0


def _elsewhere(reason: Reason) -> bool:
    # RFC 3326 §2: SIP ;cause=200 says that the call was answered by somebody.
    protocol = reason.protocol.upper()
    return (protocol, reason.cause) in (("SIP", 200), ("Q.850", _NON_SELECTED))
