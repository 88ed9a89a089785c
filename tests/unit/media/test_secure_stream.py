"""A stream that is to be encrypted: what leaves it, what it hears, and what it tells."""

import struct

import pytest
from msgspec import structs

from firmware.base.suites import SUITES
from firmware.base.tokens import Tokens
from firmware.media.messages import (
    ConfigureStream,
    EngineLog,
    Foreign,
    HearingChanged,
    OpenStream,
    PayloadFormat,
    SetKeys,
    Silence,
    StreamReport,
    StreamSecured,
)
from firmware.media.stream import Stream
from firmware.rtp import srtp
from firmware.rtp.packet import parse_rtp
from firmware.rtp.rtcp import parse_rtcp
from firmware.rtp.srtp import Guard, Heard, Keys

PCMU = PayloadFormat(0, "PCMU", 8000)
THERE = ("192.0.2.9", 4000)
SUITE = "AES_CM_128_HMAC_SHA1_80"
OURS, THEIRS, OTHER = (bytes([fill]) * SUITES[SUITE].octets for fill in (1, 2, 3))
SILENT = bytes(320)
KEYS = SetKeys(1, Keys(SUITE, OURS, THEIRS))


class Call:
    """A stream, its far end's keys, and a clock."""

    def __init__(self, *, secure=True, seed=b"seed"):
        self.stream = Stream(OpenStream(1, (PCMU,), secure=secure), Tokens(seed), 100.0)
        self.now = 100.0
        self.far = Guard()
        self.far.use(Keys(SUITE, THEIRS, OURS))
        self.number = 0

    def answered(self, *, secure=True, keys=KEYS):
        self.stream.configure(ConfigureStream(1, THERE, THERE, (PCMU,), secure=secure), self.now)
        if keys is not None:
            self.stream.set_keys(keys)
        return self

    def speech(self):
        self.number += 1
        return (
            struct.pack("!BBHII", 0x80, 0, self.number & 0xFFFF, self.number * 160, 7)
            + b"\x55" * 160
        )

    def receive(self, datagram, source=THERE):
        self.now += 0.02
        self.stream.receive(datagram, source, self.now)

    def say(self):
        self.now += 0.02
        if not self.stream.sends:
            return ()
        return self.stream.say(SILENT, self.now)

    def report(self):
        self.stream.reports.clear()
        self.stream.report()
        (report,) = self.stream.reports
        assert isinstance(report, StreamReport)
        return report


def told(call, kind):
    return [each for each in call.stream.reports if isinstance(each, kind)]


def test_what_leaves_can_be_read_by_the_far_end_alone():
    call = Call().answered()
    (sealed,) = call.say()
    assert parse_rtp(call.far.open(sealed)).payload == b"\xff" * 160
    assert b"\xff" * 20 not in sealed


def test_nothing_leaves_before_there_are_keys():
    """ARCHITECTURE: until the keys are there no RTP leaves a stream whose policy needs them."""
    call = Call().answered(keys=None)
    assert not call.stream.sends
    assert call.stream.take_control(call.now + 10) == b""
    assert call.stream.farewell(call.now) == b""
    call.stream.set_keys(KEYS)
    assert call.stream.sends


def test_nothing_in_the_clear_is_heard_where_keys_are_required_even_before_the_answer():
    call = Call()
    call.receive(call.speech())
    assert call.report().received == 0
    assert call.report().refused == 1
    plain = Call(secure=False)
    for _ in range(3):
        plain.receive(plain.speech())
    assert plain.report().received == 1


def test_what_the_far_end_encrypts_is_heard():
    call = Call().answered()
    for _ in range(3):
        call.receive(call.far.seal(call.speech()))
    report = call.report()
    assert (report.received, report.refused, report.heard) == (3, 0, Heard(7, 3))


def test_a10_nothing_else_is():
    call = Call().answered()
    good = call.far.seal(call.speech())
    stranger = Guard()
    stranger.use(Keys(SUITE, OTHER, OTHER))
    for datagram in (
        call.speech(),
        stranger.seal(call.speech()),
        good[:-1],
        b"\x80",
        b"\x80\xc8",
        b"\x81\xc9\x00\x07" + bytes(28),
        b"",
    ):
        call.receive(datagram)
        call.stream.receive_control(datagram, THERE, call.now)
    call.receive(good)
    call.receive(good)
    report = call.report()
    assert (report.received, report.refused) == (1, 13)


def test_a10_a_stranger_with_a_wrong_key_moves_no_lock():
    call = Call().answered()
    stranger = Guard()
    stranger.use(Keys(SUITE, OTHER, OTHER))
    for _ in range(10):
        call.receive(stranger.seal(call.speech()), ("203.0.113.5", 9))
    assert call.report().source is None
    call.receive(call.far.seal(call.speech()))
    assert call.report().source == THERE


