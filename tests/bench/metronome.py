"""How even a real-time process is on this machine that does nothing but wait: the control.

Run by its path in a process of its own, it waits 50 times a second on an absolute clock, under the
scheduling the audio process has, until its input is closed; then it prints by how many
milliseconds it was late at worst and in 999 of 1,000 times. What the audio process is late beyond
that is its own doing.
"""

import contextlib
import os
import select
import sys
import time

PERIOD = 0.02
PRIORITY = 40


def main() -> int:
    """Tick until the input ends."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    late, due = [0.0], time.monotonic()
    while True:
        due += PERIOD
        if select.select([0], (), (), max(0.0, due - time.monotonic()))[0]:
            break
        late.append(time.monotonic() - due)
    late.sort()
    sys.stdout.write(f"{late[-1] * 1000} {late[int(len(late) * 0.999)] * 1000}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
