"""What a stream sends while it has nothing to say, so that the far end can still be heard."""

from itertools import pairwise

import pytest

from firmware.base.suites import SUITES
from firmware.base.tokens import Tokens
from firmware.media.messages import (
    ConfigureStream,
    Direction,
    HearingChanged,
    OpenStream,
    PayloadFormat,
    SetKeys,
    Silence,
    StreamReport,
)
from firmware.media.stream import Stream
from firmware.rtp.packet import parse_rtp
from firmware.rtp.rtcp import ReceiverReport, SenderReport, parse_rtcp
from firmware.rtp.srtp import Guard, Keys

PCMU = PayloadFormat(0, "PCMU", 8000)
CN = PayloadFormat(13, "CN", 8000)
THERE, CONTROL = ("192.0.2.9", 4000), ("192.0.2.9", 4001)
SPEECH, SILENCE = b"\x40\x1f\xc0\xe0" * 80, bytes(320)
SUITE = "AES_CM_128_HMAC_SHA1_80"
OURS, THEIRS = (bytes([fill]) * SUITES[SUITE].octets for fill in (1, 2))


class Phone:
    """A stream on virtual time, moved on as the engine does: frames, and a look each second."""

    def __init__(self, *expect, secure=False):
        self.now = 100.0
        self.stream = Stream(OpenStream(1, expect or (PCMU,), secure=secure), Tokens(b"x"), 100.0)
        self.media, self.kept = [], []

    def agree(self, direction=Direction.SENDRECV, remote=THERE, control=CONTROL, **more):
        formats = more.pop("formats", (PCMU,))
        order = ConfigureStream(1, remote, control, formats, direction, **more)
        self.stream.configure(order, self.now)
        return self

    def spend(self, seconds, pcm=SPEECH):
        for frame in range(int(seconds * 50)):
            self.now += 0.02
            if self.stream.sends:
                self.media += [(self.now, each) for each in self.stream.say(pcm, self.now)]
            else:
                self.stream.skip()
            if self.now >= self.stream.control_due:
                self.stream.take_control(self.now)
            if frame % 50 == 49:
                packet = self.stream.keep_alive(self.now)
                self.kept += [(self.now, packet)] if packet else []
        return self

    def longest_gap(self, since=100.0):
        moments = sorted([since, self.now, *(at for at, _ in self.media + self.kept)])
        return max(b - a for a, b in pairwise(moments))


@pytest.mark.parametrize("direction", [Direction.RECVONLY, Direction.INACTIVE])
def test_whoever_only_listens_keeps_the_way_open(direction):
    """RFC 6263 §7: at least one packet in every 15 seconds."""
    phone = Phone().agree(direction).spend(120)
    assert phone.media == []
    assert phone.longest_gap() <= 15.0
    assert len(phone.kept) <= 10


def test_the_way_is_opened_before_the_first_sound_can_come():
    """Early media to which we only listen: no NAT lets it in before something went out."""
    phone = Phone().agree(Direction.RECVONLY).spend(2)
    assert len(phone.kept) == 1


def test_while_media_leaves_nothing_else_does():
    """RFC 6263 §7: only when regular packets are not sent."""
    phone = Phone().agree().spend(60)
    assert phone.kept == []


def test_a_hold_in_which_nothing_is_sent_is_bridged_and_the_line_of_speech_goes_on():
    """RFC 6263 §4.6: sequence, timestamp and SSRC are those of the media."""
    phone = Phone().agree().spend(2)
    phone.agree(Direction.INACTIVE).spend(40)
    phone.agree().spend(1)
    assert phone.longest_gap() <= 15.0
    packets = [parse_rtp(data) for _, data in sorted(phone.media + phone.kept)]
    first = packets[0]
    assert [p.sequence for p in packets] == [
        (first.sequence + step) & 0xFFFF for step in range(len(packets))
    ]
    assert {p.ssrc for p in packets} == {first.ssrc}
    for at, data in phone.kept:
        packet = parse_rtp(data)
        assert (packet.payload, packet.marker) == (b"", False)
        ticks = (packet.timestamp - first.timestamp) & 0xFFFFFFFF
        assert ticks == pytest.approx((at - phone.media[0][0]) * 8000, abs=161)


def test_its_payload_type_means_nothing_to_either_end():
    """RFC 6263 §4.6: a dynamic type that was not negotiated."""
    ours, theirs = PayloadFormat(127, "opus", 48000), PayloadFormat(126, "G722", 8000)
    events = PayloadFormat(125, "telephone-event", 8000)
    phone = Phone(PCMU, ours).agree(Direction.INACTIVE, formats=(PCMU, theirs), dtmf=events)
    phone.spend(2)
    assert parse_rtp(phone.kept[0][1]).payload_type == 124


