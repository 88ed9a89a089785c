"""The jitter buffer between a bad network and an ear, on virtual time."""

import pytest

from firmware.rtp.delay import AdaptiveDelay, FixedDelay
from firmware.rtp.jitter import JitterBuffer
from firmware.rtp.packet import RtpPacket
from firmware.rtp.playout import Lengthen, Missing, Put, Shorten, Surplus

MINUTE = 3000


def speech(sequence: int, timestamp: int | None = None, ssrc: int = 7) -> RtpPacket:
    timestamp = sequence * 160 if timestamp is None else timestamp
    return RtpPacket(0, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, bytes(160))


def test_a_clean_network_is_played_whole_and_the_delay_shrinks(wire, listen):
    buffer = JitterBuffer()
    ear = listen(buffer, wire().arrivals(MINUTE))
    assert ear.count("conceal") == 0
    assert buffer.lost == buffer.late == buffer.duplicate == 0
    assert ear.sequences == sorted(ear.sequences, key=lambda number: (number - 65_500) & 0xFFFF)
    assert buffer.target_ms < 10
    assert buffer.delay_ms < 30


@pytest.mark.parametrize("milliseconds", [20, 40, 80])
def test_jitter_is_ridden_out_without_losing_words(wire, listen, milliseconds):
    buffer = JitterBuffer()
    ear = listen(buffer, wire(jitter=milliseconds / 1000).arrivals(MINUTE))
    assert ear.count("conceal") <= MINUTE // 200
    assert buffer.late <= MINUTE // 200
    assert buffer.target_ms == pytest.approx(milliseconds, abs=8)
    assert buffer.delay_ms < milliseconds + 30


@pytest.mark.parametrize("share", [0.05, 0.1])
def test_what_is_lost_is_concealed_and_counted_once(wire, listen, share):
    buffer = JitterBuffer()
    arrivals = wire(loss=share).arrivals(MINUTE)
    ear = listen(buffer, arrivals)
    missing = MINUTE - len(arrivals)
    assert buffer.lost == pytest.approx(missing, abs=2)
    assert ear.count("conceal") == pytest.approx(missing, abs=3)
    assert buffer.policy.target < 0.010
    assert buffer.target_ms < 30  # a frame more, to see what is behind a gap


def test_swapped_packets_are_put_in_order(wire, listen):
    buffer = JitterBuffer()
    ear = listen(buffer, wire(swap=0.05).arrivals(MINUTE))
    assert ear.count("conceal") < 8
    assert buffer.late < 5


def test_doubled_packets_are_played_once(wire, listen):
    buffer = JitterBuffer()
    ear = listen(buffer, wire(double=0.3).arrivals(MINUTE))
    assert len(set(ear.sequences)) == len(ear.sequences)
    assert buffer.duplicate == pytest.approx(900, abs=100)
    assert ear.count("conceal") == 0


@pytest.mark.parametrize("skew", [1e-3, -1e-3, 1e-4])
def test_a_far_clock_that_is_wrong_never_makes_the_delay_creep(wire, listen, skew):
    buffer = JitterBuffer()
    ear = listen(buffer, wire(skew=skew).arrivals(2 * MINUTE))
    moved = abs(skew) * 2 * MINUTE  # frames the clocks drift apart
    assert ear.count("conceal") + ear.count("cut") <= moved + 4
    assert buffer.delay_ms < 45


def test_everything_at_once_is_still_in_order(wire, listen):
    buffer = JitterBuffer()
    ear = listen(buffer, wire(jitter=0.04, loss=0.05, swap=0.02, double=0.02).arrivals(MINUTE))
    steps = [(b - a) & 0xFFFF for a, b in zip(ear.sequences, ear.sequences[1:], strict=False)]
    assert all(0 < step < 100 for step in steps)
    assert ear.deepest < 12


def test_the_first_packet_waits_for_the_target_delay():
    buffer = JitterBuffer(policy=FixedDelay(0.040))
    buffer.put(speech(0), 1.0)
    assert buffer.get(1.039) is None
    assert buffer.get(1.041) == speech(0)


def test_a_first_packet_that_was_overtaken_is_still_first():
    buffer = JitterBuffer(policy=FixedDelay(0.040))
    buffer.put(speech(1), 1.000)
    buffer.put(speech(0), 1.005)
    assert buffer.get(1.041) == Shorten(speech(0))
    assert buffer.get(1.061) == Shorten(speech(1))


