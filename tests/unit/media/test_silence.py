"""Silence that is left out: comfort noise both ways, what Opus does by itself, and the marker."""

from itertools import pairwise

import pytest

from firmware.base.pcm import audioop
from firmware.base.tokens import Tokens
from firmware.codec.comfort_noise import Noise, read
from firmware.dsp.level import level_of
from firmware.media.formats import load
from firmware.media.messages import ConfigureStream, HearingChanged, OpenStream, PayloadFormat
from firmware.media.pauses import Pauses
from firmware.media.sending import Rest, Sending
from firmware.media.stream import Stream
from firmware.rtp.packet import RtpPacket, parse_rtp, write_rtp
from tests.support.machine_lacks import need_library

PCMU = PayloadFormat(0, "PCMU", 8000)
CN = PayloadFormat(13, "CN", 8000)
WIDE_CN = PayloadFormat(98, "CN", 16000)
OPUS = PayloadFormat(96, "opus", 48000, 2, "useinbandfec=1;usedtx=1")
EVENTS = PayloadFormat(101, "telephone-event", 8000)
LEAVE = Rest(allowed=True, noise=CN)
THERE, CONTROL = ("192.0.2.9", 4000), ("192.0.2.9", 4001)
NEAR_SILENCE = 60
"""Root mean square of a quiet room, about -55 dBov."""


@pytest.fixture
def room(noise):
    """Frames of a quiet room."""
    pcm = noise(8000 * 10, NEAR_SILENCE)
    return [pcm[place : place + 320] for place in range(0, len(pcm), 320)]


