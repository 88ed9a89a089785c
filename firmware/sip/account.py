"""A line as the SIP stack sees it: who we are and which server we belong to."""

import fnmatch
import re
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Protocol

from msgspec import Struct

from firmware.base.values import replace
from firmware.sip.errors import LocalError, ParseError
from firmware.sip.flow import Terms, TlsTerms, Transport
from firmware.sip.headers import NameAddr
from firmware.sip.names import Barrier, LineName
from firmware.sip.tel import as_sip
from firmware.sip.uri import Uri, bracketed, host_port, parse_uri

_SHORTEST_CONTACT_USER = 13
"""64 bits in base 32: a Contact user that cannot be guessed (A4)."""
_TAG = re.compile(r"[A-Za-z0-9-]{0,35}")
_ZONED = re.compile(r"(fe[89ab][0-9a-f]:[0-9a-f:]*)%(?:25)?([A-Za-z0-9._-]+)", re.IGNORECASE)
"""A link-local address and the interface it is on (RFC 4007 §11.2, RFC 6874 §2)."""
_MOST_HOMES = 4
"""RFC 5626 §4.2.1: sets of up to four outbound proxies."""


class Home(Struct, frozen=True):
    """A registrar and the outbound proxy that leads there, if any, as URIs without user."""

    server: Uri
    proxy: Uri | None = None

    @property
    def hop(self) -> Uri:
        """Where a REGISTER is sent."""
        return self.proxy or self.server

    @property
    def hosts(self) -> tuple[str, ...]:
        """Whose names they are."""
        return (self.server.host,) if self.proxy is None else (self.server.host, self.proxy.host)


@dataclass(frozen=True, slots=True)
class AkaKeys:
    """The secrets of a SIM card (3GPP TS 35.206): K, and the operator's OP or OPc; 16 octets each.

    `amf` is the field that a request to synchronise is made with (TS 33.102, clause 6.3.3).
    """

    key: bytes = field(repr=False)
    op: bytes = field(default=b"", repr=False)
    opc: bytes = field(default=b"", repr=False)
    amf: bytes = b"\0\0"

    def __post_init__(self) -> None:
        """Refuse what is no card.

        Raises:
            LocalError: a key has the wrong length, or there is neither OP nor OPc.
        """
        operator = self.opc or self.op
        if (len(self.key), len(operator), len(self.amf)) != (16, 16, 2):
            raise LocalError("a SIM card has a K and an OP or OPc of 16 octets, an AMF of two")


class Toll(Protocol):
    """Who decides whom another party may make us call (A19)."""

    def barrier(self, target: str, dialled: str = "") -> Barrier | None:
        """Why `target` (a user part) is not called; `dialled` is what a person asked for."""


class _Free(Struct, frozen=True):
    """Anybody may be called."""

    def barrier(self, target: str, dialled: str = "") -> Barrier | None:
        del target, dialled
        return None


