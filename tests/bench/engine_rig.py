"""An audio process with looped streams and a talker for each: what the media benches measure.

The talker keeps an absolute clock and sends one packet a stream every 20 ms; what comes back is
only noted by its kernel arrival time.
"""

import asyncio
import contextlib
import functools
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from firmware.base.suites import SUITES
from firmware.media.messages import (
    AnyReport,
    ConfigureStream,
    EngineReady,
    OpenStream,
    PayloadFormat,
    Route,
    SetKeys,
    StreamReport,
)
from firmware.net.engine_link import EngineLink
from firmware.rtp.srtp import Guard, Keys
from tests.bench.caller import codec_named
from tests.bench.machine import cpu_seconds

_SO_TIMESTAMPNS = 35
_STAMP = struct.Struct("qq")
_RTP = struct.Struct("!BBHII")
FORMATS = {
    "pcmu": (PayloadFormat(0, "PCMU", 8000), b"\xff\x80" * 80),
    "g722": (PayloadFormat(9, "G722", 8000), bytes(range(160))),
    "opus": (PayloadFormat(111, "opus", 48000, 2, "useinbandfec=1"), b""),
}


@dataclass
class Run:
    """What was measured."""

    cpu: float = 0.0
    """Seconds on a processor of the audio process alone."""
    seconds: float = 0.0
    arrivals: list[list[float]] = field(default_factory=list)
    """For each stream the arrival times of what came back."""
    last: dict[int, StreamReport] = field(default_factory=dict)


def measure(codec: str, streams: int, seconds: float, warm_up: float = 1.0, suite: str = "") -> Run:
    """Loop so many streams for so long, encrypted if a crypto suite is named."""
    return asyncio.run(_measure(codec, streams, seconds, warm_up, suite))


async def _measure(codec: str, streams: int, seconds: float, warm_up: float, suite: str) -> Run:
    run, ready = Run(), asyncio.Event()

    def note(report: AnyReport) -> None:
        if isinstance(report, EngineReady):
            ready.set()
        elif isinstance(report, StreamReport):
            run.last[report.stream] = report

    link = EngineLink(note, lambda _reason: None)
    await link.start()
    await ready.wait()
    with contextlib.ExitStack() as stack:
        fars = [stack.enter_context(udp()) for _ in range(streams)]
        keys = _keys(suite)
        targets = [
            _open(link, stack, number, fars[number], codec, keys) for number in range(streams)
        ]
        talk = functools.partial(asyncio.to_thread, functools.partial(_talk, guard=_far_end(keys)))
        await talk(fars, targets, codec, warm_up, [])
        assert link.pid is not None
        before, begin = cpu_seconds(link.pid), time.monotonic()
        run.arrivals = [[] for _ in fars]
        await talk(fars, targets, codec, seconds, run.arrivals, round(warm_up * 50))
        run.cpu = cpu_seconds(link.pid) - before
        run.seconds = time.monotonic() - begin
    await link.close()
    return run


def _keys(suite: str) -> Keys | None:
    """Keys for all streams of a run: one packet then serves them all."""
    if not suite:
        return None
    octets = SUITES[suite].octets
    return Keys(suite, b"o" * octets, b"t" * octets)


def _far_end(keys: Keys | None) -> Guard | None:
    if keys is None:
        return None
    guard = Guard()
    guard.use(Keys(keys.suite, keys.receive, keys.send))
    return guard


def _open(
    link: EngineLink,
    stack: contextlib.ExitStack,
    number: int,
    far: socket.socket,
    codec: str,
    keys: Keys | None,
) -> tuple[str, int]:
    pair = [stack.enter_context(udp()), stack.enter_context(udp())]
    payload, _ = FORMATS[codec]
    link.send(OpenStream(number, (payload,), Route.LOOP), [each.fileno() for each in pair])
    secure = keys is not None
    link.send(ConfigureStream(number, far.getsockname(), ("", 0), (payload,), secure=secure))
    if keys is not None:
        link.send(SetKeys(number, keys))
    host, port = pair[0].getsockname()
    return host, port


def udp() -> socket.socket:
    """A socket on loopback that stamps what arrives."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    sock.bind(("127.0.0.1", 0))
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return sock


def _talk(
    fars: list[socket.socket],
    targets: list[tuple[str, int]],
    codec: str,
    seconds: float,
    arrivals: list[list[float]],
    first: int = 0,
    *,
    guard: Guard | None = None,
) -> None:
    payload, same = FORMATS[codec]
    contents = (same,) if same else codec_named("OPUS").payloads
    ticks = payload.clock // 50
    begin = time.monotonic()
    for number in range(round(seconds * 50)):
        wait = begin + number * 0.02 - time.monotonic()
        if wait > 0:
            select.select((), (), (), wait)
        count = first + number
        header = _RTP.pack(0x80, payload.number, count & 0xFFFF, count * ticks, 0xCAFE)
        datagram = header + contents[count % len(contents)]
        if guard is not None:
            datagram = guard.seal(datagram) or b""
        for far, target in zip(fars, targets, strict=True):
            far.sendto(datagram, target)
        for index, far in enumerate(fars):
            _listen(far, arrivals[index] if arrivals else [])


def _listen(far: socket.socket, arrivals: list[float]) -> None:
    arrivals += [at for at, _ in received(far)]


def received(far: socket.socket) -> Iterator[tuple[float, bytes]]:
    """What waits in a socket, with the kernel's time of its arrival."""
    with contextlib.suppress(BlockingIOError):
        while True:
            data, ancillary, _, _ = far.recvmsg(2048, 64)
            for _level, kind, value in ancillary:
                if kind == _SO_TIMESTAMPNS:
                    whole, rest = _STAMP.unpack(value)
                    yield whole + rest * 1e-9, data
