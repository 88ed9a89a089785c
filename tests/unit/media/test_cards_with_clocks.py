"""The engine on real cards (a stand-in for ALSA), on virtual time: who keeps the pace.

Time passes only as the engine's deadlines and the cards let it, as in the audio process.
"""

import sys
from itertools import pairwise

import numpy as np
import pytest

from firmware.dsp.level import level_of
from firmware.dsp.tone_probe import tone_level
from firmware.media.engine import Engine
from firmware.media.messages import (
    Card,
    EngineAlive,
    OpenPath,
    PathName,
    PlayTone,
    StopTone,
    TalkOn,
    ToneSegment,
)
from hal.sound.alsa import AlsaCard
from tests.support.fake_alsa import FakeAlsa, Hardware

HANDSET, SPEAKER, RINGER = PathName.HANDSET, PathName.SPEAKER, PathName.RINGER
RATE, FRAME = 16_000, 0.02
STEADY = (ToneSegment((431.0,), 0.0),)
"""No whole periods in a frame, nor in two: those that are left out leave a step."""
BEEP = (ToneSegment((1000.0,), 0.15),)


class Desk:
    """An engine with a card for each path, and far ends with clocks of their own."""

    def __init__(self, bench, alsa, paths):
        self.bench, self.alsa = bench, alsa
        bench.engine.close(bench.now)
        bench.engine = Engine(bench.reports.append, self._open, bench._random, lambda: alsa.now)
        for path in paths:
            self.order(OpenPath(path, Card("alsa", f"id:{path.value}")))

    def _open(self, spec, _descriptors, rate):
        return AlsaCard(spec.device, rate, self.alsa.sleep)

    def order(self, order):
        self.bench.now = self.alsa.now
        self.bench.order(order)

    def call(self):
        self.bench.now = self.alsa.now
        return self.bench.call()

    def hardware(self, path):
        return self.alsa.cards[f"hw:CARD={path.value}"]

    def heard(self, path):
        return np.frombuffer(bytes(self.hardware(path).heard), np.int16)

    def seconds(self, seconds):
        """As the audio process has it: a tick whenever one is due."""
        alsa, bench = self.alsa, self.bench
        until, packet_at = alsa.now + seconds, alsa.now
        while bench.engine.due < until:
            alsa.now = max(alsa.now, bench.engine.due)
            while packet_at <= alsa.now:
                packet_at += FRAME
                for far in bench.far_ends:
                    far.send(far.next_packet(), far.target)
            bench.engine.tick(alsa.now)
            for far in bench.far_ends:
                far.collect()
        alsa.now = max(alsa.now, until)


@pytest.fixture
def desk(bench, monkeypatch):
    def make(*paths):
        cards = {f"hw:CARD={path.value}": Hardware(rates=(RATE,)) for path in paths}
        alsa = FakeAlsa(cards)
        monkeypatch.setitem(sys.modules, "alsaaudio", alsa)
        return Desk(bench, alsa, paths)

    return make


def is_one_tone(samples, hertz, seconds):
    """Whether that is all that was played, and without a step."""
    loud = np.flatnonzero(np.abs(samples) > 200)
    assert len(loud), "nothing was heard"
    sound = samples[loud[0] : loud[-1] + 1].astype(float)[200:-200]
    assert len(sound) / RATE == pytest.approx(seconds, abs=0.08)
    return np.abs(np.diff(sound)).max() < 1.1 * np.abs(sound).max() * 2 * np.pi * hertz / RATE


@pytest.mark.parametrize("paths", [(HANDSET, RINGER), (RINGER, HANDSET)])
def test_a_ringer_with_a_card_of_its_own_rings_at_its_own_pace(desk, paths):
    """The card of the handset has nothing to play, so nobody can wait for it."""
    phone = desk(*paths)
    phone.order(PlayTone("ring", RINGER, STEADY))
    phone.seconds(3)
    assert is_one_tone(phone.heard(RINGER), 431, 3)
    assert not np.abs(phone.heard(HANDSET)).max(initial=0)


@pytest.mark.parametrize("paths", [(HANDSET, SPEAKER), (SPEAKER, HANDSET)])
def test_a_dial_tone_hands_free_is_one_tone(desk, paths):
    phone = desk(*paths)
    phone.order(TalkOn(SPEAKER, microphone=False))
    phone.order(PlayTone("progress", SPEAKER, STEADY))
    phone.seconds(3)
    assert is_one_tone(phone.heard(SPEAKER), 431, 3)


