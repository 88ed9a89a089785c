"""RTCP of one stream without the stream: who may report, and what a report does.

What two ends make of one SSRC: `test_collisions`.
"""

import pytest

from firmware.base.tokens import Tokens
from firmware.media.messages import PayloadFormat
from firmware.media.reception import Reception
from firmware.media.reporting import Reporting
from firmware.media.sending import Sending
from firmware.rtp.packet import RtpPacket
from firmware.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    ReportBlock,
    SourceDescription,
    parse_rtcp,
    write_rtcp,
)

PCMU = PayloadFormat(0, "PCMU", 8000)
THERE, CONTROL, ELSEWHERE = ("192.0.2.9", 4000), ("192.0.2.9", 4001), ("198.51.100.1", 4001)


class Stream:
    """The parts that a stream reports on; the far end has spoken."""

    def __init__(self):
        tokens = Tokens(b"seed")
        self.sending, self.reception = Sending(tokens), Reception()
        self.reception.expect((PCMU,))
        self.reporting = Reporting(self.sending, self.reception, tokens, 0.0)
        for number in range(4):
            self.reception.receive(RtpPacket(0, number, number * 160, 7, bytes(160)), THERE, 1.0)

    def report(self):
        ours = ReportBlock(self.sending.rtp.ssrc, 128, 9, 100, 0, 0, 0)
        return write_rtcp((ReceiverReport(7, (ours,)), SourceDescription(7, "far")))


@pytest.fixture
def stream():
    return Stream()


def kinds(datagram):
    return [type(packet) for packet in parse_rtcp(datagram)]


def test_f24_a_far_end_that_reports_is_there_even_if_it_says_nothing(stream):
    assert not stream.reporting.take(stream.report(), CONTROL, 5.0, named=True)
    assert (stream.reporting.session.reported, stream.reception.alive_at) == (1, 5.0)


def test_a08_who_may_not_be_heard_may_not_report(stream):
    stream.reporting.take(stream.report(), ELSEWHERE, 5.0, named=False)
    assert stream.reporting.session.reported == 0
    assert stream.reception.alive_at < 0


def test_our_own_ssrc_from_the_far_end_is_left_to_it(stream):
    """RFC 3550 §8.2."""
    own = stream.sending.rtp.ssrc
    stream.sending.rtp.packet(bytes(160), 0, 160)
    stream.reporting.packet(1.0, 1.0, None)
    foreign = RtpPacket(0, 9, 9, own, bytes(160))
    assert not stream.reporting.meet(foreign, ELSEWHERE, 2.0), "a stranger"
    assert stream.reporting.meet(foreign, THERE, 2.0)
    assert stream.sending.rtp.ssrc != own
    assert stream.reporting.parts
    assert Goodbye in kinds(stream.reporting.packet(3.0, 1.0, None))
    assert not stream.reporting.parts
    assert Goodbye not in kinds(stream.reporting.packet(4.0, 1.0, None))


def test_the_last_word_is_good_bye(stream):
    stream.reporting.packet(1.0, 1.0, None)
    assert Goodbye in kinds(stream.reporting.goodbye(2.0))


def test_another_source_is_nobody_s(stream):
    """RFC 3550 §8.1."""
    taken = {stream.sending.rtp.ssrc, 7}
    assert all(stream.reporting.another_source()[0] not in taken for _ in range(50))
    assert stream.reporting.another_source()[1] < 1 << 15
