import wave

import pytest

from firmware.storage.errors import StorageError
from firmware.storage.wav_reader import LONGEST_SECONDS, read_wav


def write(path, frames, *, channels=1, width=2, rate=16_000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(frames)
    return path


def test_samples_and_rate_come_as_they_are(tmp_path):
    assert read_wav(write(tmp_path / "a.wav", b"\1\2\3\4")) == (b"\1\2\3\4", 16_000)


def test_two_channels_become_their_mean(tmp_path):
    stereo = write(tmp_path / "a.wav", b"\x10\0\x30\0" * 5, channels=2, rate=48_000)
    assert read_wav(stereo) == (b"\x20\0" * 5, 48_000)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ({"width": 1}, "wav_bits"),
        ({"width": 3}, "wav_bits"),
        ({"channels": 6}, "wav_channels"),
        ({"rate": 11_111}, "wav_rate"),
    ],
)
def test_what_cannot_be_played_says_why(tmp_path, shape, words):
    with pytest.raises(StorageError, match=words):
        read_wav(write(tmp_path / "a.wav", bytes(36), **shape))


@pytest.mark.parametrize("content", [b"", b"RIFF", b"ID3 a song", b"RIFF\0\0\0\0WAVEfmt "])
def test_garbage_is_no_wav(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="wav_none"):
        read_wav(path)


def test_what_is_not_there_is_not_there(tmp_path):
    with pytest.raises(StorageError, match="unreadable"):
        read_wav(tmp_path / "a.wav")
    with pytest.raises(StorageError, match="unreadable"):
        read_wav(tmp_path)


def test_silence_without_a_sample_and_hours_are_refused(tmp_path):
    with pytest.raises(StorageError, match="wav_empty"):
        read_wav(write(tmp_path / "a.wav", b""))
    with pytest.raises(StorageError, match="wav_long"):
        read_wav(write(tmp_path / "a.wav", bytes(8000 * 2 * (LONGEST_SECONDS + 1)), rate=8000))
