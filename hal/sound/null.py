"""The card that is not there: silence in, nothing heard, no clock of its own.

Calls in the background, boards without a sound card and most tests talk to it.
"""

from hal.sound.frames import frame_bytes
from hal.sound.unpaced import Unpaced


class NullCard(Unpaced):
    """Gives silence while the microphone is open and counts the frames that nobody hears."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._silence = bytes(frame_bytes(rate))
        self._capturing = False
        self.heard = 0
        """Frames written so far."""

    @property
    def rate(self) -> int:
        return self._rate

    @property
    def xruns(self) -> int:
        return 0

    def read(self) -> bytes:
        return self._silence if self._capturing else b""

    def write(self, frame: bytes) -> None:  # noqa: ARG002 - the port's shape
        self.heard += 1

    def set_capture(self, wanted: bool) -> None:  # noqa: FBT001 - the port's shape
        self._capturing = wanted

    def close(self) -> None:
        self._capturing = False
