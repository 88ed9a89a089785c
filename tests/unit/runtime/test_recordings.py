"""The files of recorded calls."""

import os
import socket
import wave

import pytest

from firmware.config.schema import RecordingSettings
from firmware.control import schema as s
from firmware.media.messages import RECORD_HEAD, Record
from firmware.phone import commands as c
from firmware.phone.events import RecordingChanged, RecordingTrouble
from firmware.runtime.performers import perform
from firmware.runtime.recordings import Recordings
from firmware.sip.notifications import CallRef
from firmware.storage.wav_writer import WavFile

CALL = CallRef("in-1")
START = c.StartRecording(CALL, "204", False, 8000)  # noqa: FBT003 - its place
FRAME = b"\1\2\3\4" * 160


class Engine:
    """Keeps the descriptors that it was sent."""

    def __init__(self):
        self.sent = []

    def send(self, order, descriptors=()):
        self.sent.append((order, *(socket.socket(fileno=os.dup(each)) for each in descriptors)))


@pytest.fixture
async def recordings(tmp_path, clock):
    told = []
    made = Recordings(tmp_path / "recordings", clock, lambda: 1_763_000_000.0, told.append)
    made.settings = RecordingSettings(keep_free=0)
    made.told = told
    yield made
    await made.close()


def sound(path):
    with wave.open(str(path), "rb") as file:
        return file.readframes(file.getnframes())


async def test_a_call_is_copied_into_a_file_that_is_finished_when_it_ends(
    house, recordings, clock, until
):
    house.recordings, house.engine = recordings, Engine()
    perform(house, START)
    clock.now += 0.3
    perform(house, c.MediaOrder(Record(3, 8000), CALL))
    ((order, engine),) = house.engine.sent
    assert order == Record(3, 8000)
    engine.send(RECORD_HEAD.pack(0) + FRAME)
    (file,) = recordings.files([CALL])
    clock.now += 1.5
    perform(house, c.MediaOrder(Record(4, 8000), CALL))
    assert house.engine.sent[1][0] == Record(4, 8000, begin=75), "it goes on where it is by now"
    for _, each in house.engine.sent:
        each.close()
    perform(house, c.EndRecording(CALL))
    await until(lambda: not len(recordings))
    assert sound(file) == FRAME
    assert recordings.files([CALL]) == ()
    assert recordings.told == []


@pytest.mark.parametrize(
    ("who", "shown"),
    [
        ("204", "204"),
        ("../../etc/passwd", "______etc_passwd"),
        ("Ann Miller", "Ann_Miller"),
        ("sip:ann@x;\n\0", "sip_ann_x___"),
        ("Ännchen", "_nnchen"),
        ("", "_"),
        ("9" * 300, "9" * 40),
    ],
)
async def test_a_strangers_name_makes_no_other_place_of_the_file(recordings, tmp_path, who, shown):
    recordings.begin(c.StartRecording(CALL, who, True, 8000))  # noqa: FBT003 - its place
    (file,) = recordings.files([CALL])
    folder, _, name = file.rpartition("/")
    assert folder == str(tmp_path / "recordings")
    assert name.endswith(f"_out_{shown}_1.wav")


async def test_f05_trouble_is_told_on_the_loop(recordings, monkeypatch, until):
    def refuse(self, pcm):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WavFile, "write", refuse)
    recordings.begin(START)
    _, descriptor = recordings.copy_to(CALL, Record(3, 8000))
    with socket.socket(fileno=os.dup(descriptor)) as engine:
        engine.send(RECORD_HEAD.pack(0) + FRAME)
        await until(lambda: recordings.told)
    full = RecordingTrouble.FULL
    assert recordings.told == [RecordingChanged(CALL, full, "No space left on device")]


async def test_what_a_crash_left_is_mended(recordings, tmp_path, caplog):
    recordings.mend()
    folder = tmp_path / "recordings"
    folder.mkdir()
    file = WavFile(folder / "cut.wav", 8000, 2)
    file.write(FRAME)
    with caplog.at_level("INFO"):
        recordings.mend()
    assert "recordings_mended" in caplog.text
    assert sound(folder / "cut.wav") == FRAME
    file.close()


def test_a_phone_without_recordings_does_nothing(house):
    perform(house, START)
    perform(house, c.MediaOrder(Record(3, 8000), CALL))
    perform(house, c.EndRecording(CALL))
    assert house.engine.asked == []


def test_the_verb_names_its_call():
    assert s.decode_request(b'{"verb":"record","on":true,"call":"c1"}') == s.Record(
        on=True, call="c1"
    )


async def test_without_a_descriptor_left_the_phone_hears_so_and_goes_on(
    house, recordings, monkeypatch
):
    def refuse(*_args):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(socket, "socketpair", refuse)
    house.recordings = recordings
    perform(house, START)
    perform(house, c.MediaOrder(Record(3, 8000), CALL))
    perform(house, c.EndRecording(CALL))
    (news,) = recordings.told
    assert (news.call, news.trouble) == (CALL, RecordingTrouble.FAILED)
    assert "Too many open files" in news.reason


async def test_trouble_of_a_recording_that_is_over_does_not_end_the_next_one(
    recordings, monkeypatch, until, caplog
):
    def refuse(self):
        raise OSError(5, "I/O error")

    monkeypatch.setattr(WavFile, "close", refuse)
    recordings.begin(START)
    recordings.end(CALL)
    recordings.begin(START)
    await until(lambda: len(recordings) == 1)
    assert recordings.told == []
    assert "I/O error" in caplog.text
