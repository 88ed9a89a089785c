"""A phone with other things to do: `python busy_phone.py run …` is `deskphone run …`, disturbed.

Once a second its main thread, which also serves SIP, is taken away by a signal: 200,000 objects
are walked by a full collection, and 5,000 contacts are read and put in order. How long that took
is printed for whoever measures. Run by its path: it is no part of the phone.
"""

import gc
import json
import signal
import sys
import time
from types import FrameType

import msgspec

from firmware.cli import main

OBJECTS, CONTACTS = 200_000, 5_000
EVERY = 1.0
_AFTER = 4.0
"""Seconds that it may start in peace."""
SAYS = "busy for "
_kept: list[list[int]] = []


class Contact(msgspec.Struct):
    """Somebody in a directory."""

    name: str
    numbers: tuple[str, ...]
    favourite: bool = False


_NAMES = [f"Contact {number * 7919 % CONTACTS}" for number in range(CONTACTS)]
_BOOK = json.dumps(
    [{"name": name, "numbers": [f"+49{n:09d}", str(n)]} for n, name in enumerate(_NAMES)]
).encode()


def disturb(_signal: int, _frame: FrameType | None) -> None:
    """All of it at once, in the main thread."""
    began = time.perf_counter()
    if not _kept:
        _kept.extend([number] for number in range(OBJECTS))
    gc.collect()
    contacts = msgspec.json.decode(_BOOK, type=list[Contact])
    contacts.sort(key=lambda each: each.name.casefold())
    by_number = {number: each for each in contacts for number in each.numbers}
    took = (time.perf_counter() - began) * 1000
    sys.stderr.write(f"{SAYS}{took:.1f} ms, {len(by_number)} numbers\n")
    sys.stderr.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, disturb)
    signal.setitimer(signal.ITIMER_REAL, _AFTER, EVERY)
    sys.exit(main())
