"""One stream on paper: datagrams in, datagrams out, no socket."""

import math
from array import array
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import pytest
from msgspec import structs

from firmware.base.pcm import audioop
from firmware.base.tokens import Tokens
from firmware.media.messages import (
    ConfigureStream,
    Direction,
    FirstHeard,
    Foreign,
    HearingChanged,
    OpenStream,
    PayloadFormat,
    Silence,
    StreamReport,
)
from firmware.media.stream import Stream
from firmware.rtp.latch import normal
from firmware.rtp.packet import RtpPacket, parse_rtp, write_rtp
from firmware.rtp.rtcp import (
    ExtendedReport,
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    parse_rtcp,
    write_rtcp,
)
from tests.support.virtual_call import spoken

PCMU = PayloadFormat(0, "PCMU", 8000)
G722 = PayloadFormat(9, "G722", 8000)
EVENTS = PayloadFormat(101, "telephone-event", 8000)
CN = PayloadFormat(13, "CN", 8000)
THERE = ("192.0.2.9", 4000)
CONTROL = ("192.0.2.9", 4001)
SILENT = bytes(320)


@dataclass
class Call:
    """A stream and a clock."""

    stream: Stream
    now: float = 100.0
    number: int = 0

    def receive(self, payload=b"\xff" * 160, kind=0, source=THERE, ssrc=7):
        packet = RtpPacket(
            kind, self.number & 0xFFFF, self.number * 160 & 0xFFFFFFFF, ssrc, payload
        )
        self.number += 1
        self.stream.receive(write_rtp(packet), source, self.now)

    def frame(self, *, speaking=True):
        if speaking:
            self.receive()
        self.now += 0.02
        heard, _ = self.stream.hear(self.now)
        if not self.stream.sends:
            self.stream.skip()
            return heard, ()
        return heard, self.stream.say(SILENT, self.now)


@pytest.fixture
def call():
    return Call(Stream(OpenStream(1, (PCMU, G722, EVENTS, CN)), Tokens(b"seed"), 100.0))


@pytest.fixture
def answered(call):
    call.stream.configure(ConfigureStream(1, THERE, CONTROL, (PCMU,), dtmf=EVENTS), call.now)
    return call


def reports(call, kind):
    return [report for report in call.stream.reports if isinstance(report, kind)]


def test_ssrc_sequence_and_timestamp_are_not_to_be_guessed():
    lines = set()
    for seed in (b"one", b"two", b"three"):
        stream = Stream(OpenStream(1, (PCMU,)), Tokens(seed), 0.0)
        stream.configure(ConfigureStream(1, THERE, CONTROL, (PCMU,)), 0.0)
        packet = parse_rtp(stream.say(SILENT, 0.0)[0])
        lines.add((packet.ssrc, packet.sequence, packet.timestamp))
    assert len({ssrc for ssrc, _, _ in lines}) == 3
    assert len({sequence for _, sequence, _ in lines}) == 3
    assert len({timestamp for _, _, timestamp in lines}) == 3


def test_nothing_is_sent_before_an_answer(call):
    assert not call.stream.sends
    assert not call.stream.farewell(call.now)


def test_a_new_far_end_continues_the_line(answered):
    before = parse_rtp(answered.frame()[1][0])
    answered.stream.configure(ConfigureStream(1, ("192.0.2.10", 5000), CONTROL, (PCMU,)), 101.0)
    after = parse_rtp(answered.frame()[1][0])
    assert answered.stream.remote == ("192.0.2.10", 5000)
    assert (after.ssrc, after.sequence) == (before.ssrc, (before.sequence + 1) & 0xFFFF)


def test_an_answer_without_a_codec_we_have_sends_nothing_and_says_so(call):
    call.stream.configure(
        ConfigureStream(1, THERE, CONTROL, (PayloadFormat(97, "speex", 8000),)), call.now
    )
    assert not call.stream.sends
    assert "speex/8000" in call.stream.reports[0].text


