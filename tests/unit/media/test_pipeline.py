"""The desk and the near ends, without an engine."""

import pytest

from firmware.dsp.level import level_of
from firmware.media.messages import PathName, PlayTone, Route, ToneSegment
from firmware.media.pipeline import Clip, Desk, NearEnd, gain_of, silence

HANDSET = frozenset({PathName.HANDSET})
HUM = (ToneSegment((400.0,), 0),)


@pytest.mark.parametrize(
    ("volume", "decibels"), [(100, 6), (80, 2), (70, 0), (60, -4), (50, -8), (10, -24)]
)
def test_volume_is_a_gain_around_70(volume, decibels):
    assert gain_of(volume) == pytest.approx(10 ** (decibels / 20))


@pytest.mark.parametrize(("volume", "gain"), [(0, 0), (-5, 0), (250, gain_of(100))])
def test_volume_has_ends(volume, gain):
    assert gain_of(volume) == gain


def test_a_path_at_rest_plays_nothing_at_all():
    desk = Desk()
    desk.open(PathName.HANDSET, 70)
    assert not desk.wanted
    assert desk.frame_for(HANDSET, 16000) is None


def test_a_path_somebody_listens_on_plays_silence():
    desk = Desk()
    desk.open(PathName.HANDSET, 70)
    desk.talk_on(PathName.HANDSET, microphone=False)
    assert desk.wanted
    assert desk.frame_for(HANDSET, 16000) == silence(16000)


def test_closing_the_path_somebody_talks_on_hangs_up():
    desk = Desk()
    desk.open(PathName.HANDSET, 70)
    desk.talk_on(PathName.HANDSET, microphone=True)
    desk.close(PathName.HANDSET)
    assert not desk.microphone_open
    assert not desk.wanted


def test_a_tone_on_a_path_nobody_opened_is_no_work():
    desk = Desk()
    desk.play(PlayTone("dial", PathName.SPEAKER, HUM))
    assert not desk.wanted


def test_stopping_a_tone_by_name_stops_it_wherever_it_plays():
    desk = Desk()
    both = (PathName.HANDSET, PathName.RINGER)
    for path in both:
        desk.open(path, 70)
        desk.play(PlayTone("ring", path, HUM))
    assert desk.frame_for(both, 16000) is not None
    desk.stop("ring", None)
    desk.frame_for(both, 16000)
    assert not desk.wanted


def test_sound_too_loud_is_held_at_full_scale():
    desk = Desk()
    desk.open(PathName.HANDSET, 100)
    desk.talk_on(PathName.HANDSET, microphone=False)
    desk.begin_frame(16000, b"")
    desk.hear(b"\xff\x7f" * 320)
    desk.hear(b"\xff\x7f" * 320)
    assert desk.frame_for(HANDSET, 16000) == b"\xff\x7f" * 320


def test_mute_discards_before_any_buffer():
    desk = Desk()
    desk.muted = True
    desk.begin_frame(16000, b"\1\1" * 320)
    assert desk.microphone == b""


def test_on_hook_a_stream_in_front_is_told_silence():
    near = NearEnd(Route.CARD, None)
    assert near.exchange(b"\1\1" * 160, 8000, 8000, Desk()) == silence(8000)


def test_a_clip_at_another_rate_keeps_its_length_and_loudness(sine):
    near = NearEnd(Route.CLIP, Clip(sine(1000, 1, 16000), 16000))
    frames = [near.exchange(silence(8000), 8000, 8000, Desk()) for _ in range(50)]
    assert {len(frame) for frame in frames} == {320}
    assert level_of(b"".join(frames[5:45])) == pytest.approx(level_of(sine(1000, 1, 8000)), abs=1)
    assert near.ended


def test_an_empty_clip_ends_at_once():
    near = NearEnd(Route.CLIP, Clip(b"", 8000))
    near.change(Route.CLIP, Clip(b"", 8000), repeat=True)
    assert near.exchange(silence(8000), 8000, 8000, Desk()) == silence(8000)
    assert near.ended
