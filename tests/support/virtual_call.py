"""A reception on virtual time: packets of one talker come as a list says, every 20 ms is heard.

    call = VirtualCall(); call.run(arrivals)  →  call.frames, call.delays, call.opinions …

Quick enough for hours: the talker says the same tone for ever, so nothing is encoded.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from firmware.base.pcm import audioop
from firmware.dsp.tones import Tone
from firmware.media.messages import PayloadFormat
from firmware.media.reception import Reception
from firmware.media.scoring import Scoring
from firmware.rtp.packet import RtpPacket

TRACES = Path(__file__).resolve().parents[1] / "data/g1050"
PCMU = PayloadFormat(0, "PCMU", 8000)
THERE = ("192.0.2.9", 4000)
SECOND = 50
PERIOD = 0.02
Arrival = tuple[float, RtpPacket]


def spoken(ticks: int = 160) -> bytes:
    """A payload of a steady tone: 200 Hz, whose periods fit into any packet of whole 5 ms."""
    return audioop.lin2ulaw(Tone((200.0,), -20, 8000).block(ticks + 160)[320:], 2)


def trace(severity: str, link: int = 36) -> list[float]:
    """One-way delays in seconds of packets 20 ms apart; below nothing: lost (ITU-T G.1050)."""
    text = gzip.decompress((TRACES / f"sev{severity}-link{link}.txt.gz").read_bytes()).decode()
    return [float(row) / 1000 for row in text.split()]


def drifting(ppm: float, hours: float) -> Iterator[Arrival]:
    """A talker whose clock is so much slower than ours, on a network without any delay."""
    payload, step = spoken(), PERIOD * (1 + ppm / 1e6)
    return (
        (index * step, RtpPacket(0, index & 0xFFFF, index * 160 & 0xFFFFFFFF, 7, payload))
        for index in range(round(hours * 3600 / PERIOD))
    )


def travelled(delays: Iterable[float]) -> list[Arrival]:
    """Packets 20 ms apart with these delays, in the order of their arrival."""
    payload = spoken()
    found = [(index * PERIOD + delay, index) for index, delay in enumerate(delays) if delay >= 0]
    return [
        (at, RtpPacket(0, index & 0xFFFF, index * 160 & 0xFFFFFFFF, 7, payload))
        for at, index in sorted(found)
    ]


@dataclass
class VirtualCall:
    """One stream heard; `phase` is how far our frames are from the talker's."""

    phase: float = 0.003
    expect: tuple[PayloadFormat, ...] = (PCMU,)
    round_trip_ms: float = 0.0
    keeps: bool = False
    """Whether packets that come after the end of a run are kept for the next one."""
    reception: Reception = field(default_factory=Reception)
    silent: int = 0
    """Frames without a sound."""
    frames: int = 0
    delays: list[float] = field(default_factory=list)
    """Milliseconds in the jitter buffer, each second."""
    opinions: list[float] = field(default_factory=list)
    """MOS, each second."""

    def __post_init__(self) -> None:
        self.reception.expect(self.expect)
        self._scoring = Scoring(self.reception)
        self._under_way: list[Arrival] = []

    def run(
        self,
        arrivals: Iterable[Arrival],
        until: float,
        on_frame: Callable[[float, bytes], None] | None = None,
    ) -> "VirtualCall":
        """Hear until so many seconds; `on_frame` is told each frame with its moment."""
        waiting = chain(self._under_way, arrivals)
        reception = self.reception
        following = next(waiting, None)
        for frame in range(self.frames, round(until / PERIOD)):
            now = frame * PERIOD + self.phase
            while following is not None and following[0] <= now:
                reception.receive(following[1], THERE, following[0])
                following = next(waiting, None)
            heard = reception.hear(now)
            self.silent += not any(heard[:80:8])
            if on_frame is not None:
                on_frame(now, heard)
            if frame % SECOND == SECOND - 1:
                self._note()
        self.frames = round(until / PERIOD)
        self._under_way = [] if following is None else [following, *self._rest(waiting)]
        return self

    def _rest(self, waiting: Iterator[Arrival]) -> list[Arrival]:
        """What comes later, if it is a list; who makes packets without end hands them in again."""
        return list(waiting) if self.keeps else []

    def _note(self) -> None:
        self._scoring.second(self.round_trip_ms)
        if self._scoring.mos is not None:
            self.opinions.append(self._scoring.mos)
        self.delays.append(self.reception.buffer.delay_ms)

    @property
    def concealed(self) -> float:
        """The share of frames that were invented."""
        return self.reception.buffer.concealed / max(1, self.frames)

    @property
    def missed(self) -> float:
        """The share of packets that were not heard."""
        buffer = self.reception.buffer
        return buffer.pattern.missed / max(1, buffer.expected)
