"""Our own SSRC comes from the far end: by chance, or because it sends back what it gets."""

from dataclasses import dataclass, field

import pytest

from firmware.base.suites import SUITES, Keys
from firmware.base.tokens import Tokens
from firmware.dsp.level import level_of
from firmware.dsp.tone_probe import tone_level
from firmware.dsp.tones import Tone
from firmware.media.messages import (
    ConfigureStream,
    EngineLog,
    HearingChanged,
    OpenStream,
    PayloadFormat,
    SetKeys,
)
from firmware.media.stream import Stream
from firmware.rtp.packet import RtpPacket, parse_rtp, write_rtp
from firmware.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SenderReport,
    SourceDescription,
    parse_rtcp,
    write_rtcp,
)
from firmware.rtp.srtp import Guard

PCMU = PayloadFormat(0, "PCMU", 8000)
EVENTS = PayloadFormat(101, "telephone-event", 8000)
THERE = ("192.0.2.9", 4000)
CONTROL = ("192.0.2.9", 4001)
STRANGER = ("203.0.113.66", 9999)
SUITE = "AEAD_AES_128_GCM"
OURS, THEIRS = (bytes([fill]) * SUITES[SUITE].octets for fill in (1, 2))


@dataclass
class Call:
    """A stream that talks; every frame the test says what arrives."""

    secure: bool = False
    now: float = 100.0
    said: list[RtpPacket] = field(default_factory=list)
    """What we sent, in the clear."""
    heard: list[bytes] = field(default_factory=list)
    reported: list[bytes] = field(default_factory=list)

    def __post_init__(self):
        self.stream = Stream(
            OpenStream(1, (PCMU, EVENTS), secure=self.secure), Tokens(b"seed"), self.now
        )
        self.tone = Tone((440.0,), -15, 8000)
        self.guard = Guard()
        order = ConfigureStream(1, THERE, CONTROL, (PCMU,), dtmf=EVENTS, secure=self.secure)
        self.stream.configure(order, self.now)
        if self.secure:
            self.stream.set_keys(SetKeys(1, Keys(SUITE, OURS, THEIRS)))
            self.guard.use(Keys(SUITE, THEIRS, OURS))
        self.spoken = Tone((700.0,), -15, 8000)
        self.number = 5000

    @property
    def ssrc(self):
        """Ours."""
        return self.said[-1].ssrc

    def frame(self):
        """We speak for 20 ms; returns what left."""
        self.now += 0.02
        datagrams = self.stream.say(self.tone.block(160), self.now)
        if self.secure:
            self.said += [parse_rtp(self.guard.open(each)) for each in datagrams]
        else:
            self.said += map(parse_rtp, datagrams)
        self.heard.append(self.stream.hear(self.now)[0])
        if self.now >= self.stream.control_due:
            self.reported.append(self.stream.take_control(self.now))
        return datagrams

    def theirs(self, ssrc, source=THERE):
        """20 ms of somebody else."""
        from firmware.base.pcm import audioop  # noqa: PLC0415 - one caller

        sound = audioop.lin2ulaw(self.spoken.block(160), 2)
        packet = RtpPacket(0, self.number & 0xFFFF, self.number * 160, ssrc, sound)
        self.number += 1
        data = write_rtp(packet)
        self.stream.receive(self.guard.seal(data) if self.secure else data, source, self.now)

    def report(self, *packets, source=CONTROL):
        self.stream.receive_control(write_rtcp(packets), source, self.now)

    def goodbyes(self):
        """SSRCs that said good-bye, each in a whole compound packet (RFC 3550 §6.1)."""
        found = []
        for datagram in self.reported:
            plain = self.guard.open_control(datagram) if self.secure else datagram
            packets = parse_rtcp(plain)
            assert isinstance(packets[0], SenderReport | ReceiverReport)
            assert isinstance(packets[1], SourceDescription)
            found += [each.ssrcs[0] for each in packets if isinstance(each, Goodbye)]
        return found

    def complaints(self):
        return [each.text for each in self.stream.reports if isinstance(each, EngineLog)]


def loud(frames, frequency):
    """Frames in which this tone is what there is to hear."""
    return sum(
        level_of(pcm) > -20 and tone_level(pcm, 8000, frequency) > level_of(pcm) - 1.0
        for pcm in frames
    )


