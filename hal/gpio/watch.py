"""A part made of switches, watched through its pins.

Every edge is noted with its moment by whichever thread the pin library has for that; the worker's
thread then plays them to the part in order, with its deadlines in between, as if it had been there
in time. However late it comes, a dial's pulses are as long as they were. Afterwards the wires are
read: an edge may have been lost, and the level is the truth.

A wire that is connected to nothing may give thousands of edges a second. It is then not listened
to for a while, so that the other parts and the phone have their time.
"""

import collections
import math
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from hal.errors import DeviceError
from hal.events import Event
from hal.gpio.contacts import Contacts

_MOST_EDGES = 512
"""Edges that are kept for a thread that is late; of a wild wire the oldest go first."""
_STORM = 1000
"""Edges within a second that no hand and no dial makes, bounce included."""
_LATE, _MOMENT = 0.02, 0.01
"""Seconds: a thread that comes so late was held up, and others with it; what those then need."""
Edge = Callable[[bool | None, float], None]
"""Told whether the wire is closed, and when it changed; None = nobody knows, look."""


class Wire(Protocol):
    """A pin that a switch pulls to ground."""

    @property
    def closed(self) -> bool:
        """The level now.

        Raises:
            hal.errors.DeviceError: it cannot be read.
        """

    def watch(self, edge: Edge | None) -> None:
        """Call this at every edge, from any thread; None = no longer."""

    def catch_up(self) -> None:
        """Have the edges told that wait for their thread, where the library can do that."""

    def close(self) -> None:
        """Release the pin."""


def wild(limit: int) -> str:
    """The clause for people."""
    return f"its wire changes more than {limit} times a second; is it connected?"


class Storm:
    """Whether there are more edges within a second than `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._since = 0.0
        self._edges = 0

    def rages(self, edges: int, now: float) -> bool:
        """Count some more; whether they are too many."""
        if now - self._since >= 1.0:
            self._since, self._edges = now, 0
        self._edges += edges
        return self._edges > self._limit


class Watch:
    """The task of one part; `wake` wakes the worker."""

    def __init__(self, part: Contacts, wires: Sequence[Wire], wake: Callable[[], None]) -> None:
        self._part = part
        self._wires = tuple(wires)
        self._wake = wake
        self._edges: collections.deque[tuple[int, bool | None, float]] = collections.deque(
            maxlen=_MOST_EDGES
        )
        self._closed: tuple[bool, ...] | None = None
        self._last = 0.0
        self._waits_until: float | None = None
        self._storm = Storm(_STORM)
        self.name = part.name

    @property
    def deadline(self) -> float | None:
        if self._edges or self._closed is None:
            return 0.0
        return self._part.deadline if self._waits_until is None else self._waits_until

    def run(self, now: float) -> Iterator[Event]:
        try:
            yield from self._looked(now)
        except DeviceError:
            yield from self._part.lose(max(self._last, now))
            raise

    def _looked(self, now: float) -> Iterator[Event]:
        # Whatever fails on the way, the wires are listened to and read anew the next time: who
        # knows what has become of them meanwhile.
        before, self._closed = self._closed, None
        for wire in self._wires:
            # Who looks ahead of the thread that tells the edges would see a dial at rest in the
            # middle of its pulses.
            wire.catch_up()
        if before is not None and self._lets_others_speak(now):
            self._closed = before
            return
        if self._storm.rages(len(self._edges), now):
            self._deafen()
            raise DeviceError(wild(_STORM))
        if before is None:
            self._listen()
        else:
            yield from self._played(before, now)
        self._closed = tuple(wire.closed for wire in self._wires)
        yield from self._at(self._closed, now)

    def _lets_others_speak(self, now: float) -> bool:
        """Whether we come late, and so may who tells the edges: he has a moment to do it first."""
        due, waited = self._part.deadline, self._waits_until is not None
        self._waits_until = None
        if waited or self._edges or due is None or now - due < _LATE:
            return False
        self._waits_until = now + _MOMENT
        return True

    def _listen(self) -> None:
        for place, wire in enumerate(self._wires):
            wire.watch(self._noting(place))
        self._edges.clear()

    def _deafen(self) -> None:
        for wire in self._wires:
            wire.watch(None)
        self._edges.clear()

    def _noting(self, place: int) -> Edge:
        latest = -math.inf

        def note(closed: bool | None, at: float) -> None:  # noqa: FBT001 - the level is the datum
            nonlocal latest
            # Moments are reckoned and may be off by what that took; a wire's edges are in order.
            latest = max(latest, at)
            self._edges.append((place, closed, latest))
            self._wake()

        return note

    def _played(self, closed: tuple[bool, ...], now: float) -> Iterator[Event]:
        levels = list(closed)
        # Those that come meanwhile wait for the next time: the other parts have a turn, too. Wires
        # are read one after the other, so what is told last may have happened first.
        edges = [self._edges.popleft() for _ in range(len(self._edges))]
        for place, level, at in sorted(edges, key=operator.itemgetter(2)):
            at = min(at, now)  # noqa: PLW2901 - of another clock
            yield from self._waited(tuple(levels), at)
            if level is not None:
                levels[place] = level
            yield from self._at(tuple(levels), at)
        yield from self._waited(tuple(levels), now)

    def _waited(self, closed: tuple[bool, ...], until: float) -> Iterator[Event]:
        """Keep the deadlines that lie before the next edge."""
        while (due := self._part.deadline) is not None and due < until:
            yield from self._at(closed, due)
            if self._part.deadline == due:
                return

    def _at(self, closed: tuple[bool, ...], moment: float) -> Iterator[Event]:
        # One that is told after the wires were read is older than that: its lock-out still counts.
        self._last = max(self._last, moment)
        yield from self._part.sample(closed, moment)

    def close(self) -> None:
        """Release the pins; nothing is heard afterwards."""
        for wire in self._wires:
            wire.close()
        self._edges.clear()
