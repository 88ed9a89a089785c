"""The header fields whose structure matters, read from and written to text.

`firmware.sip.message` keeps rows as text; these functions take them apart when somebody needs to
know. The grammar is RFC 3261 §25.1; where practice is looser than the grammar and nothing can be
misunderstood, so are we. Every reader raises `ParseError` and nothing else, in time linear in the
length of the text.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from firmware.sip.errors import ParseError
from firmware.sip.message import Headers
from firmware.sip.uri import Params, Uri, bracketed, host_port, parse_uri

MOST_SECONDS: Final = 2**32 - 1
"""The largest delta-seconds (RFC 3261 §25.1); anything above counts as this."""
MAGIC_COOKIE: Final = "z9hG4bK"
"""What a branch of RFC 3261 begins with (§8.1.1.7)."""

_MOST_PARAMS: Final = 128
TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_BLANKS: Final = " \t"
# Possessive throughout, so that a quote without its end costs one pass and not one for each place
# where it might begin.
_QUOTED: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_VALUE: Final = re.compile(rf'(?:[^,"<]++|{_QUOTED}|<[^>]*+>)*+', re.DOTALL)
_PIECE: Final = re.compile(rf'(?:[^;"]++|{_QUOTED})*+', re.DOTALL)
_QUOTED_STRING: Final = re.compile(_QUOTED, re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_BREAKS: Final = re.compile(r'[\x00-\x20\x7f",;<>\\]')
_TO_ESCAPE: Final = re.compile(r'["\\\x00]')
# Without quotes a display name is a row of tokens; other letters are let pass, separators not.
_BAD_DISPLAY: Final = re.compile(r'[",;:<>@\\]')
_VIA: Final = re.compile(
    r"SIP[ \t]*/[ \t]*2\.0[ \t]*/[ \t]*(?P<transport>[A-Za-z0-9\-.!%*_+`'~]+)[ \t]+"
    r"(?P<sent_by>[^;]+)(?P<params>;.*)?",
    re.IGNORECASE | re.DOTALL,
)
# As nearly everybody writes it; what this does not match is read by the general rule.
_USUAL_VIA: Final = re.compile(
    r"SIP/2\.0/([A-Z]{2,4}) ([A-Za-z0-9._\-]++)(?::([1-5]?[0-9]{1,4}))?(;.*)?", re.DOTALL
)
_PORT: Final = re.compile(r"[0-9]{1,5}")
_COLON: Final = re.compile(r"[ \t]*:[ \t]*")


class NameAddr(Struct, frozen=True):
    """A name, an address and header parameters: From, To, Contact, Route and their kin.

    `name` is the display name without quotes, readable text. Parameter values stay as written;
    `param` takes their quotes off.
    """

    name: str
    uri: Uri
    params: Params = ()

    def __str__(self) -> str:
        name = f"{quote(self.name)} " if self.name else ""
        return f"{name}<{self.uri}>{write_params(self.params)}"

    @property
    def tag(self) -> str | None:
        """The tag, or None (RFC 3261 §19.3)."""
        return self.param("tag")

    def has(self, name: str) -> bool:
        """Whether the parameter is there, with or without a value."""
        return _has(self.params, name)

    def param(self, name: str) -> str | None:
        """The value of parameter `name` (lower case) without quotes; None if there is none."""
        return _param(self.params, name)

    def with_param(self, name: str, value: str | None) -> "NameAddr":
        """A copy whose parameter `name` has this value."""
        return NameAddr(self.name, self.uri, _with(self.params, name, value))


WILDCARD: Final = NameAddr("", Uri("*"))
"""What `contact_list` gives for `Contact: *` (RFC 3261 §10.2.2)."""


class Via(Struct, frozen=True):
    """One hop of the way back (RFC 3261 §20.42).

    `transport` is upper-case and may be one we do not know; `host` is IPv6 without brackets.
    """

    transport: str
    host: str
    port: int | None = None
    params: Params = ()

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        sent_by = f"{bracketed(self.host)}{port}"
        return f"SIP/2.0/{self.transport} {sent_by}{write_params(self.params)}"

    @property
    def branch(self) -> str | None:
        """The branch, or None from an RFC 2543 element."""
        return self.param("branch")

    @property
    def received(self) -> str | None:
        """The address the next hop saw, IPv6 without brackets (RFC 5118 §4.5)."""
        value = self.param("received")
        return value.strip("[]") if value else None

    @property
    def rport(self) -> int | None:
        """The port the next hop saw, None while it is not filled in (RFC 3581 §4) or no port."""
        value = self.param("rport") or ""
        return int(value) if _PORT.fullmatch(value) and int(value) <= 65535 else None

    @property
    def wants_rport(self) -> bool:
        """Whether there is an `rport` parameter, filled in or not."""
        return self.has("rport")

    def has(self, name: str) -> bool:
        """Whether the parameter is there, with or without a value."""
        return _has(self.params, name)

    def param(self, name: str) -> str | None:
        """The value of parameter `name` (lower case); None if there is none."""
        return _param(self.params, name)

    def with_param(self, name: str, value: str | None) -> "Via":
        """A copy whose parameter `name` has this value."""
        params = _with(self.params, name, value)
        return Via(self.transport, self.host, self.port, params)


class CSeq(Struct, frozen=True):
    """Number and method (RFC 3261 §20.16)."""

    number: int
    method: str

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


class Reason(Struct, frozen=True):
    """Why a request was sent (RFC 3326), e.g. SIP, 200, "Call completed elsewhere"."""

    protocol: str
    cause: int | None = None
    text: str = ""

    def __str__(self) -> str:
        cause = "" if self.cause is None else f";cause={self.cause}"
        text = f";text={quote(self.text)}" if self.text else ""
        return f"{self.protocol}{cause}{text}"


class Warning(Struct, frozen=True):  # noqa: A001 - the header's name; the builtin has no use here
    """What was wrong with a request, for people (RFC 3261 §20.43)."""

    code: int
    agent: str
    text: str

    def __str__(self) -> str:
        return f"{self.code:03} {self.agent} {quote(self.text)}"


# --- text ---------------------------------------------------------------------------------------


def readable(text: str) -> str:
    """Text for people: octets that are no UTF-8 are taken as Latin-1, as old PBXs mean them."""
    if text.isascii():
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode()
    except UnicodeDecodeError:
        return text.encode("utf-8", "surrogateescape").decode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()


def quote(text: str) -> str:
    """A quoted-string that says `text`."""
    return f'"{_TO_ESCAPE.sub(_backslash, text)}"'


def param_text(text: str) -> str:
    """A parameter's value as it is written: in quotes where it would end too early without."""
    return quote(text) if _BREAKS.search(text) else text


