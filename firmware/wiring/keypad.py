"""Which wire of a keypad is where, in sentences, and what to write. Pure.

What was exchanged are rows, columns, rows with columns, or the whole plug by one pin; the keys that
come tell which (`firmware.wiring.solving`).
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct

from firmware.base.phrase import Phrase, phrase
from firmware.wiring.learned import Lesson
from firmware.wiring.solving import OFF, Places, places_of, would_come
from firmware.wiring.wires import wire, wires
from hal.board_spec import KeypadSpec
from hal.keys import Key
from hal.matrix import Crossing

_ENOUGH = 3
"""Wires that moved in the same way: it was the plug."""
_MOVES = {
    (True, True): "board.test.row_moved",
    (True, False): "board.test.row_crossed",
    (False, False): "board.test.column_moved",
    (False, True): "board.test.column_crossed",
}
"""By whether the wire is a row's, and whether its place is."""


class Finding(Struct, frozen=True):
    """One sentence for the builder, and what would put it right in the settings."""

    phrase: Phrase
    lessons: tuple[Lesson, ...] = ()


def keypad_findings(
    spec: KeypadSpec, arrived: Mapping[Key, list[Key]], silent: AbstractSet[Key]
) -> Iterator[Finding]:
    """What is wrong with the wires of a keypad."""
    places = {
        key: (row, column)
        for row, line in enumerate(spec.keys)
        for column, key in enumerate(line)
        if key is not None
    }
    came = {key: keys for key, keys in arrived.items() if key in places}
    missing = {places[key] for key in silent if key in places}
    if not came and len(missing) > 1:
        pins = wires((*spec.rows, *spec.columns))
        yield Finding(phrase("board.test.no_keypad", pins=pins))
        return
    pairs = {
        places[key]: places[key if key in keys else keys[0]]
        for key, keys in came.items()
        if key in keys or keys[0] in places
    }
    yield from _touching(spec, places, came)
    yield from _placed(spec, pairs, missing)


def _placed(
    spec: KeypadSpec, pairs: Mapping[Crossing, Crossing], missing: AbstractSet[Crossing]
) -> Iterator[Finding]:
    if not pairs:
        yield from _silent(spec, pairs, missing)
        return
    shape = (len(spec.rows), len(spec.columns))
    gaps = {
        (row, column)
        for row, line in enumerate(spec.keys)
        for column, key in enumerate(line)
        if key is None
    }
    places = places_of(shape, pairs, missing, gaps)
    if places is None:
        yield from _silent(spec, pairs, missing)
        yield from _others(spec, pairs)
        return
    rows = len(spec.rows)
    proven = {wire for row, column in pairs for wire in (row, column + rows)}
    if shift := _shift(places, proven, rows):
        text = "board.test.shifted_up" if shift > 0 else "board.test.shifted_down"
        yield Finding(phrase(text, pins=wires((*spec.rows, *spec.columns))))
        return
    unexplained = {
        (row, column)
        for row, column in missing
        if OFF in (places[row], places[column + rows])
        or would_come(places[row], places[column + rows], rows, gaps)
    }
    yield from _silent(spec, pairs, unexplained)
    yield from _moved(spec, places, proven)


# Wires that lead nowhere


def _silent(
    spec: KeypadSpec, pairs: Mapping[Crossing, Crossing], missing: AbstractSet[Crossing]
) -> Iterator[Finding]:
    left = set(missing)
    for axis, pins in enumerate((spec.rows, spec.columns)):
        for line, pin in enumerate(pins):
            cut = sorted(place for place in left if place[axis] == line)
            if len(cut) > 1 and not any(place[axis] == line for place in pairs):
                left.difference_update(cut)
                keys = " ".join(_key(spec, place).value for place in cut)
                found = {"number": line + 1, "pin": wire(pin), "keys": keys}
                text = "board.test.row_silent" if axis == 0 else "board.test.column_silent"
                yield Finding(phrase(text, **found))
    for place in sorted(left):
        found = {"key": _key(spec, place).value, "pins": _ends(spec, place)}
        yield Finding(phrase("board.test.key_silent", **found))


def _key(spec: KeypadSpec, place: Crossing) -> Key:
    key = spec.keys[place[0]][place[1]]
    assert key is not None
    return key


def _ends(spec: KeypadSpec, place: Crossing) -> Phrase:
    return wires((spec.rows[place[0]], spec.columns[place[1]]))


# Wires that touch


def _touching(
    spec: KeypadSpec, places: Mapping[Key, Crossing], came: Mapping[Key, list[Key]]
) -> Iterator[Finding]:
    touching: dict[frozenset[int], None] = {}
    for keys in came.values():
        others = [places[key] for key in dict.fromkeys(keys) if key in places]
        for row, column in others[1:]:
            if column == others[0][1]:
                touching[frozenset((spec.rows[row], spec.rows[others[0][0]]))] = None
            elif row == others[0][0]:
                touching[frozenset((spec.columns[column], spec.columns[others[0][1]]))] = None
    for pins in touching:
        yield Finding(phrase("board.test.touching", pins=wires(sorted(pins))))


# Wires that are exchanged


def _shift(places: Places, proven: AbstractSet[int], rows: int) -> int:
    """1 or -1 if the whole plug sits one pin beside its place, else 0."""
    by = {places[wire] - wire for wire in proven}
    both = len({wire < rows for wire in proven}) > 1
    return by.pop() if len(by) == 1 and both and len(proven) >= _ENOUGH and by <= {1, -1} else 0


def _moved(spec: KeypadSpec, places: Places, proven: AbstractSet[int]) -> Iterator[Finding]:
    rows, pins = len(spec.rows), (*spec.rows, *spec.columns)
    moved = [wire for wire, place in enumerate(places) if place not in (wire, OFF)]
    seen = [wire for wire in moved if wire in proven]
    if not seen:
        return
    lessons = _lessons(spec, places) if len(seen) == len(moved) and OFF not in places else ()
    if all((places[wire] < rows) != (wire < rows) for wire in proven):
        found = {"rows": wires(spec.rows), "columns": wires(spec.columns)}
        yield Finding(phrase("board.test.transposed", **found), lessons)
        return
    for each in seen:
        is_row = each < rows
        said = {
            "number": each + 1 if is_row else each - rows + 1,
            "pin": wire(pins[places[each]]),
            "planned": wire(pins[each]),
        }
        yield Finding(phrase(_MOVES[is_row, places[each] < rows], **said), lessons)
        lessons = ()


def _lessons(spec: KeypadSpec, places: Places) -> tuple[Lesson, ...]:
    """The pins of rows and columns as they really are, as far as they are others."""
    pins = (*spec.rows, *spec.columns)
    right = tuple(pins[place] for place in places)
    rows, columns = right[: len(spec.rows)], right[len(spec.rows) :]
    both = (("rows", rows, spec.rows), ("columns", columns, spec.columns))
    return tuple(Lesson("keypad", key, found) for key, found, now in both if found != now)


def _others(spec: KeypadSpec, pairs: Mapping[Crossing, Crossing]) -> Iterator[Finding]:
    """Keys that come as others without any exchange that would explain it."""
    for want, got in pairs.items():
        if want != got:
            said = {"key": _key(spec, want).value, "came": _key(spec, got).value}
            found = phrase("board.test.key_other", pins=_ends(spec, want), **said)
            yield Finding(found)
