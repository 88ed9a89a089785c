"""What the engine expects of every sound card, run over each kind through `open_card`."""

import socket
import sys
import wave

import pytest

from hal.board import CardSpec
from hal.boards.cards import open_card
from hal.errors import DeviceError
from hal.ports import Pacing
from hal.sound.browser import BrowserCard
from hal.sound.file import FileCard
from tests.support.fake_alsa import FakeAlsa
from tests.support.left_open import open_now, opened_since

RATES = (8_000, 16_000, 48_000)


def frame_of(rate):
    return b"\x10\x20" * (rate // 50)


def write_wav(path, samples=b"\x01\x00" * 1000, rate=16_000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)


@pytest.fixture(params=["null", "file", "file with clip and recorder", "browser", "mock"])
def card_of(request, tmp_path):
    """Opens a card of one kind at a rate; everything it stands on is cleared away at the end."""
    sockets, cards = [], []

    def open_one(rate):
        spec, descriptors = CardSpec(request.param.split()[0]), ()
        if request.param == "browser":
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            listener.bind(str(tmp_path / "audio.sock"))
            listener.listen()
            sockets.append(listener)
            descriptors = (listener.fileno(),)
        if "clip" in request.param:
            write_wav(tmp_path / "clip.wav")
            pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            sockets.extend(pair)
            spec = CardSpec("file", play=str(tmp_path / "clip.wav"), record="heard.wav")
            descriptors = (pair[0].fileno(),)
        cards.append(open_card(spec, descriptors, rate))
        return cards[-1]

    yield open_one
    for closing in (*cards, *sockets):
        closing.close()


@pytest.mark.parametrize("rate", RATES)
def test_a_card_runs_at_the_rate_that_was_asked_for(card_of, rate):
    assert card_of(rate).rate == rate


def test_without_a_device_behind_it_the_engine_keeps_the_time(card_of):
    assert card_of(16_000).pacing is Pacing.NONE


def test_a_card_is_opened_with_its_microphone_closed(card_of):
    card = card_of(16_000)
    assert [card.read() for _ in range(5)] == [b""] * 5
    assert card.xruns == 0


@pytest.mark.parametrize("rate", RATES)
def test_an_open_microphone_gives_whole_frames_or_nothing(card_of, rate):
    card = card_of(rate)
    card.set_capture(True)
    assert {len(card.read()) for _ in range(100)} <= {0, rate // 50 * 2}


def test_what_was_recorded_may_be_forgotten_at_any_time(card_of):
    card = card_of(16_000)
    card.forget()
    card.set_capture(True)
    for _ in range(5):
        card.read()
        card.forget()
    assert {len(card.read()) for _ in range(20)} <= {0, 640}
    card.close()


def test_a_closed_microphone_gives_nothing_however_long_it_was_open(card_of):
    card = card_of(16_000)
    card.set_capture(True)
    for _ in range(20):
        card.read()
    card.set_capture(False)
    assert [card.read() for _ in range(5)] == [b""] * 5


def test_an_hour_of_sound_that_nobody_takes_never_blocks_the_engine(card_of):
    card = card_of(8_000)
    frame = frame_of(8_000)
    for _ in range(3_000):
        card.write(frame)


def test_closing_twice_does_no_harm(card_of):
    card = card_of(16_000)
    card.close()
    card.close()


def test_closing_gives_back_every_descriptor(card_of):
    before = open_now()
    card = card_of(16_000)
    standing_on = sum(isinstance(card, kind) for kind in (BrowserCard, FileCard))
    card.close()
    # What is left is the far side, which the fixture made and closes.
    assert len(opened_since(before)) <= 2 * standing_on


def test_an_unknown_kind_of_card_is_refused_with_the_kinds_there_are():
    with pytest.raises(DeviceError, match=r"'tape'.*alsa, browser, file, mock, null"):
        open_card(CardSpec("tape"), (), 16_000)


def test_a_sound_card_that_is_not_there_is_refused_in_words(monkeypatch):
    monkeypatch.setitem(sys.modules, "alsaaudio", FakeAlsa(cards={}))
    with pytest.raises(DeviceError, match="id:Device: there is no such card"):
        open_card(CardSpec("alsa", "id:Device"), (), 16_000)


def test_the_descriptors_stay_with_whoever_opened_them(tmp_path):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        before = open_now()
        for _ in range(1_000):
            card = open_card(CardSpec("file", record="x.wav"), (ours.fileno(),), 8_000)
            card.close()
        assert opened_since(before) == []
        ours.send(b"still open")
        assert theirs.recv(100) == b"still open"


def test_any_card_may_be_told_where_something_is_heard(card_of):
    card = card_of(16_000)
    card.heard_on({"speaker", "ringer"})
    card.heard_on(())
    assert card.remark == ""
