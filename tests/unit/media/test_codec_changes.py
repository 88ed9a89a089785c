"""The codec changes in the middle of a call: by a re-INVITE, or because one end just does it."""

from itertools import pairwise

import pytest

from firmware.base.suites import SUITES, Keys
from firmware.base.tokens import Tokens
from firmware.dsp.level import level_of
from firmware.dsp.tone_probe import tone_level
from firmware.dsp.tones import Tone
from firmware.media.messages import (
    ConfigureStream,
    OpenStream,
    PayloadFormat,
    SetKeys,
    StreamReport,
)
from firmware.media.reception import Reception
from firmware.media.stream import Stream
from firmware.rtp.packet import RtpPacket, parse_rtp
from firmware.rtp.srtp import Guard
from tests.support.machine_lacks import need_library

PCMU = PayloadFormat(0, "PCMU", 8000)
G722 = PayloadFormat(9, "G722", 8000)
OPUS = PayloadFormat(96, "opus", 48000, 2)
ALL = (OPUS, PCMU, G722)
SUITE = "AEAD_AES_128_GCM"
ONE, OTHER = (bytes([fill]) * SUITES[SUITE].octets for fill in (1, 2))


class End:
    """One end of the call: what it says, all that it sent, all that it heard."""

    def __init__(self, name, pitch, own, theirs):
        self.address = (f"192.0.2.{name}", 4000)
        self.stream = Stream(
            OpenStream(1, ALL, secure=bool(own)), Tokens(bytes([name])), 100.0, 16000
        )
        self.keys = (own, theirs)
        self.eavesdropper = Guard()
        if own:
            self.eavesdropper.use(Keys(SUITE, theirs, own))
        self.pitch = pitch
        self.sent, self.heard, self.figures = [], [], []
        self._mouth = None

    def agree(self, other, formats, now, *, ptime=20):
        own, theirs = self.keys
        there = other.address
        self.stream.configure(
            ConfigureStream(1, there, there, formats, ptime=ptime, secure=bool(own)), now
        )
        if own:
            self.stream.set_keys(SetKeys(1, Keys(SUITE, own, theirs)))

    def say(self, now):
        rate = self.stream.speaks_at
        if self._mouth is None or self._mouth[0] != rate:
            self._mouth = rate, Tone((self.pitch,), -12, rate)
        return self.stream.say(self._mouth[1].block(rate // 50), now)


class Call:
    """Two ends and the wire between them."""

    def __init__(self, *, secure):
        self.now = 100.0
        self.ann = End(1, 450.0, ONE if secure else b"", OTHER if secure else b"")
        self.bob = End(2, 700.0, OTHER if secure else b"", ONE if secure else b"")

    def agree(self, formats, **more):
        self.ann.agree(self.bob, formats, self.now, **more)
        self.bob.agree(self.ann, formats, self.now, **more)

    def seconds(self, seconds, *, lose=0):
        """Let them talk; of so many packets one is lost."""
        for frame in range(round(seconds * 50)):
            self.now += 0.02
            for end, other in ((self.ann, self.bob), (self.bob, self.ann)):
                for datagram in end.say(self.now):
                    plain = end.eavesdropper.open(datagram) if end.keys[0] else datagram
                    end.sent.append(parse_rtp(plain))
                    if lose and not len(end.sent) % lose:
                        continue
                    other.stream.receive(datagram, end.address, self.now + 0.004)
            for end in (self.ann, self.bob):
                end.heard.append(end.stream.hear(self.now + 0.01))
                if frame % 50 == 49:
                    end.stream.report()
                    end.figures += [
                        each for each in end.stream.reports if isinstance(each, StreamReport)
                    ]
                    end.stream.reports.clear()


def share(frames, frequency):
    """How much of the power of these frames is this tone; all are of one rate."""
    rate = frames[-1][1]
    pcm = b"".join(pcm for pcm, at in frames if at == rate)
    return 10 ** ((tone_level(pcm, rate, frequency) - level_of(pcm)) / 10)


CHANGES = [
    (OPUS, PCMU, G722),
    (PCMU, OPUS, PCMU),
    (G722, OPUS, G722),
]


@pytest.fixture(autouse=True)
def _libraries():
    need_library("libopus.so.0", "libopus0")


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "srtp"])
@pytest.mark.parametrize("order", CHANGES, ids=lambda each: "-".join(f.name for f in each))
def test_speech_goes_on_both_ways_whatever_a_re_invite_chooses(order, secure):
    call = Call(secure=secure)
    for codec in order:
        call.agree((codec, *(each for each in ALL if each is not codec)))
        call.seconds(1.6)
        for end, other in ((call.ann, call.bob), (call.bob, call.ann)):
            assert share(end.heard[-50:], other.pitch) > 0.95
            assert all(level_of(pcm) > -20 for pcm, _ in end.heard[-70:])
            assert end.figures[-1].codec == codec.name
            assert end.figures[-1].refused == 0