def test_reports_go_at_their_interval_and_tell_what_was_received(answered):
    """RFC 3550 §6.2, RFC 3550 §6.3.1; RFC 3550 §6."""
    sent = []
    for _ in range(600):
        answered.frame()
        if answered.now >= answered.stream.control_due:
            sent.append((answered.now, parse_rtcp(answered.stream.take_control(answered.now))))
    assert sent[0][0] == pytest.approx(102.5, abs=0.05)
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(sent)]
    assert all(5 * 0.5 / 1.2183 <= gap <= 5 * 1.5 / 1.2182 + 0.02 for gap in gaps)
    report, name, extended = sent[0][1]
    assert isinstance(report, SenderReport)
    assert isinstance(name, SourceDescription)
    assert len(name.cname) * 5 >= 96, "RFC 7022: a random name, told to nobody else"
    assert report.packets == pytest.approx(125, abs=1)
    assert report.octets == report.packets * 160
    (block,) = report.blocks
    assert (block.ssrc, block.lost, block.highest) == (7, 0, report.packets - 1)
    (metrics,) = extended.metrics
    assert (metrics.ssrc, metrics.lost, metrics.gmin) == (7, 0.0, 16), "RFC 3611 §4.7"
    assert metrics.listening == pytest.approx(4.4, abs=0.05)


def test_who_does_not_want_our_metrics_gets_none(answered):
    """RFC 3611 §5.1."""
    order = ConfigureStream(1, THERE, CONTROL, (PCMU,), dtmf=EVENTS, metrics=False)
    answered.stream.configure(order, answered.now)
    for _ in range(60):
        answered.frame()
    kinds = [type(each) for each in parse_rtcp(answered.stream.take_control(answered.now))]
    assert kinds == [SenderReport, SourceDescription]


def test_metrics_tell_what_was_measured_and_how_the_buffer_is(answered):
    """RFC 3611 §4.7.4: levels and echo; RFC 3611 §4.7.7: the buffer's delays; RFC 3611 §4.7.6."""
    speech, room = spoken(), array("h", [33, -33] * 80).tobytes()
    for _ in range(8):
        for frame in range(50):
            answered.receive(speech if frame < 40 else audioop.lin2ulaw(room, 2))
            answered.frame(speaking=False)
            answered.stream.say(room, answered.now)
        answered.stream.report()
    (metrics,) = parse_rtcp(answered.stream.take_control(answered.now))[2].metrics
    assert metrics.signal_level == pytest.approx(-14, abs=1), "0 dBm0 is 6 below 0 dBov"
    assert metrics.noise_level == pytest.approx(-54, abs=3)
    assert metrics.echo_loss == pytest.approx(40, abs=4)
    assert metrics.buffer_nominal_ms <= metrics.buffer_most_ms <= metrics.buffer_limit_ms == 440
    assert metrics.buffer_most_ms == metrics.buffer_nominal_ms + 120


@pytest.mark.parametrize("ppm", [0, 150, -150])
def test_f31_the_drift_of_the_far_end_is_in_the_figures(answered, ppm):
    for _ in range(70):
        for _ in range(50):
            answered.receive()
            answered.now += 0.02 * (1 - ppm * 1e-6)
            answered.stream.hear(answered.now)
        answered.stream.watch_sending(answered.now, 0, "")
    answered.stream.report()
    assert reports(answered, StreamReport)[-1].drift_ppm == pytest.approx(ppm, abs=15)


