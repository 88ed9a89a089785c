"""Where a message goes and where it came from.

RFC 5626 §2 calls a flow what binds two transport addresses: for UDP the pair of addresses, for a
stream transport one connection. Addresses are numeric; IPv4 and IPv6 are one type.
"""

import enum

from msgspec import Struct


class Transport(enum.Enum):
    """A SIP transport; the value is how the configuration names it."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    WS = "ws"
    WSS = "wss"

    @property
    def reliable(self) -> bool:
        """Whether the transport delivers or tells (RFC 3261 §17.1.1.1)."""
        return self is not Transport.UDP

    @property
    def secure(self) -> bool:
        """Whether the transport runs over TLS."""
        return self in (Transport.TLS, Transport.WSS)

    @property
    def web(self) -> bool:
        """Whether SIP travels in WebSocket frames (RFC 7118)."""
        return self in (Transport.WS, Transport.WSS)

    @property
    def parameter(self) -> str:
        """The word in a URI: a secure WebSocket is `ws` there too (RFC 7118 §5.2)."""
        return "ws" if self is Transport.WSS else self.value

    @property
    def via(self) -> str:
        """The word in a Via header, e.g. `UDP`."""
        return self.value.upper()


class Endpoint(Struct, frozen=True):
    """A numeric address and a port; an IPv6 address stands without brackets."""

    host: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        """Whether the address is IPv6."""
        return ":" in self.host

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if self.is_ipv6 else f"{self.host}:{self.port}"


class TlsTerms(Struct, frozen=True):
    """How one line wants its secure connections; files by their paths, empty = none.

    Without `ca` the authorities of the system are trusted. `server_name` is the name that the
    certificate must carry, empty for the server's own.
    """

    ca: str = ""
    cert: str = ""
    key: str = ""
    server_name: str = ""
    verify: bool = True


class Terms(Struct, frozen=True):
    """What a connection of ours was opened for, besides an address.

    `name` is the domain that was asked for: a certificate has to carry it (RFC 5922 §7.3), and the
    Host of a WebSocket is made of it. `tls` is None in the clear, `path` is a WebSocket's.
    """

    name: str
    tls: TlsTerms | None = None
    path: str = ""


class Flow(Struct, frozen=True):
    """One way to one peer.

    `number` tells stream connections apart (two connections to one peer may share nothing else);
    it is 0 for UDP, and the driver never uses a number twice. `terms` are those a connection of
    ours was opened under: verified for one name it says nothing about another (RFC 5923 §8.1).
    """

    transport: Transport
    local: Endpoint
    remote: Endpoint
    number: int = 0
    terms: Terms | None = None
    identities: tuple[str, ...] = ()
    """The domains that somebody who connected to us has proved to be (RFC 5922 §7.4)."""


class Target(Struct, frozen=True):
    """One answer of RFC 3263 target resolution.

    `local` is the address this machine would send from, learned by connecting a socket, so that
    Via, Contact and SDP never say 0.0.0.0. `host` is the name whose address it is: targets of one
    host are one server by different ways.
    """

    transport: Transport
    remote: Endpoint
    local: Endpoint
    host: str = ""
