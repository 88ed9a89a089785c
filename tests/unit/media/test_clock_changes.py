"""The far end goes on with a codec of another RTP clock: nothing of what it says is lost.

It says what time it is: each sample is its own moment in milliseconds, and L16 brings it unchanged.
So what is heard shows what was left out, said twice or invented.
"""

from array import array
from random import Random

import pytest

from firmware.base.pcm import audioop
from firmware.dsp.level import level_of
from firmware.dsp.tones import Tone
from firmware.media.formats import load
from firmware.media.messages import PayloadFormat
from firmware.media.reception import Reception
from firmware.rtp.delay import FixedDelay
from firmware.rtp.packet import RtpPacket
from tests.support.machine_lacks import need_library

SLOW = PayloadFormat(96, "L16", 8000)
WIDE = PayloadFormat(97, "L16", 16000)
PCMU = PayloadFormat(0, "PCMU", 8000)
OPUS = PayloadFormat(98, "opus", 48000, 2)
NOISE = PayloadFormat(13, "CN", 8000)
EVENTS = PayloadFormat(101, "telephone-event", 8000)
THERE = ("192.0.2.9", 4000)


class Talker:
    """Says what time it is, in packets of `ptime` milliseconds."""

    def __init__(self, timestamp=0xFFFF_F000, ptime=20):
        self.at = 0
        """Milliseconds."""
        self.ptime = ptime
        self.sequence = 65_500
        self.timestamp = timestamp

    def packet(self, payload, timestamp=None):
        count = payload.clock * self.ptime // 1000
        step = payload.clock // 1000
        samples = array("h", (self.at + n // step for n in range(count)))
        if timestamp is not None:
            self.timestamp = timestamp
        packet = RtpPacket(
            payload.number,
            self.sequence & 0xFFFF,
            self.timestamp & 0xFFFFFFFF,
            7,
            audioop.byteswap(samples.tobytes(), 2),
        )
        self.timestamp += count
        self.sequence += 1
        self.at += self.ptime
        return packet


def heard(arrivals, seconds, phase=0.003, policy=None):
    """Play what arrives, (seconds, packet); returns the frames as moments said, and the ear."""
    ear = Reception(16000)
    ear.expect((SLOW, WIDE, NOISE, EVENTS))
    ear.buffer.policy = policy or ear.buffer.policy
    arrivals, frames, place = sorted(arrivals, key=lambda each: each[0]), [], 0
    for tick in range(round(seconds * 50)):
        now = phase + tick * 0.02
        while place < len(arrivals) and arrivals[place][0] <= now:
            at, packet = arrivals[place]
            ear.receive(packet, THERE, at)
            place += 1
        frames.append(list(array("h", ear.hear(now))))
    return frames, ear


def strayed(frames, seams=1):
    """Milliseconds that what is heard is astray of what was said, from the first frame on.

    Where a decoder takes over, with its memory empty, four milliseconds pass from one into the
    other and may be anything; `seams` is how often.
    """
    moments = [
        moment - number * 20 - place * 20 / len(frame)
        for number, frame in enumerate(frames)
        for place, moment in enumerate(frame)
        if place % (len(frame) // 20) == 0
    ]
    far = sorted((abs(each - moments[0]) for each in moments), reverse=True)
    return far[4 * seams]


@pytest.mark.parametrize("ptime", [10, 20, 30, 60])
@pytest.mark.parametrize("jump", [None, 0x1234_5678, 10], ids=["one line", "another", "at zero"])
@pytest.mark.parametrize("order", [(SLOW, WIDE), (WIDE, SLOW)], ids=["wider", "narrower"])
def test_every_millisecond_is_heard_once(order, jump, ptime):
    talker, arrivals = Talker(ptime=ptime), []
    for number in range(15_000 // ptime):
        first = number == 10_000 // ptime
        payload = order[number >= 10_000 // ptime]
        packet = talker.packet(payload, jump if first else None)
        arrivals.append((talker.at / 1000 + 0.004, packet))
    frames, ear = heard(arrivals, 14.9)
    around = frames[480:525]
    assert {len(frame) for frame in around} == {160, 320}
    assert strayed(around) <= 1
    buffer = ear.buffer
    assert buffer.restarts == buffer.lost == buffer.late == buffer.concealed == 0
    assert buffer.clock == order[1].clock


def test_the_delay_is_the_same_on_both_sides():
    talker, arrivals = Talker(), []
    for number in range(1500):
        packet = talker.packet(SLOW if number < 700 else WIDE)
        arrivals.append((talker.at / 1000 + 0.004, packet))
    frames, ear = heard(arrivals, 29.9)
    before, after = (number * 20 + 3 - frames[number][-1] for number in (690, 730))
    assert abs(before - after) <= 1
    assert ear.buffer.delay_ms < 30


def test_back_and_forth_ten_times_in_ten_seconds():
    talker, arrivals = Talker(), []
    for number in range(1000):
        payload = (SLOW, WIDE)[number // 50 % 2 if number >= 500 else 0]
        arrivals.append((talker.at / 1000 + 0.004, talker.packet(payload)))
    frames, ear = heard(arrivals, 19.9)
    assert strayed(frames[480:], seams=10) <= 1
    assert ear.buffer.restarts == ear.buffer.concealed == 0


@pytest.mark.parametrize("jitter", [20, 60])
def test_on_a_trembling_network_the_change_costs_nothing_more(jitter):
    """What is lost on the way is lost; the change adds a frame at most."""
    dice, worst = Random(11), 0  # noqa: S311 - a network
    for _ in range(5):
        talker, arrivals = Talker(), []
        for number in range(1000):
            packet = talker.packet(SLOW if number < 700 else WIDE)
            arrivals.append((talker.at / 1000 + dice.random() * jitter / 1000, packet))
        frames, ear = heard(arrivals, 19.5)
        worst = max(worst, strayed(frames[690:720]))
        assert ear.buffer.restarts == 0
        assert ear.buffer.lost <= 3
    assert worst <= 21


def test_packets_that_overtake_each_other_at_the_change_find_their_places():
    talker, packets = Talker(timestamp=5), []
    for number in range(900):
        first = number == 700
        packets.append(talker.packet(SLOW if number < 700 else WIDE, 2**32 - 8 if first else None))
    arrivals = [(number * 0.02 + 0.025, packet) for number, packet in enumerate(packets)]
    for number in (698, 699):  # two of the old codec come after two of the new one
        arrivals[number] = (arrivals[number][0] + 0.045, packets[number])
    frames, ear = heard(arrivals, 17.9, policy=FixedDelay(0.07))
    assert strayed(frames[690:715]) <= 1
    assert ear.buffer.restarts == ear.buffer.late == ear.buffer.duplicate == 0
    assert ear.codec == "L16"


def test_a_packet_doubled_over_the_change_is_heard_once():
    talker, arrivals = Talker(), []
    for number in range(900):
        packet = talker.packet(SLOW if number < 700 else WIDE)
        arrivals.append((talker.at / 1000, packet))
        if number in (699, 700):
            arrivals.append((talker.at / 1000 + 0.021, packet))
    frames, ear = heard(arrivals, 17.9)
    assert strayed(frames[690:715]) <= 1
    assert ear.buffer.duplicate == 2
    assert ear.buffer.restarts == ear.buffer.late == 0


@pytest.mark.parametrize("pause", [0.1, 1.0, 12.0])
@pytest.mark.parametrize("honest", [True, False], ids=["timestamps tell", "timestamps do not"])
def test_after_a_pause_the_new_codec_is_heard_from_its_first_word(pause, honest):
    """Silence left out (RFC 3389 §4): the packets' numbers do not show how long."""
    talker, arrivals = Talker(), []
    for number in range(800):
        if number == 400:
            noise = RtpPacket(13, talker.sequence & 0xFFFF, talker.timestamp, 7, b"\x50")
            arrivals.append((talker.at / 1000 + 0.025, noise))
            talker.sequence += 1
            talker.at += round(pause * 1000)
            talker.timestamp += round(pause * 8000) if honest else 0
        first_of_new = talker.at
        packet = talker.packet(SLOW if number < 400 else WIDE)
        arrivals.append((first_of_new / 1000 + 0.024, packet))
    beginning = 8000 + round(pause * 1000)
    frames, ear = heard(arrivals, beginning / 1000 + 7.5)
    said = {moment for frame in frames for moment in frame}
    assert set(range(beginning + 4, beginning + 3000)) <= said
    assert ear.buffer.restarts <= 1
    assert ear.buffer.lost == ear.buffer.late == 0


def test_f30_another_source_with_another_codec_begins_anew():
    talker, arrivals = Talker(), []
    for number in range(800):
        packet = talker.packet(SLOW if number < 400 else WIDE)
        if number >= 400:
            packet = RtpPacket(97, number, packet.timestamp, 8, packet.payload)
        arrivals.append((talker.at / 1000, packet))
    frames, _ = heard(arrivals, 15.9)
    assert strayed(frames[420:440], seams=0) <= 1


@pytest.mark.parametrize("order", [(PCMU, OPUS), (OPUS, PCMU)], ids=["to Opus", "from Opus"])
def test_speech_has_no_hole_where_opus_begins_or_ends(order):
    need_library("libopus.so.0", "libopus0")
    ear = Reception(16000)
    ear.expect((PCMU, OPUS))
    levels, timestamp = [], 0
    speech = [load(payload, 16000) for payload in order]
    encoders = [each.codec.encoder() for each in speech]
    voices = [Tone((450.0,), -12, each.rate) for each in speech]
    for number in range(600):
        now, which = number * 0.02, number >= 400
        pcm = voices[which].block(speech[which].rate // 50)
        packet = RtpPacket(order[which].number, number, timestamp, 7, encoders[which].encode(pcm))
        timestamp += speech[which].clock // 50
        ear.receive(packet, THERE, now + 0.004)
        levels.append(level_of(ear.hear(now + 0.013)))
    # An encoder of Opus looks ahead: what it says first begins with 6.5 ms of nothing.
    assert min(levels[100:]) > -12 - 3
    assert ear.buffer.concealed == ear.buffer.lost == ear.buffer.restarts == 0


@pytest.mark.parametrize("order", [(SLOW, WIDE), (WIDE, SLOW)], ids=["wider", "narrower"])
def test_where_a_decoder_takes_over_the_voice_does_not_sink(order):
    ear = Reception(16000)
    ear.expect((SLOW, WIDE))
    voices = {each: Tone((400.0,), -12, each.clock) for each in order}
    levels, timestamp = [], 0
    for number in range(600):
        payload = order[number >= 400]
        count = payload.clock // 50
        pcm = voices[payload].block(count)
        packet = RtpPacket(payload.number, number, timestamp, 7, audioop.byteswap(pcm, 2))
        timestamp += count
        ear.receive(packet, THERE, number * 0.02 + 0.004)
        frame = ear.hear(number * 0.02 + 0.013)
        size = len(frame) // 8  # 2.5 ms, a whole period
        levels += [level_of(frame[place : place + size]) for place in range(0, len(frame), size)]
    assert min(levels[8 * 100 :]) > -12 - 1.5