def test_the_far_end_s_opinion_of_us_is_passed_on(answered):
    """RFC 3611 §4.7.5."""
    ours = parse_rtcp(answered.stream.farewell(answered.now))[0].ssrc
    for _ in range(60):
        answered.frame()
    said = parse_rtcp(answered.stream.take_control(answered.now))[2].metrics[0]
    back = structs.replace(said, ssrc=ours, conversation=3.4)
    stranger = structs.replace(said, ssrc=ours ^ 1, conversation=1.0)
    answered.stream.receive_control(
        write_rtcp((ReceiverReport(7), ExtendedReport(7, (back, stranger)))), CONTROL, answered.now
    )
    answered.stream.report()
    (report,) = reports(answered, StreamReport)
    assert report.remote_mos == 3.4
    assert report.mos == pytest.approx(4.4, abs=0.05)


def test_the_far_end_s_report_gives_round_trip_and_loss(answered):
    for _ in range(130):
        answered.frame()
    ours = parse_rtcp(answered.stream.take_control(answered.now))[0]
    last_sr = (ours.ntp >> 16) & 0xFFFFFFFF
    block = ReportBlock(ours.ssrc, 25, 12, 0, 80, last_sr, 65536 // 2)
    answered.now += 0.6
    answered.stream.receive_control(
        write_rtcp((ReceiverReport(7, (block,)),)), CONTROL, answered.now
    )
    answered.stream.report()
    report = answered.stream.reports[-1]
    assert report.round_trip_ms == pytest.approx(100, abs=1)
    assert report.remote_lost == 12


def test_rtcp_on_the_rtp_port_is_understood(answered):
    answered.frame()
    ours = parse_rtp(answered.frame()[1][0]).ssrc
    report = ReceiverReport(7, (ReportBlock(ours, 0, 5, 0, 0, 0, 0),))
    answered.stream.receive(write_rtcp((report,)), THERE, answered.now)
    answered.stream.report()
    assert answered.stream.reports[-1].remote_lost == 5


def test_farewell_is_a_goodbye_after_a_report(answered):
    answered.frame()
    *_, last = parse_rtcp(answered.stream.farewell(answered.now))
    assert isinstance(last, Goodbye)


@pytest.mark.parametrize(
    "datagram", [b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12), b"\x16\xfe\xfd" + bytes(30)]
)
def test_stun_and_dtls_are_passed_up(call, datagram):
    call.stream.receive(datagram, THERE, call.now)
    assert call.stream.reports == [Foreign(1, datagram, THERE)]


def test_a_flood_of_stun_is_not_passed_up(call):
    for _ in range(1000):
        call.stream.receive(b"\0\1" + bytes(18), THERE, call.now)
    assert len(reports(call, Foreign)) == 200
    call.stream.report()
    call.stream.receive(b"\0\1" + bytes(18), THERE, call.now)
    assert len(reports(call, Foreign)) == 201


def test_comfort_noise_announces_a_silence_that_needs_no_explanation(answered):
    for _ in range(50):
        answered.frame()
    answered.receive(b"\x40", kind=13)
    for _ in range(500):
        answered.frame(speaking=False)
        answered.stream.watch(answered.now, "")
    assert not reports(answered, HearingChanged)


def test_a_stranger_s_unknown_payload_is_not_the_reason_of_silence(answered):
    for _ in range(150):
        answered.receive(kind=77, source=("198.51.100.1", 9))
        answered.frame(speaking=False)
    answered.stream.watch(answered.now, "")
    (report,) = reports(answered, HearingChanged)
    assert report.cause is Silence.NO_PACKETS


def firsts(call):
    """How often it was said that speech arrives, since the last look."""
    found = len(reports(call, FirstHeard))
    call.stream.reports.clear()
    return found


def arrives(call, count=3, **packet):
    """Packets, 20 ms apart."""
    for _ in range(count):
        call.now += 0.02
        call.receive(**packet)


def test_the_first_speech_is_told_at_once_and_only_once(call):
    """RFC 3960 §3.2: a ringback of ours ends with it; RFC 3264 §5.1: also before any answer."""
    arrives(call, kind=77)
    assert firsts(call) == 0, "nobody can decode it"
    arrives(call, payload=b"\x40", kind=13)
    assert firsts(call) == 0, "comfort noise is no ringing"
    arrives(call)
    assert firsts(call) == 1
    arrives(call, 50)
    assert firsts(call) == 0


