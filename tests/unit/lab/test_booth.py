"""The sound of the practice exchange, by a real audio engine on loopback."""

import asyncio
import os
import signal
import socket
from importlib import resources

import pytest

from firmware.base.tokens import Tokens
from firmware.codec.g711 import MU_LAW
from firmware.dsp.tone_probe import dominant
from firmware.lab.booth import CLIPS, EngineBooth
from firmware.media.messages import Route
from firmware.rtp.packet import RtpPacket, parse_rtp, write_rtp
from firmware.sdp.parser import parse
from tests.support.left_open import open_now, opened_since

TONE = 450
"""Nine periods a frame: a frame left out by the jitter buffer leaves no jump of phase."""
CALL = "in-1"
_SESSION = b"v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\n"


class FarEnd:
    """A phone with PCMU and one socket; speaks a tone and keeps the packets it gets."""

    def __init__(self, host="127.0.0.1"):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.host = host
        self.rtp = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.rtp.bind((host, 0))
        self.packets = []
        self._number = 0

    def describe(self, formats="0"):
        kind = "IP6" if ":" in self.host else "IP4"
        return (
            f"v=0\r\no=- 1 1 IN {kind} {self.host}\r\ns=-\r\nc=IN {kind} {self.host}\r\nt=0 0\r\n"
            f"m=audio {self.rtp.getsockname()[1]} RTP/AVP {formats}\r\n"
        ).encode()

    async def talk(self, answer, seconds, speech=b""):
        """Speak to where the answer says, listening all the while."""
        media = parse(answer).media[0]
        loop = asyncio.get_running_loop()
        loop.add_reader(self.rtp, self._listen)
        coder = MU_LAW.encoder()
        begin = loop.time()
        for turn in range(round(seconds * 50)):
            await asyncio.sleep(max(0.0, begin + turn * 0.02 - loop.time()))
            number, self._number = self._number, self._number + 1
            pcm = speech[number * 320 : (number + 1) * 320].ljust(320, b"\0")
            packet = RtpPacket(0, number, number * 160, 7, coder.encode(pcm))
            self.rtp.sendto(write_rtp(packet), (self.host, media.port))
        loop.remove_reader(self.rtp)

    async def talk_until(self, answer, so, speech=b"", seconds=15.0):
        """Speak on until it is so: a talker that is held up has gaps in what comes back."""
        for _ in range(round(seconds / 0.1)):
            if so():
                return
            await self.talk(answer, 0.1, speech)
        assert so(), f"spoke for {seconds:g} s in vain"

    def _listen(self):
        packet = parse_rtp(self.rtp.recv(2048))
        if packet is not None:
            self.packets.append(packet)

    def heard(self, packets):
        decoder = MU_LAW.decoder()
        return b"".join(decoder.decode(each.payload) for each in packets)


def recording(name):
    return (resources.files("firmware.lab") / "announcements" / f"{name}.ulaw").read_bytes()


@pytest.fixture
async def booth():
    booth = EngineBooth(Tokens(b"booth-secret-of-test"))
    await booth.start()
    yield booth
    await booth.stop()


@pytest.fixture
def silent_booth():
    """A booth whose engine was never started: its orders go nowhere."""
    booth = EngineBooth(Tokens(b"booth-secret-of-test"))
    yield booth
    for call in list(booth._stands):
        booth.close(call)


@pytest.fixture
def far_end():
    far = FarEnd()
    yield far
    far.rtp.close()


@pytest.mark.realtime
async def test_600_sends_back_what_it_hears(booth, far_end, sine):
    answer = booth.answer(CALL, far_end.describe(), "127.0.0.1", Route.LOOP, "")
    speech = sine(TONE, 17.0)

    def comes_back():
        hertz, level = dominant(far_end.heard(far_end.packets[-20:-5]), 8000)
        return hertz == pytest.approx(TONE, rel=0.01) and level == pytest.approx(-15.3, abs=2)

    await far_end.talk(answer, 1.0, speech)
    await far_end.talk_until(answer, comes_back, speech)


