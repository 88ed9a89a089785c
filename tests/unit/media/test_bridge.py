"""A conversation of several: everybody hears everybody else, nobody hears themselves."""

import pytest

from firmware.dsp.tone_probe import tone_level
from firmware.media.messages import (
    Bridge,
    CloseStream,
    ConfigureStream,
    Direction,
    PathName,
    PayloadFormat,
    SetMute,
    TalkOn,
)

PCMU, G722 = PayloadFormat(0, "PCMU", 8000), PayloadFormat(9, "G722", 8000)
OURS, ANNS, BOBS = 400, 900, 1500
HEARD, UNHEARD = -30, -55


@pytest.fixture
def three(bench, sine):
    """Ann by PCMU, Bob by G.722, and somebody at the desk; all three speak."""
    bench.handset()
    bench.card.speech = sine(OURS, 10, 16000)
    ann, bob = bench.call(1, PCMU), bench.call(2, G722)
    ann.say(sine(ANNS, 10, 8000))
    bob.say(sine(BOBS, 10, 16000))
    return bench, ann, bob


def tones(pcm, rate):
    return {pitch: tone_level(pcm, rate, pitch) for pitch in (OURS, ANNS, BOBS)}


def hears(pcm, rate, *pitches):
    levels = tones(pcm, rate)
    return all((levels[each] > HEARD) == (each in pitches) for each in levels) and all(
        level > HEARD or level < UNHEARD for level in levels.values()
    )


def test_everybody_hears_everybody_else_and_nobody_themselves(three):
    bench, ann, bob = three
    bench.order(Bridge((1, 2)))
    bench.seconds(1)
    assert hears(ann.heard(0.4), 8000, OURS, BOBS)
    assert hears(bob.heard(0.4), 16000, OURS, ANNS)
    assert hears(bench.card.heard(0.4), 16000, ANNS, BOBS)


def test_muted_the_others_go_on_hearing_each_other(three):
    bench, ann, bob = three
    bench.order(Bridge((1, 2)))
    bench.order(SetMute(muted=True))
    bench.seconds(1)
    assert hears(ann.heard(0.4), 8000, BOBS)
    assert hears(bob.heard(0.4), 16000, ANNS)
    assert hears(bench.card.heard(0.4), 16000, ANNS, BOBS)


def test_whoever_leaves_is_gone_and_the_last_one_stays_with_us(three):
    bench, ann, _ = three
    bench.order(Bridge((1, 2)))
    bench.seconds(0.5)
    bench.order(CloseStream(2))
    bench.seconds(1)
    assert hears(ann.heard(0.4), 8000, OURS)
    assert hears(bench.card.heard(0.4), 16000, ANNS)


def test_a_conversation_that_ends_leaves_each_with_the_desk(three):
    bench, ann, bob = three
    bench.order(Bridge((1, 2)))
    bench.seconds(0.5)
    bench.order(Bridge(()))
    bench.seconds(1)
    assert hears(ann.heard(0.4), 8000, OURS)
    assert hears(bob.heard(0.4), 16000, OURS)


def test_without_anybody_at_the_desk_the_others_talk_on(three):
    bench, ann, bob = three
    bench.order(TalkOn(None))
    bench.order(Bridge((1, 2)))
    bench.seconds(1)
    assert hears(ann.heard(0.4), 8000, BOBS)
    assert hears(bob.heard(0.4), 16000, ANNS)


def test_streams_that_do_not_exist_are_no_members(three):
    bench, ann, _ = three
    bench.order(Bridge((1, 7)))
    bench.seconds(1)
    assert hears(ann.heard(0.4), 8000, OURS)


@pytest.mark.parametrize("codecs", [(PCMU,), (PCMU, G722)], ids=["one codec", "two codecs"])
def test_eight_talk_at_once(bench, sine, codecs):
    bench.handset()
    pitches = [300 + 200 * number for number in range(8)]
    members = [bench.call(number, codecs[number % len(codecs)]) for number in range(8)]
    for member, pitch in zip(members, pitches, strict=True):
        member.say(sine(pitch, 10, member.rate, 2500))
    bench.order(Bridge(tuple(range(8))))
    bench.seconds(1)
    for member, own in zip(members, pitches, strict=True):
        heard = member.heard(0.4)
        assert tone_level(heard, member.rate, own) < UNHEARD
        others = [pitch for pitch in pitches if pitch != own]
        assert all(tone_level(heard, member.rate, pitch) > HEARD for pitch in others)


@pytest.mark.parametrize("direction", [Direction.RECVONLY, Direction.INACTIVE])
def test_the_music_of_whoever_holds_us_does_not_disturb_the_others(three, direction):
    """RFC 3264 §8.4: one member keeps us waiting; the rest of the conversation goes on."""
    bench, ann, bob = three
    bench.order(Bridge((1, 2)))
    bench.seconds(0.5)
    bench.order(
        ConfigureStream(2, bob.address, bob.rtcp.getsockname(), (G722,), direction=direction)
    )
    bench.seconds(1)
    assert hears(ann.heard(0.4), 8000, OURS)
    assert hears(bench.card.heard(0.4), 16000, ANNS)


@pytest.mark.parametrize("at_the_desk", [True, False])
def test_what_two_wide_band_members_say_to_each_other_stays_wide(bench, sine, at_the_desk):
    """At the highest rate of all, not at that of the desk: 6 kHz pass from one to the other."""
    bench.handset()
    bench.card.rate = 8000
    ann, bob, cid = bench.call(1, G722), bench.call(2, G722), bench.call(3, PCMU)
    ann.say(sine(6000, 10, 16000))
    bench.order(Bridge((1, 2, 3)))
    bench.order(TalkOn(PathName.HANDSET if at_the_desk else None, microphone=True))
    bench.seconds(1)
    assert tone_level(bob.heard(0.4), 16000, 6000) > HEARD
    assert tone_level(cid.heard(0.4), 8000, 2000) < UNHEARD, "nor does it fold back"
