"""One UDP socket for SIP, which knows the address each datagram came to and leaves from.

A phone that listens on every address would otherwise answer from whichever the kernel prefers; with
IP_PKTINFO the flow of a datagram names our own address too, and a reply leaves from it.
"""

import asyncio
import contextlib
import ipaddress
import socket
import struct
from collections.abc import Callable

from firmware.net.addresses import endpoint_of, family_of, name_of
from firmware.net.binding import SIGNALLING, bind, mark
from firmware.sip.flow import Endpoint, Flow, Transport

# linux/in.h; the socket module of Python 3.11 has no name for it.
_IP_PKTINFO = 8
# linux/in.h: let what is longer than the path leave in fragments; DF would lose it (F28).
_IP_MTU_DISCOVER, _IP_PMTUDISC_DONT = 10, 0
_IPV6_MTU_DISCOVER, _IPV6_PMTUDISC_DONT = 23, 0
_BURST = 8
"""Datagrams taken in one go: a flood must leave the loop time for everything else."""
_LARGEST = 65535

Received = Callable[[bytes, Flow], None]
Failed = Callable[[Flow, str], None]


def _pktinfo_of(local: str) -> tuple[int, int, bytes]:
    packed = ipaddress.ip_address(local.partition("%")[0]).packed
    if len(packed) == 4:
        return socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("=i4s4s", 0, packed, b"\0" * 4)
    return socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, packed + struct.pack("=i", 0)


def _local_in(ancillary: list[tuple[int, int, bytes]]) -> str | None:
    for level, kind, data in ancillary:
        if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
            return socket.inet_ntop(socket.AF_INET, data[8:12])
        if level == socket.IPPROTO_IPV6 and kind == socket.IPV6_PKTINFO:
            return socket.inet_ntop(socket.AF_INET6, data[:16])
    return None


class UdpSocket:
    """A bound UDP socket on the loop."""

    def __init__(
        self, host: str, port: int, received: Received, failed: Failed, dscp: int = SIGNALLING
    ) -> None:
        """Bind `host` (numeric; `0.0.0.0` or `::` for every address) and begin to read.

        Raises:
            PortTakenError: somebody else has the port.
            ListenError: the address or the port is not ours to have.
        """
        self._received = received
        self._failed = failed
        self._socket = _bound(host, port, dscp)
        # Read here and copied: a buffer made for each datagram and then cut short would leave a
        # hole of 64 kB in the heap beside every message that is kept.
        self._buffer = bytearray(_LARGEST)
        self.endpoint = Endpoint(host, self._socket.getsockname()[1])
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._readable)

    def send(self, flow: Flow, data: bytes) -> None:
        """Send a datagram; what the kernel refuses is reported as a failed flow."""
        try:
            self._socket.sendmsg([data], [_pktinfo_of(flow.local.host)], 0, name_of(flow.remote))
        except BlockingIOError:
            return  # a full buffer is a lost datagram, and SIP repeats those
        except (OSError, OverflowError) as error:
            # The address may be one that a message made up.
            reason = getattr(error, "strerror", None) or str(error)
            self._loop.call_soon(self._failed, flow, reason)

    def close(self) -> None:
        """Stop reading and release the port."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        for _ in range(_BURST):
            try:
                size, ancillary, _, source = self._socket.recvmsg_into([self._buffer], 128)
            except BlockingIOError:
                return
            except OSError:
                continue  # a queued ICMP error; the transaction's timer decides
            data = bytes(memoryview(self._buffer)[:size])
            local = _local_in(ancillary) or self.endpoint.host
            here = Endpoint(local, self.endpoint.port)
            there = endpoint_of(source)
            self._received(data, Flow(Transport.UDP, here, there))


def _bound(host: str, port: int, dscp: int) -> socket.socket:
    family = family_of(host)
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _IPV6_PMTUDISC_DONT)
        else:
            sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
            sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_DONT)
        mark(sock, dscp)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        bind(sock, host, port)
    except OSError:
        sock.close()
        raise
    return sock
