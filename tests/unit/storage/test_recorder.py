"""The file of a recorded call."""

import os
import socket
import threading
import wave
from types import SimpleNamespace

import pytest

from firmware.media.messages import RECORD_HEAD as HEAD
from firmware.storage import recorder as module
from firmware.storage.recorder import CallRecorder, Fate, Limits, mend
from firmware.storage.wav_writer import WavFile, wav_header

RATE, FRAME = 8000, 160 * 4
PLENTY = Limits(3600, 0)


def packet(begin, frames=10, value=1):
    return HEAD.pack(begin) + bytes([value]) * FRAME * frames


def content(path):
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        return file.readframes(file.getnframes())


class Taped:
    """A recording and what was told of it."""

    def __init__(self, path, limits=PLENTY):
        self.news = []
        self.over = threading.Event()
        self.recorder = CallRecorder(path, RATE, limits, self._told)
        self.engine = socket.socket(fileno=os.dup(self.recorder.descriptor))

    def _told(self, news):
        self.news.append(news)
        if news.fate is not Fate.HOLE:
            self.over.set()

    def play(self, *packets):
        for each in packets:
            self.engine.send(each)

    def end(self):
        self.engine.close()
        self.recorder.close()
        assert self.recorder.join(5)
        return self.news[-1]


@pytest.fixture
def tape(tmp_path):
    made = []

    def make(limits=PLENTY, path=None):
        made.append(Taped(path or tmp_path / "recordings" / "call.wav", limits))
        return made[-1]

    yield make
    for each in made:
        each.end()


def test_both_sides_are_in_the_file_for_its_owner_only(tape):
    call = tape()
    call.play(packet(0), packet(10, 5))
    assert call.end() == module.News(Fate.DONE, 0.3)
    path = call.recorder.path
    assert content(path) == b"\1" * FRAME * 15
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_hole_becomes_silence_of_its_length_and_is_told_once(tape):
    call = tape()
    call.play(packet(0), packet(30), packet(100))
    assert call.end() == module.News(Fate.DONE, 2.2, 1.6)
    assert [each.fate for each in call.news] == [Fate.HOLE, Fate.DONE]
    sound, silence = b"\1" * FRAME * 10, bytes(FRAME)
    assert content(call.recorder.path) == sound + silence * 20 + sound + silence * 60 + sound


def test_a_hole_that_nobody_hears_is_filled_and_not_told(tape):
    call = tape()
    call.play(packet(0), packet(12))
    assert call.end() == module.News(Fate.DONE, 0.44, 0.04)
    assert len(call.news) == 1
    assert len(content(call.recorder.path)) == FRAME * 22


def test_an_engine_that_was_started_again_goes_on_in_the_same_file(tape):
    call = tape()
    call.play(packet(0))
    call.engine.close()
    call.engine = socket.socket(fileno=os.dup(call.recorder.descriptor))
    call.play(packet(25, value=2), packet(33))
    call.end()
    # What it counts from may be a little behind: nothing of it is lost.
    expected = b"\1" * FRAME * 10 + bytes(FRAME) * 15 + b"\2" * FRAME * 10 + b"\1" * FRAME * 10
    assert content(call.recorder.path) == expected


def test_it_ends_at_the_longest_it_may_last_and_nothing_after_that_is_written(tape):
    call = tape(Limits(1.0, 0))
    call.play(*(packet(10 * n) for n in range(5)))
    assert call.over.wait(5)
    assert call.news[-1] == module.News(Fate.LONGEST, 1.0)
    with pytest.raises(BrokenPipeError):
        call.play(packet(50))
    assert len(content(call.recorder.path)) == FRAME * 50


def test_a_hole_without_end_is_no_longer_than_a_recording_may_be(tape):
    call = tape(Limits(2.0, 0))
    call.play(packet(1 << 60))
    assert call.over.wait(5)
    assert len(content(call.recorder.path)) == FRAME * 110


