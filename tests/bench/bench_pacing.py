"""How evenly packets leave: the interval between two packets of a looped call, 20 ms if perfect.

Measured by the kernel's arrival stamps at the far end; quiet, and with two processes that burn
both processors.
"""

import json
import subprocess
import sys
from itertools import pairwise

from tests.bench.engine_rig import measure

SECONDS = 10.0
_HOG = "while True: pass"


def run(seconds: float = SECONDS) -> dict[str, float]:
    """Interval errors in milliseconds: median, 99 of 100, worst; quiet and beside two hogs."""
    figures = _errors("quiet", seconds)
    hogs = [subprocess.Popen([sys.executable, "-c", _HOG]) for _ in range(2)]
    try:
        figures |= _errors("two_hogs", seconds)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()
    return figures


def _errors(name: str, seconds: float) -> dict[str, float]:
    (arrivals,) = measure("pcmu", 1, seconds).arrivals
    errors = sorted(abs(later - earlier - 0.02) * 1000 for earlier, later in pairwise(arrivals))
    return {
        f"pacing_{name}_p50_ms": errors[len(errors) // 2],
        f"pacing_{name}_p99_ms": errors[int(len(errors) * 0.99)],
        f"pacing_{name}_max_ms": errors[-1],
    }


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=1)
