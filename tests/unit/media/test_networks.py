"""Whole calls on networks that were recorded, and talkers who change what they do."""

import itertools
from array import array

import pytest

from firmware.base.pcm import audioop
from firmware.dsp.level import level_of
from firmware.media.messages import PayloadFormat
from firmware.rtp.packet import RtpPacket, parse_rtp, write_rtp
from tests.support.virtual_call import (
    PCMU,
    PERIOD,
    THERE,
    VirtualCall,
    spoken,
    trace,
    travelled,
)

HALF_A_MINUTE = 1500
CN = PayloadFormat(13, "CN", 8000)
PCMA = PayloadFormat(8, "PCMA", 8000)


def hear(severity: str) -> VirtualCall:
    delays = trace(severity)[:HALF_A_MINUTE]
    return VirtualCall().run(travelled(delays), HALF_A_MINUTE * PERIOD)


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


@pytest.mark.parametrize("severity", "ABCD")
def test_f29_good_networks_are_clean(severity):
    call = hear(severity)
    assert call.concealed < 0.008
    assert mean(call.opinions) > 4.3
    assert min(call.opinions) > 3.8
    assert mean(call.delays[5:]) < 90


@pytest.mark.parametrize("severity", "EF")
def test_f29_bad_networks_are_usable(severity):
    call = hear(severity)
    assert call.concealed < 0.03
    assert mean(call.opinions) > 3.9


def test_f29_a_very_bad_network_is_still_audible():
    call = hear("G")
    assert call.missed < 0.08
    assert mean(call.opinions) > 3.0
    assert call.silent / call.frames < 0.10


def test_f29_on_the_worst_of_networks_something_is_heard_and_nothing_breaks():
    call = hear("H")
    assert call.silent / call.frames < 0.25
    assert all(1 <= each <= 4.5 for each in call.opinions)
    assert len(call.reception.buffer) < 40


@pytest.mark.parametrize("ppm", [1000, -1000])
def test_a_clock_that_is_far_out_is_followed_without_a_click(ppm):
    """As far as F31's hour, in six minutes."""
    steepest, before = 0, b""

    def look(_now, frame):
        nonlocal steepest, before
        values = array("h", before + frame)
        steepest = max(steepest, *(abs(b - a) for a, b in itertools.pairwise(values)))
        before = frame[-2:]

    payload = spoken()
    arrivals = (
        (index * PERIOD * (1 + ppm / 1e6), RtpPacket(0, index & 0xFFFF, index * 160, 7, payload))
        for index in range(18_000)
    )
    call = VirtualCall().run(arrivals, 60)
    settled = call.reception.buffer.delay_ms
    call.run(arrivals, 120, look)
    call.run(arrivals, 358)
    assert all(abs(each - settled) <= 20 for each in call.delays[60:])
    assert call.reception.buffer.concealed == call.reception.buffer.cut == 0
    tone = array("h", payload_sound(payload))
    assert steepest < 1.3 * max(abs(b - a) for a, b in itertools.pairwise(tone))


def payload_sound(payload: bytes) -> bytes:
    return audioop.ulaw2lin(payload * 2, 2)


class Talker:
    """Speaks as it is told, and looks when it is heard again."""

    def __init__(self, *expect: PayloadFormat) -> None:
        self.call = VirtualCall(expect=expect or (PCMU, PCMA, CN), keeps=True)
        self.sequence, self.timestamp, self.ssrc = 1000, 50_000, 7
        self.now = 0.0
        self.last_silent = 0.0
        self.arrivals: list[tuple[float, RtpPacket]] = []

    def says(self, seconds, *, ptime=20, number=0, payload=None, **adornment) -> "Talker":
        """So many seconds of packets; the header has more in it if wanted."""
        end = self.now + seconds
        sound = spoken(ptime * 8) if payload is None else payload
        while self.now < end - 1e-9:
            packet = RtpPacket(
                number,
                self.sequence & 0xFFFF,
                self.timestamp & 0xFFFFFFFF,
                self.ssrc,
                sound,
                **adornment,
            )
            again = parse_rtp(write_rtp(packet))
            assert again is not None
            self.arrivals.append((self.now + ptime / 1000, again))
            self.now += ptime / 1000
            self.sequence += 1
            self.timestamp += ptime * 8
        return self

    def pauses(self, seconds, *, clock_runs=True) -> "Talker":
        self.now += seconds
        self.timestamp += round(seconds * 8000) * clock_runs
        return self

    def heard(self) -> "Talker":
        """Play all of it so far."""

        def look(now, frame):
            if level_of(frame) < -45:
                self.last_silent = now

        pending, self.arrivals = self.arrivals, []
        self.call.run(pending, self.now, look)
        return self