def test_f05_a_disk_below_its_floor_is_not_filled_further(tape, monkeypatch):
    free = iter([1000, 1000, 10])
    monkeypatch.setattr(
        os, "statvfs", lambda _: SimpleNamespace(f_bavail=next(free), f_frsize=1000)
    )
    call = tape(Limits(3600, 500_000))
    call.play(*(packet(10 * n) for n in range(12)))
    assert call.over.wait(5)
    assert call.news[-1].fate is Fate.FULL
    assert len(content(call.recorder.path)) >= FRAME * 50, "what was there stays"


def test_f05_without_room_there_is_no_file_at_all(tape):
    call = tape(Limits(3600, 1 << 62))
    assert call.over.wait(5)
    assert call.news == [module.News(Fate.FULL)]
    assert not call.recorder.path.exists()


@pytest.mark.parametrize(("number", "fate"), [(28, Fate.FULL), (5, Fate.FAILED)])
def test_f05_f06_a_disk_that_refuses_ends_it_and_says_why(tape, monkeypatch, number, fate):
    def refuse(self, pcm):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(WavFile, "write", refuse)
    call = tape()
    call.play(packet(0))
    assert call.over.wait(5)
    assert (call.news[-1].fate, call.news[-1].detail) == (fate, os.strerror(number))


def test_a_file_that_is_there_is_not_written_over(tape, tmp_path):
    path = tmp_path / "call.wav"
    path.write_bytes(b"somebody's")
    call = tape(path=path)
    assert call.over.wait(5)
    assert call.news[-1].fate is Fate.FAILED
    assert path.read_bytes() == b"somebody's"


def test_a_call_without_a_sound_leaves_no_file(tape):
    call = tape()
    assert call.end() == module.News(Fate.DONE)
    assert not call.recorder.path.exists()


def test_a_slow_disk_does_not_hold_whoever_sends(tape, monkeypatch):
    held = threading.Event()
    plain = WavFile.write

    def slow(self, pcm):
        held.wait(5)
        plain(self, pcm)

    monkeypatch.setattr(WavFile, "write", slow)
    call = tape()
    call.engine.settimeout(0)

    def seconds_until_it_is_full():
        for number in range(10_000):
            try:
                call.play(packet(10 * number))
            except BlockingIOError:
                return number * 10 / 50
        return 0

    assert seconds_until_it_is_full() > 2
    held.set()


def test_an_engine_that_hangs_does_not_keep_the_file_open(tape, monkeypatch):
    monkeypatch.setattr(module, "_LOOK_EVERY", 0.05)
    call = tape()
    call.play(packet(0))
    call.recorder.close()
    assert call.recorder.join(5), "though the other end is still open"
    assert call.news[-1] == module.News(Fate.DONE, 0.2)


def test_f46_what_a_killed_phone_left_is_playable_and_mended_to_its_last_frame(tmp_path):
    path = tmp_path / "killed.wav"
    file = WavFile(path, RATE, 2)
    file.write(b"\1" * FRAME * 50)
    file.flush()
    file.write(b"\2" * FRAME * 20 + b"\3")
    left = path.read_bytes()
    file.close()
    path.write_bytes(left)
    assert content(path) == b"\1" * FRAME * 50, "playable as it is"
    assert mend(tmp_path) == 1
    assert content(path) == b"\1" * FRAME * 50 + b"\2" * FRAME * 20
    assert mend(tmp_path) == 0


@pytest.mark.parametrize("data", [b"", b"RIFF", b"x" * 100, wav_header(RATE, 0, 2)[:40] + b"junk!"])
def test_what_is_no_recording_of_ours_is_left_alone(tmp_path, data):
    path = tmp_path / "other.wav"
    path.write_bytes(data)
    assert mend(tmp_path) == 0
    assert path.read_bytes() == data


def test_there_is_nothing_to_mend_where_nothing_was_recorded(tmp_path):
    assert mend(tmp_path / "missing") == 0
