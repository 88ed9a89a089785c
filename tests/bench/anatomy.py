"""What a frame of a call costs in the audio process, part by part: the profile of a CPU row.

    python -m tests.bench.anatomy [pcmu g722 opus]

The real engine on a clock of ours, a looped call through real sockets. Parts are measured by
themselves and taken from the whole, so that no profiler's own cost is in it: the codec's library,
the kernel's sockets, and what is left is ours. Waking up 50 times a second is not in it.
"""

import argparse
import gc
import os
import socket
import sys
import time
from collections.abc import Callable

from firmware.codec import find
from firmware.media.cards import Device
from firmware.media.engine import Engine
from firmware.media.messages import ConfigureStream, OpenStream, Route
from firmware.media.wire import Wire
from firmware.rtp.packet import RtpPacket, write_rtp
from tests.bench.caller import codec_named
from tests.bench.engine_rig import FORMATS, udp

FRAMES, WARM_UP = 3000, 300
_ROW = "cpu_s_per_call_minute_"


def explain(row: str) -> str:
    """A few lines for a CPU row that missed its goal, nothing for any other row."""
    if not row.startswith(_ROW):
        return ""
    return report(row.removeprefix(_ROW))


def report(codec: str) -> str:
    """Seconds per call-minute by part."""
    whole, heard = _engine(codec)
    spoken, wire = _codec(codec), _sockets(codec)
    parts = {
        "decoder and encoder": spoken,
        "two datagrams through the kernel": wire,
        "our own code": whole - spoken - wire,
        "the whole frame": whole,
    }
    lines = [f"{codec}: seconds per call-minute in the engine ({heard} frames)"]
    lines += [
        f"  {name:34} {each * 3000:7.4f}  {each * 1e6:6.1f} µs" for name, each in parts.items()
    ]
    return "\n".join(lines) + "\n"


def _each(work: Callable[[int], object], prepare: Callable[[int], object]) -> float:
    """Seconds of processor time that `work` takes, the mean of many frames."""
    gc.collect()
    gc.disable()
    spent = 0.0
    for number in range(WARM_UP + FRAMES):
        prepare(number)
        before = time.process_time()
        work(number)
        if number >= WARM_UP:
            spent += time.process_time() - before
    gc.enable()
    return spent / FRAMES


def _packet(codec: str, number: int) -> bytes:
    payload, same = FORMATS[codec]
    said = (same,) if same else codec_named("OPUS").payloads
    ticks = payload.clock // 50
    content = said[number % len(said)]
    return write_rtp(RtpPacket(payload.number, number & 0xFFFF, number * ticks, 0xCAFE, content))


def _engine(codec: str) -> tuple[float, int]:
    far, pair, now = udp(), (udp(), udp()), 1000.0
    payload = FORMATS[codec][0]
    target = pair[0].getsockname()

    def no_card(*_wanted: object) -> Device:
        raise AssertionError("a looped call needs no card")

    engine = Engine(lambda _report: None, no_card, os.urandom, lambda: now)
    engine.handle(OpenStream(1, (payload,), Route.LOOP), tuple(each.detach() for each in pair), now)
    engine.handle(ConfigureStream(1, far.getsockname(), ("", 0), (payload,)), (), now)
    heard = 0

    def send(number: int) -> None:
        nonlocal heard
        while number and _taken(far):
            heard += 1
        far.sendto(_packet(codec, number), target)

    cost = _each(lambda number: engine.tick(now + (number + 1) * 0.02), send)
    engine.close(now)
    far.close()
    return cost, heard


def _taken(far: socket.socket) -> bool:
    try:
        return bool(far.recv(2048))
    except BlockingIOError:
        return False


def _codec(codec: str) -> float:
    payload, same = FORMATS[codec]
    row = find(payload.name, payload.clock, payload.channels)
    assert row is not None, codec
    coder = row.load().at(16000)
    encoder, decoder = coder.encoder(payload.fmtp), coder.decoder()
    encoder.expect_loss(0.05)
    said = (same,) if same else codec_named("OPUS").payloads
    return _each(
        lambda number: encoder.encode(decoder.decode(said[number % len(said)])), lambda _: None
    )


def _sockets(codec: str) -> float:
    far, near, wire = udp(), udp(), Wire()
    target, back = near.getsockname(), far.getsockname()
    packet = _packet(codec, 1)
    media = wire.attach(near.detach(), lambda _data, _source, _at: None)

    def send(_number: int) -> None:
        _taken(far)
        far.sendto(packet, target)

    def work(_number: int) -> None:
        wire.drain(time.monotonic())
        media.send(packet, back)

    cost = _each(work, send)
    wire.close()
    far.close()
    return cost


def main() -> int:
    """Print the parts."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.anatomy")
    parser.add_argument("codecs", nargs="*", default=["pcmu", "g722", "opus"])
    for codec in parser.parse_args().codecs:
        sys.stdout.write(report(codec))
    return 0


if __name__ == "__main__":
    sys.exit(main())
