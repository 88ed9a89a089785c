"""What is heard when packets are missing."""

import itertools
import math
from array import array

import pytest

from firmware.dsp.concealment import Concealer, crossfade
from firmware.dsp.level import SILENCE, level_of
from firmware.dsp.tone_probe import dominant
from firmware.dsp.tones import Tone


def voice(hertz: float, rate: int = 8000) -> Tone:
    """Something with a pitch and overtones, as vowels have."""
    return Tone((hertz, 2 * hertz, 3 * hertz), -25, rate)


def heard(concealer, tone, lost, frames=50, size=160) -> list[bytes]:
    out = []
    for index in range(frames):
        frame = tone.block(size)
        out.append(concealer.conceal(size) if index in lost else concealer.heard(frame))
    return out


def steepest(pcm: bytes) -> int:
    values = array("h", pcm)
    return max(abs(b - a) for a, b in itertools.pairwise(values))


def test_without_loss_nothing_is_changed_after_the_first_moment():
    tone, again = voice(200), voice(200)
    out = b"".join(heard(Concealer(8000), tone, lost=()))
    assert out[64:] == again.block(50 * 160)[64:]


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("hertz", [100, 160, 200, 250, 320])
def test_one_lost_frame_of_a_voice_is_hardly_noticed(hertz, rate):
    size = rate // 50
    frames = heard(Concealer(rate), voice(hertz, rate), lost=(20,), size=size)
    assert level_of(frames[20]) == pytest.approx(level_of(frames[19]), abs=1.5)
    assert dominant(b"".join(frames[18:23]), rate)[0] % hertz == pytest.approx(
        0, abs=hertz * 0.03
    ) or dominant(b"".join(frames[18:23]), rate)[0] % hertz == pytest.approx(
        hertz, abs=hertz * 0.03
    )
    usual = steepest(b"".join(frames[5:15]))
    assert steepest(b"".join(frames[18:24])) < usual * 1.6


def test_a_long_loss_fades_to_nothing_in_sixty_milliseconds():
    frames = heard(Concealer(8000), voice(200), lost=range(20, 40))
    levels = [level_of(frame) for frame in frames]
    assert levels[20] > levels[21] > levels[22] > -60
    assert levels[23:40] == [SILENCE] * 17


def test_speech_returns_smoothly_after_any_loss():
    for lost in (1, 2, 3, 10):
        frames = heard(Concealer(8000), voice(200), lost=range(20, 20 + lost))
        usual = steepest(b"".join(frames[5:15]))
        assert steepest(b"".join(frames)) < usual * 1.6
        assert level_of(frames[25 + lost]) == pytest.approx(level_of(frames[10]), abs=0.1)


def test_before_anything_was_heard_there_is_nothing_to_repeat():
    concealer = Concealer(8000)
    assert concealer.conceal(160) == bytes(320)
    assert concealer.pause(160) == bytes(320)


def test_a_pause_ends_speech_without_a_click_and_then_is_silent():
    concealer = Concealer(8000)
    frames = heard(concealer, voice(200), lost=())
    usual = steepest(b"".join(frames[5:15]))
    quiet = concealer.pause(160) + concealer.pause(160)
    assert steepest(frames[-1] + quiet) < usual * 1.6
    assert not any(quiet[64:])
    assert concealer.conceal(160) == bytes(320)


@pytest.mark.parametrize("place", range(10, 20))
def test_a_frame_left_out_is_bridged(place):
    concealer, tone = Concealer(8000), Tone((430,), -15, 8000)
    wave = 2 * math.pi * 430 / 8000 * 32768 * math.sqrt(2) * 10 ** (-15 / 20)
    out = []
    for index in range(30):
        frame = tone.block(160)
        if index == place:
            concealer.cut(frame)
        else:
            out.append(concealer.heard(frame))
    assert steepest(b"".join(out[2:])) < wave * 1.3


@pytest.mark.parametrize("frequencies", [(317, 731), (211, 467, 1013), (150, 977)])
def test_sounds_without_a_period_are_repeated_without_a_click(frequencies):
    concealer, tone = Concealer(8000), Tone(frequencies, -20, 8000)
    frames = heard(concealer, tone, lost=range(20, 30))
    usual = steepest(b"".join(frames[2:18]))
    assert steepest(b"".join(frames[20:30])) < usual * 1.15


