"""Cards that set the pace, and cards that come late."""

import pytest

from firmware.dsp.tone_probe import tone_level
from firmware.media.messages import (
    Card,
    ClosePath,
    EngineAlive,
    OpenPath,
    PathName,
    PathReport,
    PlayTone,
    StopTone,
    TalkOn,
    ToneSegment,
    decode_order,
    encode,
)
from hal.card_spec import CardSpec, Control
from hal.errors import DeviceError, DeviceGoneError
from hal.ports import Pacing
from hal.sound.mock import MockCard


def test_a_card_that_blocks_is_the_clock_of_the_engine(bench, sine):
    bench.pacing = Pacing.CAPTURE
    bench.handset()
    far = bench.call()
    far.say(sine(450, 2, 8000))
    bench.step(10)
    assert bench.now < bench.engine.due <= bench.now + 0.0101
    bench.seconds(1)
    assert len(far.packets) == 60
    assert tone_level(bench.card.heard(0.4), 16000, 450) > -20


def test_a_capture_card_sets_no_pace_while_its_microphone_is_closed(bench):
    bench.pacing = Pacing.CAPTURE
    bench.handset(microphone=False)
    bench.step(10)
    assert bench.engine.due < bench.now + 0.0001


def test_a_playback_card_sets_the_pace_without_a_microphone(bench):
    bench.pacing = Pacing.PLAYBACK
    bench.handset(microphone=False)
    bench.step(10)
    assert bench.now < bench.engine.due <= bench.now + 0.0101


def test_of_two_clocks_the_open_microphone_is_the_one_that_counts(bench):
    bench.pacing = Pacing.PLAYBACK
    bench.order(OpenPath(PathName.RINGER, Card("mock", "bell")))
    bench.handset(microphone=False)
    bell, handset = bench.cards
    assert (bell.leads, handset.leads) == (False, True), "the bell has nothing to play"
    bench.order(PlayTone("ring", PathName.RINGER, (ToneSegment((400.0,), 0.0),)))
    assert (bell.leads, handset.leads) == (True, False), "somebody must"
    bench.order(TalkOn(PathName.HANDSET, microphone=True))
    assert (bell.leads, handset.leads) == (False, True)
    bench.order(StopTone("ring"))
    bench.step(5)
    bench.order(ClosePath(PathName.HANDSET))
    assert not bell.leads, "nobody talks and nothing sounds"


def test_a_card_with_nothing_to_play_rests(bench):
    bench.handset()
    bench.step(5)
    rested = bench.card.rested
    bench.step(5)
    assert bench.card.rested == rested
    bench.order(TalkOn(None))
    assert bench.card.rested > rested


def test_a_path_may_move_to_another_card(bench):
    bench.handset()
    bench.order(OpenPath(PathName.HANDSET, Card("mock", "other")))
    first, second = bench.cards
    assert first.closed
    assert second.capturing


def test_an_idle_card_is_left_alone(bench):
    bench.handset()
    bench.step(10)
    bench.order(TalkOn(None))
    played = len(bench.card.played)
    bench.step(20)
    assert len(bench.card.played) == played


def figures(bench):
    """`(xruns, failures)` of the newest sign of life."""
    alive = bench.take(EngineAlive)[-1]
    return alive.xruns, alive.card_failures


def test_a_card_that_cannot_be_opened_has_no_xruns(bench):
    bench.card_error = DeviceError("card id:Nope: there is none")
    bench.handset()
    bench.seconds(3)
    xruns, failures = figures(bench)
    assert xruns == 0
    assert failures >= 2


NO_MICROPHONE = "card id:Audio: it has no microphone"


def told(bench):
    """`(open, reason)` of what was told of the path since the last look."""
    return [(report.open, report.reason) for report in bench.take(PathReport)]


def test_f34_a_card_without_a_microphone_plays_on_and_says_so_once(bench, sine):
    bench.deaf = DeviceError(NO_MICROPHONE)
    bench.handset()
    far = bench.call()
    far.say(sine(450, 4, 8000))
    bench.seconds(4)
    assert tone_level(bench.card.heard(0.4), 16000, 450) > -20
    assert len(bench.cards) == 1, "it was not closed"
    assert figures(bench)[1] <= 2, "it is not asked all the time"
    assert told(bench) == [(True, ""), (True, NO_MICROPHONE)]


def test_f34_a_microphone_that_another_program_had_is_opened_when_it_is_free(bench):
    bench.deaf = DeviceError("card id:Audio: another program is using it")
    bench.handset()
    bench.call()
    bench.seconds(2)
    assert not bench.card.capturing
    bench.card.deaf = None
    bench.seconds(6)
    assert bench.card.capturing
    assert told(bench)[-1] == (True, "")


def test_a_microphone_that_nobody_wants_any_more_is_no_fault(bench):
    bench.deaf = DeviceError(NO_MICROPHONE)
    bench.handset()
    bench.step(10)
    bench.order(TalkOn(None))
    assert told(bench)[-1] == (True, "")


def test_f33_a_card_that_goes_while_its_microphone_is_opened_is_gone(bench):
    bench.deaf = DeviceGoneError("card id:Audio: it is gone")
    bench.handset()
    assert bench.card.closed
    assert told(bench)[-1] == (False, "card id:Audio: it is gone")


def test_xruns_outlive_the_card_that_had_them(bench):
    bench.handset()
    bench.card.xruns = 2
    bench.seconds(6)
    assert figures(bench) == (2, 0)
    bench.call()
    bench.card.broken = DeviceGoneError("the card was unplugged")
    bench.seconds(2)
    bench.card.xruns = 1
    bench.seconds(2)
    assert figures(bench) == (3, 1)
    bench.order(ClosePath(PathName.HANDSET))
    bench.seconds(6)
    assert figures(bench) == (3, 1)