class TestReflected:
    """Somebody sends back what it gets: an echo service, a tester's reflector."""

    @pytest.mark.parametrize("way", [1, 5, 40], ids=lambda frames: f"{20 * frames} ms")
    def test_what_we_said_is_heard_and_nobody_says_good_bye(self, way):
        """RFC 3550 §8.2: our own traffic, looped; another SSRC would not end the loop."""
        call, under_way = Call(), []
        for _ in range(500):
            under_way.append(call.frame())
            if len(under_way) > way:
                for datagram in under_way[-way - 1]:
                    call.stream.receive(datagram, THERE, call.now)
        assert loud(call.heard[-400:], 440.0) == 400
        assert len({each.ssrc for each in call.said}) == 1
        assert call.goodbyes() == call.complaints() == []
        assert call.stream._reporting.session.collisions.looped == 500 - way

    def test_digits_and_signs_of_life_that_come_back_are_ours_too(self):
        call, under_way = Call(), []
        call.stream.send_digits("1590", 200, 100)
        for _ in range(120):
            under_way.append(call.frame())
            for datagram in under_way[-3] if len(under_way) > 3 else ():
                call.stream.receive(datagram, THERE, call.now)
        assert len({each.ssrc for each in call.said}) == 1
        assert any(each.payload_type == 101 for each in call.said)

    def test_our_own_reports_are_not_taken_for_the_far_end_s(self):
        """RFC 3550 §8.2: what came back of RTCP is left alone."""
        call = Call()
        for _ in range(600):
            for datagram in call.frame():
                call.stream.receive(datagram, THERE, call.now)
            while call.reported:
                call.stream.receive_control(call.reported.pop(), CONTROL, call.now)
        rtcp = call.stream._reporting.session
        assert rtcp.collisions.looped > 600
        assert (rtcp.reported, rtcp.remote.round_trip_ms) == (0, 0)
        assert len({each.ssrc for each in call.said}) == 1


class TestCollision:
    """Somebody has chosen the same SSRC (once in four thousand million calls)."""

    @pytest.mark.parametrize("secure", [False, True], ids=["clear", "srtp"])
    def test_we_say_good_bye_and_go_on_under_another(self, secure):
        """RFC 3550 §8.2."""
        call = Call(secure=secure)
        for _ in range(20):
            call.frame()
        before = call.said[-1]
        for _ in range(200):
            call.theirs(before.ssrc)
            call.frame()
        after = call.said[20]
        assert after.ssrc != before.ssrc
        assert after.marker, "a new source begins to speak"
        assert after.timestamp == (before.timestamp + 160) & 0xFFFFFFFF
        assert after.sequence < 1 << 15  # RFC 4568 §6.4, RFC 3711 §3.3.1
        assert call.goodbyes() == [before.ssrc]
        assert len({each.ssrc for each in call.said}) == 2, "once"
        assert loud(call.heard[30:], 700.0) == len(call.heard[30:]), "it is heard all the time"

    def test_no_index_is_ever_sealed_twice(self):
        """RFC 3711 §9.1: a key, an SSRC and an index make a key stream."""
        call = Call(secure=True)
        for number in range(200):
            if number > 20:
                call.theirs(call.said[0].ssrc if number < 100 else call.ssrc)
            call.frame()
        seen = [(each.ssrc, each.sequence) for each in call.said]
        assert len(seen) == len(set(seen)) == 200

    def test_who_takes_each_new_one_too_gets_no_second_good_bye(self):
        """RFC 3550 §8.2: once, or a loop would bring a flood of them."""
        call = Call()
        call.frame()
        for _ in range(1500):
            call.theirs(call.ssrc)
            call.frame()
        assert len(call.goodbyes()) == 1
        assert len({each.ssrc for each in call.said}) == 2

    def test_after_a_while_it_may_happen_again(self):
        """RFC 3550 §8.2: an address is forgotten after about ten intervals of reports."""
        call = Call()
        for wait in (1, 51 * 50):
            for _ in range(wait):
                call.frame()
            for _ in range(10):
                call.theirs(call.ssrc)
                call.frame()
        for _ in range(400):
            call.frame()
        assert len(call.goodbyes()) == 2

    def test_who_has_not_spoken_yet_only_chooses_anew(self):
        """RFC 3550 §8.1; RFC 3550 §6.3.7: no good-bye of whom nobody has heard."""
        call = Call()
        own = call.stream._sending.rtp.ssrc
        call.theirs(own)
        for _ in range(400):
            call.frame()
        assert call.said[0].ssrc != own
        assert own not in call.goodbyes()

    def test_the_new_ssrc_is_nobody_s(self):
        """RFC 3550 §8.1."""
        call = Call()
        call.frame()
        stream = call.stream
        draws = iter((call.ssrc, 77, 78, 5, 6))
        stream._reporting._tokens = type("Dice", (), {"integer": lambda _, _limit: next(draws)})()
        stream._reception.rtp.ssrc = 77
        assert stream._reporting.another_source() == (78, 5)

    def test_the_count_of_what_was_sent_begins_anew_with_the_ssrc(self):
        """RFC 3550 §6.4.1; the figures of the call go on."""
        call = Call()
        for _ in range(200):
            call.frame()
        call.theirs(call.ssrc)
        for _ in range(400):
            call.frame()
        (last,) = [
            each
            for each in parse_rtcp(call.reported[-1])
            if isinstance(each, SenderReport) and each.ssrc == call.ssrc
        ]
        assert 200 < last.packets <= 400
        assert call.stream._sending.rtp.packets == 600

    def test_a_digit_that_sounds_stays_one_digit(self):
        """RFC 4733 §2.5.1.2: its beginning is its name, on the same line of time."""
        call = Call()
        call.frame()
        call.stream.send_digits("5", 300, 100)
        for number in range(20):
            if number == 7:
                call.theirs(call.ssrc)
            call.frame()
        digits = [each for each in call.said if each.payload_type == 101]
        assert len({each.timestamp for each in digits}) == 1
        assert len({each.ssrc for each in digits}) == 2

    def test_reports_of_the_colliding_source_show_it_before_its_packets_do(self):
        """RFC 3550 §8.2: the same SSRC under another canonical name."""
        call = Call()
        for _ in range(10):
            call.frame()
        old = call.ssrc
        call.report(ReceiverReport(old), SourceDescription(old, "somebody"))
        for _ in range(10):
            call.frame()
        assert call.goodbyes() == [old]
        assert call.ssrc != old
        assert call.stream._reporting.session.reported == 0, "nothing of it is believed"

    def test_a_report_without_a_name_shows_nothing(self):
        call = Call()
        for _ in range(10):
            call.frame()
        old = call.ssrc
        call.report(ReceiverReport(old, (ReportBlock(old, 255, 99, 1, 1, 1, 1),)))
        call.frame()
        assert call.ssrc == old
        assert call.stream._reporting.session.remote.lost == 0


