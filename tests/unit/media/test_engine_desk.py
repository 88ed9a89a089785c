"""The near side of the engine: microphone, cards, volume, tones, clips, judged by content."""

import pytest

from firmware.dsp.level import level_of
from firmware.dsp.tone_probe import tone_level
from firmware.media.messages import (
    Card,
    ClipEnded,
    ClosePath,
    HearingChanged,
    LoadClip,
    OpenPath,
    PathName,
    PathReport,
    PlayTone,
    Route,
    RouteStream,
    SetMute,
    SetVolume,
    Silence,
    StopTone,
    TalkOn,
    ToneEnded,
    ToneSegment,
)
from hal.errors import DeviceError, DeviceGoneError

RINGBACK = (ToneSegment((400.0, 450.0), 0.4), ToneSegment((), 0.2))
DIAL = (ToneSegment((350.0, 450.0), 0.0),)
BEEP = (ToneSegment((1000.0,), 0.1),)


def share(pcm, rate, frequency):
    """How much of the power in some samples is this tone, 0 to 1."""
    return 10 ** ((tone_level(pcm, rate, frequency) - level_of(pcm)) / 10)


class TestMicrophone:
    def test_mute_sends_silence_and_goes_on_listening(self, bench, sine):
        bench.handset()
        far = bench.call()
        far.say(sine(450, 3, 8000))
        bench.card.speech = sine(1000, 3, 16000)
        bench.seconds(1)
        bench.order(SetMute(muted=True))
        bench.step(3)
        bench.seconds(0.6)
        assert level_of(far.heard(0.5)) == -127
        assert share(bench.card.heard(0.4), 16000, 450) > 0.95
        bench.order(SetMute(muted=False))
        bench.seconds(0.5)
        assert share(far.heard(0.3), 8000, 1000) > 0.95

    def test_nothing_that_was_said_while_muted_is_heard_later(self, bench, sine):
        bench.handset()
        far = bench.call()
        bench.order(SetMute(muted=True))
        bench.card.speech = sine(1000, 1, 16000)
        bench.seconds(1)
        bench.order(SetMute(muted=False))
        bench.seconds(0.5)
        assert level_of(far.heard(0.5)) == -127

    def test_the_device_records_only_while_somebody_talks_on_it(self, bench):
        bench.order(OpenPath(PathName.HANDSET, Card("mock", "h")))
        card = bench.card
        assert not card.capturing
        bench.order(TalkOn(PathName.HANDSET, microphone=False))
        bench.step(5)
        assert not card.capturing
        assert card.reads == 0
        bench.order(TalkOn(PathName.HANDSET, microphone=True))
        assert card.capturing
        bench.order(TalkOn(None))
        assert not card.capturing

    def test_changing_the_path_moves_the_microphone(self, bench):
        bench.handset()
        bench.order(OpenPath(PathName.SPEAKER, Card("mock", "s")))
        handset, speaker = bench.cards
        bench.order(TalkOn(PathName.SPEAKER, microphone=True))
        assert (handset.capturing, speaker.capturing) == (False, True)

    def test_no_microphone_no_sound_for_the_far_end(self, bench, sine):
        bench.handset(microphone=False)
        far = bench.call()
        bench.card.speech = sine(1000, 1, 16000)
        bench.seconds(0.5)
        assert level_of(far.heard(0.5)) == -127


