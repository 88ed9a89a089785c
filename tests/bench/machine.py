"""What a program costs: scheduler run time and memory of a process and all its children."""

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.bench import metronome


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            found += [int(word) for word in task.read_text().split()]
    return found


def cpu_seconds(pid: int) -> float:
    """Seconds on a processor so far, by the scheduler's own account, of all threads."""
    total = 0
    for process in family(pid):
        for stat in Path(f"/proc/{process}/task").glob("*/schedstat"):
            try:
                total += int(stat.read_text().split()[0])
            except (OSError, IndexError):
                continue
    return total / 1e9


def memory_mb(pid: int) -> float:
    """Proportional set size of the family."""
    kilobytes = 0
    for process in family(pid):
        for row in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if row.startswith("Pss:"):
                kilobytes += int(row.split()[1])
    return kilobytes / 1024


def describe(root: Path) -> dict[str, object]:
    """The machine and the commit, for the record."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    ).stdout.strip()
    return {
        "commit": commit,
        "machine": f"{platform.node()} ({platform.machine()}, {_processor()})",
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": sys.version.split()[0],
    }


def _processor() -> str:
    """What the processor calls itself."""
    rows = Path("/proc/cpuinfo").read_text().splitlines()
    names = [row.partition(":")[2] for row in rows if row.startswith(("model name", "Model"))]
    return names[0].strip() if names else "unknown"


class Metronome:
    """A process beside what is measured that tells how late the machine made it (milliseconds)."""

    def __init__(self) -> None:
        self.worst = self.p99_9 = 0.0

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", metronome.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_error: object) -> None:
        told, _ = self._process.communicate(timeout=10)
        self.worst, self.p99_9 = map(float, told.split())


class Hogs:
    """Busy processes, so many per core."""

    def __init__(self, per_core: int = 1) -> None:
        self._processes = [
            subprocess.Popen([sys.executable, "-c", "while True: pass"])
            for _ in range(per_core * (os.cpu_count() or 1))
        ]

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_error: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