def unquote(text: str) -> str:
    """What a quoted-string says; other text is given back as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inner = text[1:-1]
    return _ESCAPED.sub(r"\1", inner) if "\\" in inner else inner


def split_list(row: str) -> list[str]:
    """The values of a list header's row: cut at commas outside quotes and angle brackets.

    Raises:
        ParseError: a quote or bracket has no end, or a value is empty.
    """
    if "," not in row:
        values = [row.strip(_BLANKS)]
    elif '"' not in row and "<" not in row:
        values = [value.strip(_BLANKS) for value in row.split(",")]
    else:
        values = _cut(row, _VALUE, ",")
    if "" in values:
        raise ParseError("empty value in a list")
    return values


def write_params(params: Params) -> str:
    """Header parameters as text, each with its semicolon."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in params)


def parse_params(text: str) -> Params:
    """Read `;name=value;name…`; blank text gives none.

    Raises:
        ParseError: a parameter is empty or a quote has no end.
    """
    text = text.strip(_BLANKS)
    if not text:
        return ()
    if text[0] != ";":
        raise ParseError("unexpected text before parameters")
    if text.count(";") > _MOST_PARAMS:
        raise ParseError("too many parameters")
    parts = text[1:].split(";") if '"' not in text else _cut(text[1:], _PIECE, ";")
    params: list[tuple[str, str | None]] = []
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip(_BLANKS)
        if not name:
            raise ParseError("empty parameter")
        params.append((name, value.strip(_BLANKS) if equals else None))
    return tuple(params)


