"""Waiting for something to become true, with a limit and a sentence."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_for(
    what: str, look: Callable[[], Found], seconds: float = 20.0, every: float = 0.02
) -> Found:
    """The first true value `look` returns; AssertionError with `what` if there is none in time.

    `every` is the pause between two looks, in seconds: longer where looking is work.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(every)  # noqa: TID251 - real programs need real time
