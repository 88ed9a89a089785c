"""An event loop on virtual time: where nothing is ready to be read, the clock jumps to what is due.

For code that keeps the pace of `loop.time()` and talks over sockets within this process. Nobody
waits, and no machine is too busy. Over IP `grace` is needed: a kernel that is busy hands a packet
over a moment later.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class _Leaping(selectors.DefaultSelector):
    """Looks at once; `now` moves on by what the loop would have waited."""

    now = grace = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(self.grace if timeout else 0)
        if found or timeout == 0:
            return found
        assert timeout is not None, "it would wait for ever: nothing is due and nothing can be read"
        self.now += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; it begins at 0."""

    def __init__(self, grace: float = 0.0) -> None:
        self._leaping = _Leaping()
        self._leaping.grace = grace
        super().__init__(self._leaping)

    def time(self) -> float:
        return self._leaping.now


def in_no_time(work: Coroutine[Any, Any, Result], grace: float = 0.0) -> Result:
    """What this comes to, run on a loop of its own; before each leap it waits `grace` seconds."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(grace)) as runner:
        return runner.run(work)
