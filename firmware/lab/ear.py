"""An artificial person at the phone's `audio.sock`: speaks tone bursts, hears, and measures.

It does what the page does, without a page: 20 ms frames each way, at the pace of the clock.
"""

from __future__ import annotations

import array
import asyncio
import math
import socket
from dataclasses import dataclass
from pathlib import Path

from firmware.dsp.tone_probe import dominant

RATE = 16_000
FRAME = RATE // 50
BURST = 0.2
PERIOD = 1.0
"""A burst of 200 ms once a second: echoes up to 800 ms can be told apart."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: delay of the echo, levels of the bursts in dBov, and their frequency."""

    delay_ms: float
    level_out: float
    level_in: float
    hertz: float


class Ear:
    """Speaks and listens for as long as `talk` runs."""

    def __init__(self, path: Path, hertz: float = 1000.0, peak: float = 9000.0) -> None:
        self._path = path
        self.hertz = hertz
        step = 2 * math.pi * hertz / RATE
        self._tone = array.array(
            "h", (round(peak * math.sin(step * n)) for n in range(int(RATE * BURST)))
        )
        self._said: list[float] = []
        self._heard = array.array("h")
        self._heard_at: list[float] = []

    async def talk(self, seconds: float) -> Heard:
        """Speak bursts for a while and say what was heard.

        Raises:
            OSError: nobody is there.
        """
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        link.setblocking(False)  # noqa: FBT003 - the socket's own signature
        link.connect(str(self._path))
        loop = asyncio.get_running_loop()
        listening = loop.create_task(self._listen(link))
        try:
            await self._speak(link, seconds)
            await asyncio.sleep(PERIOD - BURST)
        finally:
            listening.cancel()
            link.close()
        return self._judge()

    async def _speak(self, link: socket.socket, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        silence = bytes(2 * FRAME)
        tone = self._tone.tobytes()
        for number in range(int(seconds * 50)):
            await asyncio.sleep(max(0.0, start + number * 0.02 - loop.time()))
            place = (number * FRAME) % int(RATE * PERIOD)
            if place == 0:
                self._said.append(loop.time())
            frame = tone[2 * place : 2 * (place + FRAME)] if place < len(self._tone) else silence
            link.send(frame)

    async def _listen(self, link: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while packet := await loop.sock_recv(link, 4096):
            self._heard_at.append(loop.time())
            self._heard.frombytes(packet)

    def _judge(self) -> Heard:
        """The delay is the median over the bursts, from the first sample sent to its return."""
        onsets = [self._onset(said) for said in self._said]
        found = sorted((at - said, index) for at, index, said in filter(None, onsets))
        if not found:
            return Heard(0.0, _level(self._tone), -100.0, 0.0)
        delay, index = found[len(found) // 2]
        # The middle of the burst: its edges are the codec's and the jitter buffer's.
        burst = self._heard[index + FRAME * 2 : index + len(self._tone) - FRAME * 2]
        hertz, _ = dominant(burst.tobytes(), RATE)
        return Heard(delay * 1000, _level(self._tone), _level(burst), hertz)

    def _onset(self, said: float) -> tuple[float, int, float] | None:
        """When and at which sample the echo of a burst begins."""
        threshold = max(self._tone) // 4
        for frame, at in enumerate(self._heard_at):
            if at < said or at > said + PERIOD - BURST:
                continue
            begin = frame * FRAME
            for index in range(begin, min(begin + FRAME, len(self._heard))):
                if abs(self._heard[index]) > threshold:
                    return at + (index - begin) / RATE, index, said
        return None


def _level(samples: array.array[int]) -> float:
    if not samples:
        return -100.0
    power = sum(sample * sample for sample in samples) / len(samples) / 32768.0**2
    return 10 * math.log10(max(power, 1e-10))
