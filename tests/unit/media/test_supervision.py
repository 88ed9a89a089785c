"""What the phone is told of a stream, from what its parts know."""

import pytest

from firmware.base.tokens import Tokens
from firmware.media.messages import HearingChanged, PayloadFormat, Silence, Unheard, UnheardChanged
from firmware.media.reception import Reception
from firmware.media.reporting import Reporting
from firmware.media.sending import Sending
from firmware.media.supervision import Supervision
from firmware.rtp.packet import RtpPacket
from firmware.rtp.srtp import Guard

PCMU = PayloadFormat(0, "PCMU", 8000)
THERE, ELSEWHERE = ("192.0.2.9", 4000), ("198.51.100.1", 4000)


class Stream:
    """The parts of one, from which something is expected since second 100."""

    def __init__(self):
        tokens = Tokens(b"seed")
        self.sending, self.reception, self.guard = Sending(tokens), Reception(), Guard()
        self.reception.expect((PCMU,))
        self.reporting = Reporting(self.sending, self.reception, tokens, 100.0)
        self.supervision = Supervision(4, self.reception, self.sending, self.reporting, self.guard)
        self.supervision.expect(100.0, expecting=True)

    def hears(self, now, number=0):
        """A packet now; before the first one those that a new source is tried by."""
        begins = self.reception.heard_at is None
        for moment in (now - 0.04, now - 0.02, now) if begins else (now,):
            ticks = round(moment * 50)
            packet = RtpPacket(number, ticks & 0xFFFF, ticks * 160, 7, bytes(160))
            self.reception.receive(packet, THERE, moment)


@pytest.fixture
def stream():
    return Stream()


def not_authentic(stream):
    stream.guard.in_a_row = 40


def undecodable(stream):
    stream.reception.undecodable = 97


def stranger(stream):
    stream.reception.stranger = ELSEWHERE


def alive(stream):
    stream.reception.alive_at = 90.0


CAUSES = [
    (not_authentic, Silence.NOT_AUTHENTIC, "40 packets"),
    (undecodable, Silence.NOT_DECODABLE, "payload type 97: nobody offered it"),
    (stranger, Silence.OTHER_SOURCE, "198.51.100.1 port 4000"),
    (alive, Silence.NO_SOUND, ""),
    (lambda _stream: None, Silence.NO_PACKETS, ""),
]


@pytest.mark.parametrize("place", range(len(CAUSES)))
def test_p09_of_several_causes_the_one_that_says_most_is_told(stream, place):
    _, cause, detail = CAUSES[place]
    for known, _, _ in CAUSES[place:]:
        known(stream)
    assert stream.supervision.hearing(101.9, "") is None
    assert stream.supervision.hearing(102.0, "") == HearingChanged(4, cause, detail)
    assert stream.supervision.hearing(102.1, "") is None


def test_a_card_that_fails_is_told_before_all_else(stream):
    stranger(stream)
    told = stream.supervision.hearing(100.1, "unplugged")
    assert told == HearingChanged(4, Silence.CARD_FAILED, "unplugged")
    assert stream.supervision.hearing(100.2, "") == HearingChanged(4, None, "")


def test_what_went_wrong_before_the_last_sound_explains_no_silence_after_it(stream):
    stranger(stream)
    undecodable(stream)
    stream.hears(101.0)
    assert stream.supervision.hearing(101.5, "") is None
    told = stream.supervision.hearing(103.0, "")
    assert told == HearingChanged(4, Silence.NO_PACKETS, "")


def test_a_pause_that_comfort_noise_announced_is_no_silence_for_a_minute(stream):
    """RFC 3389 §4."""
    stream.hears(101.0)
    stream.hears(101.02, number=13)
    assert all(stream.supervision.hearing(now, "") is None for now in range(102, 161))
    # Patience begins where the pause ended to be one.
    assert stream.supervision.hearing(163.0, "").cause is Silence.NO_PACKETS


def test_p09_what_our_own_machine_refuses_is_told_with_its_reason_and_its_end(stream):
    told = [
        stream.supervision.arriving(refused, "no route", sends=True)
        for refused in (50, 100, 150, 150)
    ]
    assert told == [
        None,
        UnheardChanged(4, Unheard.REFUSED, "no route"),
        None,
        UnheardChanged(4, None, ""),
    ]


def test_who_is_not_heard_yet_has_figures_without_an_opinion(stream):
    assert stream.supervision.metrics() is None
    report = stream.supervision.report(final=False)
    assert (report.stream, report.received, report.codec, report.mos) == (4, 0, "", None)
    assert (report.source, report.jitter_ms, report.drift_ppm) == (None, 0.0, None)


def test_the_figures_are_those_of_what_came(stream):
    for number in range(50):
        stream.hears(101.0 + number * 0.02)
        stream.reception.hear(101.0 + number * 0.02)
    report = stream.supervision.report(final=True)
    assert (report.received, report.source, report.final) == (50, THERE, True)
    assert report.codec == "PCMU"
    assert report.ssrc == stream.sending.rtp.ssrc
    assert stream.supervision.metrics().ssrc == 7
