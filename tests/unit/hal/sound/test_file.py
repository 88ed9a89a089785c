import itertools
import math
import socket
import wave
from array import array

import pytest

from hal.errors import DeviceError
from hal.sound.file import FileCard, load_clip, open_file_card


@pytest.fixture
def clip(tmp_path):
    """Writes a WAV of these samples and gives its path."""

    def write(samples, rate=16_000, channels=1, width=2):
        path = tmp_path / f"{rate}-{channels}-{width}.wav"
        with wave.open(str(path), "wb") as file:
            file.setnchannels(channels)
            file.setsampwidth(width)
            file.setframerate(rate)
            file.writeframes(samples if isinstance(samples, bytes) else array("h", samples))
        return str(path)

    return write


def sine(rate, hertz, count):
    return [round(8_000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(count)]


def crossings(pcm):
    samples = array("h", pcm)
    return sum(a < 0 <= b for a, b in itertools.pairwise(samples))


def read_all(card, frames):
    card.set_capture(True)
    return b"".join(card.read() for _ in range(frames))


def test_the_microphone_says_the_file_over_and_over(clip):
    samples = list(range(500))
    card = open_file_card(clip(samples), (), 16_000)
    heard = array("h", read_all(card, 100)).tolist()
    assert heard == (samples * 64)[: 320 * 100]


def test_a_clip_shorter_than_a_frame_still_loops(clip):
    card = open_file_card(clip([1, 2, 3]), (), 16_000)
    assert array("h", read_all(card, 3)).tolist() == ([1, 2, 3] * 320)


def test_the_clip_begins_again_when_the_microphone_is_opened_again(clip):
    card = open_file_card(clip(list(range(4_000))), (), 16_000)
    first = read_all(card, 3)
    card.set_capture(True)
    assert card.read() != first[:640]
    card.set_capture(False)
    assert read_all(card, 3) == first


@pytest.mark.parametrize("source", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_any_rate_comes_out_at_the_right_pitch(clip, source):
    card = open_file_card(clip(sine(source, 400, source), source), (), 16_000)
    assert crossings(read_all(card, 50)) == pytest.approx(400, abs=1)


def test_a_converted_loop_has_no_seam(clip):
    card = open_file_card(clip(sine(8_000, 400, 8_000), 8_000), (), 16_000)
    samples = array("h", read_all(card, 150))
    steepest = 8_000 * 2 * math.pi * 400 / 16_000
    assert max(abs(b - a) for a, b in itertools.pairwise(samples)) < steepest * 1.05


def test_stereo_is_heard_as_the_mean(clip):
    card = open_file_card(clip([100, 300] * 320, channels=2), (), 16_000)
    assert set(array("h", read_all(card, 2))) == {200}


def test_without_a_file_the_microphone_hears_silence():
    assert read_all(FileCard(8_000), 2) == bytes(640)


def test_a_clip_that_was_changed_is_loaded_anew(clip):
    path = clip([1] * 320)
    assert load_clip(path, 16_000) == array("h", [1] * 320).tobytes()
    clip([2] * 640)
    assert load_clip(path, 16_000) == array("h", [2] * 640).tobytes()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "No such file"),
        (b"", "not a PCM WAV file"),
        (b"ID3 this is no WAV at all, far from it", "not a PCM WAV file"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "not a PCM WAV file"),
    ],
)
def test_a_file_that_is_no_wav_is_refused_in_words(tmp_path, content, complaint):
    path = tmp_path / "clip.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DeviceError, match=rf"clip\.wav: .*{complaint}"):
        open_file_card(str(path), (), 16_000)


def test_a_wav_of_another_width_or_without_sound_is_refused(clip):
    with pytest.raises(DeviceError, match="24 bits a sample; a 16-bit WAV is needed"):
        load_clip(clip(bytes(300), width=3), 16_000)
    with pytest.raises(DeviceError, match="no sound"):
        load_clip(clip([]), 16_000)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET])
def test_what_is_heard_arrives_at_the_writer(kind):
    ours, writer = socket.socketpair(socket.AF_UNIX, kind)
    with ours, writer:
        card = open_file_card("", (ours.fileno(),), 8_000)
        card.write(b"\x01\x02" * 160)
        assert writer.recv(4_096) == b"\x01\x02" * 160
        card.close()


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_SEQPACKET])
def test_a_writer_that_sleeps_loses_frames_but_no_sample_of_the_others(kind):
    ours, writer = socket.socketpair(socket.AF_UNIX, kind)
    with ours, writer:
        card = open_file_card("", (ours.fileno(),), 8_000)
        for number in range(5_000):
            card.write(number.to_bytes(2, "little") * 160)
        assert card.dropped > 0
        writer.settimeout(0.01)
        heard = b""
        while True:
            try:
                heard += writer.recv(65_536)
            except TimeoutError:
                break
        card.write(b"\xff\xff" * 160)
        heard += writer.recv(65_536)
        numbers = array("H", heard)
        # Every frame is whole: 160 times the same number, in rising order.
        frames = [set(numbers[start : start + 160]) for start in range(0, len(numbers), 160)]
        assert all(len(frame) == 1 for frame in frames)
        assert [min(frame) for frame in frames] == sorted(min(frame) for frame in frames)
        assert frames[-1] == {0xFFFF}
        card.close()


def test_a_writer_that_died_does_not_disturb_the_call():
    ours, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    card = open_file_card("", (ours.fileno(),), 8_000)
    ours.close()
    writer.close()
    for _ in range(10):
        card.write(bytes(320))
    card.close()


def drain(writer, least):
    """Read until this much has arrived."""
    heard = b""
    while len(heard) < least:
        heard += writer.recv(65_536)
    return heard


def test_a_frame_that_went_out_in_part_is_finished_before_the_next():
    ours, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, writer:
        writer.settimeout(5)
        card = open_file_card("", (ours.fileno(),), 8_000)
        long = bytes(range(256)) * 4_000
        card.write(long)
        card.write(b"\xaa" * 320)
        assert card.dropped == 1, "the rest of the first still waits"
        heard = drain(writer, 1)
        while len(heard) < len(long) + 320:
            card.write(b"\xbb" * 320)
            heard += drain(writer, 1)
        assert heard[: len(long)] == long
        assert set(heard[len(long) :]) == {0xBB}
        card.close()
