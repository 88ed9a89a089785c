"""A far end, a card and an engine that a test moves on frame by frame."""

import math
import os
import socket
import struct
from array import array
from dataclasses import dataclass, field
from random import Random

import pytest

from firmware.codec import CODECS
from firmware.media.engine import Engine
from firmware.media.messages import (
    AnyOrder,
    AnyReport,
    Card,
    CloseStream,
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
        self.rate = codec.sample_rate
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

    def __init__(self, rate=16000, pacing=Pacing.NONE, deaf=None):
        self.rate = rate
        self.deaf = deaf
        self.pacing = pacing
        self.capturing = False
        self.closed = False
        self.speech = b""
        self.played = []
        self.reads = 0
        self.broken = None
        self.leads = True
        self.rested = 0
        self.forgot = 0
        self.xruns = 0
        self.drift_ppm = None
        self.remark = ""
        self.paths = []

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

    def lead(self, wanted):
        self.leads = wanted

    def rest(self):
        self.rested += 1

    def heard_on(self, paths):
        self.paths.append(set(paths))

    def set_capture(self, wanted):
        if wanted and self.deaf:
            raise self.deaf
        self.capturing = wanted

    def forget(self):
        self.forgot += 1

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
        self.deaf = None
        """Why the microphone of the next card cannot be opened."""
        self.remark = ""
        """What the next card lacks though it is open."""
        self.pacing = Pacing.NONE
        """What the next card does to the one who reads or writes it."""
        self.seeds = 0
        self.engine = Engine(self.reports.append, self._open_card, self._random, lambda: self.now)
        self.far_ends = []

    def _random(self, length):
        self.seeds += 1
        return self.seeds.to_bytes(length, "big")

    def _open_card(self, _spec, _descriptors, _rate):
        if self.card_error:
            raise self.card_error
        card = TestCard(pacing=self.pacing, deaf=self.deaf)
        card.remark = self.remark
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
def bench(monkeypatch):
    # Here what is sent arrives in that frame, however long the machine takes from the one to the
    # other; what the kernel says of arrivals has tests of its own (`test_wire`).
    monkeypatch.setattr("firmware.media.wire._OLDEST", 0.0)
    bench = Bench()
    yield bench
    bench.engine.close(bench.now)
    for far in bench.far_ends:
        far.close()


@pytest.fixture
def sine():
    """Makes a tone: frequency, seconds, rate."""
    return tone


@pytest.fixture
def event_packets():
    """Makes the packets of a 100 ms digit: growing duration, three ends (RFC 4733 §2.5.1)."""

    def make(far, digit):
        code = "0123456789*#".index(digit)
        start, packets = far.timestamp, []
        for number in range(1, 8):
            end = 0x80 if number > 5 else 0
            payload = struct.pack("!BBH", code, end | 10, min(number, 5) * 160)
            packets.append(
                RtpPacket(101, far.sequence, start, far.ssrc, payload, marker=number == 1)
            )
            far.sequence = (far.sequence + 1) & 0xFFFF
            far.timestamp = (far.timestamp + 160) & 0xFFFFFFFF
        payload = struct.pack("!BBH", code, 0x80 | 10, 800)
        packets.append(RtpPacket(101, far.sequence, start, far.ssrc, payload))
        far.sequence = (far.sequence + 1) & 0xFFFF
        return packets

    return make


@pytest.fixture
def wire_order():
    """Packets of a far end as a bad network delivers them: 5 % lost, swapped and doubled each."""

    def deliver(far, count):
        dice = Random(5)  # noqa: S311 - a network, not a secret
        held = None
        for _ in range(count):
            packet = far.next_packet()
            lot = dice.random()
            if lot < 0.05:
                yield None
                continue
            if lot < 0.10 and held is None:
                held = packet
                yield None
                continue
            yield packet
            if held is not None:
                yield held
                held = None
            elif lot > 0.95:
                yield packet

    return deliver


@pytest.fixture
def memory_file():
    """Puts PCM into a memory file and gives its descriptor away."""

    def make(pcm):
        descriptor = os.memfd_create("clip")
        os.write(descriptor, pcm)
        return descriptor

    return make


@pytest.fixture
def call_orders():
    """The orders of a whole call, again and again, to one far end."""
    far = FarEnd()

    def orders():
        rtp, rtcp = _udp(), _udp()
        yield OpenStream(1, (PCMU,), Route.LOOP), (rtp.detach(), rtcp.detach())
        yield ConfigureStream(1, far.address, far.rtcp.getsockname(), (PCMU,)), ()
        yield CloseStream(1), ()

    yield orders
    far.close()
