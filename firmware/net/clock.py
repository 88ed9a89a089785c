"""Whether the clock of this machine can be believed, and the moment at which it is set (F10, F11).

A Pi has no clock of its own: until the time has come from the network, a certificate may look as
if it were not valid yet.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

# sys/timex.h: what adjtimex(2) returns while nobody has set the clock.
_TIME_ERROR: Final = 5
_TIMEX_OCTETS: Final = 512
"""More than `struct timex` has anywhere; zeros ask and change nothing."""
_LOOK_SECONDS: Final = 1.0
_JUMP_SECONDS: Final = 2.0


def synchronised(
    ask: Callable[[], int] | None = None,
    stamp: Path = Path("/run/systemd/timesync/synchronized"),
) -> bool:
    """Whether a time service keeps the clock; True where the system does not say.

    A unit with ProtectClock may not even ask the kernel; then systemd-timesyncd's `stamp` says.
    """
    state = (ask or _kernel)()
    if state >= 0:
        return state != _TIME_ERROR
    return stamp.exists() or not stamp.parent.exists()


def _kernel() -> int:
    """What adjtimex(2) says; -1 if it may not be asked."""
    import ctypes  # noqa: PLC0415 - a phone without certificates never asks

    buffer = ctypes.create_string_buffer(_TIMEX_OCTETS)
    try:
        return int(ctypes.CDLL(None).adjtimex(buffer))
    except (OSError, AttributeError):
        return -1


def wall_clock() -> float:
    """Seconds since 1970, as far as this machine knows."""
    return time.clock_gettime(time.CLOCK_REALTIME)


class ClockWatch:
    """Calls `was_set` once when the clock is set; looks only after `begin`."""

    def __init__(
        self,
        was_set: Callable[[], None],
        wall: Callable[[], float] = wall_clock,
        believed: Callable[[], bool] = synchronised,
    ) -> None:
        self._was_set = was_set
        self._wall = wall
        self._believed = believed
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._offset = 0.0

    def begin(self) -> None:
        """Somebody waits for the clock."""
        if self._timer is None:
            self._offset = self._wall() - self._loop.time()
            self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        moved = abs(self._wall() - self._loop.time() - self._offset) > _JUMP_SECONDS
        if moved or self._believed():
            self._timer = None
            self._was_set()
        else:
            self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)
