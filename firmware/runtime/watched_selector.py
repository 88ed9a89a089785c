"""How late the loop is, measured where it waits: no timer beats, so an idle phone sleeps.

    wait ─▶ [wakes, late by a] callbacks [for b] ─▶ wait

A turn's lag is a + b: what everything else that became due in it had to wait at most.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import TypeVar

Result = TypeVar("Result")


class WatchedSelector(selectors.DefaultSelector):
    """The selector of one event loop; `watcher(lag)` hears of every turn, in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.watcher: Callable[[float], None] = _nobody
        self._clock = clock
        self._began = clock()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait as the loop wants; the turn before ends here and the next one begins."""
        now = self._clock()
        self.watcher(now - self._began)
        ready = super().select(timeout)
        woke = self._clock()
        # With nothing to read it was a timer that ended the wait, and it knows when it was due.
        self._began = woke if ready or timeout is None else min(woke, now + max(timeout, 0))
        return ready

    def run(self, main: Coroutine[object, object, Result]) -> Result:
        """As `asyncio.run`, on a loop that waits here."""
        with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(self)) as runner:
            return runner.run(main)


def _nobody(_lag: float) -> None:
    """Nobody watches yet."""
