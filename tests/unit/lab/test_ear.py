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

pytestmark = pytest.mark.realtime


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


def scaled(factor):
    return lambda packet: array("h", (int(x * factor) for x in array("h", packet))).tobytes()


async def test_an_echo_is_measured():
    async with far_end(lambda packet: packet) as path:
        heard = await Ear(path).talk(2.0)
    assert (heard.said, heard.heard) == (2, 2)
    assert heard.delay_ms == pytest.approx(60, abs=15)
    assert heard.hertz == pytest.approx(TONE_HZ, rel=0.001)
    assert heard.level_in == pytest.approx(heard.level_out, abs=0.1)
    assert heard.same_tone


@pytest.mark.parametrize(("factor", "good"), [(0.55, True), (0.4, False)])
async def test_six_decibels_are_the_limit(factor, good):
    async with far_end(scaled(factor)) as path:
        heard = await Ear(path).talk(1.0)
    assert heard.same_tone is good


async def test_another_pitch_is_not_the_same_tone():
    async with far_end(lambda packet: packet[: len(packet) // 2] * 2) as path:
        heard = await Ear(path).talk(1.0)
    assert heard.same_tone  # ten whole periods: cut and repeated they sound the same
    faster = lambda packet: (array("h", packet)[::2] * 2).tobytes()  # noqa: E731 - a far end
    async with far_end(faster) as path:
        heard = await Ear(path).talk(1.0)
    assert heard.hertz == pytest.approx(2 * TONE_HZ, rel=0.01)
    assert not heard.same_tone


async def test_silence_is_no_echo():
    async with far_end(lambda packet: bytes(len(packet))) as path:
        heard = await Ear(path).talk(1.0)
    assert (heard.said, heard.heard, heard.level_in, heard.hertz) == (1, 0, SILENCE, 0.0)
    assert not heard.same_tone


async def test_a_card_that_hangs_up_is_silence_not_a_crash():
    async with far_end(lambda _packet: b"") as path:
        heard = await Ear(path).talk(1.0)
    assert heard.heard == 0


async def test_nobody_at_the_socket_is_an_error(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        await Ear(tmp_path / "none.sock").talk(1.0)
