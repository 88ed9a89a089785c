"""What a process holds open, told by name: a leak is what is there now and was not before.

Numbers do not do: what an earlier test left to the garbage collector is closed in the middle of
the next one, and hides a leak or seems to be one.
"""

import os
import threading
from collections import Counter


def open_now(pid: int | str = "self") -> Counter[str]:
    """What each open descriptor stands for, as the kernel names it: `socket:[4711]`, a path."""
    held: Counter[str] = Counter()
    folder = f"/proc/{pid}/fd"
    for number in os.listdir(folder):  # noqa: PTH208 - names are all
        try:
            held[os.readlink(f"{folder}/{number}")] += 1  # noqa: PTH115 - it is no path
        except FileNotFoundError:
            continue
    return held


def opened_since(before: Counter[str], pid: int | str = "self") -> list[str]:
    """The descriptors that are open now and were not then."""
    return sorted((open_now(pid) - before).elements())


def closed_since(before: Counter[str], pid: int | str = "self") -> list[str]:
    """The descriptors that were open then and are not now."""
    return sorted((before - open_now(pid)).elements())


def running_now() -> set[threading.Thread]:
    """The threads that run."""
    return set(threading.enumerate())


def started_since(before: set[threading.Thread]) -> list[str]:
    """The names of the threads that run now and did not then."""
    return sorted(thread.name for thread in running_now() - before)
