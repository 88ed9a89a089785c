"""A real sound card's ways, on a stand-in whose clock the test moves."""

import math
import sys
from array import array

import pytest

from hal.errors import DeviceError, DeviceGoneError
from hal.ports import Pacing
from hal.sound.alsa import AlsaCard
from hal.sound.alsa_pcm import absent, pcm_name
from tests.support.card_tree import plug
from tests.support.fake_alsa import FakeAlsa, Hardware

FRAME = 0.02
NAME = "hw:CARD=Device"


class Bench:
    """A card on a bench, and an engine that reads and writes 20 ms at a time."""

    def __init__(self, alsa, hardware):
        self.alsa, self.hardware = alsa, hardware
        self.card = AlsaCard("id:Device", 16_000, alsa.sleep)

    def tone(self, frame):
        samples = self.card.rate // 50
        step = 2 * math.pi * 500 / self.card.rate
        first = frame * samples
        return array(
            "h", (int(9000 * math.sin(step * (first + n))) for n in range(samples))
        ).tobytes()

    def run(self, frames, *, at=None):
        """So many frames; `at` = the pace of another clock, None = this card leads."""
        said = []
        for number in range(frames):
            if at is not None:
                self.alsa.now += at
            said.append(self.card.read())
            self.card.write(self.tone(number))
        return said

    @property
    def queued(self):
        playing = self.hardware.playing
        return (playing.buffer - playing.avail()) / playing.rate


@pytest.fixture
def bench(monkeypatch):
    def make(**hardware):
        card = Hardware(**hardware)
        alsa = FakeAlsa({NAME: card})
        monkeypatch.setitem(sys.modules, "alsaaudio", alsa)
        return Bench(alsa, card)

    return make


@pytest.mark.parametrize(
    ("device", "name"),
    [("id:Device", "hw:CARD=Device"), ("plughw:1", "plughw:1"), ("tape", "tape"), ("", "default")],
)
def test_a_card_is_named_by_what_does_not_change(device, name):
    assert pcm_name(device) == name