class TestPaths:
    def test_paths_with_one_card_share_the_device(self, bench):
        bench.order(OpenPath(PathName.HANDSET, Card("mock", "h")))
        bench.order(OpenPath(PathName.RINGER, Card("mock", "h")))
        assert len(bench.cards) == 1
        assert [report.open for report in bench.take(PathReport)] == [True, True]
        bench.order(TalkOn(PathName.HANDSET))
        bench.order(PlayTone("ring", PathName.RINGER, (ToneSegment((1000.0,), 0),)))
        bench.order(PlayTone("dial", PathName.HANDSET, (ToneSegment((450.0,), 0),)))
        bench.seconds(0.5)
        heard = bench.card.heard(0.4)
        assert tone_level(heard, 16000, 1000) == pytest.approx(-19, abs=0.5)
        assert tone_level(heard, 16000, 450) == pytest.approx(-19, abs=0.5)
        bench.order(ClosePath(PathName.RINGER))
        assert not bench.card.closed
        bench.order(ClosePath(PathName.HANDSET))
        assert bench.card.closed

    def test_volume_is_heard_at_once(self, bench, sine):
        bench.handset()
        far = bench.call()
        far.say(sine(450, 5, 8000))
        bench.seconds(1)
        nominal = level_of(bench.card.heard(0.4))
        bench.order(SetVolume(PathName.HANDSET, 100))
        bench.seconds(0.5)
        assert level_of(bench.card.heard(0.4)) == pytest.approx(nominal + 6, abs=0.3)
        bench.order(SetVolume(PathName.HANDSET, 40))
        bench.seconds(0.5)
        assert level_of(bench.card.heard(0.4)) == pytest.approx(nominal - 12, abs=0.3)
        bench.order(SetVolume(PathName.HANDSET, 0))
        bench.seconds(0.5)
        assert level_of(bench.card.heard(0.4)) == -127

    def test_a_card_that_cannot_be_opened_is_told_and_tried_again(self, bench):
        bench.card_error = DeviceError("card id:Nope: there is none")
        bench.order(OpenPath(PathName.HANDSET, Card("mock", "h")))
        assert bench.take(PathReport) == [
            PathReport(PathName.HANDSET, open=False, reason="card id:Nope: there is none")
        ]
        bench.seconds(3)
        assert not bench.take(PathReport)
        bench.card_error = None
        bench.seconds(1.1)
        assert bench.take(PathReport) == [PathReport(PathName.HANDSET, open=True)]

    def test_a_card_unplugged_in_a_call_comes_back_and_the_call_stays(self, bench, sine):
        bench.handset()
        far = bench.call()
        far.say(sine(450, 9, 8000))
        bench.seconds(1)
        bench.take(PathReport)
        bench.card.broken = DeviceGoneError("the card was unplugged")
        bench.card_error = DeviceError("the card was unplugged")
        bench.seconds(1.5)
        assert bench.take(PathReport) == [
            PathReport(PathName.HANDSET, open=False, reason="the card was unplugged")
        ]
        assert bench.take(HearingChanged) == [
            HearingChanged(1, Silence.CARD_FAILED, "the card was unplugged")
        ]
        assert len(far.collect()) == 0
        assert len(far.packets) == 125
        bench.card_error = None
        bench.seconds(2)
        assert len(bench.cards) == 2
        assert bench.card.capturing
        assert share(bench.card.heard(0.4), 16000, 450) > 0.95
        assert bench.take(HearingChanged) == [HearingChanged(1, None, "")]


