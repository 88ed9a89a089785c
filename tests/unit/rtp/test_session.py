"""An RTP session: what we send, whom we hear, and what both ends report."""

import pytest

from firmware.rtp.packet import RtpPacket, parse_rtp
from firmware.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    SenderReport,
    SourceDescription,
    parse_rtcp,
    write_rtcp,
)
from firmware.rtp.session import RtcpSession, RtpReceiver, RtpSender
from firmware.rtp.telephone_event import TelephoneEventSender

NTP_SECOND = 1 << 32


def speech(sequence, ssrc=7, number=0):
    return RtpPacket(number, sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, ssrc, bytes(160))


def heard(receiver, packets, start=0.0):
    return [receiver.receive(each, start + index * 0.02) for index, each in enumerate(packets)]


# Sending


def test_numbers_and_timestamps_go_on_over_their_wraps():
    sender = RtpSender(0xCAFE, 65535, 2**32 - 160)
    first, second = (parse_rtp(sender.packet(b"x" * 160, 0, 160)) for _ in range(2))
    assert (first.sequence, first.timestamp, first.ssrc) == (65535, 2**32 - 160, 0xCAFE)
    assert (second.sequence, second.timestamp) == (0, 0)
    assert (sender.packets, sender.octets) == (2, 320)


def test_a_digit_takes_the_place_of_speech_on_one_line_of_time():
    """RFC 4733 §2.5.1.2."""
    sender, digits = RtpSender(1, 0, 1000), TelephoneEventSender()
    sender.packet(b"x", 0, 160)
    digits.queue("1", tone_ms=40)
    packets = []
    while (event := digits.next_frame(sender.timestamp, 160)) is not None:
        packets.append(parse_rtp(sender.event(event, 101, 160)))
    after = parse_rtp(sender.packet(b"x", 0, 160))
    assert {each.timestamp for each in packets} == {1160}
    assert [each.sequence for each in packets] == [1, 2, 3, 4]
    assert after.timestamp == 1160 + 4 * 160


def test_time_passes_while_nothing_is_sent():
    sender = RtpSender(1, 5, 1000)
    sender.skip(8000)
    packet = parse_rtp(sender.packet(b"x", 0, 160, marker=True))
    assert (packet.sequence, packet.timestamp, packet.marker) == (5, 9000, True)


# Hearing


def test_only_negotiated_payload_types_count():
    receiver = RtpReceiver(frozenset({0, 101}))
    assert receiver.negotiated(speech(1))
    assert not receiver.negotiated(speech(2, number=3))
    assert receiver.foreign == 1
    receiver.configure(frozenset({3}), 8000)
    assert receiver.negotiated(speech(2, number=3))


def test_the_first_source_is_heard_from_its_first_packet():
    receiver = RtpReceiver(frozenset({0}))
    assert all(heard(receiver, [speech(index) for index in range(5)]))
    assert receiver.ssrc == 7
    assert receiver.source.received == 5


def test_another_ssrc_between_the_packets_of_the_call_is_not_heard():
    receiver = RtpReceiver(frozenset({0}))
    for index in range(50):
        assert receiver.receive(speech(index), index * 0.02)
        assert not receiver.receive(speech(index, ssrc=66), index * 0.02 + 0.005)
    assert receiver.strange == 50


def test_f30_a_new_ssrc_after_the_old_one_is_heard_within_200_ms():
    receiver = RtpReceiver(frozenset({0}))
    heard(receiver, [speech(index) for index in range(50)])
    admitted = heard(receiver, [speech(index, ssrc=9) for index in range(50)], start=1.0)
    assert admitted.index(True) <= 9
    assert all(admitted[admitted.index(True) :])
    assert receiver.ssrc == 9


def test_a_wild_sequence_number_is_strange():
    receiver = RtpReceiver(frozenset({0}))
    heard(receiver, [speech(index) for index in range(5)])
    assert not receiver.receive(speech(30_000), 0.1)
    assert receiver.strange == 1


# Reporting


def pair(now=0.0):
    """Two ends of a call: (sender, receiver, rtcp) each."""
    ends = []
    for ssrc in (1, 2):
        sender, receiver = RtpSender(ssrc, 0, 0), RtpReceiver(frozenset({0}))
        ends.append((sender, receiver, RtcpSession(sender, receiver, f"n{ssrc}", 8000, now)))
    return ends


