"""Orders in any sequence, cards that break, far ends that say anything: the engine stands."""

import socket
from random import Random

import pytest

from firmware.base.suites import SUITES, Keys
from firmware.media.messages import (
    Bridge,
    Card,
    ClosePath,
    CloseStream,
    ConfigureStream,
    Direction,
    LoadClip,
    Microphone,
    OpenPath,
    OpenStream,
    PathName,
    PayloadFormat,
    PlayClip,
    PlayTone,
    Route,
    RouteStream,
    SendDigits,
    SetKeys,
    SetMute,
    SetVolume,
    StopTone,
    TalkOn,
    ToneSegment,
)
from firmware.rtp.packet import RtpPacket, write_rtp
from hal.card_spec import Control
from hal.errors import DeviceError, DeviceGoneError
from hal.ports import Pacing
from tests.support.left_open import open_now, opened_since

FORMATS = (
    PayloadFormat(0, "PCMU", 8000),
    PayloadFormat(9, "G722", 8000),
    PayloadFormat(97, "L16", 16000),
    PayloadFormat(13, "CN", 8000),
    PayloadFormat(99, "unheard-of", 8000),
)
EVENTS = PayloadFormat(101, "telephone-event", 8000)
SUITE = "AEAD_AES_128_GCM"
KEYS = [Keys(SUITE, bytes([fill]) * SUITES[SUITE].octets, bytes(28)) for fill in (1, 2)]
TONE = (ToneSegment((440.0,), 0.0), ToneSegment((), 0.1))
ROUTED = (Control("Speaker", 0, paths=(("speaker", 90),)),)
CARDS = (Card("mock", "a"), Card("mock", "b"), Card("mock", "c", mixer=ROUTED))
PATHS, STREAMS = tuple(PathName), range(4)


class World:
    """What orders are made of, by lot."""

    def __init__(self, bench, seed, memory_file):
        self.bench, self.lot, self.memory_file = bench, Random(seed), memory_file  # noqa: S311 - lots, no secrets
        self.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.far.bind(("127.0.0.1", 0))
        self.ports = {}
        self.number = 0

    def step(self):
        """One order, and some frames."""
        self.bench.pacing = self.lot.choice(list(Pacing))
        order = self.lot.choice((self.desk_order, self.desk_order, self.stream_order, self.trouble))
        order()
        for _ in range(self.lot.randrange(4)):
            self.speak()
            self.bench.now += self.lot.choice((0.02, 0.02, 0.02, 0.3))
            if self.bench.now >= self.bench.engine.due:
                self.bench.engine.tick(self.bench.now)

    def desk_order(self):
        lot, path = self.lot, self.lot.choice(PATHS)
        wishes = Microphone(
            lot.choice((-10.0, 0.0, 20.0)), lot.choice((0.0, -20.0)), lot.random() < 0.3
        )
        orders = (
            OpenPath(path, lot.choice(CARDS), lot.randrange(101), wishes),
            ClosePath(path) if lot.random() < 0.2 else SetVolume(path, 70),
            TalkOn(lot.choice((None, path)), microphone=lot.random() < 0.7),
            TalkOn(path, microphone=True),
            SetMute(lot.random() < 0.5),
            SetVolume(path, lot.randrange(-5, 120)),
            PlayTone(lot.choice("xy"), path, TONE, lot.choice((-1, 0, 1))),
            StopTone(lot.choice("xy"), lot.choice((None, path))),
            Bridge(tuple(lot.sample(STREAMS, lot.randrange(4)))),
        )
        self.bench.order(lot.choice(orders))

    def stream_order(self):
        lot, stream = self.lot, self.lot.choice(STREAMS)
        if lot.random() < 0.3:
            self.open(stream)
            return
        remote = lot.choice((("", 0), self.far.getsockname(), ("::1", 9), ("no address", 5)))
        answer = ConfigureStream(
            *(stream, remote, ("127.0.0.1", 9), tuple(lot.sample(FORMATS, 3))),
            *(lot.choice(list(Direction)), lot.choice((None, EVENTS))),
            ptime=lot.choice((0, 1, -5, 10, 20, 30, 60, 65535)),
            secure=lot.random() < 0.3,
            leave_out_silence=lot.random() < 0.5,
            symmetric=lot.random() < 0.5,
        )
        orders = (
            *(answer, answer, SetKeys(stream, lot.choice(KEYS)), CloseStream(stream)),
            RouteStream(stream, lot.choice(list(Route)), lot.choice(("", "tune"))),
            SendDigits(stream, lot.choice(("1", "12#*", "zz!"))),
        )
        order = lot.choice(orders)
        self.bench.order(order)
        if isinstance(order, CloseStream):
            self.ports.pop(stream, None)

    def open(self, stream):
        made = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        made[0].bind(("127.0.0.1", 0))
        self.ports.setdefault(stream, made[0].getsockname())
        order = OpenStream(
            stream, (*FORMATS, EVENTS), self.lot.choice(list(Route)), secure=self.lot.random() < 0.3
        )
        self.bench.order(order, [each.detach() for each in made])

    def trouble(self):
        lot = self.lot
        if lot.random() < 0.7:
            clip = self.memory_file(bytes(lot.choice((0, 1, 1000, 50_000))))
            order = lot.choice((LoadClip("tune", 8000), PlayClip(lot.choice(STREAMS), 16000)))
            self.bench.order(order, (clip,))
        elif self.bench.cards:
            lot.choice(self.bench.cards).broken = DeviceGoneError("pulled out")
            self.bench.card_error = lot.choice((None, None, DeviceError("in use")))

    def speak(self):
        for port in self.ports.values():
            self.number += 1
            kind = self.lot.choice((0, 9, 97, 13, 101, 99, 55))
            payload = self.lot.randbytes(self.lot.choice((0, 1, 4, 160, 640)))
            packet = RtpPacket(kind, self.number & 0xFFFF, self.number * 160, 7, payload)
            self.far.sendto(write_rtp(packet), port)


@pytest.fixture(params=range(6))
def world(request, bench, memory_file):
    made = World(bench, request.param, memory_file)
    yield made
    made.far.close()


def test_p11_whatever_is_ordered_the_engine_stands_and_one_microphone_is_open_at_most(bench, world):
    before = open_now()
    talking = 0
    for path in PATHS:
        bench.order(OpenPath(path, Card("mock", path.value)))
    for _ in range(150):
        world.step()
        recording = [card for card in bench.cards if card.capturing and not card.closed]
        talking += len(recording)
        assert len(recording) <= 1
        assert not recording or bench.engine._desk.microphone_open
    assert talking > 10, "or nothing is shown"
    bench.engine.close(bench.now)
    assert len(bench.engine) == 0
    assert len(opened_since(before)) <= 1, "the clip that is loaded keeps its own"