class TestOthers:
    """Who is not the far end, and who stands between."""

    def test_a08_a_stranger_who_knows_our_ssrc_does_not_make_us_leave_it(self):
        call = Call()
        for _ in range(100):
            call.theirs(7)
            call.frame()
            call.theirs(call.ssrc, STRANGER)
            call.report(
                ReceiverReport(call.ssrc), SourceDescription(call.ssrc, "x"), source=STRANGER
            )
        assert len({each.ssrc for each in call.said}) == 1
        assert call.goodbyes() == []

    def test_a08_a_stranger_s_reports_are_nothing(self):
        """RFC 3550 §8.2: a report comes from the host of the media."""
        call = Call()
        lie = lambda: ReportBlock(call.ssrc, 200, 5000, 1, 0, 0, 0)  # noqa: E731 - one word
        for _ in range(60):
            call.theirs(7)
            call.frame()
        call.report(ReceiverReport(7, (lie(),)), Goodbye((7,)))
        told = call.stream._reporting.session.remote
        assert told.lost == 5000
        call.report(ReceiverReport(7, (ReportBlock(call.ssrc, 0, 1, 1, 0, 0, 0),)), source=STRANGER)
        assert call.stream._reporting.session.remote == told

    def test_reports_from_behind_a_nat_are_heard_as_long_as_nobody_else_has_spoken(self):
        call, nat = Call(), ("198.51.100.9", 61235)
        call.frame()
        block = ReportBlock(call.ssrc, 0, 12, 1, 0, 0, 0)
        call.report(ReceiverReport(7, (block,)), source=nat)
        assert call.stream._reporting.session.remote.lost == 12
        call.report(ReceiverReport(7, ()), source=STRANGER)
        assert call.stream._reporting.session.reported == 1

    def test_a_mixer_that_names_us_is_no_collision(self):
        """RFC 3550 §7.1: we are in what it sends."""
        call = Call()
        call.frame()
        for number in range(50):
            packet = RtpPacket(0, number, number * 160, 7, b"\xff" * 160, csrcs=(call.ssrc, 9))
            call.stream.receive(write_rtp(packet), THERE, call.now)
            call.frame()
        assert len({each.ssrc for each in call.said}) == 1
        assert call.stream._reception.received == 50

    def test_a_far_end_that_leaves_its_ssrc_is_heard_on_at_once(self):
        """RFC 3550 §8.2: a good-bye frees the place, and the next source need not wait."""
        call = Call()
        for number in range(200):
            if number == 100:
                call.report(ReceiverReport(7), SourceDescription(7, "x"), Goodbye((7,)))
                assert call.stream._reporting.session.ended_by_them
            call.theirs(7 if number < 100 else 8)
            call.frame()
        assert call.stream._reception.received == 200
        assert not call.stream._reporting.session.ended_by_them
        assert not [each for each in call.stream.reports if isinstance(each, HearingChanged)]

    def test_a_source_that_goes_on_after_its_good_bye_is_left_in_its_place(self):
        """A gateway that says it at each hold: whoever speaks between its packets waits as ever."""
        call = Call()
        for number in range(200):
            if number == 50:
                call.report(ReceiverReport(7), SourceDescription(7, "x"), Goodbye((7,)))
            call.theirs(7)
            call.frame()
            if number > 60:
                call.theirs(8)
        assert call.stream._reception.rtp.ssrc == 7
        assert call.stream._reception.received == 200

    def test_without_a_good_bye_another_ssrc_has_to_prove_itself(self):
        call = Call()
        for number in range(200):
            call.theirs(7 if number < 100 else 8)
            call.frame()
        assert 190 < call.stream._reception.received < 200
