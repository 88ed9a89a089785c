"""From the jitter buffer to the ear: frames without a seam, whatever becomes of the packets."""

from array import array

import pytest

from firmware.base.pcm import audioop
from firmware.codec.protocols import Decoder
from firmware.dsp.level import level_of
from firmware.dsp.tones import Tone
from firmware.media.formats import Speech, load
from firmware.media.messages import PayloadFormat
from firmware.media.playing import Player, Voice
from firmware.rtp.delay import FixedDelay
from firmware.rtp.jitter import JitterBuffer
from firmware.rtp.packet import RtpPacket


class Call:
    """Packets that come when they are wanted; the network adds `late` seconds to all of them."""

    def __init__(self, name="PCMU", delay=0.010):
        speech = load(PayloadFormat(0, name, 8000))
        assert isinstance(speech, Speech)
        self.voice = Voice(speech)
        self.player = Player({0: self.voice})
        self.policy = FixedDelay(delay)
        self.player.buffer = JitterBuffer(policy=self.policy)
        self.encoder = speech.codec.encoder()
        self.tone = Tone((200.0, 400.0), -20, speech.rate)
        self.samples = speech.rate // 50
        self.tick = 0
        self.late = 0.0

    def frame(self, *, lost=False):
        payload = self.encoder.encode(self.tone.block(self.samples))
        at = self.tick * 0.02
        if not lost:
            packet = RtpPacket(0, self.tick, self.tick * 160, 7, payload)
            self.player.buffer.put(packet, at + self.late)
        self.tick += 1
        return self.player.hear(at + 0.012)

    def frames(self, count, lost=()):
        return [self.frame(lost=number in lost) for number in range(count)]


@pytest.mark.parametrize("name", ["PCMU", "G722"])
def test_a_lost_packet_is_bridged_when_the_next_one_is_there(name):
    call = Call(name, delay=0.030)  # the packet after a gap has come when the gap is played
    call.frames(50)
    steady = level_of(call.frame())
    frames = call.frames(10, lost=(3,))
    assert [level_of(frame) for frame in frames] == pytest.approx([steady] * 10, abs=1.5)
    assert call.player.buffer.concealed == 1


def test_a_packet_that_was_looked_at_is_decoded_once():
    call = Call("G722", delay=0.030)
    decoded = []

    class Counting(Decoder):
        def decode(self, payload):
            decoded.append(payload)
            return bytes(640)

    call.voice.decoder = Counting()
    call.frames(40, lost=(20, 25, 26))
    assert len(decoded) == len(set(map(id, decoded)))


def test_a_codec_with_its_own_way_out_is_asked_first():
    call = Call("PCMU", delay=0.030)
    asked = []

    class Clever(Decoder):
        def decode(self, _payload):
            return bytes(320)

        def recover(self, _payload, samples):
            asked.append(("recover", samples))
            return bytes(samples * 2)

        def conceal(self, samples):
            asked.append(("conceal", samples))
            return bytes(samples * 2)

    call.voice.decoder = Clever()
    call.frames(40, lost=(20, 25, 26))
    assert asked == [("recover", 160), ("conceal", 160), ("recover", 160)]


def test_too_much_delay_goes_by_periods_and_no_frame_is_short():
    call = Call(delay=0.090)
    call.frames(50)
    assert call.player.buffer.delay_ms > 80
    call.policy.target = 0.010
    frames = call.frames(600)
    assert {len(frame) for frame in frames} == {320}
    assert call.player.buffer.delay_ms < 35
    assert call.player.buffer.cut == call.player.buffer.concealed == 0
    assert call.player.stretched >= 4


def test_too_little_delay_is_made_without_inventing_a_frame():
    call = Call(delay=0.010)
    call.frames(50)
    call.policy.target = 0.070
    call.frames(150)
    assert call.player.buffer.delay_ms > 60
    assert call.player.buffer.concealed == call.player.buffer.cut == 0


def test_a_change_that_can_wait_waits_for_a_pause_between_words():
    call = Call(delay=0.030)
    call.frames(50)
    call.policy.target = 0.010
    call.frames(100)
    assert call.player.stretched == 0
    call.tone = Tone((), -20, 8000)
    call.frames(20)
    assert call.player.stretched > 0
    assert call.player.buffer.delay_ms < 35


def test_the_room_is_heard_when_the_voice_has_gone():
    call = Call(delay=0.030)
    call.frames(100)
    noise = audioop.mul(array("h", [25, -25] * 80).tobytes(), 2, 1)
    call.tone = type("Room", (), {"block": lambda _self, _samples: noise})()
    call.frames(100)
    call.tone = Tone((200.0,), -20, 8000)
    call.frames(20)
    quiet = [level_of(frame) for frame in call.frames(12, lost=range(12))[6:]]
    assert all(-75 < each < -55 for each in quiet)


def test_the_room_fades_when_the_far_end_says_nothing_for_long():
    """Nobody told how it sounds now; what was heard of it last is no more than a memory."""
    call = Call(delay=0.030)
    noise = array("h", [60, -60] * 80).tobytes()
    call.tone = type("Room", (), {"block": lambda _self, _samples: noise})()
    call.frames(100)
    silence = [level_of(frame) for frame in call.frames(400, lost=range(400))]
    assert silence[20] == pytest.approx(-58, abs=5)
    assert silence[-1] < silence[20] - 15
