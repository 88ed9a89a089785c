"""The audio process as the phone starts it: real time, real sockets, real death."""

import asyncio
import contextlib
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from firmware.dsp.level import level_of
from firmware.dsp.tone_probe import tone_level
from firmware.media.messages import (
    CloseStream,
    EngineAlive,
    EngineLog,
    EngineReady,
    Foreign,
    Route,
    StopTone,
    StreamReport,
)
from firmware.net.engine_link import EngineLink
from tests.support.left_open import closed_since, open_now, opened_since
from tests.support.own_time import kept_waiting, own_time, stolen

pytestmark = pytest.mark.realtime

CLEAR = 0.7
"""Share of the tone in what is heard: the talker here is an ordinary process and may be late."""


async def test_the_engine_is_ready_soon_and_says_what_rights_it_has(phone):
    begin = own_time()
    await phone.ready()
    assert own_time() - begin - kept_waiting(phone.link.pid) < 1.0
    ready = phone.of(EngineReady)[0]
    assert ready.pid == phone.link.pid
    assert ready.realtime or "RTPRIO" in ready.reason


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_looped_stream_gives_the_far_end_its_own_tone_back(phone, host, far_end_at):
    await phone.ready()
    far_end = far_end_at(host)
    where = phone.open(1, far_end)
    await far_end.talk(where, 1.2)
    await far_end.talk_until(where, lambda: tone_share(far_end.heard(0.6), 450) > CLEAR)
    numbers = [packet.sequence for packet in far_end.packets]
    assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]
    stamps = [packet.timestamp for packet in far_end.packets]
    assert stamps == [(stamps[0] + 160 * n) & 0xFFFFFFFF for n in range(len(stamps))]


async def test_a_killed_engine_is_back_within_a_second_and_so_is_the_sound(phone, far_end):
    await phone.ready()
    where = phone.open(1, far_end)
    await far_end.talk(where, 0.5)
    await far_end.talk_until(where, lambda: far_end.packets)
    before = far_end.packets[-1].ssrc
    killed_at = own_time()
    os.kill(phone.link.pid, signal.SIGKILL)
    await far_end.talk_until(where, lambda: far_end.packets[-1].ssrc != before)
    assert phone.lost[0][0] - killed_at < 0.1
    await phone.ready(2)
    assert len(phone.of(EngineReady)) == 2
    again = next(
        moment
        for packet, moment in zip(far_end.packets, far_end.arrivals, strict=True)
        if packet.ssrc != before
    )
    took = again - killed_at - kept_waiting(phone.link.pid)
    assert took < (1.0 if phone.of(EngineReady)[0].realtime else 1.3)
    await far_end.talk(where, 0.6)
    await far_end.talk_until(where, lambda: tone_share(far_end.heard(0.3), 450) > CLEAR)


async def test_an_engine_that_stopped_answering_is_replaced(phone, monkeypatch):
    monkeypatch.setattr("firmware.net.engine_link._SILENCE", 0.5)
    await phone.ready()
    first = phone.link.pid
    await phone.link.close()
    await phone.link.start()
    await phone.ready(2)
    second = phone.link.pid
    assert second != first
    os.kill(second, signal.SIGSTOP)
    await phone.until(lambda: len(phone.of(EngineReady)) == 3)
    assert "silent" in phone.lost[0][1]
    await phone.until(lambda: not alive(second))


async def test_p12_an_engine_that_hangs_is_missed_as_soon_as_it_should_have_spoken(monkeypatch):
    """In a call it speaks every second: three seconds of silence, not eleven."""
    monkeypatch.setattr("firmware.net.engine_link._SPARE", 0.3)
    hangs = (
        "import socket, sys, time\n"
        "from firmware.media.messages import EngineAlive, encode\n"
        "link = socket.socket(fileno=int(sys.argv[1]))\n"
        "link.send(encode(EngineAlive(0.0, 0, 0, 0.1)))\n"
        "time.sleep(60)\n"
    )
    lost = asyncio.get_running_loop().create_future()
    reports = []
    link = EngineLink(
        reports.append,
        lambda reason: lost.done() or lost.set_result(reason),
        command=(sys.executable, "-c", hangs),
    )
    await link.start()
    try:
        # Twice what it had announced, and the time to spare: half a second.
        assert await asyncio.wait_for(lost, 20) == "it was silent for 0 s"
        assert reports == [EngineAlive(0.0, 0, 0, 0.1)]
    finally:
        await link.close()