def test_early_media_that_falls_silent_is_told_and_so_is_its_return(call):
    arrives(call)
    assert firsts(call) == 1
    for _ in range(150):
        call.frame(speaking=False)
    call.stream.watch(call.now, "")
    assert [report.cause is None for report in reports(call, HearingChanged)] == [False]
    assert firsts(call) == 0
    arrives(call)
    assert firsts(call) == 1


def test_another_far_end_is_heard_anew(answered):
    arrives(answered)
    assert firsts(answered) == 1
    answered.stream.configure(ConfigureStream(1, THERE, CONTROL, (PCMU,)), answered.now)
    arrives(answered)
    assert firsts(answered) == 0, "the same one"
    other = ("192.0.2.10", 6000)
    answered.stream.configure(ConfigureStream(1, other, CONTROL, (PCMU,)), answered.now)
    arrives(answered, 1)
    assert firsts(answered) == 0, "one packet of the old one is not let in"
    arrives(answered, 10, source=other, ssrc=8)
    assert firsts(answered) == 1


def test_malformed_media_in_a_call_costs_no_sound(answered):
    """RTP, RTCP and extended reports with bits turned and ends cut off, between good packets."""
    rng = Random(5)  # noqa: S311 - a seeded vandal
    voice = bytes((0x30, 0xB0)) * 80
    report = write_rtcp((SenderReport(7, 1, 2, 3, 4, (ReportBlock(9, 1, 2, 3, 4, 5, 6),)),))
    extended = answered.stream.take_control(answered.now)
    silent = 0
    for number in range(300):
        good = write_rtp(RtpPacket(0, number, number * 160, 7, voice))
        for whole in (good[:40], report, extended, bytes.fromhex("80cf0001 00000007 07ffffff")):
            bent = bytearray(whole[: rng.randrange(len(whole) + 1)])
            for _ in range(3):
                if bent:
                    bent[rng.randrange(len(bent))] = rng.randrange(256)
            source = THERE if rng.random() < 0.2 else ("203.0.113.5", 666)
            answered.stream.receive(bytes(bent), source, answered.now)
            answered.stream.receive_control(bytes(bent), CONTROL, answered.now)
        answered.receive(voice)
        heard, _ = answered.frame(speaking=False)
        silent += not any(heard)
    assert silent < 10
    answered.stream.report()


def test_a08_other_sources_between_the_packets_of_the_call_cost_no_sound(answered):
    """From the very address of the far end: forged, or a mixer gone mad."""
    dice = Random(8)  # noqa: S311 - a flood
    voice = bytes((0x30, 0xB0)) * 80
    silent = 0
    for number in range(200):
        answered.receive(voice)
        for ssrc in (8, dice.getrandbits(32)):
            forged = RtpPacket(0, dice.getrandbits(16), dice.getrandbits(32), ssrc, b"\xff" * 160)
            answered.stream.receive(write_rtp(forged), THERE, answered.now)
        heard, _ = answered.frame(speaking=False)
        silent += number > 5 and not any(heard)
    answered.stream.report()
    report = reports(answered, StreamReport)[-1]
    assert (silent, report.lost, report.concealed) == (0, 0, 0)
    assert report.received == 200


def test_no_payload_whatever_stops_a_stream(answered):
    dice = Random(3)  # noqa: S311 - noise
    for _ in range(3000):
        kind = dice.choice((0, 0, 8, 9, 13, 101, 127))
        payload = dice.randbytes(dice.choice((0, 1, 3, 4, 7, 160, 333, 1400)))
        if dice.random() < 0.1:
            answered.number += dice.randrange(-30000, 30000)
        answered.receive(payload, kind, ssrc=dice.choice((7, 7, 7, 8)))
        answered.frame(speaking=dice.random() < 0.5)


