"""A recording that is played into a call."""

import os

import pytest

from firmware.dsp.tone_probe import tone_level
from firmware.media.messages import Bridge, ClipEnded, PayloadFormat, PlayClip, SetMute
from tests.support.left_open import open_now, opened_since

PCMU = PayloadFormat(0, "PCMU", 8000)
OURS, THEIRS, MUSIC = 400, 900, 1500
HEARD, UNHEARD = -30, -55


@pytest.fixture
def talk(bench, sine):
    """Both ends speak."""
    bench.handset()
    bench.card.speech = sine(OURS, 10, 16000)
    far = bench.call(1, PCMU)
    far.say(sine(THEIRS, 10, 8000))
    bench.seconds(0.2)
    return bench, far


def play(bench, pcm, rate, stream=1):
    descriptor = os.memfd_create("clip")
    os.write(descriptor, pcm)
    bench.order(PlayClip(stream, rate), (descriptor,))


def test_both_ends_hear_it_and_go_on_talking(talk, sine):
    bench, far = talk
    play(bench, sine(MUSIC, 2, 44100), 44100)
    bench.seconds(1)
    assert tone_level(far.heard(0.4), 8000, MUSIC) > HEARD
    assert tone_level(far.heard(0.4), 8000, OURS) > HEARD
    assert tone_level(bench.card.heard(0.4), 16000, MUSIC) > HEARD
    assert tone_level(bench.card.heard(0.4), 16000, THEIRS) > HEARD


def test_its_end_is_told_and_nothing_of_it_stays(talk, sine):
    bench, far = talk
    play(bench, sine(MUSIC, 0.5, 8000), 8000)
    bench.seconds(0.4)
    assert bench.take(ClipEnded) == []
    bench.seconds(0.8)
    assert bench.take(ClipEnded) == [ClipEnded(1)]
    assert tone_level(far.heard(0.4), 8000, MUSIC) < UNHEARD
    assert tone_level(far.heard(0.4), 8000, OURS) > HEARD


def test_muted_it_is_heard_all_the_same(talk, sine):
    bench, far = talk
    bench.order(SetMute(muted=True))
    play(bench, sine(MUSIC, 2, 8000), 8000)
    bench.seconds(1)
    assert tone_level(far.heard(0.4), 8000, MUSIC) > HEARD
    assert tone_level(far.heard(0.4), 8000, OURS) < UNHEARD


def test_another_one_takes_its_place(talk, sine):
    bench, far = talk
    play(bench, sine(MUSIC, 2, 8000), 8000)
    bench.seconds(0.3)
    play(bench, sine(2000, 2, 8000), 8000)
    bench.seconds(1)
    assert tone_level(far.heard(0.4), 8000, MUSIC) < UNHEARD
    assert tone_level(far.heard(0.4), 8000, 2000) > HEARD


def test_in_a_conversation_of_three_the_one_it_is_played_to_hears_it(talk, sine):
    bench, far = talk
    other = bench.call(2, PCMU)
    bench.order(Bridge((1, 2)))
    play(bench, sine(MUSIC, 2, 8000), 8000)
    bench.seconds(1)
    assert tone_level(far.heard(0.4), 8000, MUSIC) > HEARD
    assert tone_level(other.heard(0.4), 8000, MUSIC) < UNHEARD


def test_a_call_that_is_over_gets_nothing_and_no_descriptor_stays(talk, sine):
    bench, _ = talk
    before = open_now()
    play(bench, sine(MUSIC, 2, 8000), 8000, stream=7)
    assert opened_since(before) == []
