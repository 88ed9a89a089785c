"""Eight far ends in one conversation: what it costs, how even it is, and who hears whom.

The audio process as the phone starts it. Every far end says a tone of its own and must hear the
seven others and not itself, each by its own codec and rate.
"""

import argparse
import asyncio
import contextlib
import functools
import json
import select
import socket
import struct
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise

from firmware.codec import CODECS, Codec
from firmware.dsp.tone_probe import tone_level
from firmware.dsp.tones import Tone
from firmware.media.messages import Bridge, ConfigureStream, EngineReady, OpenStream, Route
from firmware.net.engine_link import EngineLink
from tests.bench.caller import percentile
from tests.bench.engine_rig import FORMATS, received, udp
from tests.bench.machine import cpu_seconds

MEMBERS = 8
SECONDS = 20.0
WARM_UP = 2.0
_RTP = struct.Struct("!BBHII")
_KEPT = 50
"""Packets of which the sound is looked at."""
_SETTLING = 20
"""Of these, how many a decoder that lives on its past may take to know where it is."""
_LEVEL, _HEARD, _UNHEARD = -24.0, -33.0, -50.0


@dataclass
class Member:
    """A far end: where it is, what it says, what it heard."""

    number: int
    codec: Codec
    name: str
    pitch: float
    socket: socket.socket
    said: list[bytes]
    target: tuple[str, int] = ("", 0)
    arrivals: list[float] = field(default_factory=list)
    heard: deque[bytes] = field(default_factory=lambda: deque(maxlen=_KEPT))

    def listen(self) -> None:
        """Take what has come."""
        for at, datagram in received(self.socket):
            if len(datagram) > 12 and datagram[1] & 0x7F == FORMATS[self.name][0].number:
                self.arrivals.append(at)
                self.heard.append(datagram[12:])

    def right(self, others: list[float]) -> bool:
        """Whether it heard all of the others, and not itself."""
        decoder, rate = self.codec.decoder(), self.codec.sample_rate
        sound = [decoder.decode(payload) for payload in self.heard][_SETTLING:]
        pcm = b"".join(sound)
        return tone_level(pcm, rate, self.pitch) < _UNHEARD and all(
            tone_level(pcm, rate, pitch) > _HEARD for pitch in others if pitch != self.pitch
        )


def run(codecs: tuple[str, ...], seconds: float = SECONDS) -> dict[str, float]:
    """CPU seconds a minute of the whole conversation, the worst member's pacing, who is right."""
    cpu, members = asyncio.run(_converse(codecs, seconds))
    pitches = [member.pitch for member in members]
    errors = [
        abs(later - earlier - 0.02) * 1000
        for member in members
        for earlier, later in pairwise(member.arrivals)
    ]
    key = f"mixer_8_{'_'.join(codecs)}"
    return {
        f"{key}_cpu_s_per_minute": cpu * 60 / seconds,
        f"{key}_pacing_ms_p99_9": percentile(errors, 0.999),
        f"{key}_members_right": float(sum(member.right(pitches) for member in members)),
    }


async def _converse(codecs: tuple[str, ...], seconds: float) -> tuple[float, list[Member]]:
    ready = asyncio.Event()
    link = EngineLink(
        lambda report: ready.set() if isinstance(report, EngineReady) else None, lambda _why: None
    )
    await link.start()
    await ready.wait()
    with contextlib.ExitStack() as stack:
        members = [
            _join(link, stack, number, codecs[number % len(codecs)]) for number in range(MEMBERS)
        ]
        link.send(Bridge(tuple(range(MEMBERS))))
        talk = functools.partial(asyncio.to_thread, _talk, members)
        await talk(0, WARM_UP)
        assert link.pid is not None
        for member in members:
            member.arrivals.clear()
        before = cpu_seconds(link.pid)
        await talk(round(WARM_UP * 50), seconds)
        spent = cpu_seconds(link.pid) - before
    await link.close()
    return spent, members


def _join(link: EngineLink, stack: contextlib.ExitStack, number: int, name: str) -> Member:
    payload = FORMATS[name][0]
    far, pair = stack.enter_context(udp()), [stack.enter_context(udp()) for _ in range(2)]
    codec = CODECS[name].load().at(16000)
    pitch = 350.0 + 300 * number
    tone, encoder = Tone((pitch,), _LEVEL, codec.sample_rate), codec.encoder(payload.fmtp)
    said = [encoder.encode(tone.block(codec.sample_rate // 50)) for _ in range(50)]
    link.send(OpenStream(number, (payload,), Route.NULL), [each.fileno() for each in pair])
    link.send(ConfigureStream(number, far.getsockname(), ("", 0), (payload,)))
    return Member(number, codec, name, pitch, far, said, pair[0].getsockname())


def _talk(members: list[Member], first: int, seconds: float) -> None:
    begin = time.monotonic()
    for count in range(round(seconds * 50)):
        wait = begin + count * 0.02 - time.monotonic()
        if wait > 0:
            select.select((), (), (), wait)
        place = first + count
        for member in members:
            payload = FORMATS[member.name][0]
            header = _RTP.pack(
                0x80, payload.number, place & 0xFFFF, place * payload.clock // 50, member.number + 1
            )
            member.socket.sendto(header + member.said[place % 50], member.target)
            member.listen()


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.mixer_rows")
    parser.add_argument("codecs", nargs="*", default=["pcmu"])
    json.dump(run(tuple(parser.parse_args().codecs)), sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
