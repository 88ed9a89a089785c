"""Tones: pitch, level, seams, ends."""

import itertools
import math
from array import array
from typing import NamedTuple

import pytest

from firmware.dsp.cadence import COUNTRIES, Segment, ToneKind
from firmware.dsp.level import level_of
from firmware.dsp.sine import Sine, prepare
from firmware.dsp.tone_probe import dominant, dominant_pair
from firmware.dsp.tones import DTMF, Tone, TonePlayer
from firmware.media.messages import ToneSegment


def samples(pcm: bytes) -> array:
    return array("h", pcm)


def steepest(pcm: bytes) -> int:
    values = samples(pcm)
    return max(abs(b - a) for a, b in itertools.pairwise(values))


def play(player: TonePlayer, blocks: int, size: int) -> bytes:
    return b"".join(player.block(size) for _ in range(blocks))


# Steady sound


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("frequency", [350, 425, 440, 697, 1000, 1633, 2600])
def test_a_tone_has_its_pitch_and_level_at_any_rate(rate, frequency):
    tone = Tone((frequency,), -19, rate)
    pcm = b"".join(tone.block(rate // 50) for _ in range(10))
    hertz, level = dominant(pcm, rate)
    assert hertz == pytest.approx(frequency, abs=0.2)
    assert level == pytest.approx(-19, abs=0.05)


@pytest.mark.parametrize("frequencies", [(425,), (350, 440), (697, 1209), (1400, 2060, 2450, 2600)])
def test_the_phase_runs_on_from_block_to_block(frequencies):
    whole = Tone(frequencies, -19, 8000).block(1601)
    tone = Tone(frequencies, -19, 8000)
    pieces = b"".join(tone.block(size) for size in (1, 160, 7, 480, 953))
    assert pieces == whole


def test_a_sine_is_a_sine():
    prepare(8000)
    got = samples(Sine(1234, 8000).block(8000))
    for index in range(0, 8000, 97):
        assert got[index] == pytest.approx(32767 * math.sin(math.tau * 1234 * index / 8000), abs=2)


def test_a_sine_may_begin_anywhere_in_its_turn():
    assert samples(Sine(1000, 8000, 90).block(2))[0] == 32767


@pytest.mark.parametrize("key", DTMF)
def test_a_key_has_the_two_frequencies_of_q23(key):
    assert dominant_pair(Tone(DTMF[key], -10, 8000).block(800), 8000) == DTMF[key]


def test_the_keypad_is_whole():
    assert "".join(DTMF) == "123A456B789C*0#D"
    assert DTMF["5"] == (770, 1336)


# Played by cadence


def test_a_cadence_is_on_and_off_in_time():
    player = TonePlayer([Segment((425,), 0.5), Segment((), 0.3)], 0, 8000)
    levels = [level_of(player.block(160)) for _ in range(80)]
    heard = "".join("#" if level > -30 else "." for level in levels)
    assert heard == ("#" * 25 + "." * 15) * 2
    assert not player.ended


def test_a_stutter_becomes_a_steady_tone():
    stutter = [Segment((425,), 0.1), Segment((), 0.1), Segment((425,), 0.0)]
    player = TonePlayer(stutter, 2, 8000)
    heard = "".join("#" if level_of(player.block(160)) > -30 else "." for _ in range(100))
    assert heard == "#####....." + "#" * 90


def test_repeating_from_later_leaves_the_beginning_out():
    player = TonePlayer([Segment((400,), 0.1), Segment((1000,), 0.1), Segment((), 0.1)], 1, 8000)
    play(player, 15, 160)
    hertz, _ = dominant(player.block(800), 8000)
    assert hertz == pytest.approx(1000, abs=1)


@pytest.mark.parametrize("rate", [8000, 48000])
def test_nothing_clicks_where_a_tone_begins_ends_or_is_stopped(rate):
    wave = 2 * math.pi * 440 / rate * 32768 * math.sqrt(2) * 10 ** (-10 / 20)
    player = TonePlayer([Segment((440,), 0.1107, -10), Segment((), 0.05)], 0, rate)
    pcm = play(player, 40, rate // 50)
    player.stop()
    pcm += play(player, 2, rate // 50)
    assert player.ended
    assert steepest(pcm) < wave * 1.3
    assert not any(player.block(rate // 50))


def test_a_tone_grows_out_of_silence_in_five_milliseconds():
    block = samples(TonePlayer([Segment((1000,), 0)], 0, 8000).block(160))
    steady = max(block[80:])
    assert max(block[:8]) < steady * 0.1
    assert max(block[16:24]) < steady * 0.7
    assert max(block[40:48]) == pytest.approx(steady, rel=0.01)


def test_a_stopped_tone_is_gone_within_five_milliseconds():
    player = TonePlayer([Segment((440,), 0)], 0, 8000)
    play(player, 10, 160)
    player.stop()
    block = samples(player.block(160))
    assert any(block[:40])
    assert not any(block[40:])
    assert player.ended


def test_stopping_in_a_pause_or_twice_is_harmless():
    player = TonePlayer([Segment((440,), 0.1), Segment((), 1.0)], 0, 8000)
    play(player, 10, 160)
    player.stop()
    assert player.ended
    player.stop()
    assert not any(player.block(160))


def test_a_beep_that_plays_once_ends_and_lasts_at_least_forty_milliseconds():
    player = TonePlayer([Segment((440,), 0.001)], -1, 8000)
    loud = sum(bool(any(player.block(8))) for _ in range(100))
    assert loud == pytest.approx(40, abs=1)
    assert player.ended


@pytest.mark.parametrize("segments", [[], [Segment((), 0)], [Segment((440,), -1)]])
def test_odd_cadences_do_no_harm(segments):
    player = TonePlayer(segments, 0, 8000)
    assert len(play(player, 5, 160)) == 1600


def test_a_repeat_beyond_the_end_plays_once():
    player = TonePlayer([Segment((440,), 0.1)], 7, 8000)
    play(player, 6, 160)
    assert player.ended


class OtherSegment(NamedTuple):
    frequencies: tuple[float, ...]
    seconds: float
    level: float


@pytest.mark.parametrize("kind", [Segment, ToneSegment, OtherSegment])
def test_segments_of_any_make_are_played(kind):
    assert any(TonePlayer([kind((440.0,), 0.1, -19.0)], -1, 8000).block(160))


# Countries


@pytest.mark.parametrize("country", COUNTRIES.values(), ids=lambda country: country.code)
@pytest.mark.parametrize("kind", ToneKind)
def test_every_tone_of_every_country_is_heard_with_its_frequencies(country, kind):
    segments, repeat_from = country.tones[kind]
    player = TonePlayer(segments, repeat_from, 8000)
    first = segments[0]
    length = round((first.seconds or 0.3) * 8000)
    pcm = player.block(length)
    assert level_of(pcm) == pytest.approx(
        first.level + 10 * math.log10(len(first.frequencies)), abs=2.5
    )
    if len(first.frequencies) == 1:
        assert dominant(pcm, 8000)[0] == pytest.approx(first.frequencies[0], abs=2)
    elif len(first.frequencies) == 2 and length >= 1600:
        assert dominant_pair(pcm, 8000) == pytest.approx(sorted(first.frequencies), abs=2)