def test_a_hole_names_the_packet_behind_it_for_the_codecs_own_repair():
    buffer = JitterBuffer(policy=FixedDelay(0.020))
    buffer.put(speech(0), 0.0)
    buffer.put(speech(2), 0.04)
    assert buffer.get(0.021) == speech(0)
    assert buffer.get(0.041) == Missing(160, speech(2))
    assert buffer.get(0.061) == Lengthen(speech(2), urgent=True)
    assert buffer.lost == 1


def test_after_one_loss_the_packet_behind_the_next_is_waited_for_and_after_seven_seconds_not():
    buffer = JitterBuffer(policy=FixedDelay(0.020))
    buffer.put(speech(0), 0.0)
    assert buffer.get(0.021) == speech(0)
    buffer.put(speech(2), 0.04)
    assert buffer.get(0.041) == Missing(160, speech(2))
    waits = []
    for number in range(3, 403):
        waits.append(buffer.target_ms)
        buffer.put(speech(number), number * 0.02)
        buffer.get(number * 0.02 + 0.001)
    assert waits.count(40) * 0.02 == pytest.approx(7, abs=0.1)
    assert waits[-1] == 20


def test_a_packet_that_comes_after_its_time_is_late_and_not_lost():
    buffer = JitterBuffer(policy=FixedDelay(0.020))
    for number in (0, 2, 3):
        buffer.put(speech(number), number * 0.02)
    for tick in range(3):
        buffer.get(0.021 + tick * 0.02)
    assert buffer.put(speech(1), 0.09) is Put.LATE
    assert (buffer.lost, buffer.late) == (0, 1)


def test_a_packet_a_moment_too_late_is_played_when_the_policy_grants_the_delay():
    buffer = JitterBuffer(policy=AdaptiveDelay(start=0.010))
    buffer.put(speech(0), 0.0)
    assert buffer.get(0.011) == speech(0)
    assert buffer.get(0.031) == Missing(160, None)
    buffer.put(speech(1), 0.040)  # 20 ms behind the first: the target rises
    assert buffer.get(0.051) == speech(1)
    assert buffer.late == 0


def test_a_packet_that_was_played_already_is_a_double_and_not_late():
    buffer = JitterBuffer(policy=FixedDelay(0.020))
    buffer.put(speech(0), 0.0)
    assert buffer.get(0.021) == speech(0)
    assert buffer.put(speech(0), 0.022) is Put.DUPLICATE
    assert (buffer.duplicate, buffer.late) == (1, 0)


def test_with_too_much_delay_a_lost_packet_is_a_chance_to_catch_up():
    policy = FixedDelay(0.100)
    buffer = JitterBuffer(policy=policy)
    for number in (0, 1, 3, 4, 5):
        buffer.put(speech(number), number * 0.02)
    assert buffer.get(0.101) == speech(0)
    policy.target = 0.090
    assert buffer.get(0.121) == speech(1)
    policy.target = 0.060
    assert buffer.get(0.141) == Shorten(speech(3))
    assert (buffer.lost, buffer.concealed, buffer.cut) == (1, 0, 0)


def test_silence_on_the_line_is_concealed_for_a_moment_and_then_a_pause():
    buffer = JitterBuffer(policy=FixedDelay(0.020))
    buffer.put(speech(0), 0.0)
    playouts = [buffer.get(0.021 + tick * 0.02) for tick in range(20)]
    assert playouts[0] == speech(0)
    assert playouts[1:7] == [Missing(160, None)] * 6
    assert set(playouts[7:]) == {None}


def test_a_talker_who_pauses_is_not_concealed_and_resumes_on_time():
    buffer = JitterBuffer(policy=FixedDelay(0.020))
    buffer.put(speech(0, 0), 0.0)
    assert buffer.get(0.021) == speech(0, 0)
    buffer.put(speech(1, 8000), 1.0)  # next number, a second later: DTX
    waits = [buffer.get(0.041 + tick * 0.02) for tick in range(48)]
    assert set(waits[:5]) <= {None, Missing(160, None)}
    assert set(waits[8:]) == {None}
    assert buffer.get(1.021) == speech(1, 8000)
    assert buffer.lost == 0


