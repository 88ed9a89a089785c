"""Where a message goes and where it came from.

RFC 5626 §2 calls a flow what binds two transport addresses: for UDP the pair of addresses, for a
stream transport one connection. Addresses are numeric; IPv4 and IPv6 are one type.
"""

import enum
from dataclasses import dataclass


class Transport(enum.Enum):
    """A SIP transport; the value is the lower-case `transport` parameter of a URI."""

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
    def via(self) -> str:
        """The word in a Via header, e.g. `UDP`."""
        return self.value.upper()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A numeric address and a port; an IPv6 address stands without brackets."""

    host: str
    port: int

    @property
    def is_ipv6(self) -> bool:
        """Whether the address is IPv6."""
        return ":" in self.host

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if self.is_ipv6 else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Flow:
    """One way to one peer.

    `number` tells stream connections apart (two connections to one peer may share nothing else);
    it is 0 for UDP, and the driver never uses a number twice.
    """

    transport: Transport
    local: Endpoint
    remote: Endpoint
    number: int = 0


@dataclass(frozen=True, slots=True)
class Target:
    """One answer of RFC 3263 target resolution.

    `local` is the address this machine would send from, learned by connecting a socket, so that
    Via, Contact and SDP never say 0.0.0.0.
    """

    transport: Transport
    remote: Endpoint
    local: Endpoint
