"""Writes one recorded call to a stereo WAV, in a thread of its own; mends what a crash left.

    engine ─ socket: a few seconds of room ─▶ thread ─▶ file, true to its header every second

The sound comes as `firmware.media.recording` packs it: each packet says with which frame it begins.
What is missing in between (the disk was slow, or the audio process was started again) becomes
silence of the same length, so that both sides and the clock stay together. Never waits for a disk
anywhere else. Whether to record at all, and what a person is told, is decided above.
"""

import contextlib
import enum
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from firmware.media.messages import RECORD_HEAD as HEAD
from firmware.storage.atomic import REAL_DISK
from firmware.storage.errors import DiskFullError, from_os
from firmware.storage.wav_writer import HEADER_BYTES, LARGEST, WavFile, wav_header

_CHANNELS = 2
_BLOCK = 2 * _CHANNELS
_FRAMES_A_SECOND = 50
_NOTICED = 5
"""Frames of silence that a person should hear of: less is lost when a call moves, or begins."""
_PACKET = 1 << 16
_ROOM = 1 << 20
"""What the socket should hold; the kernel may give less."""
_LOOK_EVERY = 1.0
_FOLDER_MODE = 0o700
_FIELDS = ((22, 24), (24, 28), (40, 44))
"""Where channels, rate and the size of the samples stand in a header."""
_RATES = (8000, 16000)


class Limits(Struct, frozen=True):
    """`seconds` that a recording may last, `bytes_free` that the disk keeps."""

    seconds: float
    bytes_free: int


class Fate(enum.Enum):
    """What becomes of a recording; after all but `HOLE` it is over."""

    HOLE = "hole"
    DONE = "done"
    LONGEST = "longest"
    FULL = "full"
    FAILED = "failed"


class News(Struct, frozen=True):
    """`seconds` are in the file, `missing` of them silence where sound should be."""

    fate: Fate
    seconds: float = 0.0
    missing: float = 0.0
    detail: str = ""


class CallRecorder:
    """One recording: hand `descriptor` to the engine, `close` when the call is over.

    `told` hears its first hole and its end, from the recorder's thread. The descriptor stays open
    here, so an engine that was started again goes on in the same file.
    """

    def __init__(self, path: Path, rate: int, limits: Limits, told: Callable[[News], None]) -> None:
        self.path = path
        self._rate = rate
        self._limits = limits
        self._told = told
        self._frame = rate // _FRAMES_A_SECOND * _BLOCK
        self._frames = self._missing = 0
        self._closing = self._warned = False
        self._inlet, self._outlet = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._inlet.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
        self._outlet.settimeout(_LOOK_EVERY)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def descriptor(self) -> int:
        """The writing end: packets of `firmware.media.recording`."""
        return self._inlet.fileno()

    def close(self) -> None:
        """Nothing is sent any more but what is under way; the thread ends by itself, soon."""
        self._closing = True
        self._inlet.close()

    def join(self, seconds: float) -> bool:
        """Wait for the file to be finished; whether it is."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    # The thread

    def _run(self) -> None:
        fate, detail = Fate.FAILED, ""
        try:
            fate = self._record()
        except OSError as error:
            detail = error.strerror or str(error)
            if isinstance(from_os(str(self.path), error), DiskFullError):
                fate = Fate.FULL
        finally:
            self._outlet.close()
            self._tell(fate, detail)

    def _tell(self, fate: Fate, detail: str = "") -> None:
        seconds, missing = self._frames / _FRAMES_A_SECOND, self._missing / _FRAMES_A_SECOND
        self._told(News(fate, seconds, missing, detail))

    def _record(self) -> Fate:
        self.path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        if self._is_full():
            return Fate.FULL
        wav = WavFile(self.path, self._rate, _CHANNELS, new=True)
        try:
            # A power cut shall not take the name of what it leaves.
            REAL_DISK.sync_folder(self.path.parent)
            return self._fill(wav)
        finally:
            wav.close()
            if not self._frames:
                # A file without a sound is none that anybody would look for.
                self.path.unlink(missing_ok=True)

    def _fill(self, wav: WavFile) -> Fate:
        """Until the engine has let go of its end, or a limit is reached."""
        while (packet := self._receive()) != b"":
            if packet is not None:
                self._take(wav, packet)
            elif self._closing:
                break  # an engine that hangs
            second = wav.unflushed >= self._rate * _BLOCK * _LOOK_EVERY
            if second or (packet is None and wav.unflushed):
                wav.flush()
                if self._is_full():
                    return Fate.FULL
            if self._frames >= self._limits.seconds * _FRAMES_A_SECOND:
                return Fate.LONGEST
        return Fate.DONE

    def _receive(self) -> bytes | None:
        """The next packet; None after a second without one, empty at the end."""
        try:
            return self._outlet.recv(_PACKET)
        except TimeoutError:
            return None

    def _take(self, wav: WavFile, packet: bytes) -> None:
        begin: int = HEAD.unpack_from(packet)[0]
        longest = round(self._limits.seconds * _FRAMES_A_SECOND)
        hole = min(begin, longest) - self._frames
        for piece in self._silence(hole):
            wav.write(piece)
        pcm = packet[HEAD.size :]
        wav.write(pcm)
        self._frames += max(0, hole) + len(pcm) // self._frame
        self._missing += max(0, hole)
        if hole >= _NOTICED and not self._warned:
            self._warned = True
            self._tell(Fate.HOLE)

    def _silence(self, frames: int) -> Iterator[bytes]:
        """So many frames of it, a second at a time."""
        while frames > 0:
            yield bytes(self._frame * min(frames, _FRAMES_A_SECOND))
            frames -= _FRAMES_A_SECOND

    def _is_full(self) -> bool:
        disk = os.statvfs(self.path.parent)
        return disk.f_bavail * disk.f_frsize < self._limits.bytes_free


def mend(folder: Path) -> int:
    """Let the header of every recording claim all that is in its file; returns how many did not.

    A phone that was killed leaves a second unclaimed. Never raises: what cannot be mended is
    played as far as its header goes.
    """
    mended = 0
    with contextlib.suppress(OSError):
        for path in sorted(folder.glob("*.wav")):
            with contextlib.suppress(OSError):
                mended += _mend(path)
    return mended


def _mend(path: Path) -> bool:
    with path.open("r+b") as file:
        head = file.read(HEADER_BYTES)
        data = os.fstat(file.fileno()).st_size - HEADER_BYTES
        channels, rate, claimed = (
            int.from_bytes(head[begin:end], "little") for begin, end in _FIELDS
        )
        ours = channels in (1, 2) and rate in _RATES and claimed <= min(data, LARGEST)
        if not ours or wav_header(rate, claimed, channels) != head:
            return False
        whole = min(data, LARGEST) // (2 * channels) * 2 * channels
        if whole == claimed:
            return False
        file.seek(0)
        file.write(wav_header(rate, whole, channels))
        return True
