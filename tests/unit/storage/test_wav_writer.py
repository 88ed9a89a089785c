import socket
import threading
import wave

import pytest

from firmware.storage.wav_writer import WavFile, WavWriter

FRAME = bytes(range(160)) * 4


def samples_of(path):
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), file.readframes(file.getnframes())


def no_failure(reason):
    pytest.fail(reason)


def sender(writer):
    """The engine's copy of the descriptor."""
    return socket.socket(fileno=socket.dup(writer.descriptor))


def test_a_recording_holds_every_frame_at_its_rate(tmp_path):
    writer = WavWriter(tmp_path / "call.wav", 16_000, no_failure)
    with sender(writer) as engine:
        for _ in range(120):
            engine.send(FRAME)
    writer.close()
    assert samples_of(tmp_path / "call.wav") == (16_000, FRAME * 120)


def test_a_recording_of_nothing_is_still_a_wav(tmp_path):
    WavWriter(tmp_path / "call.wav", 8_000, no_failure).close()
    assert samples_of(tmp_path / "call.wav") == (8_000, b"")


def test_an_engine_that_was_started_again_goes_on_in_the_same_file(tmp_path):
    writer = WavWriter(tmp_path / "call.wav", 16_000, no_failure)
    for _ in range(2):
        with sender(writer) as engine:
            engine.send(FRAME)
    writer.close()
    assert samples_of(tmp_path / "call.wav") == (16_000, FRAME * 2)


def test_a_recording_is_for_its_owner_only(tmp_path):
    WavWriter(tmp_path / "call.wav", 8_000, no_failure).close()
    assert (tmp_path / "call.wav").stat().st_mode & 0o777 == 0o600


def test_f01_a_power_cut_leaves_a_playable_file_that_lacks_what_was_not_flushed(tmp_path):
    path = tmp_path / "call.wav"
    file = WavFile(path, 16_000)
    file.write(FRAME * 3)
    file.flush()
    file.write(FRAME)
    assert file.unflushed == len(FRAME)
    # The cut: what is on the disk now, with nothing closed.
    (tmp_path / "found.wav").write_bytes(path.read_bytes())
    file.close()
    assert samples_of(tmp_path / "found.wav") == (16_000, FRAME * 3)
    assert samples_of(path) == (16_000, FRAME * 4)


def test_the_header_never_claims_half_a_sample(tmp_path):
    file = WavFile(tmp_path / "call.wav", 8_000)
    file.write(b"abc")
    file.close()
    assert samples_of(tmp_path / "call.wav") == (8_000, b"ab")


def test_during_a_long_call_the_file_is_made_good_about_once_a_second(tmp_path, monkeypatch):
    flushed = threading.Semaphore(0)
    plain = WavFile.flush

    def noted(self):
        plain(self)
        flushed.release()

    monkeypatch.setattr(WavFile, "flush", noted)
    path = tmp_path / "call.wav"
    writer = WavWriter(path, 8_000, no_failure)
    with sender(writer) as engine:
        for _ in range(60):
            engine.send(FRAME[:320])
        assert flushed.acquire(timeout=10)
        assert len(samples_of(path)[1]) >= 16_000
    writer.close()


@pytest.mark.parametrize("place", ["missing/call.wav", "."])
def test_f05_a_file_that_cannot_be_written_is_told_once_and_the_call_goes_on(tmp_path, place):
    told = []
    writer = WavWriter(tmp_path / place, 8_000, told.append)
    with sender(writer) as engine:
        for _ in range(500):
            engine.send(FRAME)
    writer.close()
    assert len(told) == 1
    assert str(tmp_path) in told[0]


def test_f05_a_full_disk_is_told_once(monkeypatch, tmp_path):
    told = []

    def full(self, pcm):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WavFile, "write", full)
    writer = WavWriter(tmp_path / "call.wav", 8_000, told.append)
    with sender(writer) as engine:
        for _ in range(100):
            engine.send(FRAME)
    writer.close()
    assert told == [f"{tmp_path / 'call.wav'}: No space left on device"]