@pytest.mark.parametrize(
    ("can", "rate"),
    [
        ({}, 16_000),
        ({"rates": (48_000,), "channels": (2,)}, 48_000),
        ({"rates": (44_100,), "channels": (2,), "bits": (32,)}, 44_100),
        ({"rates": (8_000, 32_000), "channels": (1,)}, 32_000),
    ],
)
def test_a_card_is_taken_in_the_shape_it_has(bench, can, rate):
    desk = bench(**can)
    assert desk.card.rate == rate
    desk.hardware.speech = lambda count: b"\x10\x20" * count
    desk.card.set_capture(True)
    said = desk.run(10)
    assert set(said) == {b"\x10\x20" * (rate // 50)}
    playing = desk.hardware.playing
    assert playing.channels in desk.hardware.channels
    heard = desk.hardware.heard[:: playing.channels * playing.bits // 16]
    assert len(heard) >= 9 * rate // 50


def test_what_is_played_on_both_sides_of_a_stereo_card_is_the_frame(bench):
    desk = bench(rates=(48_000,), channels=(2,))
    desk.card.write(desk.tone(0))
    samples = array("h", bytes(desk.hardware.heard))
    left, right = samples[::2], samples[1::2]
    assert left == right
    assert left[-960:].tobytes() == desk.tone(0)


def test_a_card_that_can_nothing_we_know_says_so(bench):
    with pytest.raises(DeviceError, match="id:Device: it knows no 16-bit or 32-bit sound"):
        bench(channels=(6,))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("busy", "id:Device: another program is using it"),
        ("gone", "id:Device: there is no such card"),
        ("forbidden", "id:Device: this user may not use it; it has to be in the group audio"),
    ],
)
def test_f34_a_card_that_cannot_be_had_says_why(bench, state, words):
    desk = bench()
    setattr(desk.hardware, state, True)
    with pytest.raises(DeviceError, match=words):
        AlsaCard("id:Device", 16_000, desk.alsa.sleep)


def test_an_open_microphone_is_the_clock(bench):
    desk = bench()
    assert desk.card.read() == b""
    desk.card.set_capture(True)
    began = desk.alsa.now
    said = desk.run(100)
    assert desk.alsa.now - began == pytest.approx(2.0, abs=0.03)
    assert {len(each) for each in said} == {640}
    assert desk.card.xruns == 0
    assert 0.02 < desk.queued < 0.045


def test_with_the_microphone_closed_the_loudspeaker_is_the_clock(bench):
    desk = bench()
    assert desk.card.pacing is Pacing.PLAYBACK
    began = desk.alsa.now
    desk.run(100)
    assert desk.alsa.now - began == pytest.approx(2.0, abs=0.03)
    assert desk.card.xruns == 0
    assert 0.02 < desk.queued < 0.045


def test_a_card_that_does_not_lead_never_waits(bench):
    desk = bench()
    desk.card.set_capture(True)
    desk.card.lead(wanted=False)
    desk.run(50, at=FRAME)
    assert desk.alsa.slept == []


@pytest.mark.parametrize(
    ("ppm", "settled", "heap", "dropped"),
    [(0, 2, 2, 0), (0, 20, 2, 0), (-200, 2, 1, 0), (1000, 20, 40, 38)],
)
def test_what_comes_in_a_heap_to_a_card_that_follows_adds_no_lasting_delay(
    bench, ppm, settled, heap, dropped
):
    """An engine that stalled catches up; what it brings is steered away, not taken for drift."""
    desk = bench(ppm=ppm)
    desk.card.lead(wanted=False)
    desk.run(50 * settled, at=FRAME)
    before = desk.queued
    desk.run(heap, at=0.0)
    assert desk.card.dropped == dropped
    assert desk.queued < 0.075
    desk.run(50 * 40, at=FRAME)
    assert desk.card.xruns == 0
    assert desk.queued == pytest.approx(before, abs=0.005)
    assert desk.card.drift_ppm == pytest.approx(ppm, rel=0.2, abs=150)


@pytest.mark.parametrize("ppm", [-1000, -200, 0, 200, 1000])
def test_another_clock_is_followed_without_a_gap_and_without_growing_delay(bench, ppm):
    desk = bench(ppm=ppm)
    desk.card.lead(wanted=False)
    desk.run(50, at=FRAME)
    early = desk.queued
    desk.run(6_000, at=FRAME)  # two minutes
    assert desk.card.xruns == 0
    assert desk.card.dropped == 0
    assert desk.queued == pytest.approx(early, abs=0.004)
    assert desk.card.drift_ppm == pytest.approx(ppm, rel=0.1, abs=20)


def test_a_card_that_leads_has_no_drift(bench):
    desk = bench(ppm=200)
    desk.run(50)
    assert desk.card.drift_ppm is None


def test_f32_a_buffer_that_ran_dry_costs_a_frame_and_is_counted(bench):
    desk = bench()
    desk.card.set_capture(True)
    desk.run(20)
    desk.alsa.now += 0.08
    said = desk.run(20)
    assert desk.card.xruns == 2, "one of the loudspeaker, one of the microphone"
    assert sum(not each for each in said) <= 1
    assert 0.02 < desk.queued < 0.045
    said = desk.run(20)
    assert desk.card.xruns == 2
    assert all(said)


def test_f32_a_buffer_that_runs_dry_just_before_a_frame_costs_no_frame(bench):
    desk = bench(channels=(1,))
    desk.run(20)
    playing = desk.hardware.playing
    write = playing.write

    def late(pcm):
        playing.write = write
        desk.alsa.now += 0.08
        return write(pcm)

    playing.write = late
    desk.card.write(desk.tone(7))
    assert desk.card.xruns == 1
    assert desk.hardware.heard.endswith(desk.tone(7))
    desk.run(20)
    assert desk.card.xruns == 1


def test_f32_a_microphone_that_ran_over_goes_on(bench):
    desk = bench()
    desk.card.set_capture(True)
    desk.run(5)
    desk.alsa.now += 1.0
    said = desk.run(10)
    assert sum(not each for each in said) <= 1
    assert desk.card.xruns == 2


def test_a_rest_is_no_xrun(bench):
    desk = bench()
    desk.run(10)
    desk.card.rest()
    desk.alsa.now += 5.0
    desk.run(10)
    assert desk.card.xruns == 0


def test_f33_a_card_that_is_pulled_out_says_so(bench):
    desk = bench()
    desk.card.set_capture(True)
    desk.run(5)
    desk.hardware.gone = True
    with pytest.raises(DeviceGoneError, match="id:Device: it is gone"):
        desk.card.read()
    with pytest.raises(DeviceGoneError, match="id:Device: it is gone"):
        desk.card.write(bytes(640))
    desk.card.close()
    assert desk.hardware.playing.closed
    assert desk.hardware.capturing.closed


def test_a_microphone_that_falls_silent_for_good_is_a_card_that_is_gone(bench):
    desk = bench()
    desk.card.set_capture(True)
    desk.run(5)
    desk.hardware.silent = True
    began = desk.alsa.now
    with pytest.raises(DeviceGoneError, match="its microphone gives no sound any more"):
        desk.run(100)
    assert desk.alsa.now - began < 2.0


def test_a_closed_microphone_is_a_closed_device(bench):
    desk = bench()
    desk.card.set_capture(True)
    desk.card.set_capture(True)
    assert not desk.hardware.capturing.closed
    desk.card.set_capture(False)
    assert desk.hardware.capturing.closed
    assert desk.card.read() == b""


def test_f33_a_card_that_was_pulled_out_is_missed_without_asking_the_library(tmp_path):
    plug(tmp_path, 0, "Codec")
    assert not absent("id:Codec", str(tmp_path))
    assert not absent("id:Codec,DEV=1", str(tmp_path))
    assert absent("id:Device", str(tmp_path))
    assert not absent("tape", str(tmp_path)), "a name of ALSA's configuration is no card"
    assert absent("id:Device", str(tmp_path / "silent")), "a kernel that has never met a card"
    (tmp_path / "mute/dev/snd").mkdir(parents=True)
    assert not absent("id:Device", str(tmp_path / "mute")), "nobody knows"


@pytest.mark.parametrize(
    ("there", "words"),
    [(True, "card id:Device: it has no microphone"), (False, "card id:Device: there is no such")],
)
def test_a_card_without_a_microphone_is_not_taken_for_one_that_is_gone(
    bench, monkeypatch, there, words
):
    desk = bench()
    desk.hardware.gone = True  # what ALSA says of either
    monkeypatch.setattr("hal.sound.alsa_pcm._is_there", lambda _device: there)
    with pytest.raises(DeviceError, match=words):
        desk.card.set_capture(True)