@pytest.mark.parametrize(
    ("written", "kernel"),
    [
        (("2001:DB8:0:0::1", 4), ("2001:db8::1", 4)),
        (("fe80::1%eth0", 4), ("fe80::1%eth0", 4)),
        (("192.0.2.1", 4), ("192.0.2.1", 4)),
        (("not.an.address", 4), ("not.an.address", 4)),
    ],
)
def test_addresses_are_compared_as_the_kernel_writes_them(written, kernel):
    assert normal(written) == kernel


BEHIND_A_NAT = ("203.0.113.7", 41000)


def agreed(call, *, symmetric, remote=THERE, control=THERE, **more):
    order = ConfigureStream(1, remote, control, (PCMU,), symmetric=symmetric, **more)
    call.stream.configure(order, call.now)


def where(call):
    """Where speech and reports go."""
    return call.stream.remote, call.stream.remote_control


def test_a08_nothing_is_sent_to_a_learned_address_without_the_policy(call):
    agreed(call, symmetric=False)
    arrives(call, 50, source=BEHIND_A_NAT)
    assert reports(call, FirstHeard), "it is heard all the same"
    assert where(call) == (THERE, THERE)


def test_with_the_policy_speech_goes_to_where_the_far_end_speaks_from(call):
    """RFC 4961 §3: a far end behind a NAT names an address that nobody can reach."""
    agreed(call, symmetric=True)
    arrives(call, 2, source=BEHIND_A_NAT)
    assert where(call) == (THERE, THERE), "two packets are no stream"
    arrives(call, 2, source=BEHIND_A_NAT)
    assert where(call) == (BEHIND_A_NAT, BEHIND_A_NAT)
    agreed(call, symmetric=True)
    assert where(call) == (BEHIND_A_NAT, BEHIND_A_NAT), "a hold changes nothing"
    assert firsts(call) == 1
    arrives(call, 1, source=BEHIND_A_NAT)
    assert firsts(call) == 0, "nor is it another far end"
    arrives(call, 3, source=THERE)
    assert where(call) == (THERE, THERE), "the address of the SDP is always right"


def test_reports_on_a_port_of_their_own_stay_there(call):
    agreed(call, symmetric=True, control=CONTROL)
    arrives(call, 4, source=BEHIND_A_NAT)
    assert where(call) == (BEHIND_A_NAT, CONTROL)


def test_a08_once_the_far_end_is_heard_nobody_draws_the_sound_away(call):
    agreed(call, symmetric=True)
    arrives(call, 5)
    arrives(call, 100, source=("198.51.100.66", 6666), ssrc=9)
    assert where(call) == (THERE, THERE)


def test_a08_a_new_address_in_a_re_invite_ends_what_was_learned(call):
    agreed(call, symmetric=True)
    arrives(call, 4, source=BEHIND_A_NAT)
    moved = ("192.0.2.77", 5000)
    agreed(call, symmetric=True, remote=moved, control=moved)
    assert where(call) == (moved, moved)


def test_a08_where_ways_are_checked_nobody_is_followed(call):
    """RFC 8445 §12.1."""
    agreed(call, symmetric=True, checked=True)
    arrives(call, 10, source=BEHIND_A_NAT)
    assert where(call) == (THERE, THERE)


def test_who_holds_us_by_no_address_gets_no_reports_even_while_music_comes(call):
    """RFC 3264 §8.4: c=0.0.0.0 is neither for RTP nor for RTCP."""
    agreed(call, symmetric=False)
    arrives(call, 3)
    for symmetric in (False, True):
        agreed(
            call, symmetric=symmetric, remote=("", 0), control=("", 0), direction=Direction.RECVONLY
        )
        arrives(call, 300)
        assert where(call) == (("", 0), ("", 0))
        assert call.stream.control_due == math.inf
        assert call.stream.keep_alive(call.now + 60) == b""
