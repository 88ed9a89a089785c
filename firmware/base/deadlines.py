"""A set of named deadlines: at most one per name, earliest first.

A state machine that needs timers keeps one of these, tells its driver `earliest()`, and asks
`take_due(now)` when the driver says that time has passed. Nothing here reads a clock.
"""

import heapq
import itertools
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)


class Deadlines(Generic[Name]):
    """Named moments on the caller's clock, in its seconds."""

    __slots__ = ("_at", "_heap", "_order")

    def __init__(self) -> None:
        self._at: dict[Name, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, Name]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._at)

    def __contains__(self, name: Name) -> bool:
        return name in self._at

    def set(self, name: Name, at: float) -> None:
        """Fire `name` at `at`; a deadline already set under that name is replaced."""
        ticket = next(self._order)
        self._at[name] = (at, ticket)
        heapq.heappush(self._heap, (at, ticket, name))
        # Replaced and cancelled entries stay in the heap until they surface; keep them few.
        if len(self._heap) > max(64, 2 * len(self._at)):
            self._heap = [(when, number, key) for key, (when, number) in self._at.items()]
            heapq.heapify(self._heap)

    def cancel(self, name: Name) -> None:
        """Forget `name`; nothing happens if it was not set."""
        self._at.pop(name, None)

    def earliest(self) -> float | None:
        """The next moment at which something is due, or None."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def take_due(self, now: float) -> list[Name]:
        """Remove and return the names due at `now`, earliest first, ties in the order set."""
        due: list[Name] = []
        self._drop_stale()
        while self._heap and self._heap[0][0] <= now:
            name = heapq.heappop(self._heap)[2]
            del self._at[name]
            due.append(name)
            self._drop_stale()
        return due

    def due(self, now: float) -> Iterator[Name]:
        """Like `take_due`, but each is taken as it is come to.

        If its user fails at one, those after it are still due. What is set meanwhile waits.
        """
        last = next(self._order)
        self._drop_stale()
        while self._heap and self._heap[0][0] <= now and self._heap[0][1] < last:
            name = heapq.heappop(self._heap)[2]
            del self._at[name]
            yield name
            self._drop_stale()

    def _drop_stale(self) -> None:
        heap = self._heap
        while heap and self._at.get(heap[0][2]) != heap[0][:2]:
            heapq.heappop(heap)