@pytest.mark.parametrize("samples", [1, 40, 80, 160, 240, 480, 960])
def test_any_length_may_be_asked_for(samples):
    concealer = Concealer(8000)
    heard(concealer, voice(200), lost=())
    for _ in range(4):
        assert len(concealer.conceal(samples)) == samples * 2
    assert len(concealer.heard(bytes(20))) == 20
    assert concealer.heard(b"") == b""


@pytest.mark.parametrize("content", ["silence", "full scale", "noise"])
def test_no_sound_breaks_it(content):
    pcm = {
        "silence": bytes(320),
        "full scale": array("h", [32767, -32768] * 80).tobytes(),
        "noise": bytes((n * 7919 >> 3) & 0xFF for n in range(320)),
    }[content]
    concealer = Concealer(8000)
    for lost in (0, 1, 0, 0, 1, 1, 1, 1, 0, 1, 0):
        assert len(concealer.conceal(160) if lost else concealer.heard(pcm)) == 320


def test_a_crossfade_begins_with_the_old_and_ends_with_the_new():
    old, new = array("h", [1000] * 40).tobytes(), array("h", [-1000] * 40).tobytes()
    faded = array("h", crossfade(old, new))
    assert faded[0] > 900
    assert faded[-1] < -900
    assert list(faded) == sorted(faded, reverse=True)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("hertz", [100, 160, 220])
def test_a_gap_between_two_shores_is_bridged_better_than_from_one(hertz, rate):
    size = rate // 50
    tone, concealer, alone = voice(hertz, rate), Concealer(rate), Concealer(rate)
    frames = [tone.block(size) for _ in range(30)]
    for frame in frames[:20]:
        concealer.heard(frame)
        alone.heard(frame)
    bridged, guessed = concealer.conceal(size, frames[21]), alone.conceal(size)
    assert distance(bridged, frames[20]) <= distance(guessed, frames[20]) * 1.05
    whole = frames[19] + bridged + concealer.heard(frames[21])
    assert steepest(whole) < steepest(frames[5] + frames[6]) * 1.2


def distance(one, other) -> float:
    return (
        level_of(
            array(
                "h", (a - b for a, b in zip(array("h", one), array("h", other), strict=True))
            ).tobytes()
        )
        - level_of(other)
        + 100
    )


def test_after_a_bridge_the_future_is_left_as_it_is():
    concealer, tone = Concealer(8000), voice(150)
    heard(concealer, tone, lost=())
    future = tone.block(160)
    concealer.conceal(160, future)
    assert concealer.heard(future) == future


def test_a_decoder_that_must_settle_is_not_believed_at_once():
    concealer, tone = Concealer(16000, settle=0.004), voice(150, 16000)
    heard(concealer, tone, lost=(), size=320)
    future = tone.block(320)
    wrong = bytes(128) + future[128:]  # what it says in the first 4 ms is nonsense
    concealer.conceal(320, wrong)
    mended = concealer.heard(wrong)
    assert mended[128:] == future[128:]
    assert level_of(mended[:128]) > level_of(future) - 6


def test_a_long_loss_ends_in_the_noise_of_the_room_and_not_in_nothing():
    concealer = Concealer(8000)
    heard(concealer, voice(200), lost=())
    concealer.room = 40.0
    frames = [concealer.conceal(160) for _ in range(10)] + [concealer.pause(160) for _ in range(5)]
    levels = [level_of(frame) for frame in frames]
    assert levels[0] > -30
    assert levels[4:] == pytest.approx([-58] * 11, abs=1.5)
    usual = steepest(voice(200).block(800))
    assert steepest(b"".join(frames)) < usual * 1.6


def test_a_bridge_after_the_voice_has_gone_rises_out_of_the_room():
    concealer, tone = Concealer(8000), voice(200)
    heard(concealer, tone, lost=())
    for _ in range(5):
        concealer.conceal(160)
    future = tone.block(160)
    rising = concealer.conceal(160, future)
    assert level_of(rising[:80]) < level_of(rising[-80:]) - 6