@pytest.fixture
def noise():
    def make(samples, rms):
        tokens = Tokens(b"room")
        octets = b"".join(tokens.octets(32) for _ in range(samples // 16 + 1))[: samples * 2]
        return audioop.mul(octets, 2, rms / audioop.rms(octets, 2))

    return make


@pytest.fixture
def word(sine):
    """A quarter of a second of sound, as frames."""
    pcm = sine(300, 0.26, 8000)
    return [pcm[place : place + 320] for place in range(0, len(pcm), 320)]


def sending(rest, payload=PCMU, events=None, ptime=20):
    sending = Sending(Tokens(b"seed"))
    sending.configure(load(payload), events, ptime, rest)
    return sending


def said(sending, frames):
    """What goes out frame by frame: None, or a packet."""
    return [
        [parse_rtp(datagram) for datagram in sending.packets(frame)] or [None] for frame in frames
    ]


def flat(packets):
    return [packet for several in packets for packet in several]


class TestSending:
    """RFC 3389 §4, RFC 3389 §5."""

    def test_a_pause_is_told_once_and_then_nothing_is_sent(self, room, word):
        packets = flat(said(sending(LEAVE), [*word, *room[:60]]))
        kinds = ["-" if packet is None else packet.payload_type for packet in packets]
        begin = kinds.index(13)
        assert set(kinds[:begin]) == {0}
        assert len(word) + 10 <= begin <= len(word) + 20  # the quiet end of a word is part of it
        assert kinds[begin + 1 :].count("-") > 40
        assert kinds[begin + 1 :].count(0) == 0
        told = read(packets[begin].payload)
        assert told.level == pytest.approx(level_of(b"".join(room)), abs=3)
        assert not packets[begin].marker

    def test_the_next_word_has_the_marker_and_the_timestamp_of_its_moment(self, room, word):
        packets = flat(said(sending(LEAVE), [*word, *room[:60], *word]))
        first, fresh = packets[0], packets[len(word) + 60]
        assert (fresh.payload_type, fresh.marker) == (0, True)
        assert fresh.timestamp == (first.timestamp + (len(word) + 60) * 160) & 0xFFFFFFFF
        assert not packets[len(word) + 61].marker
        numbers = [packet.sequence for packet in packets if packet is not None]
        assert [(n - numbers[0]) & 0xFFFF for n in numbers] == list(range(len(numbers)))

    def test_comfort_noise_is_on_the_line_of_the_speech(self, room):
        packets = flat(said(sending(LEAVE), room[:200]))
        first = packets[0].timestamp
        for place, packet in enumerate(packets):
            assert packet is None or packet.timestamp == (first + place * 160) & 0xFFFFFFFF

    def test_a_long_pause_is_told_again_every_second(self, room):
        kinds = [p and p.payload_type for p in flat(said(sending(LEAVE), room))]
        told = [place for place, kind in enumerate(kinds) if kind == 13]
        gaps = [later - earlier for earlier, later in pairwise(told)]
        assert gaps
        assert max(gaps) <= 50

    def test_a_room_that_becomes_louder_is_told_sooner(self):
        pauses = Pauses()
        for _ in range(60):
            pauses.take(30)
        told = [pauses.take(75) for _ in range(30)]
        assert any(told[:29])

    def test_without_leave_every_frame_is_sent(self, room):
        assert None not in flat(said(sending(Rest(allowed=False, noise=CN)), room[:100]))
        assert None not in flat(said(sending(Rest(allowed=True)), room[:100]))

    def test_speech_above_a_noisy_floor_is_speech(self, noise, sine):
        pauses = Pauses()
        loud_room = noise(8000 * 6, 400)
        kinds = [pauses.take(audioop.rms(loud_room[p : p + 320], 2)) for p in range(0, 96000, 320)]
        assert kinds[-1] is not None
        assert all(pauses.take(audioop.rms(sine(300, 0.02, 8000), 2)) is None for _ in range(50))

    def test_digits_go_out_in_a_pause_too(self, room):
        machine = sending(LEAVE, events=EVENTS)
        said(machine, room[:50])
        machine.queue_digits("5", 100, 70)
        kinds = [p and p.payload_type for p in flat(said(machine, room[50:70]))]
        assert kinds.count(101) == 7

    def test_packets_of_other_lengths_lose_no_time(self, room, word):
        machine = sending(LEAVE, ptime=40)
        begin = machine.rtp.timestamp
        packets = [p for p in flat(said(machine, [*word, *room[:51], *word])) if p]
        speech = [p for p in packets if p.payload_type == 0]
        assert (speech[-1].timestamp + 320 - begin) & 0xFFFFFFFF <= (2 * len(word) + 51) * 160
        assert (speech[-1].timestamp + 640 - begin) & 0xFFFFFFFF > (2 * len(word) + 51) * 160

    def test_digital_silence_is_told_as_such(self):
        packets = [p for p in flat(said(sending(LEAVE), [bytes(320)] * 40)) if p]
        assert read(packets[-1].payload) == Noise(-127.0)


class TestOpus:
    @pytest.fixture(autouse=True)
    def _library(self):
        need_library("libopus.so.0", "libopus0")

    def test_its_own_silence_is_used_and_speech_after_it_is_marked(self, sine):
        """RFC 7587 §3.1.3, RFC 3551 §4.1."""
        machine = sending(Rest(allowed=True), OPUS)
        tone = sine(300, 0.2, 16000)
        word = [tone[place : place + 640] for place in range(0, len(tone), 640)]
        packets = flat(said(machine, [*word, *([bytes(640)] * 80), *word]))
        assert packets[len(word) + 30 :].count(None) > 20
        first = packets[0]
        for place, packet in enumerate(packets):
            if packet is not None:
                assert packet.timestamp == (first.timestamp + place * 960) & 0xFFFFFFFF
        assert packets[-1] is not None
        after = next(p for p in packets[packets.index(None) :] if p is not None)
        assert after.marker

    def test_without_leave_it_sends_every_frame(self):
        assert None not in flat(said(sending(Rest(allowed=False), OPUS), [bytes(640)] * 100))


class Listener:
    """A stream that hears, and its clock."""

    def __init__(self, *formats):
        self.now, self.number = 100.0, 0
        self.stream = Stream(OpenStream(1, formats), Tokens(b"seed"), self.now)
        self.stream.configure(ConfigureStream(1, THERE, CONTROL, formats, dtmf=EVENTS), self.now)
        self.tick = 0

    def packet(self, kind, payload):
        packet = RtpPacket(kind, self.number & 0xFFFF, self.tick * 160, 7, payload)
        self.number += 1
        self.stream.receive(write_rtp(packet), THERE, self.now)

    def frame(self):
        self.now += 0.02
        self.tick += 1
        return self.stream.hear(self.now)[0]

    def speak(self, frames):
        for _ in range(frames):
            self.packet(0, b"\xff\xfe" * 80)
            self.frame()

    def rest(self, frames):
        return b"".join(self.frame() for _ in range(frames))


class TestHearing:
    def test_a_pause_sounds_as_it_was_told(self):
        call = Listener(PCMU, CN)
        call.speak(50)
        call.packet(13, Noise(-50.0).write())
        call.rest(30)
        heard = call.rest(50)
        assert level_of(heard) == pytest.approx(-50, abs=1.5)

    def test_the_far_end_that_pauses_is_not_taken_for_gone(self):
        call = Listener(PCMU, CN)
        call.speak(50)
        call.packet(13, Noise(-50.0).write())
        for _ in range(20):
            call.rest(50)
            call.stream.watch(call.now, "")
        assert not [r for r in call.stream.reports if isinstance(r, HearingChanged) and r.cause]

    def test_a_pause_in_which_nothing_at_all_is_told_for_a_minute_is_none(self):
        call = Listener(PCMU, CN)
        call.speak(50)
        call.packet(13, Noise(-50.0).write())
        for _ in range(62):
            call.now += 1
            call.stream.watch(call.now, "")
        assert [r for r in call.stream.reports if isinstance(r, HearingChanged) and r.cause]

    def test_it_ends_with_the_next_word(self):
        call = Listener(PCMU, CN)
        call.speak(50)
        call.packet(13, Noise(-30.0).write())
        call.rest(50)
        call.speak(60)
        assert level_of(call.rest(1)) < -60

    def test_number_13_needs_no_agreement(self):
        call = Listener(PCMU)
        call.speak(50)
        call.packet(13, Noise(-50.0).write())
        call.rest(30)
        assert level_of(call.rest(50)) == pytest.approx(-50, abs=1.5)

    @pytest.mark.parametrize("payload", [b"", b"\xff" * 50, b"\x80", bytes(1), b"\x32\xff"])
    def test_a_senseless_description_is_no_error_and_never_loud(self, payload):
        call = Listener(PCMU, CN, WIDE_CN)
        call.speak(50)
        call.packet(13, payload)
        assert level_of(call.rest(100)) < -19


@pytest.mark.parametrize(
    ("payload", "rest", "rate"),
    [
        pytest.param(PCMU, LEAVE, 8000, id="comfort-noise"),
        pytest.param(OPUS, Rest(allowed=True), 16000, id="opus"),
    ],
)
def test_a_pause_between_two_of_us_sounds_like_the_room_all_along(payload, rest, rate, sine, noise):
    if payload is OPUS:
        need_library("libopus.so.0", "libopus0")
    mouth = sending(rest, payload)
    ear = Stream(OpenStream(1, (payload, CN)), Tokens(b"ear"), 100.0, rate)
    ear.configure(ConfigureStream(1, THERE, CONTROL, (payload, CN), dtmf=EVENTS), 100.0)
    words = sine(300, 2, rate) + bytes(rate * 12) + sine(300, 1, rate)
    said = audioop.add(words, noise(len(words) // 2, NEAR_SILENCE), 2)
    now, sent, heard = 100.0, 0, []
    for place in range(0, len(said), rate // 25):
        for datagram in mouth.packets(said[place : place + rate // 25]):
            ear.receive(datagram, THERE, now)
            sent += 1
        now += 0.02
        heard.append(level_of(ear.hear(now)[0]))
    assert sent < 0.75 * len(heard)
    assert all(level == pytest.approx(-56, abs=6) for level in heard[150:390])
    assert max(heard[-25:]) > -20
