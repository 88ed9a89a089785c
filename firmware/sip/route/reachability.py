"""Which places have failed lately: they are asked last for a while (RFC 3263 §4.3, F16).

A place that was silent, refused or said 503 comes behind the others, and is never left out: the
only server there is may be back already. Each further failure doubles the time, an answer ends it.
What was learned on one network says nothing about the next one.
"""

from collections.abc import Iterable
from typing import Final

from firmware.sip.flow import Endpoint, Target, Transport

FIRST_SECONDS: Final = 60.0
LONGEST_SECONDS: Final = 600.0
_MOST_PLACES: Final = 128

Place = tuple[Transport, Endpoint]


def place_of(target: Target) -> Place:
    """Where a target is."""
    return target.transport, target.remote


class Reachability:
    """The memory of one phone; `len` is the number of places that have failed."""

    __slots__ = ("_bad",)

    def __init__(self) -> None:
        self._bad: dict[Place, tuple[float, float]] = {}

    def __len__(self) -> int:
        return len(self._bad)

    def fail(self, place: Place, now: float, seconds: float | None = None) -> None:
        """A place did not work; `seconds` is the time it asked for itself (RFC 3261 §21.5.4)."""
        until, span = self._bad.pop(place, (now, FIRST_SECONDS / 2))
        if until <= now:
            span = min(2 * span, LONGEST_SECONDS)
        elif seconds is None:
            seconds = until - now  # one failure more of the same outage
        while len(self._bad) >= _MOST_PLACES:
            del self._bad[next(iter(self._bad))]
        self._bad[place] = (now + (span if seconds is None else max(seconds, 1.0)), span)

    def forgive(self, place: Place) -> None:
        """A place answered."""
        self._bad.pop(place, None)

    def forget(self) -> None:
        """The network is another one."""
        self._bad.clear()

    def bad_until(self, place: Place, now: float) -> float | None:
        """When a place may be asked first again, None if it may now."""
        until, _ = self._bad.get(place, (now, 0.0))
        return until if until > now else None

    def sorted(self, targets: Iterable[Target], now: float) -> list[Target]:
        """The targets with those that failed lately behind the others, else in their order."""
        return sorted(targets, key=lambda each: self.bad_until(place_of(each), now) is not None)
