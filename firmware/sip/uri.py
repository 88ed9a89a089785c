"""SIP, SIPS and tel URIs; any other scheme is kept as opaque text.

The rules are RFC 3261 §19.1 and §25.1, RFC 3966 for tel, RFC 5118 and RFC 5954 for IPv6. A URI
is read leniently where nothing can be misunderstood. The fields hold what is meant (escapes
decoded, IPv6 without brackets); a URI that was parsed and not changed is written exactly as it
arrived, because a far end may compare its own Contact letter by letter.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from firmware.sip.errors import ParseError

Params = tuple[tuple[str, str | None], ...]

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_HOST_PORT: Final = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._\-]+))(?::(?P<port>[0-9]{1,5}))?"
)
# What can never stand in a URI: controls, space, and what would end a name-addr or a quoted text.
_FORBIDDEN: Final = re.compile(r'[\x00-\x20\x7f"<>]')
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_THREE_COLONS: Final = re.compile(r":{3}")
_NUMBER: Final = re.compile(r"\+?(?:[0-9A-Fa-f*#().\-]|%23|%2[Aa])+")
_SEPARATORS: Final = str.maketrans("", "", "-.()")

_MOST_PARTS: Final = 128
# A phone meets the same few URIs again and again: its own, its server's, its neighbours'.
_REMEMBERED: Final = 256
_SHORT: Final = 128

_UNRESERVED: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()"
_USER: Final = frozenset((_UNRESERVED + "&=+$,;?/").encode())
_PASSWORD: Final = frozenset((_UNRESERVED + "&=+$,").encode())
_PARAM: Final = frozenset((_UNRESERVED + "[]/:&+$").encode())
_HEADER: Final = frozenset((_UNRESERVED + "[]/?:+$").encode())


@dataclass(frozen=True, slots=True)
class Uri:
    """A URI in its parts.

    `scheme` is lower-case. `user` is decoded; of a tel URI it is the number without separators, of
    an unknown scheme all that follows the colon. `host` is an IPv6 address without brackets, an
    IPv4 address or a name. A parameter without "=" has the value None.
    """

    scheme: str
    user: str = ""
    password: str | None = None
    host: str = ""
    port: int | None = None
    params: Params = ()
    headers: tuple[tuple[str, str], ...] = ()
    # Not an argument, so that dataclasses.replace() forgets it.
    _written: str = field(default="", init=False, repr=False, compare=False)

    def __str__(self) -> str:
        return self._written or _compose(self)

    @property
    def is_sip(self) -> bool:
        """Whether this is a sip or sips URI."""
        return self.scheme in ("sip", "sips")

    @property
    def secure(self) -> bool:
        """Whether this is a sips URI."""
        return self.scheme == "sips"

    @property
    def transport(self) -> str | None:
        """The transport parameter in lower case, or None."""
        value = self.param("transport")
        return value.lower() if value else None

    @property
    def loose(self) -> bool:
        """Whether it has `lr`: a loose router (RFC 3261 §16.12)."""
        return self.has("lr")

    def has(self, name: str) -> bool:
        """Whether the parameter `name` is there, with or without a value."""
        return any(key.lower() == name for key, _ in self.params)

    def param(self, name: str) -> str | None:
        """The value of parameter `name` (lower case); None if there is none."""
        for key, value in self.params:
            if key.lower() == name:
                return value
        return None


def parse_uri(text: str) -> Uri:
    """Read a URI.

    Raises:
        ParseError: it is not one (status 400).
    """
    return _remembered(text) if len(text) <= _SHORT else _read(text)


def _read(text: str) -> Uri:
    if _FORBIDDEN.search(text):
        raise ParseError("forbidden character in URI")
    scheme, colon, rest = text.partition(":")
    if not colon or not rest or not _SCHEME.fullmatch(scheme):
        raise ParseError("no scheme in URI")
    scheme = scheme.lower()
    if scheme in ("sip", "sips"):
        uri = _parse_sip(scheme, rest)
    elif scheme == "tel":
        number, *params = rest.split(";", _MOST_PARTS)
        uri = Uri(scheme, plain_number(number), params=_params(params))
    else:
        uri = Uri(scheme, rest)
    object.__setattr__(uri, "_written", text)
    return uri


_remembered: Final = lru_cache(maxsize=_REMEMBERED)(_read)


def plain_number(text: str) -> str:
    """A telephone number without what only helps people to read it (RFC 3966 §5.1.1).

    Anything else than a number is given back as it is.
    """
    if _NUMBER.fullmatch(text) is None:
        return text
    return text.replace("%23", "#").replace("%2A", "*").replace("%2a", "*").translate(_SEPARATORS)


def host_port(text: str) -> tuple[str, int | None]:
    """Split `host[:port]`; an IPv6 reference loses its brackets.

    Raises:
        ParseError: it is not a host, or the port is not 0 to 65535.
    """
    match = _HOST_PORT.fullmatch(text)
    if match is None:
        raise ParseError("bad host")
    six, name, digits = match.group("six", "name", "port")
    port = int(digits) if digits else None
    if port is not None and port > 65535:
        raise ParseError("bad port")
    return (_ipv6(six) if six else name), port


def bracketed(host: str) -> str:
    """A host as it stands in a URI or a Via: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def equivalent(a: Uri, b: Uri) -> bool:
    """Whether two URIs mean the same by RFC 3261 §19.1.4."""
    if a.scheme != b.scheme:
        return False
    if a.scheme == "tel":
        return a.user.lower() == b.user.lower() and _tel_params(a) == _tel_params(b)
    if not a.is_sip:
        return a.user.lower() == b.user.lower()
    return (
        a.user == b.user
        and a.password == b.password
        and _same_host(a.host, b.host)
        and a.port == b.port
        and _same_params(a, b)
        and _header_set(a) == _header_set(b)
    )


