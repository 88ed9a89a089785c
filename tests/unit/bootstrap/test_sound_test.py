"""The sound of a wiring test: tones that are found again, cards that go, voices that come back."""

import array
import queue
import threading
from collections import deque

import pytest

from firmware.base.pcm import audioop
from firmware.bootstrap import sound_test
from firmware.bootstrap.sound_test import (
    BURST_HERTZ,
    RATE,
    SoundTest,
    bursts,
    level_of,
    listen,
    play,
    send_round,
    stands_out,
    tone,
)
from firmware.dsp.sine import Sine
from firmware.dsp.tone_probe import dominant
from firmware.wiring.evidence import Beep, Beeped, Level, Listen, NoSound, Play, Played, Repeat
from hal.card_spec import CardSpec
from hal.errors import DeviceError, DeviceGoneError

FRAME = RATE // 50


class Cable:
    """A card whose microphone hears its own loudspeaker after a while, and what else there is."""

    rate = RATE

    def __init__(self, delay=3, gain=1.0, beside=None):
        self._way = deque([bytes(2 * FRAME)] * delay)
        self._gain = gain
        self._beside = beside
        self.played = []
        self.open = True
        self.leads = True
        self.paths = ()

    def write(self, frame):
        self.played.append(frame)
        self._way.append(audioop.mul(frame, 2, self._gain))

    def read(self):
        frame = self._way.popleft() if self._way else bytes(2 * FRAME)
        return audioop.add(frame, self._beside(len(frame)), 2) if self._beside else frame

    def lead(self, wanted):
        self.leads = wanted

    def heard_on(self, paths):
        self.paths = paths

    def set_capture(self, wanted):
        pass

    def close(self):
        self.open = False