def test_a_long_pause_behind_comfort_noise_is_bridged():
    phone = Phone(PCMU, CN).agree(formats=(PCMU, CN), leave_out_silence=True)
    phone.spend(3).spend(60, SILENCE)
    assert len(phone.media) < 1000
    assert phone.longest_gap() <= 15.0


def test_on_one_port_the_reports_are_enough():
    """RFC 6263 §5, RFC 6263 §4.3: RTCP on the port of the media, closer together than 15 s."""
    phone = Phone().agree(Direction.INACTIVE, control=THERE)
    due = [phone.stream.control_due]
    for _ in range(60):
        phone.spend(1)
        if phone.stream.control_due != due[-1]:
            due.append(phone.stream.control_due)
    assert phone.kept == []
    # RFC 6263 §8: 1.5 / 1.21828 of five seconds at most.
    assert max(b - a for a, b in pairwise(due)) <= 6.2


@pytest.mark.parametrize("remote", [("", 0), ("192.0.2.9", 0)])
def test_to_nowhere_nothing_is_sent(remote):
    phone = Phone().agree(Direction.INACTIVE, remote=remote, control=("", 0)).spend(40)
    assert phone.kept == []


def test_before_an_answer_named_an_address_nothing_is_sent():
    assert Phone().spend(40).kept == []


def test_with_keys_it_is_sealed_and_without_them_not_sent():
    phone = Phone(secure=True).agree(Direction.INACTIVE, secure=True).spend(40)
    assert phone.kept == []
    phone.stream.set_keys(SetKeys(1, Keys(SUITE, OURS, THEIRS)))
    phone.spend(1)
    (_, sealed) = phone.kept[0]
    far = Guard()
    far.use(Keys(SUITE, THEIRS, OURS))
    opened = far.open(sealed)
    assert opened is not None
    assert parse_rtp(opened).payload == b""
    assert len(sealed) > len(opened)


def test_figures_and_reports_do_not_count_it():
    """RFC 6263 §4.6: there is no reporting of it; who sent no media sends a receiver report."""
    phone = Phone().agree(Direction.RECVONLY).spend(20)
    assert phone.kept
    report = parse_rtcp(phone.stream.take_control(phone.now))[0]
    assert isinstance(report, ReceiverReport)
    assert not isinstance(report, SenderReport)
    phone.stream.report()
    figures = [each for each in phone.stream.reports if isinstance(each, StreamReport)]
    assert figures[-1].sent == 0


def test_that_of_the_far_end_makes_no_sound_and_no_trouble():
    """RFC 3550 §5.1: a payload type that is not understood is ignored."""
    near, far = Phone().agree(), Phone().agree(Direction.RECVONLY)
    far.spend(2)
    near.stream.receive(far.kept[0][1], THERE, near.now)
    pcm, _ = near.stream.hear(near.now)
    assert not any(pcm)
    assert not [each for each in near.stream.reports if isinstance(each, HearingChanged)]


def test_the_engine_sends_it_from_the_port_of_the_media(bench):
    """RFC 6263 §7: the same addresses and ports as the regular packets."""
    far = bench.call(direction=Direction.RECVONLY)
    bench.seconds(3)
    (packet,) = far.packets
    assert (packet.payload_type, packet.payload) == (127, b"")
    bench.seconds(14)
    assert len(far.packets) == 2


class TestSignsOfLife:
    """F24: silence ends a call; but who only says nothing has not vanished."""

    @pytest.fixture
    def near(self):
        return Phone().agree()

    def cause(self, phone, seconds):
        phone.spend(seconds)
        phone.stream.watch(phone.now, "")
        told = [each for each in phone.stream.reports if isinstance(each, HearingChanged)]
        return told[-1].cause if told else None

    def test_f24_an_empty_packet_is_one(self, near):
        far = Phone().agree(Direction.RECVONLY).spend(2)
        near.stream.receive(far.kept[0][1], THERE, near.now)
        assert self.cause(near, 30) is Silence.NO_SOUND
        assert self.cause(near, 10) is Silence.NO_PACKETS

    def test_f24_a_report_is_one(self, near):
        far = Phone().agree(Direction.RECVONLY).spend(2)
        near.stream.receive_control(far.stream.take_control(far.now), CONTROL, near.now)
        assert self.cause(near, 30) is Silence.NO_SOUND
        assert self.cause(near, 10) is Silence.NO_PACKETS

    def test_f24_that_of_a_stranger_is_none(self, near):
        far = Phone().agree(Direction.RECVONLY).spend(2)
        stranger = ("203.0.113.5", 4001)
        near.stream.receive_control(far.stream.take_control(far.now), stranger, near.now)
        near.stream.receive(far.kept[0][1], stranger, near.now)
        assert self.cause(near, 5) is Silence.NO_PACKETS