def say(speaker, listener, frames, start=0.0, lose=()):
    for index in range(frames):
        data = speaker[0].packet(bytes(160), 0, 160)
        speaker[2].note_sent(start + index * 0.02)
        if index not in lose:
            listener[1].receive(parse_rtp(data), start + index * 0.02 + 0.01)


def test_who_sent_reports_what_it_sent_and_when():
    here, there = pair()
    say(here, there, 50)
    report, name = parse_rtcp(here[2].report(1.0, 5 * NTP_SECOND, 0.5))
    assert isinstance(report, SenderReport)
    assert (report.packets, report.octets) == (50, 8000)
    assert report.timestamp == 8000 + 160  # the 50th frame began at 0.98 s
    assert report.ntp == 5 * NTP_SECOND
    assert name == SourceDescription(1, "n1")


def test_who_only_listens_sends_a_receiver_report():
    """RFC 3550 §6.4.2."""
    here, there = pair()
    say(here, there, 50, lose=range(10, 20))
    report, _ = parse_rtcp(there[2].report(1.0, 0, 0.5))
    assert isinstance(report, ReceiverReport)
    (block,) = report.blocks
    assert (block.ssrc, block.lost, block.fraction_lost) == (1, 10, 10 * 256 // 50)
    assert block.highest == 49


def test_before_anything_was_heard_a_report_has_no_block():
    here, _ = pair()
    report, _ = parse_rtcp(here[2].report(1.0, 0, 0.5))
    assert report == ReceiverReport(1)


def test_the_round_trip_is_measured_by_report_and_answer():
    here, there = pair()
    say(here, there, 50)
    say(there, here, 50)
    # 30 ms on the way there, half a second until the answer, 30 ms back
    there[2].receive(here[2].report(1.0, 100 * NTP_SECOND, 0.5), 1.03, 0)
    answer = there[2].report(1.53, 7, 0.5)
    here[2].receive(answer, 1.56, 100 * NTP_SECOND + NTP_SECOND * 56 // 100)
    assert here[2].remote.round_trip_ms == pytest.approx(60, abs=0.1)
    assert here[2].remote.lost == 0


def test_a_report_about_someone_else_tells_nothing():
    here, there = pair()
    say(there, here, 5)
    here[2].receive(there[2].report(1.0, 0, 0.5), 1.0, 0)
    before = here[2].remote
    strange = write_rtcp((ReceiverReport(5, ()), Goodbye((99,))))
    here[2].receive(strange, 1.1, 0)
    assert here[2].remote == before
    assert not here[2].ended_by_them


@pytest.mark.parametrize("ntp", [0, 1, 2**64 - 1])
def test_nonsense_times_make_no_round_trip(ntp):
    here, there = pair()
    say(here, there, 5)
    there[2].receive(here[2].report(0.1, 2**63 + (7 << 32), 0.5), 0.2, 0)
    here[2].receive(there[2].report(0.3, 0, 0.5), 0.4, ntp)
    assert here[2].remote.lost == 0
    assert there[2]._last_sr == 7 << 16, "or nothing is shown"
    assert here[2].remote.round_trip_ms == 0


def test_a_good_bye_of_the_source_we_hear_ends_it():
    """RFC 3550 §6.6."""
    here, there = pair()
    say(here, there, 5)
    there[2].receive(here[2].goodbye(1.0, 0), 1.0, 0)
    assert there[2].ended_by_them


def test_reports_come_sooner_at_first_and_then_about_every_five_seconds():
    """RFC 3550 §6.2, RFC 3550 §6.3.1."""
    _, _, rtcp = pair(now=10.0)[0]
    assert rtcp.next_report == 12.5
    intervals = []
    for fraction in (0.0, 0.5, 0.999):
        rtcp.report(100.0, 0, fraction)
        intervals.append(rtcp.next_report - 100)
    assert intervals == pytest.approx([2.05, 4.10, 6.15], abs=0.01)


def test_garbage_on_the_rtcp_port_changes_nothing():
    here, _ = pair()
    assert here[2].receive(b"\x80\xc9garbage", 1.0, 0) == ()