def test_early_media_hands_free_comes_and_goes_at_its_pace(desk, sine):
    """Nobody may be heard yet, so no microphone is the clock."""
    phone = desk(HANDSET, SPEAKER)
    phone.order(TalkOn(SPEAKER, microphone=False))
    far = phone.call()
    far.say(sine(400, 5, 8000))
    phone.seconds(3)
    assert len(far.packets) == pytest.approx(150, abs=3)
    assert tone_level(phone.heard(SPEAKER)[-RATE:].tobytes(), RATE, 400) > -16


@pytest.mark.parametrize("ends", ["by itself", "by order"])
def test_a_clock_that_has_nothing_more_to_play_is_none(desk, ends):
    """A call that no card takes part in goes on at its pace when the ringer falls silent."""
    phone = desk(RINGER)
    far = phone.call()
    phone.seconds(0.5)
    if ends == "by itself":
        phone.order(PlayTone("beep", RINGER, BEEP, -1))
    else:
        phone.order(PlayTone("beep", RINGER, STEADY))
        phone.seconds(0.15)
        phone.order(StopTone("beep"))
    began, before = phone.alsa.now, len(far.packets)
    phone.seconds(2)
    assert len(far.packets) - before == pytest.approx((phone.alsa.now - began) / FRAME, abs=3)


def test_f33_a_clock_that_is_pulled_out_has_a_successor_at_once(desk):
    phone = desk(HANDSET)
    phone.order(TalkOn(HANDSET, microphone=True))
    far = phone.call()
    phone.seconds(1.2)
    before = len(far.packets)
    phone.hardware(HANDSET).gone = True
    phone.seconds(0.8)
    assert len(far.packets) - before == pytest.approx(40, abs=2)


def test_a_card_that_beeps_now_and_then_has_no_xruns(desk):
    phone = desk(HANDSET, RINGER)
    phone.order(TalkOn(HANDSET, microphone=True))
    phone.call()
    for _ in range(3):
        phone.order(PlayTone("beep", RINGER, BEEP, -1))
        phone.seconds(2)
    assert phone.bench.take(EngineAlive)[-1].xruns == 0


@pytest.mark.parametrize("microphone", [True, False])
@pytest.mark.parametrize("phase", [0.0, 0.005, 0.01, 0.015, 0.0199])
def test_a_tone_that_is_stopped_is_gone_from_the_ear_within_40_ms(desk, microphone, phase):
    """Counted at the loudspeaker by its own clock, wherever in a frame the order comes."""
    phone = desk(HANDSET)
    phone.order(TalkOn(HANDSET, microphone=microphone))
    phone.order(PlayTone("progress", HANDSET, STEADY))
    phone.seconds(2 + phase)
    stopped = phone.alsa.now
    phone.order(StopTone("progress"))
    phone.seconds(1)
    began, before = phone.hardware(HANDSET).playing.starts[-1]
    loud = np.flatnonzero(np.abs(phone.heard(HANDSET)) > 3)
    assert 0 < began + (loud[-1] - before) / RATE - stopped < 0.040


def sounded(phone, path):
    """From when to when its loudspeaker sounded, by the card's own clock."""
    playing, heard = phone.hardware(path).playing, phone.heard(path)
    ends = [*(before for _, before in playing.starts[1:]), len(heard)]
    for (began, before), end in zip(playing.starts, ends, strict=True):
        loud = np.flatnonzero(np.abs(heard[before:end]) > 1500)
        pieces = np.split(loud, np.flatnonzero(np.diff(loud) > RATE // 100) + 1)
        yield from ((began + p[0] / RATE, began + p[-1] / RATE) for p in pieces if len(p))


@pytest.mark.parametrize("after", [0.2, 0.208, 0.216])
def test_another_card_in_a_call_costs_less_than_a_frame_at_both_ends(desk, sine, after):
    """Counted where it is heard: at the far end, and at the two loudspeakers."""
    phone = desk(HANDSET, SPEAKER)
    for path in (HANDSET, SPEAKER):
        voice = sine(900, 20, RATE)
        phone.hardware(path).speech = lambda count, voice=voice: voice[: count * 2]
    phone.order(TalkOn(HANDSET, microphone=True))
    far = phone.call()
    far.say(sine(431, 20, 8000))
    phone.seconds(2)
    since = len(far.packets)
    began = phone.alsa.now
    for path in (SPEAKER, HANDSET) * 5:
        phone.order(TalkOn(path, microphone=True))
        phone.seconds(after)
    new = far.packets[since:]
    assert len(new) == pytest.approx((phone.alsa.now - began) / FRAME, abs=10)
    assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(new)} == {160}
    assert all(level_of(far.decoder.decode(packet.payload)) > -30 for packet in new)
    heard = sorted([*sounded(phone, HANDSET), *sounded(phone, SPEAKER)])
    assert max(later[0] - earlier[1] for earlier, later in pairwise(heard)) < FRAME