async def test_f42_a_phone_that_was_held_up_itself_takes_no_engine_for_dead(phone, far_end):
    await phone.ready()
    phone.open(1, far_end)
    first = phone.link.pid
    # The loop is held up after its look for events, and its timers come before the next look.
    assert select.select([phone.link._socket], (), (), 20)[0], "a report that nobody has read"
    phone.link._heard_at = asyncio.get_running_loop().time() - phone.link._limit - 0.1
    phone.link._check_silence()
    assert phone.link.pid == first
    assert not phone.lost


async def test_an_engine_that_dies_again_and_again_is_started_more_slowly(phone):
    await phone.ready()
    real, begin, waited = time.monotonic(), own_time(), 0.0
    for times in (2, 3):
        os.kill(phone.link.pid, signal.SIGKILL)
        await phone.ready(times)
        waited += kept_waiting(phone.link.pid)
    assert time.monotonic() - real > 0.2
    assert own_time() - begin - waited < 2.0


async def test_streams_that_come_and_go_leave_no_descriptor_behind(phone, far_end):
    await phone.ready()
    before = open_now(phone.link.pid)
    for number in range(50):
        phone.open(number, far_end)
        phone.link.send(CloseStream(number))
    await phone.until(lambda: len([r for r in phone.of(StreamReport) if r.final]) == 50)
    assert opened_since(before, phone.link.pid) == []


async def test_garbage_on_a_media_port_disturbs_nobody(phone, far_end):
    await phone.ready()
    where = phone.open(1, far_end, Route.LOOP)
    stun = bytes((0, 1, 0, 0)) + b"\x21\x12\xa4\x42" + bytes(12)
    garbage = [
        stun,
        b"",
        b"\x00",
        b"\x80",
        b"\x80\x00",
        b"\xff" * 1400,
        b"\x80" + b"\xff" * 11,
        b"\x8f\x00" + bytes(10),
        b"\xb0\x00" + bytes(12) + b"\xff\xff",
        b"\xa0\x00" + bytes(10) + b"\xff",
        b"\x80\xc8\x00\x06",
        b"\x9f\xc9\x00\x01" + bytes(4),
        b"\x81\xca\x00\x01" + bytes(4),
        b"\x80\xcb\xff\xff",
        os.urandom(60000),
        b"INVITE sip:a@b SIP/2.0\r\n\r\n",
        b"\x16\xfe\xfd" + bytes(20),
        *(bytes((first,)) + os.urandom(40) for first in range(256)),
    ]

    async def pester():
        for _ in range(4):
            for datagram in garbage:
                far_end.rtp.sendto(datagram, where)
            await asyncio.sleep(0.1)

    await asyncio.gather(far_end.talk(where, 1.2), pester())
    await far_end.talk_until(where, lambda: tone_share(far_end.heard(0.5), 450) > CLEAR)
    assert not phone.lost
    assert any(report.data == stun for report in phone.of(Foreign))
    assert not [log for log in phone.of(EngineLog) if log.level == "critical"]


async def test_an_engine_that_reads_no_orders_is_replaced(phone):
    await phone.ready()
    stuck = phone.link.pid
    os.kill(stuck, signal.SIGSTOP)
    for _ in range(20_000):
        phone.link.send(StopTone("dial"))
        if phone.lost:
            break
    assert "does not read" in phone.lost[0][1]
    await phone.ready(2)
    await phone.until(lambda: not alive(stuck))


