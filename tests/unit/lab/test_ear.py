"""The artificial person at audio.sock, in front of far ends that are known."""

import asyncio
import contextlib
import socket
import tempfile
from array import array
from pathlib import Path

import pytest

from firmware.dsp.level import SILENCE
from firmware.lab.ear import FRAME, TONE_HZ, Ear
from tests.support.virtual_loop import in_no_time


@contextlib.asynccontextmanager
async def far_end(change, frames=3):
    """A card at audio.sock that gives each frame back, changed, so many frames later."""
    with tempfile.TemporaryDirectory(prefix="dp-") as folder:
        path = Path(folder) / "audio.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(str(path))
            listener.listen()
            listener.settimeout(0)
            task = asyncio.create_task(_serve(listener, change, frames))
            yield path
            task.cancel()
            await asyncio.wait([task])


async def _serve(listener, change, frames):
    loop = asyncio.get_running_loop()
    link, _ = await loop.sock_accept(listener)
    with link:
        waiting = [bytes(2 * FRAME)] * frames
        while packet := await loop.sock_recv(link, 4096):
            waiting.append(change(packet))
            await loop.sock_sendall(link, waiting.pop(0))


def heard_of(change, seconds=1.0):
    """What is heard of a far end that changes frames like this."""

    async def talk():
        async with far_end(change) as path:
            return await Ear(path).talk(seconds)

    return in_no_time(talk())


def scaled(factor):
    return lambda packet: array("h", (int(x * factor) for x in array("h", packet))).tobytes()


def test_an_echo_is_measured():
    heard = heard_of(lambda packet: packet, 2.0)
    assert (heard.said, heard.heard) == (2, 2)
    assert heard.delay_ms == pytest.approx(60, abs=15)
    assert heard.hertz == pytest.approx(TONE_HZ, rel=0.001)
    assert heard.level_in == pytest.approx(heard.level_out, abs=0.1)
    assert heard.same_tone


@pytest.mark.parametrize(("factor", "good"), [(0.55, True), (0.4, False)])
def test_six_decibels_are_the_limit(factor, good):
    assert heard_of(scaled(factor)).same_tone is good


def test_another_pitch_is_not_the_same_tone():
    # Ten whole periods: cut and repeated they sound the same.
    assert heard_of(lambda packet: packet[: len(packet) // 2] * 2).same_tone
    faster = lambda packet: (array("h", packet)[::2] * 2).tobytes()  # noqa: E731 - a far end
    heard = heard_of(faster)
    assert heard.hertz == pytest.approx(2 * TONE_HZ, rel=0.01)
    assert not heard.same_tone


def test_silence_is_no_echo():
    heard = heard_of(lambda packet: bytes(len(packet)))
    assert (heard.said, heard.heard, heard.level_in, heard.hertz) == (1, 0, SILENCE, 0.0)
    assert not heard.same_tone


def test_a_card_that_hangs_up_is_silence_not_a_crash():
    assert heard_of(lambda _packet: b"").heard == 0


async def test_nobody_at_the_socket_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        await Ear(tmp_path / "none.sock").talk(1.0)
