"""Writes what a `file` card hears to a WAV, in a thread of its own.

The sound arrives through a SEQPACKET socket, so that neither the audio process nor the loop ever
touches the disk. About once a second, and when the sound pauses, the data is forced to the disk
and only then the sizes in the header are raised: a power cut leaves a playable file that lacks a
second at most. Not a recorder with a policy: where to record and for how long is decided above.
"""

import os
import socket
import struct
import threading
from collections.abc import Callable
from pathlib import Path

HEADER_BYTES = 44
LARGEST = 0xFFFFFFFF - HEADER_BYTES
"""A RIFF chunk's size is 32 bits."""
_FLUSH_SECONDS = 1.0
_PACKET = 65536


def wav_header(rate: int, data_bytes: int, channels: int = 1) -> bytes:
    """The 44 bytes before the samples of a 16-bit WAV of `data_bytes`."""
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        data_bytes + HEADER_BYTES - 8,
        b"WAVE",
        b"fmt ",
        16,
        1,
        channels,
        rate,
        rate * 2 * channels,
        2 * channels,
        16,
        b"data",
        data_bytes,
    )


class WavFile:
    """A growing WAV whose header is true after every `flush`; readable by its owner only.

    Raises:
        OSError: from every method, when the disk refuses.
    """

    def __init__(self, path: Path, rate: int, channels: int = 1, *, new: bool = False) -> None:
        """Begin it; one that must be `new` takes no other's place."""
        self._rate = rate
        self._channels = channels
        other = os.O_EXCL if new else os.O_TRUNC
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | other, 0o600)
        self._size = 0
        self._flushed = 0
        try:
            os.write(self._descriptor, wav_header(rate, 0, channels))
        except OSError:
            os.close(self._descriptor)
            raise

    @property
    def unflushed(self) -> int:
        """Bytes that a power cut would take."""
        return self._size - self._flushed

    def write(self, pcm: bytes) -> None:
        """Append 16-bit little-endian samples; what the format cannot hold is left out."""
        room = LARGEST - self._size
        rest = memoryview(pcm)[:room]
        while rest:
            written = os.pwrite(self._descriptor, rest, HEADER_BYTES + self._size)
            self._size += written
            rest = rest[written:]

    def flush(self) -> None:
        """Force the samples out, then claim them in the header."""
        os.fdatasync(self._descriptor)
        whole = self._size - self._size % (2 * self._channels)
        os.pwrite(self._descriptor, wav_header(self._rate, whole, self._channels), 0)
        self._flushed = self._size

    def close(self) -> None:
        """Flush and let go."""
        try:
            self.flush()
        finally:
            os.close(self._descriptor)


class WavWriter:
    """One recording: give `descriptor` to the engine, `close` at the end.

    The descriptor stays open here, so an engine that was started again goes on in the same file.
    If the file cannot be written, `failed(reason)` is called once, from the writer's thread, and
    the rest of the sound is thrown away.
    """

    def __init__(self, path: Path, rate: int, failed: Callable[[str], None]) -> None:
        self._path = path
        self._rate = rate
        self._failed = failed
        self._inlet, self._outlet = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._outlet.settimeout(_FLUSH_SECONDS)
        self._thread = threading.Thread(target=self._run, name=f"wav {path.name}", daemon=True)
        self._thread.start()

    @property
    def descriptor(self) -> int:
        """A non-blocking writer's end: 16-bit little-endian mono, one frame a packet."""
        return self._inlet.fileno()

    def close(self) -> None:
        """Write what is still under way and finish the file; blocks for a moment."""
        self._inlet.shutdown(socket.SHUT_WR)
        self._thread.join()
        self._inlet.close()
        self._outlet.close()

    def _run(self) -> None:
        try:
            self._record()
        except OSError as error:
            self._failed(f"{self._path}: {error.strerror or error}")
            self._discard()

    def _record(self) -> None:
        wav = WavFile(self._path, self._rate)
        try:
            while (pcm := self._receive()) != b"":
                if pcm is not None:
                    wav.write(pcm)
                paused = pcm is None and wav.unflushed > 0
                if paused or wav.unflushed >= self._rate * 2 * _FLUSH_SECONDS:
                    wav.flush()
        finally:
            wav.close()

    def _receive(self) -> bytes | None:
        """The next packet; None after a second without one, empty at the end."""
        try:
            return self._outlet.recv(_PACKET)
        except TimeoutError:
            return None

    def _discard(self) -> None:
        """Keep the sender from filling a socket that nobody reads."""
        while self._receive() != b"":
            pass
