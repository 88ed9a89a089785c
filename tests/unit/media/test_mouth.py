"""A path's microphone between card and streams."""

import numpy as np
import pytest

from firmware.base.pcm import audioop
from firmware.dsp.limiter import CEILING
from firmware.dsp.tone_probe import tone_level
from firmware.media.messages import (
    Card,
    Microphone,
    OpenPath,
    PathName,
    PlayTone,
    SetMute,
    TalkOn,
    ToneSegment,
)
from hal.errors import DeviceGoneError
from tests.support.machine_lacks import need_library


def handset(bench, microphone, path=PathName.HANDSET):
    bench.order(OpenPath(path, Card("mock", "h"), 70, microphone))
    bench.order(TalkOn(path, microphone=True))


def said(bench, seconds, measure=audioop.max):
    """How loud it is at the far end."""
    far = bench.call() if not bench.far_ends else bench.far_ends[0]
    far.packets.clear()
    bench.seconds(seconds)
    codec = far.decoder
    return measure(b"".join(codec.decode(packet.payload) for packet in far.packets[5:]), 2)


def test_without_wishes_the_sound_is_the_cards(bench, sine):
    handset(bench, None)
    bench.card.speech = sine(500, 3, 16000)
    assert said(bench, 1) == pytest.approx(8000, rel=0.05)


def test_a_gain_is_a_gain(bench, sine):
    handset(bench, Microphone(gain_db=-12))
    bench.card.speech = sine(500, 3, 16000)
    assert said(bench, 1) == pytest.approx(2009, rel=0.05)


def test_f35_too_much_gain_ends_at_the_limiter(bench, sine):
    handset(bench, Microphone(gain_db=30))
    bench.card.speech = sine(500, 3, 16000)
    assert said(bench, 1) == pytest.approx(CEILING, rel=0.05)


def test_one_hears_a_little_of_oneself(bench, sine):
    handset(bench, Microphone(sidetone_db=-20))
    bench.card.speech = sine(500, 3, 16000)
    bench.seconds(1)
    assert audioop.max(bench.card.heard(0.5), 2) == pytest.approx(800, rel=0.05)


def test_p11_muted_nobody_hears_it_oneself_included(bench, sine):
    handset(bench, Microphone(sidetone_db=-20, gain_db=6))
    bench.card.speech = sine(500, 9, 16000)
    bench.order(SetMute(muted=True))
    assert said(bench, 1) < 10
    assert audioop.max(bench.card.heard(0.5), 2) == 0


class Cleaner:
    """Stands for libspeexdsp and keeps what it is shown."""

    shown: list[bytes]

    def __init__(self, _rate, **_wishes):
        Cleaner.shown = []

    def clean(self, frame, played):
        self.shown.append(played)
        return frame

    def realign(self):
        pass


def test_the_canceller_is_shown_all_that_the_card_played_and_as_loud(bench, sine, monkeypatch):
    """Far end, tone and sidetone together, after the volume."""
    monkeypatch.setattr("firmware.media.mouth.SpeexCleaner", Cleaner)
    monkeypatch.setattr("firmware.media.mouth.available", lambda: True)
    wishes = Microphone(sidetone_db=-20, echo=True)
    bench.order(OpenPath(PathName.SPEAKER, Card("mock", "h"), 40, wishes))
    bench.order(TalkOn(PathName.SPEAKER, microphone=True))
    bench.order(PlayTone("waiting", PathName.SPEAKER, (ToneSegment((600.0,), 0),)))
    bench.card.speech = sine(300, 1, 16000)
    bench.call().say(sine(450, 1, 8000))
    bench.seconds(0.5)
    assert Cleaner.shown[1:] == bench.card.played[:-1]
    for hertz in (300, 450, 600):
        assert tone_level(b"".join(Cleaner.shown[-10:]), 16000, hertz) > -50


