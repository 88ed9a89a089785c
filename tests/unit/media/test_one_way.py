"""P9 in the engine: silence in either direction is found out within two seconds, or with a report.

The far end's reports come every five seconds or so; sooner nobody knows whether packets arrive.
"""

import pytest

from firmware.media.messages import (
    Direction,
    HearingChanged,
    Silence,
    Unheard,
    UnheardChanged,
)
from firmware.rtp.rtcp import ReceiverReport, ReportBlock, write_rtcp

SOON = 2.3


@pytest.fixture
def talk(bench, sine):
    bench.handset()
    bench.card.speech = sine(400, 60, 16000)
    far = bench.call()
    far.say(sine(900, 60, 8000))
    bench.seconds(1)
    bench.reports.clear()
    return far


def silence_after(bench, seconds=5.0):
    """Seconds until the silence was reported, and why."""
    for frame in range(round(seconds * 50)):
        bench.step(speaking=False)
        if news := bench.take(HearingChanged):
            return frame / 50, news[-1].cause
    return None


@pytest.mark.parametrize("later", [0.0, 0.3, 0.6, 0.9])
def test_p09_a_far_end_that_falls_silent_is_told_of_within_two_seconds(bench, talk, later):
    bench.seconds(later)
    after, cause = silence_after(bench)
    assert after < SOON
    assert cause is Silence.NO_PACKETS


def test_p09_after_a_resume_silence_is_counted_from_then(bench, talk):
    bench.answer(talk, direction=Direction.SENDONLY)
    bench.seconds(10, speaking=False)
    assert not bench.take(HearingChanged), "on hold it is what was agreed"
    bench.answer(talk)
    after, _ = silence_after(bench)
    assert 1.9 < after < SOON


def test_p09_after_a_re_invite_to_another_address_too(bench, talk):
    bench.answer(talk, remote=("127.0.0.1", talk.address[1] + 2))
    after, _ = silence_after(bench)
    assert after < SOON


def report(bench, far, *, highest=None):
    """The far end says what it has heard of us."""
    far.collect()
    ours = far.packets[-1].ssrc
    block = () if highest is None else (ReportBlock(ours, 0, 0, highest, 0, 0, 0),)
    packet = write_rtcp((ReceiverReport(far.ssrc, block),))
    far.rtcp.sendto(packet, far.control_target)


def test_p09_a_far_end_whose_reports_stand_still_does_not_hear_us(bench, talk):
    report(bench, talk, highest=40)
    bench.seconds(5)
    assert not bench.take(UnheardChanged)
    report(bench, talk, highest=40)
    bench.seconds(1.1)
    assert bench.take(UnheardChanged) == [UnheardChanged(1, Unheard.NOT_ARRIVING)]
    report(bench, talk, highest=300)
    bench.seconds(1.1)
    assert bench.take(UnheardChanged) == [UnheardChanged(1, None)]


def test_p09_a_far_end_that_never_speaks_of_us_does_not_hear_us(bench, talk):
    bench.seconds(1.5)
    for _ in range(2):
        report(bench, talk)
        bench.seconds(5)
    assert bench.take(UnheardChanged) == [UnheardChanged(1, Unheard.NOT_ARRIVING)]


def test_a_report_of_other_streams_says_nothing_of_ours(bench, talk):
    bench.seconds(1.5)
    for _ in range(3):
        block = (ReportBlock(0xABCD, 0, 0, 77, 0, 0, 0),)
        packet = write_rtcp((ReceiverReport(talk.ssrc, block),))
        talk.rtcp.sendto(packet, talk.control_target)
        bench.seconds(5)
    assert not bench.take(UnheardChanged)


def test_p09_a_far_end_that_hears_us_is_left_in_peace(bench, talk):
    for seconds in range(1, 5):
        report(bench, talk, highest=seconds * 250)
        bench.seconds(5)
    assert not bench.take(UnheardChanged)


def test_p09_what_our_own_machine_does_not_let_out_is_told_within_seconds(bench, talk):
    # Nobody may send to a broadcast address without having said so.
    bench.answer(talk, remote=("255.255.255.255", 4000))
    bench.seconds(3.1)
    (news,) = bench.take(UnheardChanged)
    assert news.cause is Unheard.REFUSED
    assert news.detail
    bench.answer(talk)
    bench.seconds(2.1)
    assert bench.take(UnheardChanged) == [UnheardChanged(1, None)]
