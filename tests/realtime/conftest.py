"""The real audio process on loopback sockets."""

import asyncio
import contextlib
import math
import socket
from array import array

import pytest

from firmware.codec import CODECS
from firmware.media.messages import (
    ConfigureStream,
    EngineReady,
    OpenStream,
    PayloadFormat,
    Route,
)
from firmware.net.engine_link import EngineLink
from firmware.rtp.packet import RtpPacket, parse_rtp, write_rtp
from tests.support.own_time import own_time

PCMU = PayloadFormat(0, "PCMU", 8000)


def udp(host="127.0.0.1"):
    """A bound UDP socket on loopback."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind((host, 0))
    return sock


class Phone:
    """What the runtime does with a link, as far as these tests need it."""

    def __init__(self):
        self.reports = []
        self.lost = []
        self.starts = 0
        self.streams = {}
        self.changed = asyncio.Event()
        self.link = EngineLink(self._report, self._lost, self._started)

    def _report(self, report):
        self.reports.append(report)
        self.changed.set()

    def _lost(self, reason):
        self.lost.append((own_time(), reason))
        self.changed.set()

    def _started(self):
        self.starts += 1
        for number in self.streams:
            self._send_stream(number)

    def of(self, kind):
        return [report for report in self.reports if isinstance(report, kind)]

    async def until(self, condition, seconds=20.0):
        async with asyncio.timeout(seconds):
            while not condition():
                self.changed.clear()
                with contextlib.suppress(TimeoutError):
                    # Not all that is waited for is reported: a process has ended, a file is closed.
                    await asyncio.wait_for(self.changed.wait(), 0.05)

    async def ready(self, times=1):
        await self.until(lambda: len(self.of(EngineReady)) >= times)

    def open(self, number, far, route=Route.LOOP):
        """A stream to a far end; its sockets stay here for the next engine."""
        pair = (udp(far.host), udp(far.host))
        self.streams[number] = (pair, far, route)
        self._send_stream(number)
        return pair[0].getsockname()

    def _send_stream(self, number):
        pair, far, route = self.streams[number]
        self.link.send(OpenStream(number, (PCMU,), route), [each.fileno() for each in pair])
        self.link.send(ConfigureStream(number, far.address, far.address, (PCMU,)))

    def close_sockets(self):
        for pair, _, _ in self.streams.values():
            for each in pair:
                each.close()


class FarEnd:
    """Sends a tone in 20 ms packets on its own clock and keeps what comes back.

    450 Hz are nine periods a frame: a frame cut out to shorten the delay leaves no jump of phase.
    """

    def __init__(self, host="127.0.0.1", frequency=450.0):
        self.host = host
        self.rtp = udp(host)
        self.address = self.rtp.getsockname()[:2]
        self.packets = []
        self.arrivals = []
        self._ssrc, self._number = 0x1234, 0
        coder = CODECS["pcmu"].load()
        self._decoder = coder.decoder()
        step = 2 * math.pi * frequency / 8000
        pcm = array("h", (round(8000 * math.sin(step * n)) for n in range(8000)))
        payload = coder.encoder().encode(pcm.tobytes())
        self._frames = [payload[n : n + 160] for n in range(0, 8000, 160)]

    async def talk(self, to, seconds):
        """Speak for so long, listening all the while."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self.rtp, self._listen)
        begin = loop.time()
        for turn in range(round(seconds / 0.02)):
            await asyncio.sleep(max(0.0, begin + turn * 0.02 - loop.time()))
            number, self._number = self._number, self._number + 1
            packet = RtpPacket(
                0, number & 0xFFFF, number * 160, self._ssrc, self._frames[number % 50]
            )
            self.rtp.sendto(write_rtp(packet), to)
        loop.remove_reader(self.rtp)

    async def talk_until(self, to, so, seconds=15.0):
        """Speak on until it is so: a talker that is held up has gaps in what it hears of itself."""
        for _ in range(round(seconds / 0.1)):
            if so():
                return
            await self.talk(to, 0.1)
        assert so(), f"spoke for {seconds:g} s in vain"

    def _listen(self):
        while True:
            try:
                data = self.rtp.recv(2048)
            except BlockingIOError:
                return
            packet = parse_rtp(data)
            if packet is not None:
                self.packets.append(packet)
                self.arrivals.append(own_time())

    def heard(self, last_seconds):
        """The end of what came back, as PCM at 8 kHz."""
        count = round(last_seconds / 0.02)
        return b"".join(self._decoder.decode(p.payload) for p in self.packets[-count:])

    def close(self):
        self.rtp.close()


@pytest.fixture
async def phone():
    phone = Phone()
    await phone.link.start()
    yield phone
    await phone.link.close()
    phone.close_sockets()


@pytest.fixture
def far_end_at():
    """Makes a far end on an address."""
    made = []

    def make(host):
        made.append(FarEnd(host))
        return made[-1]

    yield make
    for far in made:
        far.close()


@pytest.fixture
def far_end(far_end_at):
    return far_end_at("127.0.0.1")