def noise(seed=1):
    state = [seed]

    def samples(octets):
        out = array.array("h")
        for _ in range(octets // 2):
            state[0] = (state[0] * 1103515245 + 12345) % 2**31
            out.append((state[0] >> 16) % 4000 - 2000)
        return out.tobytes()

    return samples


def round_of(card):
    heard = send_round(card, {"handset": card}, threading.Event())
    return stands_out(heard["handset"], RATE)


@pytest.mark.parametrize("delay", [0, 1, 5, 20])
@pytest.mark.parametrize("gain", [1.0, 0.01])
def test_a_tone_that_comes_back_is_found_however_late_and_faint(delay, gain):
    assert round_of(Cable(delay, gain)) > 15


def test_a_faint_tone_is_found_in_a_noisy_room():
    assert round_of(Cable(gain=0.1, beside=noise())) > 12


@pytest.mark.parametrize("beside", [None, noise(), bytes])
def test_where_no_tone_comes_back_none_is_found(beside):
    assert round_of(Cable(gain=0.0, beside=beside)) < 6


def test_a_tone_that_does_not_keep_step_is_none_of_ours():
    steady = Sine(BURST_HERTZ, RATE)
    assert round_of(Cable(gain=0.0, beside=lambda octets: steady.block(octets // 2))) < 6


def test_a_tone_of_another_pitch_is_none_of_ours():
    other = audioop.ratecv(b"".join(bursts(RATE)), 2, 1, 44_100, 48_000, None)[0]
    assert stands_out(other, RATE) < 6


def test_a_recording_that_ends_early_says_nothing():
    heard = b"".join(bursts(RATE))
    assert stands_out(heard[: len(heard) // 2], RATE) == 0.0
    assert stands_out(b"", RATE) == 0.0


@pytest.mark.parametrize("syllable", [0.11, 0.3, 0.55])
def test_somebody_who_whistles_the_very_tone_in_another_rhythm_is_none_of_ours(syllable):
    loud = Sine(BURST_HERTZ, RATE).block(round(RATE * syllable))
    song = (loud + bytes(len(loud))) * 30
    assert stands_out(song[: 2 * 140 * FRAME], RATE) < 12


def test_a_tone_is_what_it_should_be():
    hertz, level = dominant(tone(440, RATE), RATE)
    assert hertz == pytest.approx(440, abs=1)
    assert level == pytest.approx(-15, abs=1)


def test_it_is_silent_at_once_when_it_is_over():
    card, over = Cable(), threading.Event()
    over.set()
    play(card, iter([bytes(2 * FRAME)] * 50), over)
    assert card.played == []
    assert len(listen(card, 1, over)) == 0
    assert send_round(card, {"handset": card}, over) == {"handset": b""}


@pytest.fixture
def cards(monkeypatch):
    """Opens these in place of the board's; an error among them is raised."""
    found = {}

    def open_card(spec, _descriptors, _rate):
        card = found[spec.device]
        if isinstance(card, Exception):
            raise card
        card.open = True
        return card

    monkeypatch.setattr(sound_test, "open_card", open_card)
    off = "{} is off at {}".format
    monkeypatch.setattr(sound_test, "check_mixer", lambda spec, on: (off(spec.device, *on),))
    monkeypatch.setattr(sound_test, "SECONDS", 0.06)
    return found


@pytest.fixture
def desk(cards):
    """The sound test of a handset and a speaker; what it tells."""
    specs = {path: CardSpec("alsa", path) for path in ("handset", "speaker")}
    cards |= {"handset": Cable(), "speaker": Cable(gain=0.0)}
    told = queue.SimpleQueue()
    test = SoundTest(specs, told.put)
    yield test, told
    test.close()


def done(desk, order):
    test, told = desk
    test.do(order)
    return told.get(timeout=10)


def test_a_tone_is_played_and_the_mixer_is_looked_at(desk, cards):
    assert done(desk, Play("handset")) == Played("handset", ("handset is off at handset",))
    assert b"".join(cards["handset"].played) == tone(440, RATE)
    assert cards["handset"].paths == ("handset",), "and out of its own output"
    assert not cards["handset"].open


def test_all_microphones_listen_to_a_tone_and_only_its_own_card_leads(desk, cards):
    found = done(desk, Beep("handset", ("handset", "speaker")))
    assert isinstance(found, Beeped)
    heard = dict(found.heard)
    assert heard["handset"] > 20
    assert heard["speaker"] < 6
    assert (cards["handset"].leads, cards["speaker"].leads) == (True, False)
    assert not cards["handset"].open
    assert not cards["speaker"].open


def test_another_card_that_cannot_be_had_is_left_out(desk, cards):
    cards["speaker"] = DeviceError("another program is using it")
    found = done(desk, Beep("handset", ("handset", "speaker")))
    assert [ear for ear, _ in found.heard] == ["handset"]


def test_a_card_without_a_microphone_is_a_card(desk, cards):
    def refuse(_wanted):
        raise DeviceError("it has none")

    cards["handset"].set_capture = refuse
    assert done(desk, Beep("handset", ("handset",))) == Beeped("handset", ())


def test_what_was_said_is_played_again(desk, cards):
    said = noise()(2 * 3 * FRAME)
    cards["handset"]._way = deque(
        said[at : at + 2 * FRAME] for at in range(0, len(said), 2 * FRAME)
    )
    found = done(desk, Listen("handset"))
    assert isinstance(found, Level)
    assert found.peak == pytest.approx(2000 / 32768, rel=0.1)
    assert done(desk, Repeat("handset")) == Played("handset")
    assert b"".join(cards["handset"].played) == said


def test_a_voice_is_played_as_often_as_it_is_asked_for(desk, cards):
    cards["handset"]._way = deque([b"\x01\x01" * FRAME] * 3)
    done(desk, Listen("handset"))
    for _ in range(2):
        cards["handset"].played.clear()
        assert done(desk, Repeat("handset")) == Played("handset")
        assert cards["handset"].played == [b"\x01\x01" * FRAME] * 3


@pytest.mark.parametrize(
    "order", [Play("handset"), Beep("handset", ("handset",)), Listen("handset")]
)
@pytest.mark.parametrize("error", [DeviceGoneError("it is gone"), KeyError("a table")])
def test_a_card_that_is_pulled_out_meanwhile_is_told_and_closed(desk, cards, order, error):
    def fail(*_frame):
        raise error

    cards["handset"].write = cards["handset"].read = fail
    found = done(desk, order)
    assert isinstance(found, NoSound)
    assert "it is gone" in found.reason or "KeyError" in found.reason
    assert not cards["handset"].open


def test_after_the_end_nothing_is_told(desk):
    test, told = desk
    test.close()
    test.do(Play("handset"))
    test.close()
    assert told.empty()


def test_a_level_is_how_far_a_microphone_swings():
    assert level_of("handset", array.array("h", [100] * 100)).peak == 0
    assert level_of("handset", array.array("h")).peak == 0
    loud = level_of("handset", array.array("h", [32767, -32768] * 50))
    assert loud.peak == pytest.approx(1.0, abs=0.01)
    assert loud.clipped == 1.0


def test_a_card_that_keeps_no_time_fills_no_memory():
    card = Cable()
    card.read = lambda: bytes(2 * FRAME)
    assert len(listen(card, 0.5, threading.Event())) == RATE // 2


def test_a_card_that_is_not_there_says_so():
    told = queue.SimpleQueue()
    test = SoundTest({"handset": CardSpec("alsa", "id:Nowhere")}, told.put)
    test.do(Play("handset"))
    found = told.get(timeout=10)
    assert isinstance(found, NoSound)
    assert found.reason


def test_the_first_second_is_left_to_somebody_who_has_to_begin_to_speak():
    card, spoken = Cable(), iter(range(1, 1000))
    card.read = lambda: array.array("h", [next(spoken)] * FRAME).tobytes()
    heard = listen(card, 1, threading.Event())
    assert (heard[0], heard[-1], len(heard)) == (51, 100, RATE)