@pytest.mark.realtime
async def test_601_says_its_words_octet_by_octet(booth, far_end):
    answer = booth.answer(CALL, far_end.describe(), "127.0.0.1", Route.CLIP, "welcome")
    await far_end.talk_until(answer, lambda: len(far_end.packets) > 40)
    said = MU_LAW.decoder().decode(recording("welcome"))
    assert far_end.heard(far_end.packets) == said[: 320 * len(far_end.packets)]


@pytest.mark.realtime
async def test_a_dead_engine_is_followed_by_one_that_goes_on(booth, far_end, sine):
    answer = booth.answer(CALL, far_end.describe(), "127.0.0.1", Route.LOOP, "")
    speech = sine(TONE, 34.0)
    await far_end.talk(answer, 0.5, speech)
    await far_end.talk_until(answer, lambda: far_end.packets, speech)
    before = far_end.packets[-1].ssrc
    os.kill(booth.engine, signal.SIGKILL)
    far_end.packets.clear()

    def goes_on():
        again = [each for each in far_end.packets if each.ssrc != before]
        hertz, _ = dominant(far_end.heard(again[-20:-5]), 8000)
        return len(again) > 20 and hertz == pytest.approx(TONE, rel=0.01)

    await far_end.talk_until(answer, goes_on, speech)


def test_601_ends_with_two_seconds_of_1000_hz():
    said = MU_LAW.decoder().decode(recording("welcome"))
    for second in (2.0, 1.0):
        start = len(said) - int(second * 16000) + 1600
        hertz, _ = dominant(said[start : start + 8000], 8000)
        assert hertz == pytest.approx(1000, abs=2)


def test_every_announcement_is_there_and_long_enough():
    assert all(len(recording(name)) > 2 * 8000 for name in CLIPS)


@pytest.mark.parametrize(
    "offer",
    [
        b"nonsense",
        _SESSION + b"m=audio 9 RTP/AVP 18\r\n",
        _SESSION,
    ],
    ids=["no SDP", "only G.729", "no media"],
)
def test_an_offer_with_nothing_in_common_leaves_no_port_behind(silent_booth, offer):
    assert silent_booth.answer(CALL, offer, "127.0.0.1", Route.LOOP, "") == b""
    assert len(silent_booth) == 0


def test_a_caller_without_an_offer_gets_ours_and_answers_it(silent_booth, far_end):
    offer = silent_booth.answer(CALL, b"", "127.0.0.1", Route.LOOP, "")
    numbers = {each.number for each in parse(offer).media[0].formats}
    assert {0, 8, 9} <= numbers
    assert silent_booth.answered(CALL, far_end.describe("0"))


@pytest.mark.parametrize("answer", [b"", b"nonsense"])
def test_an_answer_that_is_none_is_said_to_be_none(silent_booth, answer):
    assert silent_booth.offer(CALL, "127.0.0.1", "welcome")
    assert not silent_booth.answered(CALL, answer)
    silent_booth.close(CALL)
    assert not silent_booth.answered("in-gone", b"")


def test_a_second_offer_for_another_address_replaces_the_first(silent_booth):
    assert b"IN IP4 127.0.0.1" in silent_booth.offer(CALL, "127.0.0.1", "welcome")
    assert b"IN IP6 ::1" in silent_booth.offer(CALL, "::1", "welcome")
    assert len(silent_booth) == 1


def test_a_reinvite_keeps_port_and_session_and_counts_the_version(silent_booth, far_end):
    first = parse(silent_booth.answer(CALL, far_end.describe(), "127.0.0.1", Route.LOOP, ""))
    second = parse(silent_booth.answer_again(CALL, far_end.describe()))
    assert second.media[0].port == first.media[0].port
    assert second.origin.session_id == first.origin.session_id
    assert int(second.origin.version) == int(first.origin.version) + 1
    assert silent_booth.answer_again("in-gone", far_end.describe()) == b""


def test_ten_thousand_calls_leave_neither_stand_nor_descriptor(silent_booth, far_end):
    before = open_now()
    offer = far_end.describe()
    for _ in range(10_000):
        silent_booth.answer(CALL, offer, "127.0.0.1", Route.LOOP, "")
        silent_booth.close(CALL)
    assert len(silent_booth) == 0
    assert opened_since(before) == []
