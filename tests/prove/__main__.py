"""Every state the phone can reach by hook, keys, SIP and clocks, each one checked, as far as asked.

`make prove` runs the tests beside this; by hand the walk can go on for hours:

    python -m tests.prove [--calls N] [--limit STATES]

Breadth first from a phone at rest. A state is what could make a difference later: times are reduced
to the order in which the clocks will ring, references to their place. In each state it holds that

* the microphone is open only in a call or the audio test, and the handset's only while it is up;
* what rings has somebody to ring for, and nothing plays or is bound at rest;
* an emergency number dials, unless the emergency call is already up;
* there is a way to rest: put the handset down, hang up, wait.

Exit code 1 and the shortest way there if one of them does not hold.
"""

import argparse
import sys
import time

from tests.prove.exploration import Found, explore


def say(line: str) -> None:
    """A line for whoever runs this."""
    sys.stdout.write(line + "\n")


def main() -> int:
    """Explore and print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove")
    parser.add_argument("--calls", type=int, default=2, help="calls at a time (default 2)")
    parser.add_argument("--limit", type=int, default=0, help="stop after so many states")
    options = parser.parse_args()
    began = time.perf_counter()
    outcome = explore(options.calls, options.limit)
    seconds = time.perf_counter() - began
    if isinstance(outcome, Found):
        say(f"broken: {outcome.what}")
        for step in outcome.way:
            say(f"  {step}")
        return 1
    say(
        f"states {outcome.states}  transitions {outcome.transitions}  depth {outcome.depth}  "
        f"seconds {seconds:.1f}"
    )
    for mode, count in sorted(outcome.modes.items()):
        say(f"  {mode:<12}{count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
