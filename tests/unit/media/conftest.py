"""A far end, a card and an engine that a test moves on frame by frame."""

import math
import socket
from array import array
from dataclasses import dataclass, field

import pytest

from firmware.codec import CODECS
from firmware.media.engine import Engine
from firmware.media.messages import (
    AnyOrder,
    AnyReport,
    Card,
    ConfigureStream,
    Direction,
    OpenPath,
    OpenStream,
    PathName,
    PayloadFormat,
    Route,
    TalkOn,
)
from firmware.rtp.packet import RtpPacket, parse_rtp, write_rtp
from hal.ports import Pacing

FRAME = 0.02
PCMU = PayloadFormat(0, "PCMU", 8000)
PCMA = PayloadFormat(8, "PCMA", 8000)
G722 = PayloadFormat(9, "G722", 8000)
EVENTS = PayloadFormat(101, "telephone-event", 8000, 1, "0-16")
_RATES = {"PCMU": 8000, "PCMA": 8000, "G722": 16000}


def tone(frequency: float, seconds: float, rate: int, amplitude: float = 8000) -> bytes:
    """A sine as PCM."""
    step = 2 * math.pi * frequency / rate
    return array(
        "h", (round(amplitude * math.sin(step * n)) for n in range(int(seconds * rate)))
    ).tobytes()


@dataclass
class FarEnd:
    """Somebody with a codec and two UDP sockets on loopback."""

    payload: PayloadFormat = PCMU
    ssrc: int = 0xFA5E
    sequence: int = 65500
    timestamp: int = 0xFFFFF000
    packets: list[RtpPacket] = field(default_factory=list)

    def __post_init__(self):
        self.rtp, self.rtcp = _udp(), _udp()
        codec = CODECS[self.payload.name.lower()].load()
        self.encoder, self.decoder = codec.encoder(), codec.decoder()
        self.rate = _RATES[self.payload.name]
        self.speech = b""

    @property
    def address(self):
        return self.rtp.getsockname()

    def say(self, pcm):
        """Put this into the mouth; `step` sends it frame by frame."""
        self.speech += pcm

    def next_packet(self):
        size = self.rate // 50 * 2
        pcm, self.speech = self.speech[:size], self.speech[size:]
        packet = RtpPacket(
            self.payload.number,
            self.sequence,
            self.timestamp,
            self.ssrc,
            self.encoder.encode(pcm.ljust(size, b"\0")),
        )
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + 160) & 0xFFFFFFFF
        return packet

    def send(self, packet, to):
        self.rtp.sendto(write_rtp(packet), to)

    def collect(self):
        """Packets that arrived since the last look."""
        fresh = []
        while True:
            try:
                data = self.rtp.recv(2048)
            except BlockingIOError:
                break
            fresh.append(parse_rtp(data))
        self.packets += fresh
        return fresh

    def heard(self, last_seconds=None):
        """What was said to the far end, decoded."""
        self.collect()
        pcm = b"".join(
            self.decoder.decode(p.payload)
            for p in self.packets
            if p.payload_type == self.payload.number
        )
        return pcm if last_seconds is None else pcm[-int(last_seconds * self.rate) * 2 :]

    def close(self):
        self.rtp.close()
        self.rtcp.close()


def _udp():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind(("127.0.0.1", 0))
    return sock


class TestCard:
    """A card in the hands of a test: says what the microphone hears, keeps what is played."""

    __test__ = False

    def __init__(self, rate=16000):
        self.rate = rate
        self.pacing = Pacing.NONE
        self.capturing = False
        self.closed = False
        self.speech = b""
        self.played = []
        self.reads = 0
        self.broken = None

    def read(self):
        if self.broken:
            raise self.broken
        self.reads += 1
        size = self.rate // 50 * 2
        pcm, self.speech = self.speech[:size], self.speech[size:]
        return pcm.ljust(size, b"\0")

    def write(self, frame):
        if self.broken:
            raise self.broken
        self.played.append(frame)

    def set_capture(self, wanted):
        self.capturing = wanted

    def close(self):
        self.closed = True
        self.capturing = False

    def heard(self, last_seconds):
        return b"".join(self.played)[-int(last_seconds * self.rate) * 2 :]


class Bench:
    """An engine on a clock that only the test moves."""

    def __init__(self):
        self.now = 1000.0
        self.reports: list[AnyReport] = []
        self.cards: list[TestCard] = []
        self.card_error = None
        self.seeds = 0
        self.engine = Engine(self.reports.append, self._open_card, self._random, self.now)
        self.far_ends = []

    def _random(self, length):
        self.seeds += 1
        return self.seeds.to_bytes(length, "big")

    def _open_card(self, _spec, _descriptors, _rate):
        if self.card_error:
            raise self.card_error
        card = TestCard()
        self.cards.append(card)
        return card

    @property
    def card(self):
        return self.cards[-1]

    def order(self, order: AnyOrder, descriptors=()):
        self.engine.handle(order, tuple(descriptors), self.now)

    def step(self, frames=1, *, speaking=True):
        """Let 20 ms pass, so many times; far ends with a stream speak unless told otherwise."""
        for _ in range(frames):
            for far in self.far_ends:
                if speaking and far.target:
                    far.send(far.next_packet(), far.target)
            self.now += FRAME
            if self.now + 1e-9 >= self.engine.due:
                self.engine.tick(self.now)
            for far in self.far_ends:
                far.collect()

    def seconds(self, seconds, *, speaking=True):
        self.step(round(seconds / FRAME), speaking=speaking)

    def handset(self, *, microphone=True):
        """A handset that somebody holds to the ear."""
        self.order(OpenPath(PathName.HANDSET, Card("mock", "h")))
        self.order(TalkOn(PathName.HANDSET, microphone=microphone))

    def call(
        self,
        stream=1,
        payload=PCMU,
        route=Route.CARD,
        dtmf=None,
        direction=Direction.SENDRECV,
        **more,
    ):
        """A stream with a far end that is answered at once."""
        far = self.ring(stream, payload, route, dtmf)
        self.answer(far, stream, direction=direction, dtmf=dtmf, **more)
        return far

    def ring(self, stream=1, payload=PCMU, route=Route.CARD, dtmf=None):
        far = FarEnd(payload)
        rtp, rtcp = _udp(), _udp()
        far.target = rtp.getsockname()
        far.control_target = rtcp.getsockname()
        self.far_ends.append(far)
        expect = (payload,) + ((dtmf,) if dtmf else ())
        self.order(OpenStream(stream, expect, route), (rtp.detach(), rtcp.detach()))
        return far

    def answer(self, far, stream=1, direction=Direction.SENDRECV, dtmf=None, **more):
        self.order(
            ConfigureStream(
                stream,
                more.pop("remote", far.address),
                far.rtcp.getsockname(),
                more.pop("formats", (far.payload,)),
                direction,
                dtmf,
                **more,
            )
        )

    def take(self, kind):
        """Reports of one kind, removed."""
        found = [report for report in self.reports if isinstance(report, kind)]
        self.reports[:] = [report for report in self.reports if not isinstance(report, kind)]
        return found


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.engine.close(bench.now)
    for far in bench.far_ends:
        far.close()
