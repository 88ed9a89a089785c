"""What a registrar's 2xx to our REGISTER says, read leniently: what cannot be read was not said.

Our own Contact is found by its user part, which nobody else has; of several with it the one at
the address we registered counts. A registrar that lists no Contact at all is taken at its word
that it accepted ours. A Date in the response is not looked at: the clock is set by other means.
"""

from typing import Final

from msgspec import Struct

from firmware.sip.errors import ParseError
from firmware.sip.headers import NameAddr, contact_list, delta_seconds, route_list, values, via_list
from firmware.sip.message import Headers, Response
from firmware.sip.uri import equivalent, parse_uri

_LONGEST_GRUU: Final = 512
_LONGEST_FLOW_TIMER: Final = 7200


class Grant(Struct, frozen=True):
    """Seconds until our binding ends and the rest; see `Standing` for the names.

    `beat` is how often the server wants to hear from us at least, in seconds (RFC 5626 §4.4,
    RFC 6223 §5), 0 if it did not say. `leftovers` are URIs of ours from earlier addresses.
    """

    seconds: int
    service_route: tuple[NameAddr, ...] = ()
    gruu: str = ""
    temp_gruu: str = ""
    outbound: bool = False
    beat: int = 0
    leftovers: tuple[str, ...] = ()
    keeps: bool = False
    """Whether the server takes our keep-alives: outbound, or a value for `keep`."""


def read_grant(response: Response, contact: str, asked: int) -> Grant:
    """Read a 2xx to a REGISTER of the URI `contact` for `asked` seconds."""
    headers = response.headers
    listed = _contacts(headers)
    ours = parse_uri(contact)
    with_our_name = [each for each in listed if each.uri.user == ours.user]
    exact = [each for each in with_our_name if equivalent(each.uri, ours)]
    mine = next(iter(exact or with_our_name), None)
    # An address that is not the one we sent may be ours as a translator on the way wrote it: only
    # beside our own it is surely an old one.
    others = [each for each in with_our_name if not equivalent(each.uri, ours)] if exact else []
    return Grant(
        _seconds(headers, mine, asked),
        _service_route(headers),
        _gruu(mine, "pub-gruu"),
        _gruu(mine, "temp-gruu"),
        "outbound" in _options(headers),
        _beat(headers),
        tuple(str(each.uri) for each in others if not each.has("reg-id")),
        "outbound" in _options(headers) or bool(_kept(headers)),
    )


def _contacts(headers: Headers) -> list[NameAddr]:
    try:
        return contact_list(headers)
    except ParseError:
        return []


def _seconds(headers: Headers, mine: NameAddr | None, asked: int) -> int:
    """RFC 3261 §10.2.4: the parameter of our Contact, else the Expires header, else our wish."""
    for text in (mine.param("expires") if mine else None, headers.get("Expires")):
        try:
            if text:
                return delta_seconds(text)
        except ParseError:
            continue
    return asked


def _service_route(headers: Headers) -> tuple[NameAddr, ...]:
    try:
        return tuple(route_list(headers, "Service-Route"))
    except ParseError:
        return ()


def _gruu(mine: NameAddr | None, name: str) -> str:
    """A GRUU as it was given (RFC 5627 §4.2); it is no GRUU without `gr` (§3.1)."""
    text = (mine.param(name) if mine else None) or ""
    if not text or len(text) > _LONGEST_GRUU:
        return ""
    try:
        uri = parse_uri(text)
    except ParseError:
        return ""
    return text if uri.is_sip and uri.has("gr") else ""


def _options(headers: Headers) -> list[str]:
    try:
        return [tag.lower() for tag in values(headers, "Require")]
    except ParseError:
        return []


def _beat(headers: Headers) -> int:
    """Flow-Timer, else the value of `keep` in our own Via; 0 if neither says anything."""
    try:
        text = headers.get("Flow-Timer") or _kept(headers) or "0"
        return min(delta_seconds(text), _LONGEST_FLOW_TIMER)
    except ParseError:
        return 0


def _kept(headers: Headers) -> str:
    """The value that the next hop gave to `keep` in our Via (RFC 6223 §4.4), "" if none."""
    try:
        return via_list(headers)[0].param("keep") or ""
    except (ParseError, IndexError):
        return ""
