"""RTP under random hands: packets, reports, digits and the jitter buffer's invariants."""

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.rtp.delay import AdaptiveDelay, FixedDelay
from firmware.rtp.jitter import JitterBuffer, Lengthen, Missing, Shorten
from firmware.rtp.latch import SourceLatch
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
from firmware.rtp.sequence import SourceState
from firmware.rtp.session import RtcpSession, RtpReceiver, RtpSender
from firmware.rtp.telephone_event import TelephoneEventReceiver, TelephoneEventSender

U16, U32, U64 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
PACKETS = st.builds(
    RtpPacket,
    st.integers(0, 127).filter(lambda number: not 64 <= number <= 95),
    U16,
    U32,
    U32,
    st.binary(max_size=40),
    st.booleans(),
    st.lists(U32, max_size=15).map(tuple),
    st.none()
    | st.tuples(
        U16, st.integers(0, 4).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n))
    ),
)
BLOCKS = st.builds(
    ReportBlock, U32, st.integers(0, 255), st.integers(-(2**23), 2**23 - 1), U32, U32, U32, U32
)
SOME_BLOCKS = st.lists(BLOCKS, max_size=3).map(tuple)
REPORTS = st.lists(
    st.builds(SenderReport, U32, U64, U32, U32, U32, SOME_BLOCKS)
    | st.builds(ReceiverReport, U32, SOME_BLOCKS)
    | st.builds(SourceDescription, U32, st.text(max_size=40))
    | st.builds(Goodbye, st.lists(U32, max_size=5).map(tuple), st.text(max_size=40)),
    min_size=1,
    max_size=5,
).map(tuple)


# Octets


@given(PACKETS)
def test_a_packet_is_read_as_it_was_written(packet):
    assert parse_rtp(write_rtp(packet)) == packet


@given(REPORTS)
def test_reports_are_read_as_they_were_written(packets):
    data = write_rtcp(packets)
    assert len(data) % 4 == 0
    if len(data) >= 8:
        assert parse_rtcp(data) == packets


