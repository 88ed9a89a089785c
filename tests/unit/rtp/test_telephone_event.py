"""Digits on the wire: RFC 4733 out and in, with packets lost, doubled and out of order."""

import struct

import pytest

from firmware.rtp.packet import RtpPacket
from firmware.rtp.telephone_event import (
    DigitEvent,
    EventPacket,
    TelephoneEventReceiver,
    TelephoneEventSender,
    event_code,
    event_digit,
)

FRAME = 160


def fields(packet: EventPacket) -> tuple[int, bool, int, int]:
    """Event, end bit, duration, timestamp."""
    code, flags, duration = struct.unpack("!BBH", packet.payload)
    return code, bool(flags & 0x80), duration, packet.timestamp


def dialled(sender: TelephoneEventSender, start: int = 1000) -> list[EventPacket | None]:
    """Frames until the sender rests."""
    frames: list[EventPacket | None] = []
    while sender.active:
        frames.append(sender.next_frame((start + len(frames) * FRAME) & 0xFFFFFFFF, FRAME))
        assert len(frames) < 10_000
    return frames


def on_the_wire(frames, sequence: int = 0, ssrc: int = 7) -> list[RtpPacket]:
    return [
        RtpPacket(101, sequence + index, frame.timestamp, ssrc, frame.payload, frame.marker)
        for index, frame in enumerate(frames)
        if frame is not None
    ]


def heard(receiver: TelephoneEventReceiver, packets) -> list[DigitEvent]:
    events: list[DigitEvent] = []
    now = 0.0
    for packet in packets:
        now += 0.02
        if packet is not None:
            events += receiver.receive(packet, now)
        events += receiver.expire(now)
    events += receiver.expire(now + 1)
    return events


@pytest.mark.parametrize("digit", "0123456789*#ABCD!")
def test_every_key_has_an_event_and_back(digit):
    """RFC 4733 §3.2, table 3."""
    code = event_code(digit)
    assert code is not None
    assert event_digit(code) == digit


@pytest.mark.parametrize("text", ["", "x", "12", "é", " "])
def test_what_is_no_key_has_no_event(text):
    assert event_code(text) is None


def test_letters_may_be_small():
    assert event_code("a") == 12


def test_a_digit_grows_by_a_frame_and_ends_three_times():
    """RFC 4733 §2.5.1.4."""
    sender = TelephoneEventSender()
    sender.queue("5", tone_ms=100, gap_ms=70)
    assert [fields(frame) for frame in dialled(sender) if frame] == [
        (5, False, 160, 1000),
        (5, False, 320, 1000),
        (5, False, 480, 1000),
        (5, False, 640, 1000),
        (5, True, 800, 1000),
        (5, True, 800, 1000),
        (5, True, 800, 1000),
    ]


def test_only_the_first_packet_of_a_digit_has_the_marker():
    sender = TelephoneEventSender()
    sender.queue("12")
    frames = dialled(sender)
    marked = [frame.timestamp for frame in frames if frame and frame.marker]
    assert len(marked) == 2
    assert marked[0] == 1000


def test_the_pause_between_two_digits_is_kept_and_speech_is_sent_in_it():
    sender = TelephoneEventSender()
    sender.queue("12", tone_ms=100, gap_ms=100)
    starts = sorted({frame.timestamp for frame in dialled(sender) if frame})
    assert starts[1] - starts[0] == (100 + 100) * 8


def test_a_digit_is_at_least_forty_milliseconds():
    sender = TelephoneEventSender()
    sender.queue("7", tone_ms=1, gap_ms=0)
    durations = [fields(frame)[2] for frame in dialled(sender) if frame]
    assert max(durations) == 320


def test_a_tone_longer_than_sixteen_bits_goes_on_in_a_new_segment():
    """RFC 4733 §2.5.1.3."""
    sender = TelephoneEventSender()
    sender.queue("9", tone_ms=10_000)
    frames = dialled(sender)
    starts = sorted({frame.timestamp for frame in frames if frame})
    assert [start - 1000 for start in starts] == [0, 0xFFFF]
    assert sum(frame.marker for frame in frames if frame) == 1
    full = [fields(frame) for frame in frames if frame and fields(frame)[2] == 0xFFFF]
    assert full == [(9, False, 0xFFFF, 1000)] * 3
    last = frames.index(next(frame for frame in frames if frame and frame.timestamp > 1000)) - 1
    assert fields(frames[last]) == full[0]
    assert heard(TelephoneEventReceiver(), on_the_wire(frames)) == [
        DigitEvent("9", None),
        DigitEvent("9", 10_000),
    ]


@pytest.mark.parametrize("milliseconds", range(8150, 8300, 10))
def test_a_tone_that_ends_just_beyond_the_border_ends_once(milliseconds):
    sender = TelephoneEventSender()
    sender.queue("9", tone_ms=milliseconds)
    assert [
        event.digit for event in heard(TelephoneEventReceiver(), on_the_wire(dialled(sender)))
    ] == ["9", "9"]