@pytest.fixture
def talker():
    return Talker().says(3).heard()


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("another source", {"ssrc": 8}),
        ("the sequence jumps", {"sequence": 40_000}),
        ("the sequence begins again a second back", {"sequence": 1100}),
        ("the sequence begins again a moment back", {"sequence": 1135}),
        ("the timestamp jumps ahead", {"timestamp": 900_000_000}),
        ("the timestamp jumps back", {"timestamp": -900_000}),
        ("the timestamp jumps five seconds ahead", {"timestamp": 114_000}),
        ("the timestamp jumps five seconds back", {"timestamp": 34_000}),
        ("both jump", {"sequence": 7, "timestamp": 7}),
        ("all three jump", {"sequence": 7, "timestamp": 7, "ssrc": 9}),
    ],
)
def test_f30_after_any_jump_speech_is_back_within_200_ms(talker, what, change):
    changed = talker.now
    for name, value in change.items():
        setattr(talker, name, value)
    talker.says(3).heard()
    assert talker.last_silent - changed < 0.2, what


@pytest.mark.parametrize(
    "change",
    [
        {"ptime": 10},
        {"ptime": 30},
        {"ptime": 40},
        {"ptime": 60},
        {"number": 8, "payload": b"\xd5\x55" * 80},
        {"csrcs": (1, 2, 3)},
        {"extension": (0xBEDE, b"\x10\xff\0\0")},
        {"marker": True},
    ],
    ids=str,
)
def test_f30_a_talker_who_changes_packets_in_the_call_is_heard_on(talker, change):
    changed = talker.now
    talker.says(3, **change).heard()
    loud = change.get("number") != 8  # the lowest level of A-law is silence to the ear
    assert not loud or talker.last_silent - changed < 0.2
    talker.says(3).heard()
    assert talker.last_silent - talker.now < -2.7
    buffer = talker.call.reception.buffer
    assert buffer.lost == 0
    assert buffer.concealed <= 4


def test_f30_the_length_of_packets_may_change_all_the_time(talker):
    for ptime in (10, 60, 20, 40, 30, 60, 10, 20):
        changed = talker.now
        talker.says(1.2, ptime=ptime).heard()
        assert talker.last_silent - changed < 0.2, f"{ptime} ms: the first one comes so much later"
    assert talker.call.reception.buffer.lost == 0


def test_f30_a_pause_with_comfort_noise_is_heard_as_one_and_speech_comes_back(talker):
    """RFC 3389 §4."""
    talker.says(0.02, number=13, payload=b"\x41").pauses(2.98).heard()
    assert talker.call.reception.resting
    paused = level_of(talker.call.reception.hear(talker.now))
    assert paused == pytest.approx(-65, abs=3)
    talker.says(2, marker=True).heard()
    assert talker.last_silent - talker.now < -1.8
    assert talker.call.reception.buffer.lost == 0


@pytest.mark.parametrize("clock_runs", [True, False])
def test_f30_after_no_rtp_at_all_speech_is_back_at_once(talker, clock_runs):
    talker.pauses(5, clock_runs=clock_runs).heard()
    again = talker.now
    talker.says(2).heard()
    assert talker.last_silent - again < 0.2


def test_f30_padding_is_no_sound():
    plain = write_rtp(RtpPacket(0, 1, 160, 7, spoken()))
    padded = parse_rtp(b"\xa0" + plain[1:] + bytes(7) + b"\x08")
    assert padded is not None
    assert padded.payload == spoken()


def test_nobody_negotiated_types_and_torn_packets_leave_the_call_as_it_is(talker):
    reception = talker.call.reception
    before = reception.received
    whole = write_rtp(RtpPacket(0, talker.sequence & 0xFFFF, talker.timestamp, 7, spoken()))
    for number in (*range(1, 8), 9, 34, 96, 127):
        packet = RtpPacket(number, talker.sequence & 0xFFFF, talker.timestamp, 7, b"?" * 99)
        assert reception.receive(packet, THERE, talker.now) == ()
    for end in range(12):
        assert parse_rtp(whole[:end]) is None
    for first in (0x00, 0x40, 0xC0, 0x8F, 0x9F, 0xB0):
        torn = parse_rtp(bytes([first]) + whole[1:14])
        assert torn is None or torn.payload in {whole[12:14], b""}
    for payload in (b"", b"\0"):
        odd = RtpPacket(0, talker.sequence & 0xFFFF, talker.timestamp, 7, payload)
        reception.receive(odd, THERE, talker.now)
        talker.sequence += 1
    changed = talker.now
    talker.says(2).heard()
    assert reception.received == before + 2 + 100
    assert talker.last_silent - changed < 0.2


def test_a_long_way_costs_the_opinion_though_every_packet_comes():
    """ITU-T G.107 §7.4: half the round trip is on the way from mouth to ear."""
    near, far = (
        VirtualCall(round_trip_ms=milliseconds).run(travelled([0.005] * 250), 5)
        for milliseconds in (10.0, 700.0)
    )
    assert near.opinions[-1] > 4.3
    assert far.opinions[-1] < near.opinions[-1] - 0.5
    assert far.missed == near.missed == 0


def test_the_opinion_is_worse_of_packets_lost_in_a_row_than_of_as_many_here_and_there():
    """ITU-T G.107, section 7.5: the burst ratio."""
    scattered = [-1 if index % 10 == 9 else 0.005 for index in range(1000)]
    in_a_row = [-1 if index % 100 >= 90 else 0.005 for index in range(1000)]
    one, other = (VirtualCall().run(travelled(delays), 20) for delays in (scattered, in_a_row))
    assert other.missed <= one.missed
    assert mean(other.opinions[5:]) < mean(one.opinions[5:]) - 0.05