@given(st.binary(max_size=100), st.sampled_from([b"", b"\x80", b"\x90", b"\xaf", b"\xbf"]))
def test_garbage_never_raises(data, head):
    parse_rtp(head + data)
    for kind in range(200, 208):
        parse_rtcp(head + bytes((kind,)) + data)
        parse_rtcp(b"\x9f" + bytes((kind, 0, len(data) // 4)) + data)


@given(REPORTS, st.data())
def test_a_spoilt_report_changes_nothing_that_must_not_break(packets, data):
    octets = bytearray(write_rtcp(packets))
    for _ in range(data.draw(st.integers(0, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    sender, receiver = RtpSender(1, 0, 0), RtpReceiver(frozenset({0}))
    receiver.receive(RtpPacket(0, 1, 1, 2, b"x"), 0.0)
    rtcp = RtcpSession(sender, receiver, "name", 8000, 0.0)
    rtcp.receive(bytes(octets), 1.0, data.draw(U64))
    assert 0 <= rtcp.remote.round_trip_ms < 60_000
    assert parse_rtcp(rtcp.report(2.0, 0, 0.5))


# Digits


@given(
    st.text("0123456789*#ABCD", max_size=8),
    st.integers(0, 9000),
    st.integers(0, 300),
    U32,
    st.sampled_from([80, 160, 240, 480]),
)
def test_whatever_is_dialled_arrives_once(digits, tone_ms, gap_ms, start, ticks):
    sender, receiver = TelephoneEventSender(), TelephoneEventReceiver()
    sender.queue(digits, tone_ms, gap_ms)
    heard, now, timestamp, sequence = [], 0.0, start, 0
    while sender.active:
        event = sender.next_frame(timestamp, ticks)
        if event is not None:
            packet = RtpPacket(101, sequence & 0xFFFF, event.timestamp, 1, event.payload)
            heard += receiver.receive(packet, now)
            sequence += 1
        now += ticks / 8000
        timestamp = (timestamp + ticks) & 0xFFFFFFFF
        heard += receiver.expire(now)
    assert "".join(event.digit for event in heard if event.duration_ms is None) == digits
    assert "".join(event.digit for event in heard if event.duration_ms is not None) == digits
    assert not receiver.active


@given(
    st.lists(
        st.tuples(st.binary(max_size=6), U32 | st.integers(0, 2000), st.booleans()), max_size=60
    )
)
def test_every_digit_that_begins_ends_before_the_next(rows):
    receiver = TelephoneEventReceiver()
    open_digit = None
    for index, (payload, timestamp, marker) in enumerate(rows):
        events = receiver.receive(
            RtpPacket(101, index, timestamp, 1, payload, marker), index * 0.02
        )
        for event in (*events, *receiver.expire(index * 0.02)):
            if event.duration_ms is None:
                assert open_digit is None
                open_digit = event.digit
            else:
                assert open_digit == event.digit
                open_digit = None


# Sources


@given(st.lists(st.tuples(U16, U32, st.floats(0, 1e6)), max_size=60), U16, st.integers(0, 3))
def test_the_counts_of_a_source_stay_sane(rows, first, probation):
    source = SourceState(first, 8000, probation)
    for sequence, timestamp, arrival in rows:
        source.update(sequence, timestamp, arrival)
        assert 0 <= source.take_fraction_lost() <= 255
        assert source.jitter_ticks >= 0
        assert source.expected >= 0


ADDRESSES = st.sampled_from([("192.0.2.1", 1), ("192.0.2.2", 2), ("192.0.2.3", 3)])


@given(st.lists(st.tuples(ADDRESSES, st.integers(0, 2), U16, st.floats(0, 0.5)), max_size=80))
def test_what_is_heard_comes_from_one_place_at_a_time(rows):
    said = ("192.0.2.1", 1)
    latch = SourceLatch(said)
    now = 0.0
    for source, ssrc, sequence, step in rows:
        now += step
        admitted = latch.admit(source, ssrc, sequence, now)
        assert admitted == (source == latch.locked)
        assert not (source == said and not admitted)


# The jitter buffer

STEPS = st.lists(
    st.tuples(
        st.integers(-3, 5),  # step of the sequence
        st.sampled_from([0, 0, 0, 0, 160, -160, 100_000, -100_000, 2**31]),  # a timestamp astray
        st.floats(0, 0.2),  # time that passes
        st.integers(0, 3),  # frames that are played
        st.sampled_from([7, 7, 7, 7, 7, 7, 8]),  # the source
        st.sampled_from([0, 80, 160, 480]),  # how long it lasts
        st.booleans(),  # whether it is no speech
    ),
    max_size=120,
)


@settings(max_examples=200)
@given(STEPS, st.booleans(), U16, U32)
def test_the_jitter_buffer_keeps_its_promises(steps, adaptive, sequence, timestamp):
    policy = AdaptiveDelay() if adaptive else FixedDelay(0.03)
    buffer = JitterBuffer(policy=policy, capacity=40)
    now, restarts, played, newest = 0.0, 0, set(), None
    for ahead, astray, passed, frames, ssrc, ticks, quiet in steps:
        now += passed
        sequence += ahead
        packet = RtpPacket(
            0,
            sequence & 0xFFFF,
            (timestamp + sequence * 160 + astray) & 0xFFFFFFFF,
            ssrc,
            b"%d" % sequence,
        )
        if quiet:
            buffer.note(packet, now)
        else:
            buffer.put(packet, now, ticks)
        if buffer.restarts != restarts:  # a new beginning: what was played is of another count
            restarts, newest = buffer.restarts, None
            played.clear()
        assert len(buffer) <= 40
        for _ in range(frames):
            playout = buffer.get(now)
            if isinstance(playout, Missing):
                assert 0 < playout.ticks <= 480
            elif playout is not None:
                out = playout if isinstance(playout, RtpPacket) else playout.packet
                number = int(out.payload)
                assert number not in played
                assert newest is None or number > newest
                played.add(number)
                newest = number
        assert min(buffer.lost, buffer.late, buffer.duplicate, buffer.concealed) >= 0
    for _ in range(200):  # whatever happened, it drains
        now += 0.02
        buffer.get(now)
    assert len(buffer) == 0 or buffer.get(now + 3600) is not None


@given(st.permutations(range(12)), st.floats(0.001, 0.05))
def test_any_order_within_the_delay_is_played_in_order(order, step):
    buffer = JitterBuffer(policy=FixedDelay(12 * step + 0.3))
    first = order[0] * 0.02
    for place, number in enumerate(order):
        packet = RtpPacket(0, number, number * 160, 7, b"x")
        buffer.put(packet, first + place * step)
    played = []
    now = first
    while len(played) < 12:
        playout = buffer.get(now)
        if isinstance(playout, Shorten | Lengthen):
            playout = playout.packet
        if isinstance(playout, RtpPacket):
            played.append(playout.sequence)
        now += 0.02
        assert now < 60
    assert played == sorted(played)