def test_events_of_another_clock_than_the_speech_last_as_long():
    sender = TelephoneEventSender(8000, line=48000)
    sender.queue("5", tone_ms=100)
    frames = [sender.next_frame(1000 + 960 * n, 960) for n in range(12)]
    said = [fields(frame) for frame in frames if frame]
    assert [duration for _, _, duration, _ in said] == [160, 320, 480, 640, 800, 800, 800]
    assert {timestamp for *_, timestamp in said} == {1000}


def test_the_queue_counts_clears_and_is_bounded():
    sender = TelephoneEventSender()
    assert sender.queue("1x2") == 2
    assert len(sender) == 2
    sender.next_frame(0, FRAME)
    sender.clear()
    assert len(sender) == 1  # the one that sounds still ends properly
    dialled(sender)
    assert len(sender) == 0
    assert sender.queue("1" * 1000) == 256


def test_ten_thousand_digits_leave_nothing_behind():
    sender = TelephoneEventSender()
    for _ in range(10_000):
        sender.queue("1", tone_ms=40, gap_ms=40)
        dialled(sender)
    assert len(sender) == 0
    assert not sender.active


def test_a_number_arrives_digit_by_digit():
    sender = TelephoneEventSender()
    sender.queue("0123456789*#ABCD")
    events = heard(TelephoneEventReceiver(), on_the_wire(dialled(sender)))
    assert [event.digit for event in events if event.duration_ms is None] == [*"0123456789*#ABCD"]
    assert {event.duration_ms for event in events} == {None, 100}


def test_the_same_digit_twice_is_two_digits():
    sender = TelephoneEventSender()
    sender.queue("55")
    events = heard(TelephoneEventReceiver(), on_the_wire(dialled(sender)))
    assert [event.digit for event in events if event.duration_ms is None] == ["5", "5"]


@pytest.mark.parametrize("lost", range(7))
def test_any_one_packet_may_be_lost(lost):
    sender = TelephoneEventSender()
    sender.queue("4")
    packets = on_the_wire(dialled(sender))
    del packets[lost]
    assert heard(TelephoneEventReceiver(), packets) == [
        DigitEvent("4", None),
        DigitEvent("4", 100),
    ]


def test_doubled_and_swapped_packets_change_nothing():
    sender = TelephoneEventSender()
    sender.queue("48")
    packets = on_the_wire(dialled(sender))
    shuffled = [packets[place ^ 1] for place in range(len(packets) & ~1)]
    doubled = [packet for packet in shuffled for _ in range(2)]
    events = heard(TelephoneEventReceiver(), doubled)
    assert [event for event in events if event.duration_ms is not None] == [
        DigitEvent("4", 100),
        DigitEvent("8", 100),
    ]


def test_a_digit_whose_ends_are_all_lost_ends_by_silence():
    sender = TelephoneEventSender()
    sender.queue("4")
    packets = on_the_wire(dialled(sender))[:4]
    receiver = TelephoneEventReceiver()
    for index, packet in enumerate(packets):
        receiver.receive(packet, index * 0.02)
    assert receiver.active
    assert receiver.expire(0.1) == ()
    assert receiver.expire(0.3) == (DigitEvent("4", 80),)
    assert not receiver.active
    # a straggler of it must not begin it again
    assert receiver.receive(packets[0], 0.4) == ()


def test_the_next_digit_ends_one_whose_ends_are_lost():
    sender = TelephoneEventSender()
    sender.queue("12")
    packets = on_the_wire(dialled(sender))
    received = packets[:3] + packets[7:]
    assert heard(TelephoneEventReceiver(), received)[:3] == [
        DigitEvent("1", None),
        DigitEvent("1", 60),
        DigitEvent("2", None),
    ]


def test_a_far_end_that_begins_to_count_anew_is_still_heard():
    receiver = TelephoneEventReceiver()
    for ssrc, start in ((7, 4_000_000_000), (7, 50), (8, 20)):
        sender = TelephoneEventSender()
        sender.queue("3")
        events = heard(receiver, on_the_wire(dialled(sender, start), ssrc=ssrc))
        assert [event.digit for event in events] == ["3", "3"], (ssrc, start)


def test_only_an_end_packet_arriving_is_a_whole_digit():
    packet = RtpPacket(101, 1, 500, 7, struct.pack("!BBH", 6, 0x8A, 800))
    assert TelephoneEventReceiver().receive(packet, 0) == (
        DigitEvent("6", None),
        DigitEvent("6", 100),
    )


@pytest.mark.parametrize("payload", [b"", b"\x05", b"\x05\x0a\x00", b"\xc8\x80\x00\xa0"])
def test_half_payloads_and_events_that_are_no_keys_tell_nothing(payload):
    receiver = TelephoneEventReceiver()
    assert receiver.receive(RtpPacket(101, 1, 500, 7, payload), 0) == ()


def test_durations_follow_the_clock_of_the_format():
    packet = RtpPacket(101, 1, 500, 7, struct.pack("!BBH", 6, 0x80, 4800))
    assert TelephoneEventReceiver(48000).receive(packet, 0)[-1] == DigitEvent("6", 100)
