"""Pairs of media sockets: RTP on an even port, RTCP on the next (RFC 3550 §11).

The loop binds them and keeps them for the life of a call; the audio process gets duplicates and is
the only reader. If it dies, its successor is handed the same sockets and the ports stay the same.
"""

import errno
import socket

from msgspec import Struct

from firmware.base.tokens import Tokens
from firmware.net.addresses import family_of
from firmware.net.binding import MEDIA, mark
from firmware.net.errors import NoMediaPortError

_ATTEMPTS = 64
"""So often the system is asked for a port whose neighbour is free too."""


class MediaPair(Struct, frozen=True):
    """An RTP and an RTCP socket on neighbouring ports."""

    address: str
    port: int
    rtp: socket.socket
    rtcp: socket.socket

    def close(self) -> None:
        """Release both ports, once the audio process has dropped its duplicates too."""
        self.rtp.close()
        self.rtcp.close()


class MediaPorts:
    """The configured port range."""

    def __init__(self, first: int, last: int, tokens: Tokens, dscp: int = MEDIA) -> None:
        self._dscp = dscp
        self._first = first + (first & 1)
        self._pairs = max(0, (last - self._first + 1) // 2)
        self._tokens = tokens

    def reserve(self, address: str, *, anywhere: bool = False) -> MediaPair:
        """Bind a pair on `address`, starting at a port nobody can guess (A8).

        With `anywhere` an exhausted range is no obstacle: any free pair of the machine will do.

        Raises:
            NoMediaPortError: the range is exhausted or the address is not ours.
        """
        try:
            return self._of_range(address)
        except NoMediaPortError:
            if not anywhere:
                raise
        return _of_machine(address, self._dscp)

    def _of_range(self, address: str) -> MediaPair:
        start = self._tokens.integer(self._pairs) if self._pairs else 0
        for step in range(self._pairs):
            port = self._first + 2 * ((start + step) % self._pairs)
            try:
                return _pair(address, port, self._dscp)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise NoMediaPortError(f"{address}: {error.strerror}") from error
        last = self._first + 2 * self._pairs - 1
        raise NoMediaPortError(f"all media ports {self._first}-{last} are taken")


def _of_machine(address: str, dscp: int) -> MediaPair:
    trouble: str | None = "no port is free"
    for _ in range(_ATTEMPTS):
        try:
            with _bound(address, 0, dscp) as probe:
                port: int = probe.getsockname()[1]
            return _pair(address, port & ~1, dscp)
        except OSError as error:
            trouble = error.strerror
            if error.errno != errno.EADDRINUSE:
                break
    raise NoMediaPortError(f"{address}: {trouble}")


def _pair(address: str, port: int, dscp: int) -> MediaPair:
    rtp = _bound(address, port, dscp)
    try:
        rtcp = _bound(address, port + 1, dscp)
    except OSError:
        rtp.close()
        raise
    return MediaPair(address, port, rtp, rtcp)


def _bound(address: str, port: int, dscp: int) -> socket.socket:
    family = family_of(address)
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        mark(sock, dscp)
        sock.bind((address, port))
    except OSError:
        sock.close()
        raise
    return sock
