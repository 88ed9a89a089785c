"""Time as a process has it: what a busy machine kept it waiting for a processor does not count.

For limits on how fast something is. The kernel says how long a thread was ready and was not run
(`/proc/*/schedstat`), and what a machine below took from this one (`steal` in `/proc/stat`).
"""

import os
import time
from pathlib import Path

_STEAL = 8
_TICKS = os.sysconf("SC_CLK_TCK")


def kept_waiting(pid: int | str = "self") -> float:
    """Seconds that the first thread of a process was ready to run and had no processor."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return 0.0


def stolen() -> float:
    """Seconds that a machine below ran others in this one's place, of all processors."""
    return int(Path("/proc/stat").read_text().split(maxsplit=_STEAL + 1)[_STEAL]) / _TICKS


def own_time() -> float:
    """Monotonic seconds without those in which this process was kept from running."""
    return time.monotonic() - kept_waiting() - stolen()


class HeldUp:
    """What a busy machine takes from some processes, from now on."""

    def __init__(self, *pids: int | str) -> None:
        self._before = {pid: kept_waiting(pid) for pid in ("self", *pids)}
        self._stolen = stolen()

    def seconds(self, *born: int) -> float:
        """Seconds up to now; `born` are processes that began meanwhile."""
        since = sum(max(0.0, kept_waiting(pid) - was) for pid, was in self._before.items())
        return since + sum(kept_waiting(pid) for pid in born) + stolen() - self._stolen
