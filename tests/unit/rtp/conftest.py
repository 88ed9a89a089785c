"""A wire that delays, loses, doubles and swaps, and someone who plays what comes out of it."""

import random
from dataclasses import dataclass, field

import pytest

from firmware.rtp.jitter import JitterBuffer
from firmware.rtp.packet import RtpPacket
from firmware.rtp.playout import Lengthen, Missing, Shorten, Surplus

FRAME = 160


@dataclass
class Listener:
    """Plays a buffer every 20 ms; remembers what came out."""

    buffer: JitterBuffer
    frame: int = FRAME
    played: list[RtpPacket] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    deepest: int = 0
    longest_gap: int = 0
    held: int = 0
    _gap: int = 0

    def tick(self, now: float) -> None:
        """Take one frame, as the engine would; what is stretched is so by eight milliseconds."""
        self.deepest = max(self.deepest, len(self.buffer))
        while self.held < self.frame:
            self.held += self._take(self.buffer.get(now, self.held))
        self.held -= self.frame

    def _take(self, playout) -> int:
        """Play it; returns how long it lasts."""
        step = self.frame * 2 // 5
        match playout:
            case RtpPacket():
                return self._play("play", playout)
            case Surplus():
                self._play("cut", playout.packet)
                return 0
            case Shorten():
                return self._play("shorter", playout.packet) - min(step, playout.ticks or step)
            case Lengthen():
                return self._play("longer", playout.packet) + step
        self.out.append("conceal" if isinstance(playout, Missing) else "silence")
        self._gap += 1
        if self.played:
            self.longest_gap = max(self.longest_gap, self._gap)
        return playout.ticks if isinstance(playout, Missing) else self.frame

    def _play(self, how: str, packet: RtpPacket) -> int:
        self.played.append(packet)
        self.out.append(how)
        self._gap = 0
        return self.frame

    def count(self, what: str) -> int:
        return self.out.count(what)

    @property
    def sequences(self) -> list[int]:
        return [packet.sequence for packet in self.played]


@dataclass
class Wire:
    """Packets of 20 ms with seeded misfortune; `listen` runs both ends on virtual time."""

    jitter: float = 0.0
    loss: float = 0.0
    swap: float = 0.0
    double: float = 0.0
    skew: float = 0.0
    base: float = 0.005
    seed: int = 1
    first_sequence: int = 65_500
    first_timestamp: int = 2**32 - 8000

    def arrivals(self, packets: int) -> list[tuple[float, RtpPacket]]:
        rng = random.Random(self.seed)  # noqa: S311 - a seeded wire
        out: list[tuple[float, RtpPacket]] = []
        for index in range(packets):
            if rng.random() < self.loss:
                continue
            at = index * 0.02 * (1 + self.skew) + self.base + rng.random() * self.jitter
            if rng.random() < self.swap:
                at += 0.03
            packet = RtpPacket(
                0,
                (self.first_sequence + index) & 0xFFFF,
                (self.first_timestamp + index * FRAME) & 0xFFFFFFFF,
                7,
                bytes(FRAME),
            )
            out.append((at, packet))
            if rng.random() < self.double:
                out.append((at + 0.001, packet))
        return sorted(out, key=lambda each: each[0])


def listen(buffer: JitterBuffer, arrivals, *, phase: float = 0.003, until: float | None = None):
    """Put what arrives, play every 20 ms; returns the listener."""
    listener = Listener(buffer)
    end = arrivals[-1][0] if until is None else until
    place, now = 0, phase
    while now < end:
        while place < len(arrivals) and arrivals[place][0] <= now:
            buffer.put(arrivals[place][1], arrivals[place][0])
            place += 1
        listener.tick(now)
        now += 0.02
    return listener


@pytest.fixture(name="wire")
def _wire():
    return Wire


@pytest.fixture(name="listen")
def _listen():
    return listen


@pytest.fixture(name="listener")
def _listener():
    return Listener