def test_the_far_end_does_not_hear_itself_through_the_speaker(bench, sine):
    """The card's microphone hears its loudspeaker 20 ms later, at half the loudness."""
    need_library("libspeexdsp.so.1", "libspeexdsp1")
    handset(bench, Microphone(echo=True), PathName.SPEAKER)
    card = bench.card
    card.read = lambda: audioop.mul(card.played[-1], 2, 0.5) if card.played else bytes(640)
    far = bench.call()
    far.say(audioop.mul(np.random.default_rng(1).bytes(16_000 * 8), 2, 0.2))
    first = said(bench, 0.4, audioop.rms)
    bench.seconds(5)
    assert said(bench, 1, audioop.rms) < first / 15


def an_echo(card, late):
    """The card's microphone hears its loudspeaker so many frames later, at half the loudness."""

    def read():
        return audioop.mul(card.played[-late], 2, 0.5) if len(card.played) >= late else bytes(640)

    return read


@pytest.mark.parametrize("how", ["an xrun", "plugged in again", "another path meanwhile"])
def test_f32_after_an_xrun_or_another_card_the_echo_is_learned_anew(bench, how):
    """What was learned of the other delay would hinder: measured, twice as long."""
    need_library("libspeexdsp.so.1", "libspeexdsp1")
    handset(bench, Microphone(echo=True), PathName.SPEAKER)
    bench.card.read = an_echo(bench.card, 1)
    far = bench.call()
    far.say(audioop.mul(np.random.default_rng(1).bytes(16_000 * 12), 2, 0.2))
    bench.seconds(4)
    if how == "an xrun":
        bench.card.xruns += 1
    elif how == "another path meanwhile":
        for path in (PathName.HANDSET, PathName.SPEAKER):
            handset(bench, Microphone(echo=path is PathName.SPEAKER), path)
            bench.seconds(0.2)
    else:
        bench.card.broken = DeviceGoneError("pulled out")
        bench.seconds(1.5)
    bench.card.read = an_echo(bench.card, 4)
    loud = said(bench, 0.4, audioop.rms)
    bench.seconds(0.6)
    assert said(bench, 0.5, audioop.rms) < loud / 4


def syllables(seconds):
    """Noise that rises and falls, at 8 kHz."""
    times = np.arange(round(seconds * 8000)) / 8000
    loud = 0.1 + np.abs(np.sin(2 * np.pi * 1.7 * times) * np.sin(2 * np.pi * 0.9 * times))
    noise = np.random.default_rng(1).standard_normal(len(times))
    return (3000 * loud * noise).astype(np.int16).tobytes()


@pytest.mark.parametrize("late", [2, 8, 14])
def test_an_echo_that_comes_late_is_cancelled_all_the_same(bench, late):
    """A USB box, a mixer of ALSA's, a television: up to 300 ms lie behind the card."""
    need_library("libspeexdsp.so.1", "libspeexdsp1")
    handset(bench, Microphone(echo=True), PathName.SPEAKER)
    bench.card.read = an_echo(bench.card, late)
    far = bench.call()
    far.say(syllables(10))
    first = said(bench, 1.5, audioop.rms)
    bench.seconds(5)
    assert said(bench, 1.5, audioop.rms) < first / 15


def test_after_a_mute_the_far_end_does_not_hear_its_last_words(bench):
    """The canceller was given nothing meanwhile, so it does not know what is still in the room."""
    need_library("libspeexdsp.so.1", "libspeexdsp1")
    handset(bench, Microphone(echo=True), PathName.SPEAKER)
    bench.card.read = an_echo(bench.card, 4)
    far = bench.call()
    far.say(syllables(16))
    bench.seconds(6)
    settled = said(bench, 1, audioop.max)
    bench.order(SetMute(muted=True))
    bench.seconds(2)
    far.packets.clear()
    bench.order(SetMute(muted=False))
    bench.seconds(0.5)
    heard = b"".join(far.decoder.decode(packet.payload) for packet in far.packets)
    assert audioop.max(heard, 2) < 4 * settled
