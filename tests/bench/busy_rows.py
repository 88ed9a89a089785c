"""A call beside a phone process that is busy: is every packet there, and how late is the latest?

The phone is the real one, its main thread taken away once a second (`busy_phone`), and once a
second it gets a burst of SIP. Its audio process must not notice. Lateness is counted against the
grid of the RTP timestamps, laid through the earliest packet of the call. A metronome beside
it, a real-time process that only waits, tells how late the machine makes anybody.
"""

import contextlib
import re
import secrets
import select
import socket
import statistics
import struct
import sys
import threading
import time
from pathlib import Path

from tests.bench import busy_phone
from tests.bench.caller import Call, Caller, percentile
from tests.bench.machine import Metronome
from tests.bench.phones import Ours
from tests.bench.sound_rows import FRAME, RATE, Echo, listen, promptly
from tests.support.namespace import Namespace

MESSAGES = 300
"""SIP requests that come at once, each second."""
_RTP = struct.Struct("!BBHII")
_QUIET = 5.0
"""Seconds in which it gets up and its trouble begins."""
_FAREWELLS = 5
_SAID = 4000
"""Characters of its log that are shown if something was wrong."""


def run(minutes: float, folder: Path, seed: int) -> dict[str, float]:
    """The worst and usual lateness of one call, what is missing, and how long the phone stood."""
    from tests.bench.rows import ready  # noqa: PLC0415 - the table imports us

    with Namespace() as network:
        address = network.party()
        program = (sys.executable, busy_phone.__file__)
        phone = Ours(network, f"{address}:5060", "PCMU", register=False, program=program)
        caller = Caller(network.socket, address, (phone.address, 5060), phone.user)
        crowd = network.socket(socket.AF_INET, socket.SOCK_DGRAM)
        crowd.bind((address, 0))
        try:
            ready(phone, caller)
            time.sleep(_QUIET)  # noqa: TID251 - its trouble must have begun
            call = caller.call()
            with Metronome() as control:
                echo = _talk(caller, call, crowd, minutes * 60)
            _hang_up(caller, call)
            log = phone.log()
        finally:
            crowd.close()
            caller.close()
            phone.stop()
    stood = [float(each) for each in re.findall(busy_phone.SAYS + r"([\d.]+)", log)]
    if not stood:
        raise AssertionError("the phone was not disturbed")
    figures = _judge(echo, round(minutes * 3000))
    if figures["busy_missing"] or figures["busy_engines_lost"]:
        rows = (row for row in log.splitlines() if busy_phone.SAYS not in row)
        sys.stderr.write("\n".join(rows)[-_SAID:] + "\n")
    return {
        **figures,
        "busy_phone_stood_ms": statistics.median(stood),
        "busy_machine_late_worst_ms": control.worst,
        "busy_machine_late_ms_p99_9": control.p99_9,
    }


def _hang_up(caller: Caller, call: Call) -> None:
    """Again if need be: in the crowd a request may be lost, and what was measured is not."""
    for _ in range(_FAREWELLS):
        with contextlib.suppress(TimeoutError):
            caller.hang_up(call)
            return


def _judge(echo: Echo, wanted: int) -> dict[str, float]:
    late: list[float] = []
    for packets in echo.sources.values():
        offsets = [(at - stamp / RATE) * 1000 for at, stamp, _ in packets]
        earliest = min(offsets)
        late += [each - earliest for each in offsets]
    return {
        "busy_late_worst_ms": max(late),
        "busy_late_ms_p99_9": percentile(late, 0.999),
        "busy_late_ms_p50": percentile(late, 0.5),
        "busy_missing": float(max(0, wanted - len(late))),
        "busy_engines_lost": len(echo.sources) - 1.0,
        "busy_minutes": wanted * FRAME / RATE / 60,
    }


def _talk(caller: Caller, call: Call, crowd: socket.socket, seconds: float) -> Echo:
    """Speak and listen, while the crowd asks."""
    with contextlib.suppress(BlockingIOError):
        while caller.rtp.recv(2048, socket.MSG_DONTWAIT):
            pass  # what the call before left behind
    echo, over = Echo(), threading.Event()
    ear = threading.Thread(target=listen, args=(caller.rtp, echo, over), daemon=True)
    trouble = threading.Thread(target=_pester, args=(crowd, caller.target, over), daemon=True)
    ear.start()
    trouble.start()
    begin = time.monotonic()
    with promptly():
        for number in range(round(seconds * 50)):
            wait = begin + number * 0.02 - time.monotonic()
            if wait > 0:
                select.select((), (), (), wait)
            head = _RTP.pack(0x80, 0, number & 0xFFFF, number * FRAME, 0xBEEF)
            caller.rtp.sendto(head + b"\xff" * FRAME, call.media)
    over.set()
    ear.join()
    trouble.join()
    return echo


def _pester(crowd: socket.socket, phone: tuple[str, int], over: threading.Event) -> None:
    """Requests by the hundred, of four kinds, from where the line's friends are."""
    while not over.wait(1.0):
        for number in range(MESSAGES):
            method = ("OPTIONS", "MESSAGE", "SUBSCRIBE", "INFO")[number % 4]
            crowd.sendto(_request(crowd.getsockname(), phone[0], method), phone)


def _request(source: tuple[str, int], host: str, method: str) -> bytes:
    token = secrets.token_hex(8)
    return (
        f"{method} sip:nobody@{host} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {source[0]}:{source[1]};branch=z9hG4bK{token}\r\n"
        f"From: <sip:bench@{source[0]}>;tag={token}\r\nTo: <sip:nobody@{host}>\r\n"
        f"Call-ID: {token}\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()
