"""The card in a web page: frames to and from whoever is connected to `audio.sock`.

The wire, both ways: an AF_UNIX SOCK_SEQPACKET connection, one packet = one frame of 20 ms, 16-bit
little-endian mono PCM at 48 kHz, so 1920 bytes; no header, no length, nothing else. A packet of 320
or 640 bytes is 20 ms at 8 or 16 kHz and is taken too; from then on this client is answered at its
own rate. Packets of any other length are ignored and counted.

The newest client is the one that counts: when a second page attaches, the first is cut off. The
engine's deadlines are the clock. From the page to the engine there is a queue: it begins to give
after 60 ms have arrived; if more than 200 ms wait, the oldest go until 60 ms are left, and what a
whole second long was never needed goes too, so a stalled page never adds lasting delay. Towards
the page only the socket's buffer queues, about 200 ms; a packet that the kernel does not take at
once is dropped. Nothing in here waits.

The card exists while a path is in use. A page may connect at any time and is let in when the card
opens; when it closes the page sees the end of the connection and connects again.
"""

import os
import socket
from collections import deque

from hal.errors import DeviceError
from hal.sound.convert import RateConverter, little_endian
from hal.sound.frames import frame_bytes
from hal.sound.unpaced import Unpaced

WIRE_RATE = 48_000
WIRE_RATES = (8_000, 16_000, 48_000)
TARGET_FRAMES = 3
CAP_FRAMES = 10
_SPARE_WINDOW = 50
"""Frames over which the shortest queue is sought: what lies below it is delay and nothing else."""
_PACKETS_A_TURN = 32
"""Read at most so many packets in one go: a flooding client must not hold the engine."""
_RATE_OF = {frame_bytes(rate): rate for rate in WIRE_RATES}


class _Client:
    """One connected page: its socket, its rate, and the filters between it and the card."""

    def __init__(self, link: socket.socket, card_rate: int) -> None:
        self.link = link
        self._card_rate = card_rate
        self.rate = 0
        self._take_rate(WIRE_RATE)

    def _take_rate(self, rate: int) -> None:
        if rate != self.rate:
            self.rate = rate
            self._inward = RateConverter(rate, self._card_rate)
            self._outward = RateConverter(self._card_rate, rate)
            # The kernel doubles the figure for its own needs, which is about what it needs here:
            # a page that stalls finds some 200 ms when it comes back, not seconds.
            self.link.setsockopt(
                socket.SOL_SOCKET, socket.SO_SNDBUF, CAP_FRAMES * frame_bytes(rate)
            )

    def forget(self) -> None:
        """Nothing of what it said so far stays in the filter."""
        self._inward = RateConverter(self.rate, self._card_rate)

    def received(self, packet: bytes) -> bytes | None:
        """The packet at the card's rate, or None if it is no frame."""
        rate = _RATE_OF.get(len(packet))
        if rate is None:
            return None
        self._take_rate(rate)
        return self._inward.convert(little_endian(packet))

    def send(self, frame: bytes) -> bool:
        """Whether the kernel took it; raises OSError if the page is gone."""
        try:
            self.link.send(little_endian(self._outward.convert(frame)), socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        return True


class BrowserCard(Unpaced):
    """Serves one page at a time on a listening SEQPACKET socket, which it closes at the end."""

    def __init__(self, rate: int, listener: socket.socket) -> None:
        listener.settimeout(0)
        self._listener = listener
        self._rate = rate
        self._client: _Client | None = None
        self._queue: deque[bytes] = deque()
        self._flowing = False
        self._least = CAP_FRAMES
        self._reads = 0
        self._capturing = False
        self.dropped = 0
        """Frames thrown away in either direction because somebody was late."""
        self.xruns = 0
        """How often the page's queue ran dry or over."""
        self.malformed = 0
        """Packets that were no frame."""

    @property
    def rate(self) -> int:
        return self._rate

    @property
    def attached(self) -> bool:
        """Whether a page is connected."""
        return self._client is not None

    def read(self) -> bytes:
        self._receive()
        if not self._flowing and len(self._queue) >= TARGET_FRAMES:
            self._flowing = True
        if not self._flowing:
            return b""
        if not self._queue:
            self.xruns += 1
            self._flowing = False
            return b""
        self._shed_spare()
        return self._queue.popleft()

    def write(self, frame: bytes) -> None:
        self._accept()
        if self._client is None:
            return
        try:
            self.dropped += not self._client.send(frame)
        except OSError:
            self._detach()

    def set_capture(self, wanted: bool) -> None:  # noqa: FBT001 - the port's shape
        if wanted and not self._capturing:
            # What piled up in the socket while nobody listened is the past.
            self._receive()
        self._capturing = wanted
        self._queue.clear()
        self._flowing = False

    def forget(self) -> None:
        self._receive()
        if self._client is not None:
            self._client.forget()
        self._queue = deque(bytes(len(frame)) for frame in self._queue)

    def close(self) -> None:
        self._detach()
        self._listener.close()

    def _shed_spare(self) -> None:
        """Drop the frames that waited a whole second without ever being needed."""
        self._least = min(self._least, len(self._queue))
        self._reads += 1
        if self._reads < _SPARE_WINDOW:
            return
        for _ in range(self._least - TARGET_FRAMES):
            self._queue.popleft()
            self.dropped += 1
        self._least, self._reads = CAP_FRAMES, 0

    def _accept(self) -> None:
        """Let in whoever waits; the last one stays."""
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self._detach()
            link.settimeout(0)
            self._client = _Client(link, self._rate)

    def _detach(self) -> None:
        if self._client is not None:
            self._client.link.close()
            self._client = None
        self._queue.clear()
        self._flowing = False

    def _receive(self) -> None:
        self._accept()
        for _ in range(_PACKETS_A_TURN):
            packet = self._packet()
            if packet is None:
                break
            self._enqueue(packet)
        if len(self._queue) > CAP_FRAMES:
            self.xruns += 1
            self.dropped += len(self._queue) - TARGET_FRAMES
            while len(self._queue) > TARGET_FRAMES:
                self._queue.popleft()

    def _packet(self) -> bytes | None:
        """The next packet of the page, None if there is none."""
        if self._client is None:
            return None
        try:
            packet = self._client.link.recv(4096)
        except BlockingIOError:
            return None
        except OSError:
            packet = b""
        if not packet:
            self._detach()
            return None
        return packet

    def _enqueue(self, packet: bytes) -> None:
        frame = self._client.received(packet) if self._client is not None else None
        if frame is None:
            self.malformed += 1
        elif self._capturing:
            self._queue.append(frame)


def open_browser_card(descriptors: tuple[int, ...], rate: int) -> BrowserCard:
    """A browser card on the listening socket that is the first descriptor.

    Raises:
        hal.errors.DeviceError: no descriptor came, or it is no listening SEQPACKET socket.
    """
    if not descriptors:
        raise DeviceError("the browser card needs the listening audio.sock")
    try:
        listener = socket.socket(fileno=os.dup(descriptors[0]))
    except OSError as error:
        raise DeviceError(f"audio.sock: {error.strerror}") from error
    if listener.type != socket.SOCK_SEQPACKET:
        listener.close()
        raise DeviceError("audio.sock: a SEQPACKET socket is needed")
    return BrowserCard(rate, listener)
