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
    contacts_of,
    parse_cseq,
    parse_name_addr,
    routes_of,
    vias_of,
)
from firmware.sip.message import Headers, Message, Request
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
_LISTS: Final = ("Contact", "Route", "Record-Route")

_Rows = dict[str, list[str]]


def validate(message: Message) -> int | None:
    """The status to answer, or None if all is well; for a response it means "discard it".

    An ACK is never answered: drop it.
    """
    try:
        rows = _rows(message.headers)
        if isinstance(message, Request):
            return _check_request(message, rows)
        return _check_response(rows)
    except ParseError as error:
        return error.status


def _rows(headers: Headers) -> _Rows:
    """The rows by name, in one pass; the parser has made the names long and usual."""
    rows: _Rows = {}
    for name, value in headers:
        if name not in rows:
            rows[name] = [value]
        elif name in _ONCE:
            raise ParseError(f"{name} twice")
        else:
            rows[name].append(value)
    for name in _MANDATORY:
        if name not in rows:
            raise ParseError(f"{name} missing")
    # Bounds the work below; nothing has that many hops or bindings.
    commas = sum(row.count(",") for name in _LISTS if name in rows for row in rows[name])
    if commas > _MOST_VALUES:
        raise ParseError("too many values")
    return rows


def _check_request(request: Request, rows: _Rows) -> int | None:
    cseq = parse_cseq(rows["CSeq"][0])
    if cseq.method != request.method:
        # RFC 4475 §3.1.2.18: for a method that nobody knows, say that rather.
        return 400 if request.method in KNOWN else 501
    _check_ends(rows)
    for via in vias_of(rows["Via"]):
        if via.branch == MAGIC_COOKIE:
            raise ParseError("branch without identifier")
    contacts = contacts_of(rows.get("Contact", ()))
    if request.method in _DIALOG_METHODS and (len(contacts) > 1 or contacts == [WILDCARD]):
        raise ParseError("a dialog has one Contact")
    for name in ("Route", "Record-Route"):
        routes_of(rows.get(name, ()), name)
    uri = parse_uri(request.uri)
    # RFC 3261 §19.1.1: a Request-URI has no headers.
    if uri.headers:
        raise ParseError("headers in the Request-URI")
    return None if uri.scheme in _SCHEMES else 416


def _check_response(rows: _Rows) -> int | None:
    parse_cseq(rows["CSeq"][0])
    _check_ends(rows)
    # RFC 3261 §8.1.3.3: more than one Via means that it was not for us.
    if len(vias_of(rows["Via"])) != 1:
        raise ParseError("several Vias in a response")
    contacts_of(rows.get("Contact", ()))
    routes_of(rows.get("Record-Route", ()), "Record-Route")
    return None


def _check_ends(rows: _Rows) -> None:
    parse_name_addr(rows["From"][0])
    parse_name_addr(rows["To"][0])
    call_id = rows["Call-ID"][0]
    if not call_id or " " in call_id or "\t" in call_id:
        raise ParseError("bad Call-ID")
