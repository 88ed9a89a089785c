"""On which pin each wire of a keypad is, from the keys that came when others were pressed. Pure.

Wires and places are counted alike: rows from 0, then columns. A key connects the places of its two
wires; it comes if one of these is a row's and the other a column's, whichever of the two is
driven. Of all that explains what was seen the cheapest is taken: few wires moved, few off, few
contacts dead.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from hal.matrix import Crossing

OFF = -1
"""The place of a wire that leads nowhere."""
_MOVED, _OFF, _DEAD = 2, 3, 2
"""What each costs: a silent key alone has a dead contact, two in a row have lost their wire."""
_PATIENCE = 50_000
"""Guesses after which the best so far is good enough."""
Places = tuple[int, ...]


def places_of(
    shape: tuple[int, int],
    came: Mapping[Crossing, Crossing],
    silent: AbstractSet[Crossing],
    gaps: AbstractSet[Crossing],
) -> Places | None:
    """The place of every wire; None if no exchange of wires explains what came.

    `shape` is rows and columns, `came` what came for each key that was pressed, `silent` the keys
    of which nothing came, `gaps` the crossings without a key: what arrives there is not told.
    """
    search = _Search(shape, came, silent, gaps)
    search.go(0, 0)
    return search.best


class _Search:
    """Wire after wire is given a place, the surest first."""

    def __init__(
        self,
        shape: tuple[int, int],
        came: Mapping[Crossing, Crossing],
        silent: AbstractSet[Crossing],
        gaps: AbstractSet[Crossing],
    ) -> None:
        self._rows, count = shape[0], sum(shape)
        self._came, self._silent, self._gaps = came, silent, gaps
        self._choices = [self._choices_of(wire, count) for wire in range(count)]
        self._wires = sorted(range(count), key=lambda wire: len(self._choices[wire]))
        self._places: dict[int, int] = {}
        self._left = _PATIENCE
        self._least = 2 * count * (_MOVED + _OFF + _DEAD) * count
        self.best: Places | None = None

    def _choices_of(self, wire: int, count: int) -> list[int]:
        """Where it can be: at one end of everything that came of it; its own place first."""
        ends = [
            {got[0], got[1] + self._rows}
            for want, got in self._came.items()
            if wire in (want[0], want[1] + self._rows)
        ]
        places = set.intersection(*ends) if ends else {*range(count), OFF}
        return sorted(places, key=lambda place: (place != wire, place))

    def go(self, at: int, cost: int) -> None:
        """Try every place for the wire that is next."""
        self._left -= 1
        if cost >= self._least or self._left < 0:
            return
        if at == len(self._wires):
            self._least = cost
            self.best = tuple(self._places[wire] for wire in range(at))
            return
        wire = self._wires[at]
        for more, place in sorted(self._priced(wire), key=lambda priced: priced[0]):
            self._places[wire] = place
            self.go(at + 1, cost + more)
            del self._places[wire]

    def _priced(self, wire: int) -> Iterator[tuple[int, int]]:
        """What each place costs that it can have: the cheapest soon makes the rest too dear."""
        taken = set(self._places.values()) - {OFF}
        for place in self._choices[wire]:
            if place not in taken:
                self._places[wire] = place
                more = self._cost(wire)
                del self._places[wire]
                if more is not None:
                    yield more, place

    def _cost(self, wire: int) -> int | None:
        """What this place costs beside those that are taken; None if it cannot be."""
        place = self._places[wire]
        cost = _OFF if place == OFF else _MOVED * (place != wire)
        for key, row, column in self._keys_of(wire):
            if (want := self._came.get(key)) is not None:
                if {row, column} != {want[0], want[1] + self._rows}:
                    return None
            elif key in self._silent and self._would_come(row, column):
                cost += _DEAD
        return cost

    def _keys_of(self, wire: int) -> Iterator[tuple[Crossing, int, int]]:
        """The keys between this wire and those that have a place, with both places."""
        for other, place in self._places.items():
            if (wire < self._rows) == (other < self._rows):
                continue
            mine = self._places[wire]
            if wire < self._rows:
                yield (wire, other - self._rows), mine, place
            else:
                yield (other, wire - self._rows), place, mine

    def _would_come(self, one: int, other: int) -> bool:
        return would_come(one, other, self._rows, self._gaps)


def would_come(one: int, other: int, rows: int, gaps: AbstractSet[Crossing]) -> bool:
    """Whether anything is told when these two places are connected."""
    if OFF in (one, other) or (one < rows) == (other < rows):
        return False
    return (min(one, other), max(one, other) - rows) not in gaps
