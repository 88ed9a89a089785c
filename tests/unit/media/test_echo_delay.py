"""How late an echo comes is found in the sound, whatever lies behind the card."""

import numpy as np
import pytest

from firmware.media.echo_delay import EchoDelay

HISS = 20 * np.random.default_rng(2).standard_normal(48_000 * 6)


def voice(rate, seconds, seed=1, pitch=120.0):
    """A buzz in syllables with some breath: periods that look alike, as those of a voice do."""
    dice = np.random.default_rng(seed)
    count = round(rate * seconds)
    times = np.arange(count) / rate
    swing = pitch * (1 + 0.15 * np.sin(2 * np.pi * 0.7 * times))
    phase = 2 * np.pi * np.cumsum(swing) / rate
    buzz = sum(np.sin(phase * n) / n for n in range(1, 12))
    breath = 0.3 * dice.standard_normal(count)
    syllables = dice.uniform(0.05, 1.0, round(seconds / 0.1) + 2)
    ends = np.cumsum(dice.uniform(0.08, 0.3, len(syllables)))
    return 4000 * (buzz + breath) * np.interp(times, ends, syllables)


def room(sound, rate, late, seed=7):
    """Its echo after so many seconds, in a room that takes 60 ms to die away."""
    count = round(rate * 0.06)
    tail = np.random.default_rng(seed).standard_normal(count)
    tail *= np.exp(-np.arange(count) / (rate * 0.012))
    tail *= 0.4 / np.sqrt((tail**2).sum())
    heard = np.convolve(sound, tail)[: len(sound)]
    return np.concatenate([np.zeros(round(late * rate)), heard])[: len(sound)]


def found(rate, played, heard):
    """What is known of the delay, look by look."""
    delay, frame = EchoDelay(), rate // 50
    pairs = [np.clip(each, -32768, 32767).astype(np.int16) for each in (played, heard)]
    looks = [
        delay.note(*(each[at : at + frame].tobytes() for each in pairs))
        for at in range(0, len(played) - frame, frame)
    ]
    return [each for each in looks if each is not None]


@pytest.mark.parametrize(
    ("rate", "late"), [(8_000, 0.0), (8_000, 0.17), (16_000, 0.08), (44_100, 0.03), (48_000, 0.3)]
)
def test_it_is_measured_to_a_few_milliseconds(rate, late):
    played = voice(rate, 6)
    seen = found(
        rate,
        played,
        room(played, rate, late) + HISS[: len(played)],
    )
    assert seen
    # The room's own beginning counts as much as the way.
    assert all(-0.015 <= each - late <= 0.03 for each in seen)


def test_our_own_voice_alone_says_nothing():
    played, own = voice(16_000, 8), voice(16_000, 8, seed=5, pitch=210.0)
    assert not found(16_000, played, own)


def test_a_far_end_that_is_silent_says_nothing():
    own = voice(16_000, 8)
    assert not found(16_000, np.zeros(len(own)), own)
    assert not found(16_000, own, np.zeros(len(own)))


def test_while_both_talk_nothing_wrong_is_believed():
    played = voice(16_000, 12)
    heard = room(played, 16_000, 0.12) + voice(16_000, 12, seed=9, pitch=190.0)
    assert all(-0.015 <= each - 0.12 <= 0.03 for each in found(16_000, played, heard))


@pytest.mark.parametrize("pair", [0, 3])
def test_what_is_known_is_not_given_up_while_both_talk(pair):
    """Chance makes two voices rise and fall alike for a second or two."""
    played = voice(16_000, 13, seed=pair, pitch=110 + 10 * pair)
    heard = room(played, 16_000, 0.12)
    heard[6 * 16_000 :] *= 0.1
    heard[6 * 16_000 :] += voice(16_000, 7, seed=pair + 50, pitch=200)
    assert all(-0.015 <= each - 0.12 <= 0.03 for each in found(16_000, played, heard))


def test_another_delay_is_found_again():
    played = voice(16_000, 16)
    half = len(played) // 2
    heard = np.concatenate([room(played, 16_000, 0.03)[:half], room(played, 16_000, 0.2)[half:]])
    seen = found(16_000, played, heard)
    assert seen[0] == pytest.approx(0.04, abs=0.03)
    assert seen[-1] == pytest.approx(0.21, abs=0.03)
