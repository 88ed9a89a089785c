"""An artificial person at the phone's `audio.sock`: speaks tone bursts, hears, and measures.

It does what the page does, without a page: frames of 20 ms each way, at the pace of the clock.
The delay is that of the phone and its far end alone, from a frame's way into the socket to its way
out; a page adds its own buffers and the 20 ms in which a frame is spoken.
"""

import array
import asyncio
import contextlib
import socket
from pathlib import Path

from msgspec import Struct

from firmware.dsp.level import SILENCE, level_of
from firmware.dsp.sine import PEAK, Sine
from firmware.dsp.tone_probe import dominant

RATE = 48_000
FRAME = RATE // 50
BURST = 0.2
PERIOD = 1.0
"""A burst of 200 ms once a second: echoes up to 800 ms can be told apart."""
TONE_HZ = 1000
_TONE_PEAK = 9000
_PACKET = 4096
_BYTES = 2


class Heard(Struct, frozen=True):
    """What came back of the bursts: how many, the median delay, levels in dBov, the frequency."""

    said: int
    heard: int
    delay_ms: float
    level_out: float
    level_in: float
    hertz: float

    @property
    def same_tone(self) -> bool:
        """Whether most bursts came back as they went: ±1 % in pitch and within 6 dB."""
        return (
            2 * self.heard > self.said
            and abs(self.hertz - TONE_HZ) <= 0.01 * TONE_HZ
            and abs(self.level_in - self.level_out) <= 6
        )


class _Echo(Struct, frozen=True):
    """A burst that came back: after how many seconds, beginning at which sample heard."""

    delay: float
    begin: int


class Ear:
    """Speaks and listens once, for as long as `talk` runs."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tone = array.array("h", Sine(TONE_HZ, RATE).block(int(RATE * BURST)))
        for index, sample in enumerate(self._tone):
            self._tone[index] = sample * _TONE_PEAK // PEAK
        self._said: list[float] = []
        self._heard = array.array("h")
        self._frames: list[tuple[float, int]] = []
        """When each frame came, and its first sample in `_heard`."""

    async def talk(self, seconds: float) -> Heard:
        """Speak bursts for a while and say what was heard.

        Raises:
            OSError: nobody listens at the socket.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as link:
            link.settimeout(0)
            link.connect(str(self._path))
            listening = asyncio.create_task(self._listen(link))
            try:
                await self._speak(link, seconds)
                await asyncio.sleep(PERIOD - BURST)
            finally:
                listening.cancel()
                await asyncio.wait([listening])
        return self._judge()

    async def _speak(self, link: socket.socket, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        tone = self._tone.tobytes()
        silence = bytes(FRAME * _BYTES)
        for number in range(round(seconds * 50)):
            await asyncio.sleep(max(0.0, begin + number * 0.02 - loop.time()))
            place = (number * FRAME) % int(RATE * PERIOD)
            if place == 0:
                self._said.append(loop.time())
            frame = tone[place * _BYTES : (place + FRAME) * _BYTES] or silence
            # A phone that does not take a frame has lost it, as a page's would be.
            with contextlib.suppress(OSError):
                link.send(frame, socket.MSG_NOSIGNAL)

    async def _listen(self, link: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while packet := await loop.sock_recv(link, _PACKET):
                self._frames.append((loop.time(), len(self._heard)))
                self._heard.frombytes(packet[: len(packet) // _BYTES * _BYTES])

    def _judge(self) -> Heard:
        level_out = level_of(self._tone.tobytes())
        echoes = [echo for said in self._said if (echo := self._echo(said)) is not None]
        if not echoes:
            return Heard(len(self._said), 0, 0.0, level_out, SILENCE, 0.0)
        middle = sorted(echoes, key=lambda echo: echo.delay)[len(echoes) // 2]
        # Without its edges, which belong to the codec and the jitter buffer.
        inner = self._heard[middle.begin + 2 * FRAME : middle.begin + len(self._tone) - 2 * FRAME]
        pcm = inner.tobytes()
        hertz, _ = dominant(pcm, RATE)
        delay_ms = middle.delay * 1000
        return Heard(len(self._said), len(echoes), delay_ms, level_out, level_of(pcm), hertz)

    def _echo(self, said: float) -> _Echo | None:
        """The first loud sample between a burst and the next one."""
        for at, begin in self._frames:
            if said <= at < said + PERIOD - BURST:
                for index, sample in enumerate(self._heard[begin : begin + FRAME]):
                    if abs(sample) > _TONE_PEAK // 4:
                        return _Echo(at + index / RATE - said, begin + index)
        return None