@pytest.mark.parametrize("pacing", [Pacing.CAPTURE, Pacing.PLAYBACK, Pacing.NONE])
def test_after_a_stall_the_timestamps_say_when_it_was_said(bench, pacing):
    """RFC 3550 §5.1; the whole process slept for 1.5 s, or its card did."""
    bench.pacing = pacing
    bench.handset(microphone=pacing is not Pacing.PLAYBACK)
    far = bench.call()
    bench.seconds(1)
    before, asleep = far.packets[-1], bench.now
    bench.now += 1.5
    bench.step(30, speaking=False)
    after = far.packets[-1]
    passed = (after.timestamp - before.timestamp & 0xFFFFFFFF) / 8000
    assert passed == pytest.approx(bench.now - asleep, abs=0.03)
    assert after.sequence - before.sequence & 0xFFFF < 32 + 10, "and no burst makes up for it"


def test_f31_the_drift_of_a_card_that_follows_is_told_by_path(bench):
    bench.order(OpenPath(PathName.HANDSET, Card("mock", "h")))
    bench.order(OpenPath(PathName.RINGER, Card("mock", "r")))
    bench.card.drift_ppm = 43.21
    bench.seconds(6)
    assert bench.take(EngineAlive)[-1].drifts == ((PathName.RINGER, 43.2),)


def test_a_card_whose_mixer_is_not_as_it_should_be_plays_and_says_so_for_every_path(bench):
    bench.remark = "card h: it has no mixer control 'Headphon'; is it 'Headphone'?"
    bench.handset()
    bench.order(OpenPath(PathName.RINGER, Card("mock", "h")))
    reports = bench.take(PathReport)
    assert [(each.path, each.open) for each in reports] == [
        (PathName.HANDSET, True),
        (PathName.RINGER, True),
    ]
    assert {each.reason for each in reports} == {bench.remark}
    bench.seconds(3)
    assert len(bench.cards) == 1, "it is used as it is"
    assert told(bench) == []


def test_a_card_that_comes_back_with_its_mixer_in_order_is_none_the_worse(bench):
    bench.remark = "card h: its mixer cannot be had (Permission denied)"
    bench.handset()
    bench.card.broken = DeviceGoneError("card h: it is gone")
    bench.remark = ""
    bench.seconds(3)
    assert told(bench) == [
        (True, "card h: its mixer cannot be had (Permission denied)"),
        (False, "card h: it is gone"),
        (True, ""),
    ]


def test_the_controls_of_a_card_reach_whoever_opens_it(bench):
    opened = []
    bench.engine._cards._open_card = lambda spec, _fds, _rate: opened.append(spec) or MockCard()
    mixer = (Control("Headphone", 80, paths=WAYS), Control("Mic", value=True))
    card = Card("alsa", "id:Codec", mixer=mixer)
    bench.order(decode_order(encode(OpenPath(PathName.HANDSET, card))))
    assert opened == [CardSpec("alsa", "id:Codec", mixer=card.mixer)]
    assert opened[0].mixer[1].value is True


WAYS = (("speaker", 95), ("ringer", 95))
ONE_CODEC = Card("mock", "h", mixer=(Control("Speaker", 0, paths=WAYS),))


def test_a_card_whose_outputs_are_for_some_paths_is_told_which_are_heard(bench):
    """Who lifts the handset does not hear the far end out of the loudspeaker."""
    for path in (PathName.HANDSET, PathName.SPEAKER, PathName.RINGER):
        bench.order(OpenPath(path, ONE_CODEC))
    bench.step(5)
    assert bench.card.paths == [], "nothing is heard"
    bench.order(PlayTone("ring", PathName.RINGER, (ToneSegment((440.0,), 0),)))
    bench.step(5)
    bench.order(StopTone("ring"))
    bench.order(TalkOn(PathName.HANDSET, microphone=True))
    bench.step(5)
    bench.order(TalkOn(PathName.SPEAKER, microphone=True))
    bench.step(5)
    bench.order(TalkOn(None))
    bench.step(5)
    told = bench.card.paths
    assert [each for each in told if len(each) == 1] == [{"ringer"}, {"handset"}, {"speaker"}]
    assert told[-1] == {"speaker"}, "and when nothing is heard any more, nothing is switched"
    assert len(told) <= 4


def test_a_card_that_comes_back_is_told_again_what_is_heard(bench):
    bench.order(OpenPath(PathName.SPEAKER, ONE_CODEC))
    bench.order(TalkOn(PathName.SPEAKER, microphone=True))
    bench.step(2)
    bench.card.broken = DeviceGoneError("card h: it is gone")
    bench.seconds(3)
    assert [card.paths for card in bench.cards] == [[{"speaker"}], [{"speaker"}]]


def test_any_other_card_is_not_asked_what_is_heard_where(bench):
    bench.handset()
    bench.step(5)
    assert bench.card.paths == []


def test_a_codec_switches_nothing_while_another_card_is_used(bench):
    """Each time an output is switched it may click."""
    bench.order(OpenPath(PathName.SPEAKER, ONE_CODEC))
    codec = bench.card
    bench.handset()
    bench.order(TalkOn(PathName.SPEAKER, microphone=True))
    bench.step(2)
    bench.order(TalkOn(PathName.HANDSET, microphone=True))
    bench.step(2)
    assert codec.paths == [{"speaker"}]
