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

from firmware.base.pcm import audioop
from firmware.dsp.tones import Tone
from tests.bench.caller import Call, Caller
from tests.bench.network import NETWORKS, Network
from tests.bench.phones import Measured
from tests.bench.quality import lag, pesq
from tests.bench.speech import segment
from tests.support.namespace import Namespace

Figures = dict[str, float]
MakePhone = Callable[..., Measured]
RATE = 8000
FRAME = 160
PACKET = 0.020
LEAD = 6.0
SEEDS = 3
CALLS = 3
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
    sources: dict[int, list[tuple[float, int, bytes]]] = field(default_factory=dict)

    @property
    def packets(self) -> list[tuple[float, int, bytes]]:
        """Those of the source that said most."""
        return max(self.sources.values(), key=len)

    def sound(self) -> bytes:
        """Everything on one line from the first moment on: each packet where its timestamp says.

        The line is tied to the clock by the earliest arrival of all.
        """
        packets = self.packets
        first = packets[0][1]
        places = [((stamp - first + (1 << 31)) & 0xFFFFFFFF) - (1 << 31) for _, stamp, _ in packets]
        offset = min(
            at - self.began - place / RATE
            for (at, _, _), place in zip(packets, places, strict=True)
        )
        line = bytearray((round(offset * RATE) + max(places) + 2 * FRAME) * 2)
        for (_, _, payload), place in zip(packets, places, strict=True):
            start = (round(offset * RATE) + place) * 2
            if start >= 0:
                pcm = audioop.ulaw2lin(payload, 2)
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


def converse(caller: Caller, call: Call, speech: bytes, network: Network, seed: int) -> Echo:
    """Say all of it through the network, and listen."""
    payloads = [
        audioop.lin2ulaw(speech[at : at + FRAME * 2], 2) for at in range(0, len(speech), FRAME * 2)
    ]
    echo, stop = Echo(), threading.Event()
    listener = threading.Thread(target=_listen, args=(caller.rtp, echo, stop), daemon=True)
    listener.start()
    begin, echo.began = time.monotonic(), time.clock_gettime(time.CLOCK_REALTIME)
    with promptly():
        for at, index in network.arrivals(len(payloads), seed):
            wait = begin + at - time.monotonic()
            if wait > 0:
                select.select((), (), (), wait)
            head = _RTP.pack(0x80, 0, index & 0xFFFF, index * FRAME, 0xBEEF)
            caller.rtp.sendto(head + payloads[index], call.media)
    select.select((), (), (), _LONGEST_DELAY)
    stop.set()
    listener.join()
    return echo


def _listen(rtp: socket.socket, echo: Echo, stop: threading.Event) -> None:
    while not stop.is_set():
        if not select.select([rtp], [], [], 0.1)[0]:
            continue
        data, extra, _, _ = rtp.recvmsg(2048, 64)
        if len(data) < 12 + FRAME or data[1] & 0x7F:
            continue
        for _level, kind, stamp in extra:
            if kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _STAMP.unpack(stamp[:16])
                timestamp, ssrc = struct.unpack_from("!II", data, 4)
                packet = (seconds + nanoseconds / 1e9, timestamp, data[12:])
                echo.sources.setdefault(ssrc, []).append(packet)


def _in_a_call(make: MakePhone, work: Callable[[Caller, Call], None]) -> None:
    from tests.bench.rows import ready  # noqa: PLC0415 - the table imports us

    with Namespace() as network:
        address = network.party()
        phone = make(network, f"{address}:5060", "PCMU", register=False)
        caller = Caller(network.socket, address, (phone.address, 5060), phone.user)
        try:
            ready(phone, caller)
            call = caller.call()
            work(caller, call)
            caller.hang_up(call)
        finally:
            caller.close()
            phone.stop()


def quality(name: str) -> Callable[[MakePhone, Path], Figures]:
    """PESQ of one network: the median of three segments."""

    def row(make: MakePhone, folder: Path) -> Figures:
        wanted = [segment(seed, RATE) for seed in range(SEEDS)]
        speech = segment(1000, RATE, LEAD) + b"".join(wanted)
        scores: list[float] = []

        def work(caller: Caller, call: Call) -> None:
            line = converse(caller, call, speech, NETWORKS[name], 1).sound()
            for number, each in enumerate(wanted):
                start = len(speech) - sum(map(len, wanted[number:]))
                heard = line[start:][: len(each) + round(_LONGEST_DELAY * RATE) * 2]
                behind = lag(each, heard) * 2
                scores.append(pesq(each, heard[behind:][: len(each)].ljust(len(each), b"\0"), RATE))

        _in_a_call(make, work)
        return {f"pesq_pcmu_{name.replace(' ', '_')}": statistics.median(scores)}

    return row


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


def delay(name: str, key: str) -> Callable[[MakePhone, Path], Figures]:
    """Milliseconds from a packet's sending to that of its echo; the phases of three calls."""

    def row(make: MakePhone, folder: Path) -> Figures:
        found: list[float] = []
        said = bursts()

        def work(caller: Caller, call: Call) -> None:
            line = converse(caller, call, said, NETWORKS[name], len(found)).sound()
            pairs = zip(onsets(said), onsets(line), strict=False)
            found.append(statistics.median(heard - sent for sent, heard in pairs) * 1000)

        for _ in range(CALLS):
            _in_a_call(make, work)
        return {f"echo_delay_{key}_ms": statistics.mean(found)}

    return row


_GOOD = ("clean", "jitter 20", "jitter 40", "jitter 80", "reorder 5", "dup 5", "skew +1000",
         "skew -1000")  # fmt: skip
ROWS: dict[str, Callable[[MakePhone, Path], Figures]] = {
    "sound delay, no jitter": delay("clean", "quiet"),
    "sound delay, jitter 40": delay("jitter 40", "jitter_40"),
    **{f"sound PESQ, {name}": quality(name) for name in (*_GOOD, "loss 5", "loss 10", "burst 5")},
}
GOALS: dict[str, tuple[str, float, float]] = {
    "echo_delay_quiet_ms": ("<=", 30, 22),
    "echo_delay_jitter_40_ms": ("<=", 70, 58),
    **{f"pesq_pcmu_{name.replace(' ', '_')}": (">=", 3.81, 3.86) for name in _GOOD},
    "pesq_pcmu_loss_5": (">=", 3.02, 3.2),
    "pesq_pcmu_loss_10": (">=", 2.58, 2.8),
    "pesq_pcmu_burst_5": (">=", 2.99, 3.1),
}
