"""Binding a socket, and the sentence a person reads when that does not work."""

import contextlib
import errno
import socket

from firmware.net.errors import ListenError, PortTakenError
from firmware.net.port_holder import holder_of

SIGNALLING = 24
"""CS3: what switches in offices expect of phones, though RFC 4594 §4.2 would have 40."""
MEDIA = 46
"""The code point of voice, EF (RFC 4594 §4.1)."""
# linux/in.h and linux/in6.h; the socket module has no names for them.
_IP_FREEBIND = 15
_IPV6_FREEBIND = 78


def bind(sock: socket.socket, host: str, port: int) -> None:
    """Bind, also to an address that the machine does not have yet (F7): DHCP may be on its way.

    Raises:
        PortTakenError: somebody else has the port.
        ListenError: the kernel refuses for another reason.
    """
    protocol = "tcp" if sock.type == socket.SOCK_STREAM else "udp"
    try:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        sock.bind((host, port))
    except OSError as error:
        name = f"{protocol.upper()} port {port}"
        if error.errno == errno.EADDRINUSE:
            text = f"{name} is taken by {holder_of(protocol, port, host=host)}"
            raise PortTakenError(text) from error
        text = f"cannot listen on {host} {name}: {error.strerror or error}"
        raise ListenError(text) from error


def mark(sock: socket.socket, dscp: int) -> None:
    """Have everything sent on a socket carry this code point (RFC 2474 §3); a wish, no need."""
    with contextlib.suppress(OSError):
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, dscp << 2)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, dscp << 2)