def _parse_sip(scheme: str, rest: str) -> Uri:
    if rest.count(";") > _MOST_PARTS or rest.count("&") > _MOST_PARTS:
        raise ParseError("too many parameters in URI")
    user_part, at, rest = rest.rpartition("@")
    # Two of them would let two readers find two hosts.
    if "@" in user_part:
        raise ParseError("two @ in URI")
    user, colon, password = user_part.partition(":")
    if at and not user:
        raise ParseError("empty user in URI")
    rest, question, header_text = rest.partition("?")
    address, *params = rest.split(";")
    host, port = host_port(address)
    return Uri(
        scheme,
        _unescape(user),
        _unescape(password) if colon else None,
        host,
        port,
        _params(params) if params else (),
        _headers(header_text) if question else (),
    )


def _params(parts: list[str]) -> Params:
    found: list[tuple[str, str | None]] = []
    for part in parts:
        name, equals, value = part.partition("=")
        if not name:
            raise ParseError("empty parameter in URI")
        found.append((_unescape(name), _unescape(value) if equals else None))
    return tuple(found)


def _headers(text: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if not name or not equals:
            raise ParseError("bad header in URI")
        found.append((_unescape(name), _unescape(value)))
    return tuple(found)


def _unescape(text: str) -> str:
    if "%" not in text:
        return text
    if _BAD_ESCAPE.search(text):
        raise ParseError("bad escape in URI")
    head, *pieces = text.encode("utf-8", "surrogateescape").split(b"%")
    octets = b"".join([head, *(bytes([int(piece[:2], 16)]) + piece[2:] for piece in pieces)])
    return octets.decode("utf-8", "replace")


def _escape(text: str, plain: frozenset[int]) -> str:
    octets = text.encode("utf-8", "surrogateescape")
    if plain.issuperset(octets):
        return text
    return "".join(chr(octet) if octet in plain else f"%{octet:02X}" for octet in octets)


def _compose(uri: Uri) -> str:
    params = "".join(_param_text(name, value) for name, value in uri.params)
    if not uri.is_sip:
        return f"{uri.scheme}:{uri.user}{params}"
    user = _escape(uri.user, _USER)
    if uri.password is not None:
        user += ":" + _escape(uri.password, _PASSWORD)
    host = bracketed(uri.host) + ("" if uri.port is None else f":{uri.port}")
    headers = "&".join(
        f"{_escape(name, _HEADER)}={_escape(value, _HEADER)}" for name, value in uri.headers
    )
    return (
        f"{uri.scheme}:{user}{'@' if user else ''}{host}{params}{'?' if headers else ''}{headers}"
    )


def _param_text(name: str, value: str | None) -> str:
    written = _escape(name, _PARAM)
    return f";{written}" if value is None else f";{written}={_escape(value, _PARAM)}"


def _ipv6(text: str) -> str:
    # RFC 5118 §4.10: an old grammar let three colons through where two are meant.
    text = _THREE_COLONS.sub("::", text)
    try:
        return str(ipaddress.IPv6Address(text)) if "." not in text else _mapped(text)
    except ValueError as error:
        raise ParseError("bad IPv6 address") from error


def _mapped(text: str) -> str:
    ipaddress.IPv6Address(text)
    return text.lower()


def _same_host(a: str, b: str) -> bool:
    if a.lower() == b.lower():
        return True
    try:
        return ipaddress.ip_address(a) == ipaddress.ip_address(b)
    except ValueError:
        return False


# These may not be missing on one side, even with their default value (RFC 3261 §19.1.4).
_MUST_BE_IN_BOTH: Final = frozenset({"user", "ttl", "method", "maddr", "transport"})


def _same_params(a: Uri, b: Uri) -> bool:
    ours = {name.lower(): (value or "").lower() for name, value in a.params}
    theirs = {name.lower(): (value or "").lower() for name, value in b.params}
    if any(theirs[name] != value for name, value in ours.items() if name in theirs):
        return False
    return not (ours.keys() ^ theirs.keys()) & _MUST_BE_IN_BOTH


def _tel_params(uri: Uri) -> dict[str, str]:
    """RFC 3966 §4: all of them count, in any order and case; numbers without separators."""
    return {name.lower(): plain_number(value or "").lower() for name, value in uri.params}


def _header_set(uri: Uri) -> frozenset[tuple[str, str]]:
    return frozenset((name.lower(), value) for name, value in uri.headers)
