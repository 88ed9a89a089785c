"""How a phone sounds and how long it takes, from outside: RTP in, through the phone, RTP out.

The same for every phone: a looped call, a far end that talks through a network on paper (packets
leave when they would have arrived), and what comes back is laid on the far end's clock by the
kernel's arrival stamps. Delay is counted from when a packet was sent into that network.
"""

import contextlib
import os
import select
import socket
import statistics
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from firmware.codec import CODECS
from firmware.dsp.tones import Tone
from tests.bench.caller import Call, Caller, codec_named
from tests.bench.network import NETWORKS, Network
from tests.bench.phones import Measured
from tests.bench.quality import judge, loaded, payloads, rate_of, repaired, rest
from tests.bench.speech import segment
from tests.support.namespace import Namespace

Figures = dict[str, float]
MakePhone = Callable[..., Measured]
Row = Callable[[MakePhone, Path, int], Figures]
RATE = 8000
FRAME = 160
PACKET = 0.020
LEAD = 6.0
BURSTS = 8
_BURST_EVERY = 0.6
_BURST = 0.1
_ONSET = 1000
_LONGEST_DELAY = 0.5
_RTP = struct.Struct("!BBHII")
_STAMP = struct.Struct("qq")
_SO_TIMESTAMPNS = 35


@dataclass
class Echo:
    """What came back, by source: the call before may not have fallen silent yet.

    A packet is its arrival (wall clock), its RTP timestamp and its payload.
    """

    began: float = 0.0
    number: int = 0
    """The payload type of what is listened to."""
    sources: dict[int, list[tuple[float, int, bytes]]] = field(default_factory=dict)

    @property
    def packets(self) -> list[tuple[float, int, bytes]]:
        """Those of the source that said most."""
        return max(self.sources.values(), key=len)

    def sound(self, codec: str = "PCMU") -> bytes:
        """Everything on one line from the first moment on: each packet where its timestamp says.

        The line is tied to the clock by the earliest arrival of all.
        """
        row = CODECS[codec.lower()]
        rate, decoder, packets = rate_of(row), loaded(row).decoder(), self.packets
        first = packets[0][1]
        places = [((stamp - first + (1 << 31)) & 0xFFFFFFFF) - (1 << 31) for _, stamp, _ in packets]
        offset = min(
            at - self.began - place / row.rtp_clock
            for (at, _, _), place in zip(packets, places, strict=True)
        )
        begin = round(offset * rate)
        line = bytearray((begin + max(places) * rate // row.rtp_clock + rate // 25) * 2)
        for (_, _, payload), place in sorted(
            zip(packets, places, strict=True), key=lambda each: each[1]
        ):
            start = (begin + place * rate // row.rtp_clock) * 2
            pcm = decoder.decode(payload)
            if start >= 0:
                line[start : start + len(pcm)] = pcm
        return bytes(line)


@contextlib.contextmanager
def promptly() -> Iterator[None]:
    """This thread before all others, where it is allowed: a far end that stutters is a network."""
    before, had = os.sched_getscheduler(0), os.sched_getparam(0)
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(60))
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, before, had)


def converse(
    caller: Caller, call: Call, speech: bytes, network: Network, seed: int, codec: str = "PCMU"
) -> Echo:
    """Say all of it through the network, and listen."""
    said, row = codec_named(codec), CODECS[codec.lower()]
    packets = payloads(row, speech, network.loss)
    echo, stop = Echo(number=said.number), threading.Event()
    listener = threading.Thread(target=listen, args=(caller.rtp, echo, stop), daemon=True)
    listener.start()
    begin, echo.began = time.monotonic(), time.clock_gettime(time.CLOCK_REALTIME)
    with promptly():
        for at, index in network.arrivals(len(packets), seed):
            wait = begin + at - time.monotonic()
            if wait > 0:
                select.select((), (), (), wait)
            head = _RTP.pack(0x80, said.number, index & 0xFFFF, index * said.ticks, 0xBEEF)
            caller.rtp.sendto(head + packets[index], call.media)
    select.select((), (), (), _LONGEST_DELAY)
    stop.set()
    listener.join()
    return echo


def listen(rtp: socket.socket, echo: Echo, stop: threading.Event) -> None:
    """Keep what comes back until told to stop."""
    while not stop.is_set():
        if not select.select([rtp], [], [], 0.1)[0]:
            continue
        data, extra, _, _ = rtp.recvmsg(2048, 64)
        if len(data) <= 12 or data[1] & 0x7F != echo.number:
            continue
        for _level, kind, stamp in extra:
            if kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _STAMP.unpack(stamp[:16])
                timestamp, ssrc = struct.unpack_from("!II", data, 4)
                packet = (seconds + nanoseconds / 1e9, timestamp, data[12:])
                echo.sources.setdefault(ssrc, []).append(packet)


def _in_a_call(make: MakePhone, codec: str, work: Callable[[Caller, Call], Figures]) -> Figures:
    from tests.bench.rows import ready  # noqa: PLC0415 - the table imports us

    with Namespace() as network:
        address = network.party()
        phone = make(network, f"{address}:5060", codec, register=False)
        caller = Caller(network.socket, address, (phone.address, 5060), phone.user)
        try:
            ready(phone, caller)
            call = caller.call(codec)
            figures = work(caller, call)
            caller.hang_up(call)
        finally:
            caller.close()
            phone.stop()
    return figures


def quality(name: str, codec: str = "PCMU") -> Row:
    """PESQ of one network and the delay at which it was reached; of Opus also beside its own limit.

    The sound comes back by the same codec, so it went through it twice.
    """
    key = f"pesq_{codec.lower()}_{name.replace(' ', '_')}"
    network, row = NETWORKS[name], CODECS[codec.lower()]
    rate = rate_of(row)

    def measure(make: MakePhone, folder: Path, seed: int) -> Figures:
        lead, wanted = segment(1000 + seed, rate, LEAD), segment(seed, rate)
        speech = lead + wanted + rest(rate)

        def judged(line: bytes) -> tuple[float, float]:
            return judge(wanted, line[len(lead) :], rate)

        def offline() -> bytes:
            """There repaired by a decoder without any hurry, and back without a loss."""
            back = payloads(row, repaired(row, speech, network, seed), network.loss)
            return b"".join(map(loaded(row).decoder().decode, back))

        def work(caller: Caller, call: Call) -> Figures:
            echo = converse(caller, call, speech, network, seed, codec)
            reached, behind = judged(echo.sound(codec))
            figures = {key: reached, key.replace("pesq", "delay") + "_ms": behind * 1000}
            if row.own_silence:
                figures[f"{key}_to_offline"] = reached - judged(offline())[0]
            return figures

        return _in_a_call(make, codec, work)

    return measure


def bursts() -> bytes:
    """Silence and, now and then, a tenth of a second of 1 kHz."""
    tone, rest = Tone((1000.0,), -10, RATE), round((_BURST_EVERY - _BURST) * RATE)
    burst = tone.block(round(_BURST * RATE))
    return bytes(round(LEAD * RATE) * 2) + (burst + bytes(rest * 2)) * BURSTS


def onsets(line: bytes) -> list[float]:
    """Seconds at which bursts begin in a sound."""
    loud = np.abs(np.frombuffer(line, "<i2").astype(int)) > _ONSET
    found: list[float] = []
    for place in np.flatnonzero(loud):
        if not found or place / RATE - found[-1] > _BURST_EVERY / 2:
            found.append(place / RATE)
    return found


def delay(name: str, key: str) -> Row:
    """Milliseconds from a packet's sending to that of its echo, in a call of any phase."""

    def measure(make: MakePhone, folder: Path, seed: int) -> Figures:
        said = bursts()

        def work(caller: Caller, call: Call) -> Figures:
            line = converse(caller, call, said, NETWORKS[name], seed).sound()
            pairs = zip(onsets(said), onsets(line), strict=False)
            middle = statistics.median(heard - sent for sent, heard in pairs)
            return {f"echo_delay_{key}_ms": middle * 1000}

        return _in_a_call(make, "PCMU", work)

    return measure


_GOOD = ("clean", "jitter 20", "jitter 40", "jitter 80", "reorder 5", "dup 5", "skew +1000",
         "skew -1000")  # fmt: skip
_WIDE = (("OPUS", "loss 5"), ("OPUS", "loss 10"), ("OPUS", "burst 5"), ("G722", "loss 5"))
ROWS: dict[str, Row] = {
    "sound delay, no jitter": delay("clean", "quiet"),
    "sound delay, jitter 40": delay("jitter 40", "jitter_40"),
    **{f"sound PESQ, {name}": quality(name) for name in (*_GOOD, "loss 5", "loss 10", "burst 5")},
    **{f"sound PESQ, {name}, {codec}": quality(name, codec) for codec, name in _WIDE},
}
GOALS: dict[str, tuple[str, float, float]] = {
    "echo_delay_quiet_ms": ("<=", 30, 22),
    "echo_delay_jitter_40_ms": ("<=", 70, 58),
    **{f"pesq_pcmu_{name.replace(' ', '_')}": (">=", 3.81, 3.86) for name in _GOOD},
    "delay_pcmu_clean_ms": ("<=", 30, 22),
    "delay_pcmu_jitter_40_ms": ("<=", 70, 58),
    "pesq_pcmu_loss_5": (">=", 3.02, 3.2),
    "pesq_pcmu_loss_10": (">=", 2.58, 2.8),
    "pesq_pcmu_burst_5": (">=", 2.99, 3.1),
    "pesq_g722_loss_5": (">=", 2.64, 3.0),
    **{
        f"pesq_opus_{name.replace(' ', '_')}_to_offline": (">=", -0.10, 0.0)
        for codec, name in _WIDE
        if codec == "OPUS"
    },
}