@pytest.mark.parametrize("order", CHANGES, ids=lambda each: "-".join(f.name for f in each))
def test_jitter_is_measured_by_the_clock_of_what_is_spoken(order):
    """RFC 3550 §6.4.1: in units of the timestamps, which Opus counts six times as fast."""
    call = Call(secure=False)
    for codec in order:
        call.agree((codec, *(each for each in ALL if each is not codec)))
        call.seconds(2)
        assert call.ann.figures[-1].jitter_ms < 1
        assert call.ann.figures[-1].mos > 4.3


@pytest.mark.parametrize("order", CHANGES, ids=lambda each: "-".join(f.name for f in each))
def test_the_figures_of_a_call_go_on_when_its_codec_changes(order):
    call = Call(secure=False)
    for codec, lose in zip(order, (20, 20, 4), strict=True):
        call.agree((codec, *(each for each in ALL if each is not codec)))
        call.seconds(4, lose=lose)
    figures = call.ann.figures
    for name in ("sent", "received", "lost", "late", "concealed"):
        values = [getattr(each, name) for each in figures]
        assert values == sorted(values), name
    assert figures[-1].lost == pytest.approx(200 / 20 * 2 + 200 / 4, abs=3)
    assert figures[-1].mos < figures[7].mos - 0.5, "the opinion is of the last seconds"


@pytest.mark.parametrize("order", CHANGES, ids=lambda each: "-".join(f.name for f in each))
def test_sequence_and_timestamp_are_one_line_over_all_codecs(order):
    call = Call(secure=False)
    for codec in order:
        call.agree((codec, *(each for each in ALL if each is not codec)))
        call.seconds(0.5)
    sent = call.ann.sent
    assert len({each.ssrc for each in sent}) == 1
    first = sent[0].sequence
    assert [each.sequence for each in sent] == [
        (first + number) & 0xFFFF for number in range(len(sent))
    ]
    for before, after in pairwise(sent):
        clock = 48000 if before.payload_type == 96 else 8000
        assert (after.timestamp - before.timestamp) & 0xFFFFFFFF == clock // 50


L16 = PayloadFormat(97, "L16", 8000)
NOISE = PayloadFormat(97, "CN", 8000)
EVENTS = PayloadFormat(97, "telephone-event", 8000)


@pytest.mark.parametrize("before", [L16, NOISE, EVENTS], ids=lambda each: each.name)
@pytest.mark.parametrize("after", [L16, NOISE, EVENTS], ids=lambda each: each.name)
def test_a_number_means_what_was_agreed_on_last(before, after):
    """RFC 3264 §8.3.2 forbids it to change; where it does all the same, one thing is meant."""
    reception = Reception()
    reception.expect((PCMU, before))
    reception.expect((PCMU, after))
    payload = {"L16": b"\x10\x00" * 160, "CN": b"\x40", "telephone-event": b"\5\x8a\3\x20"}
    digits, loud = [], 0
    for number in range(20):
        for kind, sound in ((0, b"\xff" * 160), (97, payload[after.name])):
            sequence = 2 * number + (kind > 0)
            packet = RtpPacket(kind, sequence, sequence * 160, 7, sound)
            digits += reception.receive(packet, ("192.0.2.9", 4000), 100 + sequence * 0.02)
            loud += level_of(reception.hear(100.01 + sequence * 0.02)) > -20
    assert bool(digits) is (after is EVENTS)
    assert (loud > 5) is (after is L16)
    assert reception.resting is (after is NOISE)
