"""The media sockets of the audio process: it is the only reader, the phone may send too.

Datagrams are read once a frame, as many as wait, with the kernel's own arrival times, so that
reading late does not look like jitter. What a datagram means is not decided here. Who floods a
port takes a part of the frame's time and no more; as long as that is enough, what was wanted is
read with all the rest and not behind it.
"""

import contextlib
import math
import mmap
import os
import select
import socket
import struct
import time
from collections.abc import Callable

from firmware.media.insert import Samples
from firmware.rtp.latch import Address

Sink = Callable[[bytes, Address, float], None]
"""Takes datagram, source, arrival (the caller's monotonic clock)."""

_LARGEST = 2048
_BUDGET = 0.005
"""Seconds of a frame in which datagrams are taken: a flood must not hold up the frame."""
_AT_ONCE = 8
"""Datagrams taken from one socket before the others have their turn again."""

_EVENTS = 256
_SO_TIMESTAMPNS = 35
_TRUNCATED = int(socket.MSG_TRUNC)
_TIMES = {16: struct.Struct("qq"), 8: struct.Struct("ll")}
_SEND_BUFFER = 1 << 18
_OLDEST = 1.0
"""Seconds a datagram can have waited, if it is not known when nothing waited."""

_LARGEST_CLIP = 32 << 20


class MediaSocket:
    """One UDP socket of a stream; owns its descriptor."""

    __slots__ = ("_socket", "dropped", "why")

    def __init__(self, descriptor: int) -> None:
        """Take a descriptor over.

        Raises:
            OSError: it is no socket.
        """
        self._socket = socket.socket(fileno=descriptor)
        self._socket.settimeout(0)
        self.dropped = 0
        """Datagrams the kernel refused to take."""
        self.why = ""
        """What it said of the last one."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, datagram: bytes, address: Address) -> None:
        """Send now or not at all: a datagram that waits is worth nothing."""
        try:
            self._socket.sendto(datagram, address)
        except OSError as error:
            self.dropped += 1
            self.why = error.strerror or ""

    def receive(self) -> tuple[bytes, Address, float | None] | None:
        """The next datagram, its source and its wall-clock arrival; None if none waits."""
        try:
            data, ancillary, flags, source = self._socket.recvmsg(_LARGEST, 64)
        except OSError:
            return None
        arrival = None
        for level, kind, value in ancillary:
            if kind == _SO_TIMESTAMPNS and level == socket.SOL_SOCKET:
                seconds, nanoseconds = _TIMES[len(value)].unpack(value)
                arrival = seconds + nanoseconds * 1e-9
        if flags & _TRUNCATED:
            data = b""
        return data, source[:2] if source else ("", 0), arrival

    def close(self) -> None:
        self._socket.close()


class Wire:
    """All media sockets, read together."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._sockets: dict[int, tuple[MediaSocket, Sink]] = {}
        self._empty_at = -math.inf
        """When nothing waited: a stamp from before was made before the clock was set."""

    def __len__(self) -> int:
        return len(self._sockets)

    def attach(self, descriptor: int, sink: Sink) -> MediaSocket:
        """Read a socket from now on.

        Raises:
            OSError: the descriptor is no socket.
        """
        media = MediaSocket(descriptor)
        self._sockets[descriptor] = (media, sink)
        self._epoll.register(descriptor, select.EPOLLIN)
        return media

    def detach(self, media: MediaSocket) -> None:
        """Stop reading a socket and close it."""
        descriptor = media.fileno()
        if self._sockets.pop(descriptor, None) is not None:
            # The phone keeps a duplicate, so closing ours would leave the registration behind.
            self._epoll.unregister(descriptor)
        media.close()

    def drain(self, now: float) -> None:
        """Hand every datagram that waits to its sink."""
        ready = self._epoll.poll(0, _EVENTS)
        if not ready:
            self._empty_at = now
            return
        until = time.monotonic() + _BUDGET
        offset = now - time.clock_gettime(time.CLOCK_REALTIME)
        # Usually one waits on each socket: then asking again is cheaper than a second try.
        at_once = 1
        while ready:
            for descriptor, _events in ready:
                self._take(descriptor, at_once, now, offset)
            if at_once > 1 and time.monotonic() >= until:
                return
            at_once = _AT_ONCE
            ready = self._epoll.poll(0, _EVENTS)
        self._empty_at = now

    def _take(self, descriptor: int, most: int, now: float, offset: float) -> None:
        """At most so many datagrams of one socket; wall clock and `offset` make `now`."""
        media, sink = self._sockets[descriptor]
        oldest = max(self._empty_at, now - _OLDEST)
        for _ in range(most):
            received = media.receive()
            if received is None:
                return
            data, source, stamp = received
            arrival = now
            if stamp is not None and oldest < stamp + offset < now:
                arrival = stamp + offset
            sink(data, source, arrival)

    def close(self) -> None:
        for media, _ in list(self._sockets.values()):
            self.detach(media)
        self._epoll.close()


def close_descriptors(descriptors: tuple[int, ...]) -> None:
    """Close descriptors that came with an order and found no owner."""
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def read_clip(descriptors: tuple[int, ...]) -> Samples:
    """The memory file that came with an order; empty if there is none.

    It is mapped, not copied: five minutes would take longer than a frame.
    """
    pcm: Samples = b""
    with contextlib.suppress(OSError, ValueError):
        if descriptors:
            size = min(os.fstat(descriptors[0]).st_size, _LARGEST_CLIP) & ~1
            if size:
                pcm = mmap.mmap(descriptors[0], size, prot=mmap.PROT_READ)
    close_descriptors(descriptors)
    return pcm
