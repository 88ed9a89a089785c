"""What keeps a microphone's samples within bounds: no constant offset, nothing at full scale. Pure.

A broken or badly wired input gives full scale or a constant value. The far end must not be hurt by
either: an offset is taken away within a few frames, and what is too loud is turned down at once and
comes back slowly, so that loud speech is quieter rather than bent.
"""

from firmware.base.pcm import SAMPLE_BYTES, audioop

CEILING = 29_000
"""The greatest sample that leaves: -1 dB."""
_FULL = 32_767
_RECOVERY = 1.02
"""What the gain grows by in a frame: 6 dB in 0.7 s."""
_FASTEST = 0.25
_NOTABLE = 32
"""An offset of less is not worth a pass over the samples."""


class Limiter:
    """One microphone's; `gain` is a factor that is applied as far as there is room for it."""

    __slots__ = ("_gain", "_offset", "_wanted")

    def __init__(self, gain: float = 1.0) -> None:
        self._wanted = self._gain = gain
        self._offset = 0.0

    def limit(self, frame: bytes) -> bytes:
        """A frame that may be sent: of any rate, 16-bit samples."""
        if not frame:
            return frame
        self._offset += (audioop.avg(frame, SAMPLE_BYTES) - self._offset) * _FASTEST
        offset = round(self._offset)
        if abs(offset) > _NOTABLE:
            frame = _shifted(frame, -offset)
        loudest = audioop.max(frame, SAMPLE_BYTES)
        self._gain = min(self._wanted, self._gain * _RECOVERY)
        if loudest * self._gain > CEILING:
            self._gain = CEILING / loudest
        return frame if self._gain == 1.0 else audioop.mul(frame, SAMPLE_BYTES, self._gain)


def _shifted(frame: bytes, by: int) -> bytes:
    """Every sample so much higher, held at full scale: adding wraps round otherwise."""
    low, high = audioop.minmax(frame, SAMPLE_BYTES)
    if low + by < -_FULL or high + by > _FULL:
        room = 1 - abs(by) / (_FULL + 1)
        frame, by = audioop.mul(frame, SAMPLE_BYTES, room), round(by * room)
    return audioop.bias(frame, SAMPLE_BYTES, by)