def test_digits_in_the_stream_are_no_losses():
    buffer = JitterBuffer(policy=FixedDelay(0.020))
    for number in range(3):
        buffer.put(speech(number), number * 0.02)
    for number in range(3, 10):
        buffer.note(speech(number, 480), number * 0.02)  # RFC 4733: one timestamp
    for number in range(10, 13):
        buffer.put(speech(number), number * 0.02)
    playouts = [buffer.get(0.021 + tick * 0.02) for tick in range(13)]
    assert [each.sequence for each in playouts if isinstance(each, RtpPacket)] == [
        0, 1, 2, 10, 11, 12,
    ]  # fmt: skip
    assert buffer.lost == 0


@pytest.mark.parametrize(
    ("name", "sequence", "timestamp", "ssrc"),
    [
        ("another source", 100, 160_000, 8),
        ("the sequence begins anew", 30_000, 100 * 160, 7),
        ("the timestamp jumps ahead", 100, 900_000_000, 7),
        ("the timestamp jumps back", 100, 2**32 - 500_000, 7),
        ("the timestamp jumps back a little", 100, 100 * 160 - 4000, 7),
        ("the timestamp jumps ahead a little", 100, 100 * 160 + 4000, 7),
        ("both jump back", 0, 0, 7),
    ],
)
def test_after_any_jump_it_is_heard_again_within_200_ms(listener, name, sequence, timestamp, ssrc):
    buffer = JitterBuffer()
    ear = listener(buffer)
    for index in range(100):
        buffer.put(speech(index), index * 0.02 + 0.001)
        ear.tick(index * 0.02 + 0.01)
    before = len(ear.played)
    for index in range(100, 200):
        step = index - 100
        buffer.put(speech(sequence + step, timestamp + step * 160, ssrc), index * 0.02 + 0.001)
        ear.tick(index * 0.02 + 0.01)
    assert ear.longest_gap <= 10, name
    assert len(ear.played) - before >= 88, name
    assert set(ear.out[-20:]) <= {"play", "shorter"}, name
    assert buffer.lost <= 10, name
    assert buffer.target_ms <= 305, name


def test_a_network_that_holds_everything_up_for_a_second_is_caught_up_with(listener):
    buffer = JitterBuffer()
    ear = listener(buffer)
    for index in range(400):
        now = index * 0.02
        if index < 100 or index >= 150:
            buffer.put(speech(index), now + 0.001)
        elif index == 149:
            for late in range(100, 150):
                buffer.put(speech(late), now + 0.001)
        ear.tick(now + 0.01)
    assert ear.out[-100:].count("conceal") <= 1
    assert buffer.delay_ms < 330
    assert ear.deepest <= 60


@pytest.mark.parametrize("milliseconds", [10, 30, 40, 60])
def test_packets_of_other_lengths_are_played_without_a_hole(milliseconds):
    ticks = milliseconds * 8
    buffer = JitterBuffer()
    now, filled, holes, sequence = 0.003, 0, 0, 0
    while now < 10:
        while sequence * milliseconds / 1000 + 0.001 <= now:
            buffer.put(
                RtpPacket(0, sequence, sequence * ticks, 7, bytes(ticks)),
                sequence * milliseconds / 1000 + 0.001,
                ticks,
            )
            sequence += 1
        while filled < 160:
            playout = buffer.get(now)
            if isinstance(playout, RtpPacket | Shorten | Lengthen):
                filled += ticks
            elif isinstance(playout, Missing):
                filled += playout.ticks
                holes += 1
            elif isinstance(playout, Surplus):
                continue
            else:
                filled = 160
        filled -= 160
        now += 0.02
    assert holes <= 2
    assert buffer.lost == buffer.late == 0
    assert buffer.delay_ms < milliseconds + 60


def test_the_clock_of_opus_works_alike():
    buffer = JitterBuffer(48000, 960, FixedDelay(0.020))
    for index in range(10):
        buffer.put(RtpPacket(96, index, index * 960, 7, b"x"), index * 0.02, 960)
    played = [buffer.get(0.021 + tick * 0.02) for tick in range(10)]
    assert [each.sequence for each in played if isinstance(each, RtpPacket)] == list(range(10))