class TestTones:
    def test_a_continuous_tone_plays_until_it_is_stopped_and_ends_within_40_ms(self, bench):
        bench.handset()
        bench.order(PlayTone("dial", PathName.HANDSET, DIAL))
        bench.seconds(1)
        heard = bench.card.heard(0.9)
        assert tone_level(heard, 16000, 350) == pytest.approx(-19, abs=0.5)
        assert tone_level(heard, 16000, 450) == pytest.approx(-19, abs=0.5)
        bench.order(StopTone("dial"))
        bench.step(2)
        assert level_of(bench.card.played[-1]) == -127
        assert -127 < level_of(bench.card.played[-2]) < level_of(heard)

    def test_a_cadence_repeats(self, bench):
        bench.handset()
        bench.order(PlayTone("ringback", PathName.HANDSET, RINGBACK))
        bench.seconds(1.8)
        loud = [level_of(frame) > -60 for frame in bench.card.played]
        assert loud == ([True] * 20 + [False] * 10) * 3

    def test_a_beep_is_played_to_its_end_and_then_told(self, bench):
        bench.handset()
        bench.order(PlayTone("beep", PathName.HANDSET, BEEP, -1))
        bench.seconds(0.5)
        assert [level_of(frame) > -60 for frame in bench.card.played[:7]] == [True] * 5 + [
            False
        ] * 2
        assert bench.take(ToneEnded) == [ToneEnded("beep", PathName.HANDSET)]

    def test_a_beep_that_is_stopped_at_once_still_sounds_for_40_ms(self, bench):
        bench.handset()
        bench.order(PlayTone("key", PathName.HANDSET, (ToneSegment((697.0, 1209.0), 3.0),), -1))
        bench.order(StopTone("key"))
        bench.seconds(0.3)
        loud = [level_of(frame) > -60 for frame in bench.card.played]
        assert loud[:2] == [True, True]
        assert not any(loud[4:])
        assert not bench.take(ToneEnded)

    def test_a_tone_replaces_the_one_of_its_name(self, bench):
        bench.handset()
        bench.order(PlayTone("line", PathName.HANDSET, DIAL))
        bench.seconds(0.5)
        bench.order(PlayTone("line", PathName.HANDSET, (ToneSegment((1000.0,), 0),)))
        bench.seconds(0.5)
        assert share(bench.card.heard(0.4), 16000, 1000) > 0.95

    def test_a_tone_and_speech_are_heard_together_and_the_far_end_hears_no_tone(self, bench, sine):
        bench.handset()
        far = bench.call()
        far.say(sine(450, 2, 8000))
        bench.order(PlayTone("waiting", PathName.HANDSET, (ToneSegment((1000.0,), 0),)))
        bench.seconds(1.5)
        heard = bench.card.heard(0.4)
        assert tone_level(heard, 16000, 1000) == pytest.approx(-19, abs=0.5)
        assert tone_level(heard, 16000, 450) > -20
        assert level_of(far.heard(0.5)) == -127

    def test_the_bell_rings_while_the_handset_is_on_hook(self, bench):
        bench.order(OpenPath(PathName.RINGER, Card("mock", "r")))
        bench.order(PlayTone("ring", PathName.RINGER, RINGBACK))
        bench.seconds(0.3)
        assert level_of(bench.card.heard(0.2)) > -30

    @pytest.mark.parametrize("ringer", ["a card of its own", "h"])
    def test_the_bell_rings_for_another_call_and_nobody_at_it_hears_this_one(
        self, bench, sine, ringer
    ):
        bench.handset()
        handset = bench.card
        bench.order(OpenPath(PathName.RINGER, Card("mock", ringer)))
        bench.order(PlayTone("ring", PathName.RINGER, (ToneSegment((1000.0,), 0),)))
        bench.order(PlayTone("waiting", PathName.HANDSET, (ToneSegment((600.0,), 0),)))
        far = bench.call()
        far.say(sine(450, 3, 8000))
        bench.seconds(1)
        shared = bench.card is handset
        for hertz, at_the_bell in ((450, shared), (600, shared), (1000, True)):
            heard = tone_level(bench.card.heard(0.4), 16000, hertz) > -30
            assert heard is at_the_bell, hertz
        assert tone_level(handset.heard(0.4), 16000, 450) == pytest.approx(
            tone_level(sine(450, 0.4, 16000), 16000, 450), abs=0.5
        ), "once, whatever else its card plays"
        assert (tone_level(handset.heard(0.4), 16000, 1000) > -30) is shared


class TestClips:
    def test_a_clip_is_sent_to_its_end(self, bench, sine, memory_file):
        bench.order(LoadClip("hello", 16000), [memory_file(sine(1000, 0.5, 16000))])
        far = bench.call(route=Route.NULL)
        bench.order(RouteStream(1, Route.CLIP, "hello"))
        bench.seconds(0.4)
        assert share(far.heard(0.3), 8000, 1000) > 0.95
        assert not bench.take(ClipEnded)
        bench.seconds(0.2)
        assert bench.take(ClipEnded) == [ClipEnded(1)]
        bench.seconds(0.2)
        assert level_of(far.heard(0.1)) < -60

    def test_a_clip_repeats(self, bench, sine, memory_file):
        bench.order(LoadClip("music", 8000), [memory_file(sine(450, 0.2, 8000))])
        far = bench.call(route=Route.NULL)
        bench.order(RouteStream(1, Route.CLIP, "music", repeat=True))
        bench.seconds(1)
        assert share(far.heard(0.8), 8000, 450) > 0.95
        assert not bench.take(ClipEnded)