# --- single headers -----------------------------------------------------------------------------


def parse_name_addr(text: str) -> NameAddr:
    """Read one name-addr or addr-spec with its parameters.

    Raises:
        ParseError: it is not one.
    """
    text = text.strip(_BLANKS)
    if text[:1] == '"':
        match = _QUOTED_STRING.match(text)
        if match is None:
            raise ParseError("quote without end in a display name")
        name, rest = unquote(match.group()), text[match.end() :].lstrip(_BLANKS)
        if rest[:1] != "<":
            raise ParseError("no address after a display name")
    else:
        name, bracket, rest = text.partition("<")
        if not bracket:
            return _addr_spec(text)
        name, rest = name.strip(_BLANKS), "<" + rest
        if _BAD_DISPLAY.search(name):
            raise ParseError("display name should be in quotes")
    address, bracket, params = rest[1:].partition(">")
    if not bracket:
        raise ParseError("bracket without end")
    return NameAddr(readable(name), parse_uri(address), parse_params(params) if params else ())


def parse_via(text: str) -> Via:
    """Read one Via value.

    Raises:
        ParseError: it is not one, or its version is not SIP/2.0.
    """
    text = text.strip(_BLANKS)
    usual = _USUAL_VIA.fullmatch(text)
    if usual is not None:
        transport, host, digits, params = usual.groups()
        port = int(digits) if digits else None
        return Via(transport, host, port, parse_params(params) if params else ())
    match = _VIA.fullmatch(text)
    if match is None:
        raise ParseError("bad Via")
    transport, sent_by, params = match.group("transport", "sent_by", "params")
    host, port = host_port(_COLON.sub(":", sent_by.strip(_BLANKS)))
    return Via(transport.upper(), host, port, parse_params(params) if params else ())


def parse_cseq(text: str) -> CSeq:
    """Read a CSeq.

    Raises:
        ParseError: it is not a number below 2^32 and a method.
    """
    number, _, method = text.replace("\t", " ").strip(_BLANKS).partition(" ")
    method = method.strip(_BLANKS)
    if TOKEN.fullmatch(method) is None:
        raise ParseError("bad CSeq")
    return CSeq(_number(number, MOST_SECONDS), method)


def delta_seconds(text: str) -> int:
    """Read a number of seconds; above 2^32-1 it counts as 2^32-1.

    Raises:
        ParseError: it is not a number.
    """
    return _capped(text, MOST_SECONDS)


def parse_retry_after(text: str) -> int:
    """The seconds of a Retry-After; its comment and parameters are for people (RFC 3261 §20.33).

    Raises:
        ParseError: it does not begin with a number.
    """
    return delta_seconds(text.partition(";")[0].partition("(")[0])


def parse_reason(text: str) -> Reason:
    """Read one Reason value.

    Raises:
        ParseError: it is not one.
    """
    protocol, semicolon, rest = text.strip(_BLANKS).partition(";")
    protocol = protocol.strip(_BLANKS)
    if TOKEN.fullmatch(protocol) is None:
        raise ParseError("bad Reason")
    params = parse_params(semicolon + rest)
    cause = _param(params, "cause")
    text = readable(_param(params, "text") or "")
    return Reason(protocol, None if cause is None else _number(cause, MOST_SECONDS), text)


def parse_warning(text: str) -> Warning:
    """Read one Warning value.

    Raises:
        ParseError: it is not a code of three digits, an agent and a quoted text.
    """
    code, _, rest = text.strip(_BLANKS).partition(" ")
    agent, _, quoted = rest.strip(_BLANKS).partition(" ")
    quoted = quoted.strip(_BLANKS)
    if len(code) != 3 or not agent or _QUOTED_STRING.fullmatch(quoted) is None:
        raise ParseError("bad Warning")
    return Warning(_number(code, 999), agent, readable(unquote(quoted)))


