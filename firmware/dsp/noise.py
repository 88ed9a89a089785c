"""What a quiet room sounds like while nothing is heard of it. Pure."""

from firmware.base.noise import WHITE_LEVEL, white_noise
from firmware.base.pcm import SAMPLE_BYTES, audioop


class RoomNoise:
    """White noise that goes on where it stopped."""

    __slots__ = ("_place",)

    def __init__(self) -> None:
        self._place = 0

    def block(self, samples: int, rms: float) -> bytes:
        """So many samples of the given root mean square; none at all below one."""
        size = samples * SAMPLE_BYTES
        if rms < 1:
            return bytes(size)
        table = white_noise()
        start = self._place
        end = start + size
        self._place = end % len(table)
        part = (
            (table * (end // len(table) + 1))[start:end] if end > len(table) else table[start:end]
        )
        return audioop.mul(part, SAMPLE_BYTES, rms / WHITE_LEVEL)
