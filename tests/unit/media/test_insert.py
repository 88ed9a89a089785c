"""A recording that is played into a call."""

import math
import os
from array import array

import pytest

from firmware.dsp.tone_probe import tone_level
from firmware.media.messages import (
    ClipEnded,
    Direction,
    PayloadFormat,
    PlayClip,
    Route,
    RouteStream,
    SetMute,
)
from tests.support.left_open import open_now, opened_since

PCMU, G722 = PayloadFormat(0, "PCMU", 8000), PayloadFormat(9, "G722", 8000)
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


def beside(pcm, hertz, rate=16000):
    """How loud all is that is not this tone, in dB of the tone."""
    samples = array("h", pcm)
    turns = [2 * math.pi * hertz * n / rate for n in range(len(samples))]
    cosine = sum(x * math.cos(t) for x, t in zip(samples, turns, strict=True)) * 2 / len(samples)
    sine = sum(x * math.sin(t) for x, t in zip(samples, turns, strict=True)) * 2 / len(samples)
    left = [
        x - cosine * math.cos(t) - sine * math.sin(t) for x, t in zip(samples, turns, strict=True)
    ]
    power = sum(x * x for x in left) / len(left)
    return 10 * math.log10(2 * power / (cosine**2 + sine**2))


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


def test_an_ear_and_a_far_end_of_one_rate_hear_it_alike(bench, sine):
    """The filter between the rates is shown each frame once, however many ask for it."""
    bench.handset()
    far = bench.call(1, G722)
    # Not a whole number of turns in a frame: one that came twice would be heard as such.
    play(bench, sine(1513, 2, 44100), 44100)
    bench.seconds(1)
    for heard in (far.heard(0.4), bench.card.heard(0.4)):
        assert beside(heard, 1513) < -35


def test_on_hold_the_far_end_hears_no_more_of_it(talk, sine):
    """RFC 3264 §8.4: what is played after that is the music for its waiting."""
    bench, far = talk
    play(bench, sine(MUSIC, 5, 8000), 8000)
    bench.seconds(0.3)
    bench.order(RouteStream(1, Route.NULL))
    bench.answer(far, direction=Direction.SENDONLY)
    bench.seconds(0.5)
    assert tone_level(far.heard(0.3), 8000, MUSIC) < UNHEARD
    play(bench, sine(MUSIC, 5, 8000), 8000)
    bench.seconds(0.5)
    assert tone_level(far.heard(0.3), 8000, MUSIC) > HEARD
    assert tone_level(bench.card.heard(0.3), 16000, MUSIC) < UNHEARD


def test_a_call_that_is_over_gets_nothing_and_no_descriptor_stays(talk, sine):
    bench, _ = talk
    before = open_now()
    play(bench, sine(MUSIC, 2, 8000), 8000, stream=7)
    assert opened_since(before) == []
