"""Time as a process has it: what a busy machine kept it waiting for a processor does not count.

For limits on how fast something is. The kernel says how long a thread was ready and was not run
(`/proc/*/schedstat`), and what a machine below took from this one (`steal` in `/proc/stat`).
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Self

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


_STANDS_BY = """
import select, time
worst, over = 0.0, False
while not over:
    began = time.monotonic()
    over = bool(select.select([0], [], [], 0.005)[0])
    worst = max(worst, time.monotonic() - began - 0.005)
print(worst)
"""


class Bystander:
    """A program with nothing to do but to be woken 200 times a second: how late that is.

    Where it is late, too, the machine was busy, and not whoever is judged.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _STANDS_BY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.kill()
        self._process.communicate()

    def worst(self) -> float:
        """Seconds that it was late at most; it ends with this."""
        return float(self._process.communicate("\n", timeout=20)[0])
