"""`make fuzz SECONDS=`: the property tests again and again, each time from a seed not seen before.

    python -m tests.fuzz SECONDS [--seed N]

SIP bytes and the dearest of them, event sequences of the whole agent, calls and subscriptions,
transactions, documents of event packages, SDP, RTP and RTCP, configuration, control lines, the
phone's machine. Each subject runs once, then by turns until the time is up. The first failure
ends it with exit code 1 and the command that shows it again; the smallest example is above.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SUBJECTS = tuple(
    f"tests/property/test_{name}.py"
    for name in (
        *("sip_message", "p03_worst_message", "sdp", "rtp", "config_text", "control_lines"),
        *("sip_whole_agent", "sip_agent_events", "sip_call_walks", "sip_call_races"),
        *("sip_subscription_events", "event_packages", "sip_transactions", "phone_walk"),
    )
)
_SEEDS = 1 << 31


def run(subject: str, seed: int) -> bool:
    """Whether one subject holds from one seed; says how to see it again if it does not."""
    words = ("-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "--no-header")
    command = [sys.executable, *words, f"--hypothesis-seed={seed}", subject]
    environment = {**os.environ, "DESKPHONE_FUZZ_SEED": str(seed)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    if done.returncode:
        sys.stdout.buffer.write(done.stdout + done.stderr)
        again = " ".join(["python", *command[1:]])
        sys.stdout.write(f"\nsee it again:\n  DESKPHONE_FUZZ_SEED={seed} {again}\n")
    return not done.returncode


def fuzz(seconds: float, first: int) -> int:
    """Take turns until the time is up; returns the exit code."""
    runs: Counter[str] = Counter()
    end, seed = time.monotonic() + seconds, first
    while time.monotonic() < end or len(runs) < len(SUBJECTS):
        for subject in SUBJECTS:
            if runs[subject] and time.monotonic() >= end:
                break
            seed = (seed + 1000) % _SEEDS
            if not run(subject, seed):
                return 1
            runs[subject] += 1
    for subject, count in runs.items():
        sys.stdout.write(f"{count:5}  {Path(subject).stem.removeprefix('test_')}\n")
    sys.stdout.write(f"nothing found, from seed {first} on\n")
    return 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="tests.fuzz")
    parser.add_argument("seconds", type=float, help="go on for so long")
    parser.add_argument("--seed", type=int, help="begin behind this one (default: any)")
    options = parser.parse_args()
    first = secrets.randbelow(_SEEDS) if options.seed is None else options.seed
    return fuzz(options.seconds, first)


if __name__ == "__main__":
    sys.exit(main())
