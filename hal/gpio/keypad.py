"""A matrix keypad: rows are driven, columns are read.

At rest every row is low, so that any key pulls its column low and the edge wakes us: nothing is
polled while nobody touches a key. Then row after row is low alone, and the others are let go, not
driven high: two keys of one column would connect a high pin with a low one. While a key is down or
bounces, the matrix is scanned every 10 ms.

What our own driving does to the columns makes edges, too. They are dropped: after each scan the
columns are read once more, with all rows low, and a column that is low then is looked at again.
"""

import collections
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from hal.errors import DeviceError
from hal.events import Event
from hal.gpio.watch import Storm, Wire, wild
from hal.matrix import IGNORED_SCAN, SCAN, Crossing, Matrix

_LISTEN_ON = 0.02
"""Seconds that are scanned after an edge although no key is seen: a contact that bounces is open
just then, and its last edge may be lost."""
_STORM = 5000
"""Edges within a second that no hand makes; scanning with four keys down makes 1,600."""
_MOST_READINGS = 3
_SETTLE = 50e-6
"""Seconds until a column that was let go is high: the pull-up of 50 kΩ charges the cable."""


class Row(Protocol):
    """A pin that is low or let go."""

    def drive(self) -> None:
        """Pull it low."""

    def release(self) -> None:
        """Let it go: an input with a pull-up."""

    def close(self) -> None:
        """Release the pin."""


def settle() -> None:
    """Wait until the wires have followed."""
    time.sleep(_SETTLE)  # noqa: TID251 - the time that electricity takes; nothing can wake us


class Keypad:
    """The task of a keypad; `wake` wakes the worker, `settle` waits for the wires."""

    name = "keypad"

    def __init__(
        self,
        matrix: Matrix,
        rows: Sequence[Row],
        columns: Sequence[Wire],
        wake: Callable[[], None],
        settle: Callable[[], None] = settle,
    ) -> None:
        self._matrix = matrix
        self._rows = tuple(rows)
        self._columns = tuple(columns)
        self._wake = wake
        self._settle = settle
        self._edges: collections.deque[float] = collections.deque(maxlen=_STORM + 1)
        self._storm = Storm(_STORM)
        self._next: float | None = 0.0
        self._listen_until = 0.0
        self._failed = True
        """Whether it is begun anew: the columns listened to, the rows driven."""

    @property
    def deadline(self) -> float | None:
        return 0.0 if self._next is None and self._edges else self._next

    def run(self, now: float) -> Iterator[Event]:
        try:
            yield from self._looked(now)
        except DeviceError:
            yield from self._matrix.release(now)
            raise

    def _looked(self, now: float) -> Iterator[Event]:
        # Whatever fails on the way, it is scanned anew the next time.
        woken, self._next = self._next is None, 0.0
        failed, self._failed = self._failed, True
        heard = len(self._edges)
        self._edges.clear()
        if self._storm.rages(heard, now):
            self._deafen()
            raise DeviceError(wild(_STORM))
        if failed:
            self._listen()
        if woken:
            self._listen_until = now + _LISTEN_ON
        closed = self._scan()
        yield from self._matrix.scan(closed, now)
        pause = self._pause(closed, now)
        self._next = None if pause is None else now + pause
        self._failed = False

    def _pause(self, closed: frozenset[Crossing], now: float) -> float | None:
        """Until the next scan; None = an edge will wake us."""
        if (pause := self._matrix.pause) is not None:
            return pause
        if now < self._listen_until:
            return SCAN
        if closed:
            # A crossing without a key, or nothing but ghosts: it hides the edges of its column.
            return IGNORED_SCAN
        return None if self._rest() else SCAN

    def _rest(self) -> bool:
        """Wait for an edge from now on; False if a key came before that."""
        self._edges.clear()
        self._next, quiet = None, False
        try:
            quiet = not any(column.closed for column in self._columns)
        finally:
            if not quiet:
                # Also if a column does not answer: nobody would wake us.
                self._next = 0.0
        return quiet

    def _listen(self) -> None:
        for column in self._columns:
            column.watch(self._note)

    def _deafen(self) -> None:
        for column in self._columns:
            column.watch(None)

    def _note(self, _closed: bool | None, at: float) -> None:  # noqa: FBT001 - the shape of an edge
        self._edges.append(at)
        if self._next is None:
            self._wake()

    def _scan(self) -> frozenset[Crossing]:
        """The closed crossings, all of one moment.

        A key that comes while the rows are read may complete a rectangle of which an earlier row
        knows nothing: its ghost would look real. From three crossings on it is read twice.
        """
        closed = self._read()
        for _ in range(_MOST_READINGS if len(closed) > 2 else 0):
            before, closed = closed, self._read()
            if closed == before:
                break
        return closed

    def _read(self) -> frozenset[Crossing]:
        closed: set[Crossing] = set()
        for row in self._rows:
            row.release()
        for place, row in enumerate(self._rows):
            row.drive()
            self._settle()
            closed.update(
                (place, column) for column, wire in enumerate(self._columns) if wire.closed
            )
            row.release()
        for row in self._rows:
            row.drive()
        self._settle()
        return frozenset(closed)

    def close(self) -> None:
        """Let go of everything."""
        for row in self._rows:
            row.close()
        for column in self._columns:
            column.close()
