"""libspeexdsp's canceller, suppressor and automatic gain, in a room made of numbers."""

import numpy as np
import pytest

from firmware.dsp.speex import SpeexCleaner
from tests.support.machine_lacks import need_library

RATE = 16_000
FRAME = 320


@pytest.fixture(autouse=True)
def _library():
    need_library("libspeexdsp.so.1", "libspeexdsp1")


def speechlike(seconds, seed):
    """Noise in syllables: what an adaptive filter learns from."""
    noise = np.random.default_rng(seed).standard_normal(round(RATE * seconds))
    syllables = 0.2 + np.abs(np.sin(np.arange(len(noise)) * 2 * np.pi * 2.5 / RATE))
    return 3000 * noise * syllables


def room(played, late=200):
    """What a microphone hears of a loudspeaker: an echo that dies away in 60 ms."""
    count = RATE * 60 // 1000
    random = np.random.default_rng(7).standard_normal(count)
    tail = random * np.exp(-np.arange(count) / (RATE * 0.012))
    tail *= 0.5 / np.sqrt((tail**2).sum())
    return np.concatenate([np.zeros(late), np.convolve(played, tail)])[: len(played)]


def cleaned(cleaner, microphone, played):
    pairs = zip(frames(microphone), frames(played), strict=True)
    pcm = b"".join(cleaner.clean(spoken, heard) for spoken, heard in pairs)
    return np.frombuffer(pcm, np.int16).astype(float)


def frames(samples):
    pcm = np.clip(samples, -32768, 32767).astype(np.int16)
    return [pcm[at : at + FRAME].tobytes() for at in range(0, len(pcm) - FRAME + 1, FRAME)]


def decibels(samples):
    return 10 * np.log10((samples**2).mean() + 1e-9)


def test_the_echo_of_the_far_end_is_gone_after_some_seconds():
    far = speechlike(8, 1)
    heard = cleaned(SpeexCleaner(RATE, echo=True, noise=False, gain=False), room(far), far)
    late = slice(6 * RATE, 8 * RATE)
    assert decibels(room(far)[late]) - decibels(heard[late]) > 25


def test_without_the_wish_the_echo_stays():
    far = speechlike(3, 1)
    heard = cleaned(SpeexCleaner(RATE, echo=False, noise=False, gain=False), room(far), far)
    late = slice(2 * RATE, 3 * RATE - FRAME)
    assert decibels(room(far)[late]) - decibels(heard[late]) < 8, "the little that is noise"


def test_an_echo_that_moved_is_learnt_anew():
    far = speechlike(12, 1)
    cleaner = SpeexCleaner(RATE, echo=True, noise=False, gain=False)
    half = 6 * RATE
    cleaned(cleaner, room(far)[:half], far[:half])
    cleaner.realign()
    heard = cleaned(cleaner, room(far, late=700)[half:], far[half:])
    late = slice(4 * RATE, 6 * RATE)
    assert decibels(room(far, late=700)[half:][late]) - decibels(heard[late]) > 20


def test_steady_noise_is_pressed_down_and_speech_is_not():
    hiss = 300 * np.random.default_rng(3).standard_normal(6 * RATE)
    cleaner = SpeexCleaner(RATE, echo=False, noise=True, gain=False)
    silence = np.zeros(6 * RATE)
    heard = cleaned(cleaner, hiss, silence)
    late = slice(4 * RATE, 6 * RATE)
    assert decibels(hiss[late]) - decibels(heard[late]) > 10
    voice = speechlike(2, 5)
    spoken = cleaned(cleaner, voice + hiss[: 2 * RATE], silence[: 2 * RATE])
    assert decibels(voice) - decibels(spoken) < 2


def test_whispering_is_raised():
    whisper = 0.02 * speechlike(8, 5)
    cleaner = SpeexCleaner(RATE, echo=False, noise=False, gain=True)
    heard = cleaned(cleaner, whisper, np.zeros(len(whisper)))
    late = slice(6 * RATE, 8 * RATE)
    assert decibels(heard[late]) - decibels(whisper[late]) > 10