async def test_orders_wait_for_an_engine_that_is_slow_to_read(phone, far_end):
    await phone.ready()
    os.kill(phone.link.pid, signal.SIGSTOP)
    number = 0
    while not phone.link._waiting:
        phone.link.send(StopTone("dial"))
        number += 1
    phone.open(1, far_end)
    phone.link.send(CloseStream(1))
    os.kill(phone.link.pid, signal.SIGCONT)
    await phone.until(lambda: [r for r in phone.of(StreamReport) if r.final])
    assert not phone.lost


async def test_a_packet_that_is_no_order_is_a_line_in_the_log(phone, far_end):
    await phone.ready()
    socket.send_fds(phone.link._socket, [b"\xc1nonsense"], [far_end.rtp.fileno()])
    await phone.until(lambda: phone.of(EngineLog))
    assert phone.of(EngineLog)[0].level == "error"
    phone.open(1, far_end)
    phone.link.send(CloseStream(1))
    await phone.until(lambda: [r for r in phone.of(StreamReport) if r.final])


async def test_f45_when_every_processor_is_taken_sound_goes_first(phone, far_end):
    """By its own count no frame is late by more than a person hears, beside two programs a core.

    What a machine below this one takes away counts too, so it is no more than that.
    """
    await phone.ready()
    if not phone.of(EngineReady)[0].realtime:
        pytest.skip("without SCHED_FIFO nobody goes first")
    where, before = phone.open(1, far_end), stolen()
    with two_hogs_a_core():
        await far_end.talk(where, 2.2)
    late = [report.worst_late_ms for report in phone.of(EngineAlive)]
    assert late
    assert max(late) < 60 + 1000 * (stolen() - before)
    numbers = [packet.sequence for packet in far_end.packets]
    assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]
    assert len(numbers) > 100


async def test_an_idle_engine_sleeps(phone):
    await phone.ready()
    status = Path(f"/proc/{phone.link.pid}/status")

    def wakes():
        return int(status.read_text().split("\nvoluntary_ctxt_switches:")[1].split()[0])

    # It has just begun to be idle, and a machine short of memory makes it wait for its own.
    for _ in range(5):
        before = wakes()
        await asyncio.sleep(1)  # real time is what this test is about
        if (woken := wakes() - before) <= 3:
            break
    assert woken <= 3


async def test_restarts_leave_no_descriptor_in_the_phone(phone):
    await phone.ready()
    gc.collect()
    before = open_now()
    for times in (2, 3, 4):
        os.kill(phone.link.pid, signal.SIGKILL)
        await phone.ready(times)
        # What was opened is in the place of what was closed.
        await phone.until(lambda: len(opened_since(before)) <= len(closed_since(before)))


async def test_the_engine_ends_when_the_phone_is_gone(phone):
    await phone.ready()
    pid = phone.link.pid
    phone.link._socket.close()
    phone.link._socket = None
    await phone.until(lambda: not alive(pid))


async def test_sigterm_ends_the_engine_with_a_goodbye(phone, far_end):
    await phone.ready()
    phone.open(1, far_end)
    pid = phone.link.pid
    os.kill(pid, signal.SIGTERM)
    await phone.until(lambda: [r for r in phone.of(StreamReport) if r.final])
    await phone.ready(2)


@contextlib.contextmanager
def two_hogs_a_core():
    busy = (sys.executable, "-I", "-S", "-c", "while True: pass")
    hogs = [subprocess.Popen(busy) for _ in range(2 * (os.cpu_count() or 1))]
    yield
    for hog in hogs:
        hog.kill()
        hog.wait()


def alive(pid):
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        return stat.rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:  # it is gone, or goes while it is read
        return False


def tone_share(pcm, frequency):
    """How much of the power in some samples is this tone, 0 to 1."""
    return 10 ** ((tone_level(pcm, 8000, frequency) - level_of(pcm)) / 10)
