"""The card made of files: a WAV is the microphone, what is heard leaves through a socket.

Not a recorder: the thread that calls `write` may be a real-time one, so it only hands each frame
to a socket and never waits. The file at the other end is written by `firmware.storage.wav_writer`.
"""

import functools
import os
import socket
import wave
from pathlib import Path

from hal.errors import DeviceError
from hal.sound.convert import RateConverter, little_endian, to_mono
from hal.sound.frames import frame_bytes
from hal.sound.unpaced import Unpaced


class FileCard(Unpaced):
    """Loops a clip as the microphone and sends what is heard to a socket, if there is one.

    The clip begins again whenever the microphone is opened. `sink` is a stream or SEQPACKET
    socket; a frame that would have to wait is dropped and counted.
    """

    def __init__(self, rate: int, clip: bytes = b"", sink: socket.socket | None = None) -> None:
        self._rate = rate
        self._frame = frame_bytes(rate)
        self._clip = clip
        # One frame more than the loop, so that every read is one slice.
        self._looped = _looped(clip, self._frame)
        self._place = 0
        self._capturing = False
        self._sink = sink
        self._unsent = b""
        self.dropped = 0
        """Frames that the writer was too slow for."""
        if sink is not None:
            sink.settimeout(0)

    @property
    def rate(self) -> int:
        return self._rate

    @property
    def xruns(self) -> int:
        return 0

    def read(self) -> bytes:
        if not self._capturing:
            return b""
        start = self._place
        if self._clip:
            self._place = (start + self._frame) % len(self._clip)
        return self._looped[start : start + self._frame]

    def write(self, frame: bytes) -> None:
        if self._sink is None:
            return
        if self._unsent and not self._send(self._sink, self._unsent):
            self.dropped += 1
            return
        self._unsent = b""
        if not self._send(self._sink, little_endian(frame)):
            # Part of a frame went out: the rest must follow, or every later sample is shifted.
            self.dropped += not self._unsent

    def _send(self, sink: socket.socket, data: bytes) -> bool:
        try:
            sent = sink.send(data, socket.MSG_NOSIGNAL)
        except BlockingIOError:
            return False
        except OSError:
            # The writer is gone. The call is not; it is merely no longer recorded.
            self._drop_sink()
            return True
        self._unsent = data[sent:]
        return not self._unsent

    def _drop_sink(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    def set_capture(self, wanted: bool) -> None:  # noqa: FBT001 - the port's shape
        if wanted and not self._capturing:
            self._place = 0
        self._capturing = wanted

    def close(self) -> None:
        self._capturing = False
        self._drop_sink()


def _looped(clip: bytes, frame: int) -> bytes:
    """The clip followed by its own beginning, at least one frame of it; silence if it is empty."""
    if not clip:
        return bytes(frame)
    repeats = -(-frame // len(clip))
    return clip + (clip * repeats)[:frame]


def load_clip(path: str, rate: int) -> bytes:
    """A 16-bit PCM WAV as native mono at `rate`; channels are averaged.

    The card is opened for every call, so the last clips are kept until their file changes.

    Raises:
        hal.errors.DeviceError: the file is missing, no WAV, not 16 bit, or empty.
    """
    try:
        found = Path(path).stat()
    except OSError as error:
        raise DeviceError(f"{path}: {error.strerror or error}") from error
    return _load(path, rate, found.st_mtime_ns, found.st_size)


@functools.lru_cache(maxsize=4)
def _load(path: str, rate: int, _modified: int, _size: int) -> bytes:
    try:
        with Path(path).open("rb") as file, wave.open(file, "rb") as clip:
            bits, channels, source_rate = (
                8 * clip.getsampwidth(),
                clip.getnchannels(),
                clip.getframerate(),
            )
            data = clip.readframes(clip.getnframes())
    except (wave.Error, EOFError) as error:
        raise DeviceError(f"{path}: not a PCM WAV file ({error})") from error
    except OSError as error:
        raise DeviceError(f"{path}: {error.strerror or error}") from error
    if bits != 16:
        raise DeviceError(f"{path}: {bits} bits a sample; a 16-bit WAV is needed")
    data = data[: len(data) - len(data) % (2 * channels)]
    if not data:
        raise DeviceError(f"{path}: there is no sound in this file")
    return _converted(to_mono(little_endian(data), channels), source_rate, rate)


def _converted(pcm: bytes, source_rate: int, rate: int) -> bytes:
    """The clip at the card's rate, with its end as the filter's past: the loop has no seam."""
    if source_rate == rate:
        return pcm
    converter = RateConverter(source_rate, rate)
    second = source_rate * 2
    repeats = -(-second // len(pcm))
    converter.convert((pcm * repeats)[-second:])
    return converter.convert(pcm) or bytes(frame_bytes(rate))


def open_file_card(play: str, descriptors: tuple[int, ...], rate: int) -> FileCard:
    """A file card; the first descriptor, if any, is where what is heard goes.

    Raises:
        hal.errors.DeviceError: the clip cannot be used.
    """
    clip = load_clip(play, rate) if play else b""
    sink = socket.socket(fileno=os.dup(descriptors[0])) if descriptors else None
    return FileCard(rate, clip, sink)
