"""Does a message that could be read keep the rules of RFC 3261?

Only what every element must check, whoever it is: the headers that have to be there, those that
may be there once, and the ones that carry a transaction and a dialog. Which methods, extensions
and bodies are served is the user agent's affair.
"""

from typing import Final

from firmware.sip.errors import ParseError
from firmware.sip.headers import (
    MAGIC_COOKIE,
    WILDCARD,
    contact_list,
    parse_cseq,
    parse_name_addr,
    route_list,
    via_list,
)
from firmware.sip.message import Headers, Message, Request, Response
from firmware.sip.methods import INVITE, KNOWN, NOTIFY, REFER, SUBSCRIBE, UPDATE
from firmware.sip.uri import parse_uri

# Max-Forwards is mandatory too (RFC 3261 §8.1.1), but elements of RFC 2543 do not send it.
_MANDATORY: Final = ("Via", "From", "To", "Call-ID", "CSeq")
_ONCE: Final = frozenset(
    {"From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type", "Expires", "Event"}
)
# They create a dialog or move its target (RFC 3261 §8.1.1.8, §12.1.1).
_DIALOG_METHODS: Final = frozenset({INVITE, NOTIFY, REFER, SUBSCRIBE, UPDATE})
_SCHEMES: Final = frozenset({"sip", "sips", "tel"})
_MOST_VALUES: Final = 128


def validate(message: Message) -> int | None:
    """The status to answer, or None if all is well; for a response it means "discard it".

    An ACK is never answered: drop it.
    """
    try:
        _check_rows(message.headers)
        if isinstance(message, Request):
            return _check_request(message)
        return _check_response(message)
    except ParseError as error:
        return error.status


def _check_rows(headers: Headers) -> None:
    seen: set[str] = set()
    commas = 0
    for name, value in headers:
        if name in seen and name in _ONCE:
            raise ParseError(f"{name} twice")
        seen.add(name)
        if name in ("Contact", "Route", "Record-Route"):
            commas += value.count(",")
    for name in _MANDATORY:
        if name not in seen:
            raise ParseError(f"{name} missing")
    # Bounds the work below; nothing has that many hops or bindings.
    if commas > _MOST_VALUES:
        raise ParseError("too many values")


def _check_request(request: Request) -> int | None:
    headers = request.headers
    cseq = parse_cseq(headers.get("CSeq") or "")
    if cseq.method != request.method:
        # RFC 4475 §3.1.2.18: for a method that nobody knows, say that rather.
        return 400 if request.method in KNOWN else 501
    _check_ends(headers)
    for via in via_list(headers):
        if via.branch == MAGIC_COOKIE:
            raise ParseError("branch without identifier")
    contacts = contact_list(headers)
    if request.method in _DIALOG_METHODS and (len(contacts) > 1 or contacts == [WILDCARD]):
        raise ParseError("a dialog has one Contact")
    route_list(headers, "Route")
    route_list(headers, "Record-Route")
    uri = parse_uri(request.uri)
    # RFC 3261 §19.1.1: a Request-URI has no headers.
    if uri.headers:
        raise ParseError("headers in the Request-URI")
    return None if uri.scheme in _SCHEMES else 416


def _check_response(response: Response) -> int | None:
    headers = response.headers
    parse_cseq(headers.get("CSeq") or "")
    _check_ends(headers)
    # RFC 3261 §8.1.3.3: more than one Via means that it was not for us.
    if len(via_list(headers)) != 1:
        raise ParseError("several Vias in a response")
    contact_list(headers)
    route_list(headers, "Record-Route")
    return None


def _check_ends(headers: Headers) -> None:
    parse_name_addr(headers.get("From") or "")
    parse_name_addr(headers.get("To") or "")
    call_id = headers.get("Call-ID") or ""
    if not call_id or " " in call_id or "\t" in call_id:
        raise ParseError("bad Call-ID")