def test_reports_are_encrypted_both_ways():
    call = Call().answered()
    call.say()
    sealed = call.stream.take_control(call.now + 10)
    assert parse_rtcp(sealed) is None or parse_rtcp(sealed) != parse_rtcp(
        call.far.open_control(sealed)
    )
    (report, *_) = parse_rtcp(call.far.open_control(call.stream.take_control(call.now + 20)))
    assert report.ssrc == call.report().ssrc
    farewell = call.far.open_control(call.stream.farewell(call.now))
    assert parse_rtcp(farewell)


NAT = ("198.51.100.9", 61234)


@pytest.mark.parametrize("symmetric", [True, False])
def test_a08_a_far_end_that_proved_itself_elsewhere_is_spoken_to_there_where_the_line_says_so(
    symmetric,
):
    """A handshake's end: no sound of it needs to come first, it may be muted behind its router."""
    call = Call()
    order = ConfigureStream(1, THERE, THERE, (PCMU,), secure=True, symmetric=symmetric)
    call.stream.configure(order, call.now)
    call.stream.set_keys(structs.replace(KEYS, peer=NAT))
    assert call.stream.remote == call.stream.remote_control == (NAT if symmetric else THERE)
    call.stream.configure(order, call.now)
    assert call.stream.remote == (NAT if symmetric else THERE), "nothing new was agreed on"


def test_stun_and_dtls_pass_by_the_keys():
    """RFC 7983 §7."""
    call = Call().answered()
    for first in (0, 1, 22):
        call.receive(bytes([first]) + bytes(30))
    assert len(told(call, Foreign)) == 3


def test_the_lock_is_told_when_it_closes_and_when_it_opens():
    call = Call().answered(keys=None)
    assert told(call, StreamSecured) == []
    call.stream.set_keys(KEYS)
    call.stream.set_keys(KEYS)
    assert told(call, StreamSecured) == [StreamSecured(1, SUITE)]
    call.stream.reports.clear()
    call.answered(secure=False, keys=None)
    assert told(call, StreamSecured) == [StreamSecured(1, "")]
    assert parse_rtp(call.say()[0]).payload == b"\xff" * 160


def test_keys_for_a_stream_in_the_clear_are_too_late():
    call = Call(secure=False).answered(secure=False)
    assert told(call, StreamSecured) == []
    assert len(call.say()[0]) == 172


def test_hold_and_resume_go_on_under_the_same_counters():
    call = Call().answered()
    first = call.far.open(call.say()[0])
    call.answered()
    second = call.far.open(call.say()[0])
    assert second[8:12] == first[8:12]
    assert int.from_bytes(second[2:4]) == int.from_bytes(first[2:4]) + 1


def test_a_key_that_was_given_up_and_comes_back_is_used_under_another_ssrc():
    """RFC 3711 §9.1: the count of what it sealed is lost."""
    call = Call().answered()
    first = call.far.open(call.say()[0])
    call.answered(secure=False, keys=None)
    call.answered()
    second = call.far.open(call.say()[0])
    assert second[8:12] != first[8:12]


@pytest.mark.parametrize("seed", range(20))
def test_the_first_number_leaves_room_before_the_counter_rolls_over(seed):
    """RFC 3711 §3.3.1, RFC 4568 §6.4."""
    call = Call(seed=bytes([seed])).answered()
    (sealed,) = call.say()
    assert int.from_bytes(sealed[2:4]) < 0x8000


def test_a_new_engine_takes_another_ssrc_and_hears_on():
    call = Call().answered()
    call.number = 0xFFF0
    for _ in range(0x20):
        call.receive(call.far.seal(call.speech()))
    before = call.report()
    assert before.heard == Heard(7, 0x10010)
    after = Call(seed=b"other")
    after.far, after.number = call.far, call.number
    after.answered(keys=SetKeys(1, KEYS.keys, before.heard))
    assert after.report().ssrc != before.ssrc
    after.receive(after.far.seal(after.speech()))
    assert after.report().received == 1


def test_wrong_keys_are_the_reason_for_silence():
    call = Call().answered()
    stranger = Guard()
    stranger.use(Keys(SUITE, OTHER, OTHER))
    for _ in range(150):
        call.receive(stranger.seal(call.speech()))
    call.stream.reports.clear()
    call.stream.watch(call.now, "")
    assert told(call, HearingChanged) == [HearingChanged(1, Silence.NOT_AUTHENTIC, "150 packets")]


@pytest.mark.parametrize("trouble", ["suite", "key", "library"])
def test_keys_that_cannot_be_used_leave_the_stream_silent(trouble, monkeypatch):
    call = Call()
    keys = Keys("NEW_SUITE" if trouble == "suite" else SUITE, OURS[:9], THEIRS)
    if trouble == "library":
        keys = KEYS.keys

        def missing():
            raise ImportError("no libsrtp")

        monkeypatch.setattr(srtp, "load", missing)
    call.answered(keys=SetKeys(1, keys))
    call.answered(keys=None)
    assert not call.stream.sends
    (line,) = told(call, EngineLog)
    assert "cannot encrypt" in line.text
    assert told(call, StreamSecured) == []
