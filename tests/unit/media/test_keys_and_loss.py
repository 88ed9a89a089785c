"""Keys that come as tones, and an encoder that follows the far end's loss reports."""

import pytest

from firmware.base.tokens import Tokens
from firmware.codec import CODECS, opus
from firmware.media.formats import load
from firmware.media.messages import ConfigureStream, DigitHeard, OpenStream, PayloadFormat
from firmware.media.sending import Sending
from firmware.media.singing import DigitSinger
from firmware.media.stream import Stream
from firmware.rtp.packet import RtpPacket, write_rtp
from firmware.rtp.rtcp import ReceiverReport, ReportBlock, SourceDescription, write_rtcp
from tests.support.machine_lacks import need_library

PCMU = PayloadFormat(0, "PCMU", 8000)
OPUS = PayloadFormat(96, "opus", 48000, 2, "useinbandfec=1")
EVENTS = PayloadFormat(101, "telephone-event", 8000)
THERE, CONTROL = ("192.0.2.9", 4000), ("192.0.2.9", 4001)


class Call:
    """A stream whose far end sings its keys in mu-law."""

    def __init__(self, dtmf):
        self.now, self.number = 100.0, 0
        self.encoder = CODECS["pcmu"].load().encoder()
        self.stream = Stream(OpenStream(1, (PCMU, EVENTS)), Tokens(b"seed"), self.now)
        self.stream.configure(ConfigureStream(1, THERE, CONTROL, (PCMU,), dtmf=dtmf), self.now)

    def hear(self, pcm):
        packet = RtpPacket(
            0, self.number, self.number * 160, 7, self.encoder.encode(pcm.ljust(320, b"\0"))
        )
        self.stream.receive(write_rtp(packet), THERE, self.now)
        self.number += 1
        self.now += 0.02
        self.stream.hear(self.now)

    def sing(self, digits):
        for _ in range(20):
            self.hear(b"")
        singer = DigitSinger(8000)
        singer.queue(digits, 100, 100)
        while singer.active:
            self.hear(singer.next_frame())
        for _ in range(20):
            self.hear(b"")

    @property
    def digits(self):
        return "".join(r.digit for r in self.stream.reports if isinstance(r, DigitHeard))


def test_keys_are_listened_for_where_no_events_were_agreed_on():
    call = Call(dtmf=None)
    call.sing("0159#D")
    assert call.digits == "0159#D"
    lengths = [r.duration_ms for r in call.stream.reports if isinstance(r, DigitHeard)]
    assert all(length == pytest.approx(100, abs=20) for length in lengths)


def test_with_events_a_tone_in_the_speech_is_only_a_tone():
    call = Call(dtmf=EVENTS)
    call.sing("0159#D")
    assert call.digits == ""


def test_a_later_agreement_ends_the_listening():
    call = Call(dtmf=None)
    call.stream.configure(ConfigureStream(1, THERE, CONTROL, (PCMU,), dtmf=EVENTS), call.now)
    call.sing("5")
    assert call.digits == ""


class TestLoss:
    """RFC 3550 §6.4.1: what the far end says it lost."""

    @pytest.fixture
    def expected(self, monkeypatch):
        need_library("libopus.so.0", "libopus0")
        shares = []
        monkeypatch.setattr(opus._Encoder, "expect_loss", lambda _self, share: shares.append(share))
        return shares

    def report(self, stream, fraction, now):
        control = stream.take_control(now)
        ours = int.from_bytes(control[4:8], "big")
        block = ReportBlock(ours, round(fraction * 256), 0, 0, 0, 0, 0)
        report = write_rtcp((ReceiverReport(7, (block,)), SourceDescription(7, "far")))
        stream.receive_control(report, CONTROL, now)

    def test_the_encoder_follows_it_up_at_once_and_down_by_and_by(self, expected):
        stream = Stream(OpenStream(1, (OPUS,)), Tokens(b"seed"), 100.0, 16000)
        stream.configure(ConfigureStream(1, THERE, CONTROL, (OPUS,)), 100.0)
        assert expected == [0.05]
        for second, fraction in enumerate((0.2, 0.2, 0.2, 0.0, 0.0)):
            self.report(stream, fraction, 105.0 + second * 5)
        assert expected[3] == pytest.approx(0.19, abs=0.02)
        assert expected[-1] == pytest.approx(0.11, abs=0.02)
        for second in range(20):
            self.report(stream, 0.0, 140.0 + second * 5)
        assert expected[-1] < 0.005

    def test_other_packets_change_nothing(self, expected):
        stream = Stream(OpenStream(1, (OPUS,)), Tokens(b"seed"), 100.0, 16000)
        stream.configure(ConfigureStream(1, THERE, CONTROL, (OPUS,)), 100.0)
        for datagram in (b"", b"\x80\xc9", bytes(40), b"\x81\xc9\x00\x07" + bytes(28)):
            stream.receive_control(datagram, CONTROL, 105.0)
        assert expected == [0.05]


class TestWishes:
    @pytest.fixture(autouse=True)
    def _library(self):
        need_library("libopus.so.0", "libopus0")

    def test_new_wishes_in_a_new_answer_make_a_new_encoder(self):
        machine = Sending(Tokens(b"seed"))
        machine.configure(load(OPUS), None, 20)
        first = machine._encoder
        machine.configure(load(OPUS), None, 20)
        assert machine._encoder is first
        wishes = PayloadFormat(96, "opus", 48000, 2, "maxaveragebitrate=12000")
        machine.configure(load(wishes), None, 20)
        assert machine._encoder is not first

    @pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60])
    def test_packets_last_what_opus_can_make(self, ptime):
        machine = Sending(Tokens(b"seed"))
        machine.configure(load(OPUS), None, ptime)
        begin = machine.rtp.timestamp
        sent = [datagram for _ in range(30) for datagram in machine.packets(bytes(640))]
        ticks = (machine.rtp.timestamp - begin) & 0xFFFFFFFF
        assert ticks == 30 * 960
        assert ticks // len(sent) in {480, 960, 1920, 2880}
