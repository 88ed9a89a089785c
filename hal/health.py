"""Whether a device works, told once each time it changes, and when to try it again.

Pure: whoever owns the device asks here how long to wait. The first try comes after a second, each
further one after twice as long, up to half a minute: a display that is plugged back in is soon
there, one that was never bought costs nothing.
"""

from collections.abc import Callable

from hal.events import DeviceFailed, DeviceRecovered
from hal.ports import Post

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0


class Health:
    """One device, named as people are told of it (`screen`); `clock` is monotonic seconds."""

    def __init__(
        self,
        device: str,
        post: Post,
        clock: Callable[[], float],
        waits: tuple[float, float] = (FIRST_WAIT, LONGEST_WAIT),
    ) -> None:
        self._device = device
        self._post = post
        self._clock = clock
        self._first, self._longest = waits
        self._wait = self._first
        self.fault = ""
        """What was last told, empty while it works."""

    def failed(self, reason: str) -> float:
        """It does not work for this reason; returns the seconds until the next try."""
        if reason != self.fault:
            self.fault = reason
            self._post(DeviceFailed(self._device, reason, self._clock()))
        wait, self._wait = self._wait, min(self._wait * 2, self._longest)
        return wait

    def works(self) -> None:
        """It did what it was asked to."""
        self._wait = self._first
        if self.fault:
            self.fault = ""
            self._post(DeviceRecovered(self._device, self._clock()))
