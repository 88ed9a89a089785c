"""A scanned matrix of rows and columns becomes keys; ghosts are recognised. Pure.

Without diodes, three closed keys on the corners of a rectangle connect the fourth corner, too, and
no scan can tell which of the last two was really pressed. So a key that newly appears on a full
rectangle is not believed until the rectangle is broken; keys believed before stay down.

A key that stays down for `stuck_after` is let go and reported as failed, then ignored until it
opens; a key that is down when the phone starts is ignored in the same way: it is dirt or a coffee
cup, not a wish.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from hal.debounce import Debouncer
from hal.events import STUCK, DeviceFailed, DeviceRecovered, Event, KeyDown, KeyUp
from hal.keys import Key

SCAN = 0.01
"""Seconds from scan to scan while a key is down or bounces."""
IGNORED_SCAN = 0.05
Crossing = tuple[int, int]
"""Row and column."""


class _Contact:
    """One key of the matrix."""

    __slots__ = ("debouncer", "ignored", "key", "reported", "since")

    def __init__(self, key: Key, lockout: float) -> None:
        self.key = key
        self.debouncer = Debouncer(lockout)
        self.since = 0.0
        self.ignored = False
        self.reported = False


class Matrix:
    """Turns the closed crossings of each scan into events.

    `keys[row][column]` is the key there, None for a crossing without one. Times in seconds. Scan
    every `pause`, and at any edge of a column while that is None.
    """

    def __init__(
        self, keys: Sequence[Sequence[Key | None]], lockout: float = 0.02, stuck_after: float = 30.0
    ) -> None:
        self._contacts = {
            (row, column): _Contact(key, lockout)
            for row, line in enumerate(keys)
            for column, key in enumerate(line)
            if key is not None
        }
        self._stuck_after = stuck_after
        self._started = False

    def __len__(self) -> int:
        """How many keys are believed to be down."""
        return sum(contact.debouncer.level for contact in self._contacts.values())

    @property
    def active(self) -> bool:
        """Whether the next scan may bring something although no contact moves."""
        return any(
            contact.debouncer.level or contact.debouncer.deadline is not None
            for contact in self._contacts.values()
        )

    @property
    def pause(self) -> float | None:
        """Seconds until the next scan is worth its while; None if only a contact can bring news.

        A key that is ignored is looked at now and then: it hides the edges of its column.
        """
        if not self.active:
            return None
        held = any(c.debouncer.level and not c.ignored for c in self._contacts.values())
        pending = any(c.debouncer.deadline is not None for c in self._contacts.values())
        return SCAN if held or pending else IGNORED_SCAN

    @property
    def deadline(self) -> float | None:
        """When something may happen although no contact moves, for keys with wires of their own."""
        times = [c.debouncer.deadline for c in self._contacts.values()]
        times += [
            c.since + self._stuck_after
            for c in self._contacts.values()
            if c.debouncer.level and not c.reported
        ]
        return min((time for time in times if time is not None), default=None)

    def scan(self, closed: AbstractSet[Crossing], now: float) -> tuple[Event, ...]:
        """The events of one scan, in the order of the crossings."""
        if not self._started:
            self._started = True
            self._ignore(closed, now)
        doubtful = ghosts(closed)
        events: list[Event] = []
        for crossing, contact in self._contacts.items():
            level = crossing in closed
            if level and crossing in doubtful and not contact.debouncer.level:
                level = False
            events.extend(self._look(contact, level=level, now=now))
        return tuple(events)

    def release(self, now: float) -> tuple[Event, ...]:
        """Nobody can tell any more what is down: it is let go, and ignored until it opens."""
        held = [c for c in self._contacts.values() if c.debouncer.level and not c.ignored]
        for contact in held:
            contact.ignored = True
        return tuple(KeyUp(contact.key, now) for contact in held)

    def _ignore(self, closed: AbstractSet[Crossing], now: float) -> None:
        """Keys that are down from the beginning."""
        for crossing, contact in self._contacts.items():
            if crossing in closed:
                contact.debouncer.level = True
                contact.since = now
                contact.ignored = True

    def _look(self, contact: _Contact, *, level: bool, now: float) -> Iterator[Event]:
        if contact.debouncer.sample(level, now):
            yield from self._moved(contact, now)
        if contact.debouncer.level and not contact.reported:
            yield from self._held(contact, now)

    def _moved(self, contact: _Contact, now: float) -> Iterator[Event]:
        if contact.debouncer.level:
            contact.since = now
            yield KeyDown(contact.key, now)
            return
        if contact.reported:
            yield DeviceRecovered(_name(contact.key), now)
        elif not contact.ignored:
            yield KeyUp(contact.key, now)
        contact.ignored = contact.reported = False

    def _held(self, contact: _Contact, now: float) -> Iterator[Event]:
        if now - contact.since < self._stuck_after:
            return
        if not contact.ignored:
            yield KeyUp(contact.key, now)
        contact.ignored = contact.reported = True
        yield DeviceFailed(_name(contact.key), STUCK, now)


def ghosts(closed: AbstractSet[Crossing]) -> set[Crossing]:
    """The crossings that lie on a full rectangle: any one of the four may be unpressed."""
    columns_of: dict[int, set[int]] = {}
    for row, column in closed:
        columns_of.setdefault(row, set()).add(column)
    doubtful: set[Crossing] = set()
    rows = sorted(columns_of)
    for place, upper in enumerate(rows):
        for lower in rows[place + 1 :]:
            shared = columns_of[upper] & columns_of[lower]
            if len(shared) > 1:
                doubtful.update((row, column) for row in (upper, lower) for column in shared)
    return doubtful


def _name(key: Key) -> str:
    return f"key {key.value}"
