"""What a call costs in the audio process alone: seconds of a processor per minute of a call.

The whole phone beside baresip is measured elsewhere; this row finds a regression of the media path
without the rest. `engine_pcmu_1` is one call by itself, with every wake-up on its account;
`engine_pcmu_each_of_20` is what one more call costs.
"""

import json
import sys

from firmware.base.suites import SUITES
from tests.bench.engine_rig import measure

SECONDS = 10.0


def run(seconds: float = SECONDS) -> dict[str, float]:
    """CPU seconds per call-minute, by codec and number of calls."""
    figures = {}
    for codec in ("pcmu", "g722", "opus"):
        for streams in (1, 20):
            result = measure(codec, streams, seconds)
            name = f"engine_{codec}_{'each_of_' if streams > 1 else ''}{streams}"
            figures[f"{name}_cpu_s_per_minute"] = result.cpu / result.seconds * 60 / streams
    for suite in SUITES:
        result = measure("pcmu", 20, seconds, suite=suite)
        name = f"engine_pcmu_{suite.lower()}_each_of_20_cpu_s_per_minute"
        figures[name] = result.cpu / result.seconds * 60 / 20
    return figures


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=1)