# --- list headers of a message ------------------------------------------------------------------


def values(headers: Headers, name: str) -> list[str]:
    """All values of a list header, over all its rows, in order; an empty row gives none.

    Raises:
        ParseError: a row cannot be split.
    """
    return [value for row in headers.all(name) if row for value in split_list(row)]


def via_list(headers: Headers) -> list[Via]:
    """All Vias, topmost first.

    Raises:
        ParseError: one is malformed.
    """
    return vias_of(headers.all("Via"))


def vias_of(rows: Iterable[str]) -> list[Via]:
    """The Vias of some rows; errors as for `via_list`."""
    return [parse_via(value) for row in rows for value in split_list(row)]


def contact_list(headers: Headers) -> list[NameAddr]:
    """All Contacts in order; `Contact: *` gives `[WILDCARD]`.

    Raises:
        ParseError: one is malformed, or `*` stands beside others.
    """
    return contacts_of(headers.all("Contact"))


def contacts_of(rows: Sequence[str]) -> list[NameAddr]:
    """The Contacts of some rows; errors as for `contact_list`."""
    if len(rows) == 1 and rows[0] == "*":
        return [WILDCARD]
    return [parse_name_addr(value) for row in rows for value in split_list(row)]


def route_list(headers: Headers, name: str) -> list[NameAddr]:
    """All values of Route, Record-Route, Path or Service-Route, in the order of the message.

    Raises:
        ParseError: one is malformed or not in angle brackets (RFC 3261 §20.34).
    """
    return routes_of(headers.all(name), name)


def routes_of(rows: Iterable[str], name: str) -> list[NameAddr]:
    """The routes of some rows; errors as for `route_list`."""
    found = []
    for row in rows:
        for value in split_list(row):
            if "<" not in value:
                raise ParseError(f"{name} without angle brackets")
            found.append(parse_name_addr(value))
    return found


# --- helpers ------------------------------------------------------------------------------------


def _addr_spec(text: str) -> NameAddr:
    # Without brackets what follows ";" belongs to the header, and "?" or "," need brackets
    # (RFC 3261 §20.10).
    address, semicolon, params = text.partition(";")
    address = address.rstrip(_BLANKS)
    if "?" in address or "," in address:
        raise ParseError("this address needs angle brackets")
    return NameAddr("", parse_uri(address), parse_params(params and semicolon + params))


def _cut(text: str, piece: re.Pattern[str], separator: str) -> list[str]:
    pieces = []
    begin = 0
    while begin <= len(text):
        match = piece.match(text, begin)
        # It matches everywhere, if only nothing: what it cannot pass is a quote or bracket.
        end = match.end() if match is not None else begin
        if text[end : end + 1] not in ("", separator):
            raise ParseError("quote or bracket without end")
        pieces.append(text[begin:end].strip(_BLANKS))
        begin = end + 1
    return pieces


def _has(params: Params, name: str) -> bool:
    return any(key.lower() == name for key, _ in params)


def _param(params: Params, name: str) -> str | None:
    for key, value in params:
        if key.lower() == name:
            return None if value is None else unquote(value)
    return None


def _with(params: Params, name: str, value: str | None) -> Params:
    if not _has(params, name):
        return (*params, (name, value))
    return tuple((key, value if key.lower() == name else old) for key, old in params)


def _backslash(match: re.Match[str]) -> str:
    return "\\" + match.group()


def _number(text: str, most: int) -> int:
    number = _capped(text, most + 1)
    if number > most:
        raise ParseError("number too large")
    return number


def _capped(text: str, most: int) -> int:
    digits = text.strip(_BLANKS)
    if not digits.isascii() or not digits.isdigit():
        raise ParseError("not a number")
    digits = digits.lstrip("0") or "0"
    return min(int(digits), most) if len(digits) < 20 else most
