"""The card a test holds in its hands: it says what the microphone hears and what time it is.

With `Pacing.NONE` nothing ever blocks. With `CAPTURE` or `PLAYBACK` the paced call blocks, as a
real card does, until the test lets another period pass with `tick`.
"""

import threading
from collections import deque
from collections.abc import Collection

from hal.errors import DeviceGoneError
from hal.ports import Pacing
from hal.sound.frames import frame_bytes


class MockCard:
    """A scripted microphone and a recorded ear; every method may be called from any thread."""

    def __init__(self, rate: int = 16_000, pacing: Pacing = Pacing.NONE) -> None:
        self._rate = rate
        self._pacing = pacing
        self._frame = frame_bytes(rate)
        self._periods = threading.Semaphore(0)
        self._script: deque[bytes] = deque()
        self._gone = False
        self._leads = True
        self.capturing = False
        """Whether the microphone is open."""
        self.closed = False
        self.rested = 0
        """How often it was told to rest."""
        self.paths: list[frozenset[str]] = []
        """Where something was heard, as often as it was told."""
        self.xruns = 0
        self.drift_ppm: float | None = None
        """Set by whoever plays a card that is late."""
        self.remark = ""
        """Set by whoever plays a card with a mixer that is not as it should be."""
        self.frames: list[bytes] = []
        """The frames that were played, in order."""

    @property
    def heard(self) -> bytes:
        """All that was played, in one piece."""
        return b"".join(self.frames)

    def speak(self, pcm: bytes) -> None:
        """Say this into the microphone, after what is still to be said; silence follows.

        The last frame is filled up with silence.
        """
        for start in range(0, len(pcm), self._frame):
            self._script.append(pcm[start : start + self._frame].ljust(self._frame, b"\0"))

    @property
    def unsaid(self) -> int:
        """Frames of the script that nobody has read yet."""
        return len(self._script)

    def tick(self, periods: int = 1) -> None:
        """Let time pass for a card that sets the pace: so many periods of 20 ms."""
        self._periods.release(periods)

    def vanish(self) -> None:
        """Pull the plug: every later call finds the device gone."""
        self._gone = True
        self.tick()

    @property
    def rate(self) -> int:
        return self._rate

    @property
    def pacing(self) -> Pacing:
        return self._pacing

    def read(self) -> bytes:
        self._wait(Pacing.CAPTURE)
        if not self.capturing:
            return b""
        return self._script.popleft() if self._script else bytes(self._frame)

    def write(self, frame: bytes) -> None:
        self._wait(Pacing.PLAYBACK)
        self.frames.append(frame)

    def _wait(self, paced: Pacing) -> None:
        if self._pacing is paced and self._leads and not self.closed and not self._gone:
            self._periods.acquire()
        if self._gone:
            raise DeviceGoneError("the mock card was pulled out")

    def lead(self, wanted: bool) -> None:  # noqa: FBT001 - the port's shape
        self._leads = wanted

    def rest(self) -> None:
        self.rested += 1

    def heard_on(self, paths: Collection[str]) -> None:
        self.paths.append(frozenset(paths))

    def set_capture(self, wanted: bool) -> None:  # noqa: FBT001 - the port's shape
        self.capturing = wanted

    def forget(self) -> None:
        """Nothing waits: a script is what is still to be said."""

    def close(self) -> None:
        self.closed = True
        self.capturing = False
        self.tick()