@dataclass(frozen=True)
class Account:
    """One SIP identity.

    `server` and `proxy` are `host[:port]` or a sip URI; IPv6 in brackets. `contact_user` and
    `instance_id` are kept over restarts by whoever makes the account; where they are empty the
    user agent makes its own. `peers` are addresses or networks (`192.0.2.7`, `198.51.100.0/24`)
    or host names trusted besides the server, `numbers` other user parts (globs) that ring this
    line. `proxies` are further outbound proxies, each with a registration of its own (RFC 5626);
    `registrars` are further servers to be registered with, for when the first is gone. `aka` is
    for operators that ask a SIM card instead of a password (RFC 3310). `session_expires` is the
    session timer that calls ask for, in seconds, 0 = none (RFC 4028); without `redirects` a 3xx is
    a refusal. One is followed to the domains of the line and those of `redirect_to` (globs), but
    not to whom `toll` bars. With `click_to_dial` the server may ask for a call. `gruu` asks for a
    GRUU (RFC 5627): only for a server that finds one inside dialogs. `recheck` is how many seconds
    a registration by UDP may be lost before we look, 0 = until it has to be renewed.
    """

    line: LineName
    user: str
    server: str
    password: str = field(default="", repr=False)
    auth_user: str = ""
    aka: AkaKeys | None = None
    realm: str = ""
    display_name: str = ""
    proxy: str = ""
    proxies: tuple[str, ...] = ()
    registrars: tuple[str, ...] = ()
    transport: Transport = Transport.UDP
    any_transport: bool = False
    """Whether the server's domain says how it wants to be reached (RFC 3263 §4.1)."""
    expires: int = 3600
    recheck: int = 0
    register: bool = True
    peers: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    accept_any_user: bool = False
    anonymous: bool = False
    session_expires: int = 0
    redirects: bool = True
    redirect_to: tuple[str, ...] = ()
    publish_calls: bool = False
    """Whether our calls are published at the server for others to watch there (RFC 4235)."""
    click_to_dial: bool = False
    toll: Toll = _Free()  # noqa: RUF009 - frozen
    gruu: bool = False
    contact_user: str = ""
    instance_id: str = ""
    card_numbers: tuple[int, ...] = field(default=(), compare=False)
    """The sequence numbers that the SIM card has seen in an earlier life (`CardAdvanced`)."""
    tls: TlsTerms = TlsTerms()  # noqa: RUF009 - frozen
    ws_path: str = "/"
    ice: bool = False
    """Whether the ways of its calls are checked (RFC 8445)."""
    language: str = ""
    """What its person reads (BCP 47), "" if nobody said."""

    def __post_init__(self) -> None:
        """Refuse what could never be sent.

        Raises:
            LocalError: the server or proxy is not an address, or a kept value is unusable.
        """
        if not self.line:
            raise LocalError("a line needs a name")
        if self.contact_user and len(self.contact_user) < _SHORTEST_CONTACT_USER:
            raise LocalError("the Contact user could be guessed")
        texts = (self.user, self.display_name, self.auth_user, self.realm, self.contact_user)
        if not all(text.isprintable() for text in texts) or not _TAG.fullmatch(self.language):
            raise LocalError("a line's texts may not hold line breaks or other controls")
        _ = self.homes

    def is_bound_like(self, other: "Account") -> bool:
        """Whether a registration of this account is as good for the other.

        Who may call us, by which numbers, and our name are between us and the people we talk to.
        """
        ours = replace(
            self,
            display_name=other.display_name,
            peers=other.peers,
            numbers=other.numbers,
            accept_any_user=other.accept_any_user,
            anonymous=other.anonymous,
            session_expires=other.session_expires,
            redirects=other.redirects,
            redirect_to=other.redirect_to,
            click_to_dial=other.click_to_dial,
            toll=other.toll,
        )
        return ours == other

    @cached_property
    def server_uri(self) -> Uri:
        """The registrar as a URI without user."""
        return _server_uri(self.server, self.transport)

    @cached_property
    def proxy_uri(self) -> Uri | None:
        """The outbound proxy as a route, or None."""
        return _server_uri(self.proxy, self.transport, loose=True) if self.proxy else None

    @cached_property
    def homes(self) -> tuple[Home, ...]:
        """Where the line registers, the best first: by each outbound proxy, then elsewhere."""
        proxies = [
            _server_uri(text, self.transport, loose=True)
            for text in dict.fromkeys((self.proxy, *self.proxies))
            if text
        ]
        homes = [Home(self.server_uri, proxy) for proxy in proxies or (None,)]
        homes += [Home(_server_uri(text, self.transport)) for text in self.registrars]
        return tuple(homes[:_MOST_HOMES])

    @cached_property
    def zones(self) -> dict[str, str]:
        """Link-local addresses among the servers with the zones they were written with.

        A zone means something to this machine alone and stands in no message (RFC 6874 §4).
        """
        texts = (self.server, self.proxy, *self.proxies, *self.registrars)
        found = (_ZONED.search(text) for text in texts)
        return {match[1]: f"{match[1]}%{match[2]}" for match in found if match is not None}

    @cached_property
    def address(self) -> Uri:
        """The address of record: what the line is called from outside."""
        return self.address_at(self.server_uri)

    def address_at(self, server: Uri) -> Uri:
        """The address of record at one of the registrars."""
        return Uri(server.scheme, self.user, host=server.host, port=server.port)

    def identity_at(self, server: Uri) -> NameAddr:
        """The address of record at one of the registrars, with the display name."""
        if server is self.server_uri:
            return self.identity
        return NameAddr(self.display_name, self.address_at(server))

    @cached_property
    def identity(self) -> NameAddr:
        """The address of record with the display name, for From and To."""
        return NameAddr(self.display_name, self.address)

    @property
    def where(self) -> str:
        """The server as its user would recognise it, e.g. `pbx.example:5070 by UDP`."""
        return self.where_is(self.homes[0])

    def where_is(self, home: Home) -> str:
        """The same for one of several."""
        uri = home.hop
        port = "" if uri.port is None else f":{uri.port}"
        how = "" if self.any_transport else f" by {self.transport.via}"
        return f"{bracketed(uri.host)}{port}{how}"

    def terms(self, transport: Transport, host: str = "") -> Terms:
        """Under what a connection to `host`, the server or the proxy, is opened."""
        name = host or (self.proxy_uri or self.server_uri).host
        path = self.ws_path if transport.web else ""
        if not transport.secure:
            return Terms(name, None, path)
        return Terms(self.tls.server_name or name, self.tls, path)

    def rings_for(self, user: str) -> bool:
        """Whether a request to this user part is for the line (the random Contact user apart)."""
        if user == self.user or self.accept_any_user:
            return True
        return any(_glob(pattern).match(user) is not None for pattern in self.numbers)

    def leads_to(self, host: str) -> bool:
        """Whether a call may be sent on to `host`: one of ours, below it, or named for that."""
        host = host.lower()
        ours = (each.lower() for home in self.homes for each in home.hosts)
        if any(host == each or host.endswith(f".{each}") for each in ours):
            return True
        return any(_glob(pattern.lower()).match(host) is not None for pattern in self.redirect_to)

    def target(self, text: str, server: Uri | None = None) -> Uri:
        """A thing dialled as a URI: a number or user part goes to the line's server.

        `server` is the registrar in use if it is not the first.

        Raises:
            LocalError: it is neither.
        """
        if text.partition(":")[0].lower() in ("sip", "sips", "tel"):
            try:
                uri = parse_uri(text)
            except ParseError as error:
                raise LocalError(f"cannot call {text!r}: {error}") from error
            return uri if uri.is_sip else as_sip(uri, server or self.server_uri)
        if not text or any(ord(letter) < 33 or ord(letter) == 127 for letter in text):
            raise LocalError(f"cannot call {text!r}")
        server = server or self.server_uri
        return Uri(server.scheme, text, host=server.host, port=server.port, params=server.params)


@lru_cache(maxsize=256)
def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


@lru_cache(maxsize=256)
def _server_uri(text: str, transport: Transport, *, loose: bool = False) -> Uri:
    text = _ZONED.sub(r"\1", text)
    if text.count(":") > 1 and "[" not in text and not text.lower().startswith("sip"):
        text = f"[{text}]"  # an IPv6 address and no port
    try:
        if text.lower().startswith(("sip:", "sips:")):
            uri = parse_uri(text)
            host, port, scheme = uri.host, uri.port, uri.scheme
        else:
            (host, port), scheme = host_port(text), "sip"
    except ParseError as error:
        raise LocalError(f"{text!r} is not host[:port]") from error
    # UDP is the default everywhere; writing it down would only make the URI longer.
    # RFC 5630 §5.1.1: sips says TLS by itself.
    said = transport is Transport.UDP or (scheme == "sips" and transport is Transport.TLS)
    params = () if said else (("transport", transport.parameter),)
    if loose:
        params = (*params, ("lr", None))
    return Uri(scheme, host=host, port=port, params=params)
