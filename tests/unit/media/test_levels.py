"""Levels of speech, of its room, and of an echo."""

import math

import pytest

from firmware.media.levels import EchoLoss, LevelMeter


def met(*frames):
    meter = LevelMeter()
    for rms in frames:
        meter.add(rms)
    return meter


def test_the_level_of_speech_leaves_the_pauses_out():
    """RFC 3611 §4.7.4: only what contains speech counts."""
    meter = met(*([2000] * 20 + [10] * 30) * 20)
    assert math.sqrt(meter.speech) == pytest.approx(2000)
    assert meter.room == pytest.approx(10, rel=0.2)


def test_a_quiet_talker_in_a_quiet_room_is_speech_too():
    assert math.sqrt(met(*([5] * 10 + [100] * 10) * 10).speech) == pytest.approx(100)


def test_a_room_alone_is_no_speech():
    meter = met(*[50] * 100)
    assert meter.speech == 0
    assert meter.room == pytest.approx(50)


def test_a_voice_without_a_pause_says_nothing_of_its_room():
    assert met(*[2000] * 100).room == 0
    assert met(0, 0, 0).room == 0


def echo(*seconds):
    loss = EchoLoss()
    for heard, told in seconds:
        loss.second(heard, told)
    return loss.decibels


SPEAKS, SILENT = -20.0, -127.0


def test_what_they_hear_of_themselves_is_measured_while_we_are_silent():
    """RFC 3611 §4.7.4: residual echo return loss."""
    conversation = [(SPEAKS, -63.0)] * 8 + [(-70.0, -18.0)] * 5 + [(SPEAKS, -17.0)] * 3
    assert echo(*conversation) == pytest.approx(43.0, abs=1)


def test_a_loud_echo_is_told_from_our_own_voice():
    assert echo(*[(SPEAKS, -35.0)] * 10, (-60.0, -15.0), *[(SPEAKS, -35.0)] * 10) == 15.0


@pytest.mark.parametrize(
    "seconds",
    [
        [],
        [(SPEAKS, -63.0)] * 4,
        [(SPEAKS, SILENT)] * 50,
        [(-80.0, -63.0)] * 50,
        [(SPEAKS, -20.0)] * 50,
    ],
    ids=["no call", "too short", "muted", "they say nothing", "we talk all the time"],
)
def test_what_cannot_be_measured_is_not_known(seconds):
    assert echo(*seconds) is None


def test_a_room_that_becomes_louder_is_believed_after_some_seconds():
    meter = LevelMeter()
    for _ in range(100):
        meter.add(10)
    for _ in range(5):
        meter.add(100)
    assert meter.quietest < 11, "a word is no room"
    for _ in range(50 * 15):
        meter.add(100)
    assert meter.quietest > 95
    meter.add(8)
    assert meter.quietest == 8, "a quieter one at once"
