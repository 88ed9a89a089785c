"""What the body and the extension headers of a request allow us to do with it.

Only the envelope is looked at: SDP itself is opaque to SIP.
"""

from collections.abc import Iterable

from firmware.sip.errors import ParseError
from firmware.sip.headers import NameAddr, quote, readable, values
from firmware.sip.message import Headers, Message, Request, Response
from firmware.sip.methods import INVITE
from firmware.sip.multipart import understood
from firmware.sip.notifications import Party

SDP = "application/sdp"

Rows = tuple[tuple[str, str], ...]
Refusal = tuple[int, Rows]


def refusal(request: Request, supported: Iterable[str] = ()) -> Refusal | None:
    """Status and headers to refuse a request that asks for what we do not do, or None.

    RFC 3261 §8.2.2.3: every option in Require must be known. RFC 3261 §8.2.3: so must the encoding
    of the body, unless its handling is optional. An INVITE must take our SDP.
    """
    headers = request.headers
    if headers.get("Require") is not None:
        known = set(supported)
        unknown = [option for option in options(headers, "Require") if option not in known]
        if unknown:
            return 420, (("Unsupported", ", ".join(unknown)),)
    encoding = headers.get("Content-Encoding")
    if encoding is not None and encoding.lower() != "identity" and not optional(headers):
        return 415, (("Accept-Encoding", "identity"),)
    if request.method == INVITE and not _takes_sdp(headers):
        return 406, (("Accept", SDP),)
    return None


def _takes_sdp(headers: Headers) -> bool:
    """Whether a caller can read our answer (RFC 3261 §20.1); one who does not say so can."""
    try:
        accepted = {value.partition(";")[0].strip().lower() for value in values(headers, "Accept")}
    except ParseError:
        return True
    return not accepted or not accepted.isdisjoint({SDP, "application/*", "*/*"})


def sdp_of(message: Message) -> bytes | None:
    """The session description of a message, `b""` if there is none, None if the body is foreign.

    It may be one of several parts (RFC 5621 §4.2).
    """
    if not message.body:
        return b""
    kind = content_type(message.headers)
    if kind == SDP or not kind:
        return message.body
    if kind.startswith("multipart/"):
        try:
            parts = understood(message.headers, message.body, (SDP,))
        except ParseError:
            return b"" if optional(message.headers) else None
        if parts:
            return parts[0].body
    return b"" if optional(message.headers) else None


def only_session(response: Response) -> None:
    """Of a body of several parts leave the session description, if there is one (RFC 5621 §4.2).

    What else a response may carry, nobody here reads; with parts that make no sense it stays as
    it is.
    """
    if not response.body or not content_type(response.headers).startswith("multipart/"):
        return
    sdp = sdp_of(response)
    if sdp:
        response.body = sdp
        response.headers.set("Content-Type", SDP)


def warning_rows(text: str) -> Rows:
    """A Warning header that says `text` to a person (RFC 3261 §20.43); 399 is "anything else"."""
    if not text:
        return ()
    whole = text[:3].isdigit() and text[3:4] == " "
    return (("Warning", text if whole else f"399 phone {quote(text)}"),)


def content_type(headers: Headers) -> str:
    """The media type in lower case without parameters."""
    return (headers.get("Content-Type") or "").partition(";")[0].strip().lower()


def optional(headers: Headers) -> bool:
    """Whether a body that is not understood may be ignored (RFC 3261 §20.11)."""
    disposition = headers.get("Content-Disposition") or ""
    return "handling=optional" in disposition.replace(" ", "").lower()


def options(headers: Headers, name: str) -> list[str]:
    """The option tags of a header; what cannot be read is one unknown option."""
    try:
        return [tag for tag in values(headers, name) if tag]
    except ParseError:
        return [headers.get(name) or ""]


def shown(text: str) -> str:
    """Text of the far end as people may see it: no octets that are no text, no controls (A23)."""
    text = readable(text)
    return text if text.isprintable() else "".join(filter(str.isprintable, text))


def party(address: NameAddr) -> Party:
    """A person behind an address."""
    return Party(shown(address.name), shown(address.uri.user), shown(str(address.uri)))
