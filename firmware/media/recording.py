"""A call on its way to a recorder: what it is told on the left, what it says on the right.

    told: us, clips, the warning tone, ─▶ left  ┐
          the others of a conversation          ├▶ 200 ms a packet ─▶ socket ─▶ recorder
    said by the far end ────────────────▶ right ┘

The audio process opens no file: the recorder is elsewhere (`firmware.storage.recorder`) and may be
slow. A packet that finds no room is left out; each says with which frame it begins, so whoever
writes the file knows how long the hole is. Nothing here waits.
"""

import socket

from firmware.base.pcm import SAMPLE_BYTES, audioop
from firmware.dsp.resample import Resampler
from firmware.dsp.tones import TonePlayer
from firmware.media.messages import RECORD_HEAD, Record, ToneSegment
from firmware.media.pipeline import silence

_FRAMES_A_PACKET = 10


class Beep:
    """What tells everybody that they are recorded, in step at every rate: `advance`, then `at`."""

    __slots__ = ("_frame", "_pcm", "_period", "_segments", "_sounds")

    def __init__(self, segments: tuple[ToneSegment, ...], begin: int = 0) -> None:
        """Frame `begin` of it is the next one."""
        self._segments = segments
        self._pcm: dict[int, bytes] = {}
        ends, at = [0.0], 0.0
        for segment in segments:
            at += segment.seconds
            if segment.frequencies:
                ends.append(at)
        self._period = max(1, round(at * 50))
        self._sounds = round(ends[-1] * 50)
        self._frame = begin - 1

    def advance(self) -> None:
        """The next 20 ms."""
        self._frame = (self._frame + 1) % self._period

    def at(self, rate: int) -> bytes:
        """This frame of it, empty while it is silent."""
        if self._frame >= self._sounds:
            return b""
        pcm = self._pcm.get(rate)
        if pcm is None:
            player = TonePlayer(self._segments, -1, rate)
            pcm = self._pcm[rate] = player.block(self._sounds * (rate // 50))
        size = rate // 50 * SAMPLE_BYTES
        return pcm[self._frame * size : (self._frame + 1) * size]


class Recording:
    """One call's; each frame first `heard`, then `told`. Owns its descriptor."""

    __slots__ = (
        "_begin",
        "_filters",
        "_frames",
        "_heard",
        "_pcm",
        "_rate",
        "_socket",
        "beep",
    )

    def __init__(self, order: Record, descriptor: int) -> None:
        """Take the descriptor over.

        Raises:
            OSError: it is no socket.
        """
        self.beep = Beep(order.tone, order.begin)
        self._rate = order.rate
        self._socket: socket.socket | None = socket.socket(fileno=descriptor)
        self._begin = order.begin
        self._frames = 0
        self._pcm = b""
        self._heard = b""
        self._filters: dict[tuple[bool, int], Resampler] = {}

    def heard(self, pcm: bytes, rate: int) -> None:
        """What the far end says in this frame."""
        self._heard = self._at(pcm, rate, right=True)

    def told(self, pcm: bytes, rate: int) -> None:
        """What the far end is told in this frame; empty if that is nothing."""
        left = self._at(pcm, rate, right=False) if pcm else silence(self._rate)
        right = self._heard or silence(self._rate)
        self._heard = b""
        self._pcm += audioop.add(
            audioop.tostereo(left, SAMPLE_BYTES, 1, 0),
            audioop.tostereo(right, SAMPLE_BYTES, 0, 1),
            SAMPLE_BYTES,
        )
        self._frames += 1
        if self._frames >= _FRAMES_A_PACKET:
            self._send()

    def skip(self, frames: int) -> None:
        """Frames that nobody heard or said: a hole in the recording too."""
        self._send()
        self._begin += frames

    def close(self) -> None:
        """Hand over what is left, and let go."""
        self._send()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self) -> None:
        if self._frames and self._socket is not None:
            packet = RECORD_HEAD.pack(self._begin) + self._pcm
            try:
                self._socket.send(packet, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                pass  # a slow disk: the next packet shows what is missing
            except OSError:
                # Nobody records any more, and the phone knows it.
                self._socket.close()
                self._socket = None
        self._begin += self._frames
        self._frames = 0
        self._pcm = b""

    def _at(self, pcm: bytes, rate: int, *, right: bool) -> bytes:
        """A frame at the recording's rate; each side has its own filter."""
        if rate == self._rate:
            return pcm
        resampler = self._filters.get((right, rate))
        if resampler is None:
            resampler = self._filters[right, rate] = Resampler(rate, self._rate)
        return resampler.convert(pcm)
