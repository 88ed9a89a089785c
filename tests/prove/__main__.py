"""Every state the phone can reach by hook, keys, SIP and clocks, each one checked, as far as asked.

`make prove` runs the tests beside this; by hand the walk can go on for hours:

    python -m tests.prove [--calls N] [--limit STATES] [--plain]

Breadth first from a phone at rest; `promises` says what must hold. Exit code 1 and the shortest way
there if something does not.
"""

import argparse
import sys
import time

from tests.prove.promises import Study, look
from tests.prove.steps import explore
from tests.prove.world import Scope


def say(line: str) -> None:
    """A line for whoever runs this."""
    sys.stdout.write(line + "\n")


def main() -> int:
    """Explore and print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.prove")
    parser.add_argument("--calls", type=int, default=2, help="calls at a time (default 2)")
    parser.add_argument("--limit", type=int, default=0, help="stop after so many states")
    parser.add_argument("--plain", action="store_true", help="nothing fails, words do not count")
    options = parser.parse_args()
    study, began = Study(), time.perf_counter()
    scope = Scope(options.calls, machinery=not options.plain, words=not options.plain)
    try:
        seen = explore(scope, options.limit, look, study)
    except AssertionError as broken:
        say(f"broken: {broken}")
        return 1
    seconds = time.perf_counter() - began
    whole = "complete" if seen.complete else "not complete"
    say(f"states {seen.states}  transitions {seen.transitions}  seconds {seconds:.1f}  {whole}")
    for mode, count in study.modes.most_common():
        say(f"  {mode.value:<12}{count}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
