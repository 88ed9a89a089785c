"""Which wire of a keypad is where, from the keys that came when others were pressed. Pure.

A key connects a row with a column, whichever of the two wires is driven. So what was exchanged are
rows, columns, or rows with columns, and the keys that come tell which.
"""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct

from firmware.base.phrase import Phrase, phrase
from firmware.wiring.learned import Lesson
from hal.board_spec import KeypadSpec
from hal.keys import Key
from hal.matrix import Crossing

Pins = tuple[int, ...]
Move = dict[int, int]
"""Where the wire of each row (or column) is."""


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
    yield from _silent(spec, places, came, silent)
    yield from _touching(spec, places, came)
    pairs = {
        places[key]: places[key if key in keys else keys[0]]
        for key, keys in came.items()
        if key in keys or keys[0] in places
    }
    yield from _moved(spec, pairs)


# Wires that lead nowhere


def _silent(
    spec: KeypadSpec,
    places: Mapping[Key, Crossing],
    came: Mapping[Key, list[Key]],
    silent: AbstractSet[Key],
) -> Iterator[Finding]:
    missing = {places[key]: key for key in silent if key in places}
    if not missing:
        return
    if not came and len(missing) > 1:
        yield Finding(phrase("board.test.no_keypad", pins=_gpios((*spec.rows, *spec.columns))))
        return
    heard = {places[key] for key in came}
    for axis, pins in enumerate((spec.rows, spec.columns)):
        for line, pin in enumerate(pins):
            cut = [place for place in missing if place[axis] == line]
            if len(cut) > 1 and not any(place[axis] == line for place in heard):
                keys = " ".join(missing.pop(place).value for place in sorted(cut))
                found = {"number": line + 1, "pin": pin, "keys": keys}
                text = "board.test.row_silent" if axis == 0 else "board.test.column_silent"
                yield Finding(phrase(text, **found))
    for (row, column), key in sorted(missing.items()):
        pins_of = _gpios((spec.rows[row], spec.columns[column]))
        yield Finding(phrase("board.test.key_silent", key=key.value, pins=pins_of))


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
        yield Finding(phrase("board.test.touching", pins=_gpios(sorted(pins))))


# Wires that are exchanged


def _moved(spec: KeypadSpec, pairs: Mapping[Crossing, Crossing]) -> Iterator[Finding]:
    if all(want == got for want, got in pairs.items()):
        return
    rows = _move((want[0], got[0]) for want, got in pairs.items())
    columns = _move((want[1], got[1]) for want, got in pairs.items())
    if rows is not None and columns is not None:
        yield from _exchanged("row", spec.rows, rows)
        yield from _exchanged("column", spec.columns, columns)
        return
    across = _move((want[0], got[1]) for want, got in pairs.items())
    down = _move((want[1], got[0]) for want, got in pairs.items())
    if across is not None and down is not None:
        yield _transposed(spec, across, down)
        return
    keys = spec.keys
    for want, got in pairs.items():
        if want != got:
            wanted, came = keys[want[0]][want[1]], keys[got[0]][got[1]]
            assert wanted is not None
            assert came is not None
            pins = _gpios((spec.rows[want[0]], spec.columns[want[1]]))
            found = {"key": wanted.value, "came": came.value, "pins": pins}
            yield Finding(phrase("board.test.key_other", **found))


def _move(pairs: Iterator[tuple[int, int]]) -> Move | None:
    """Where each wire is, or None if no exchange of wires explains these."""
    move: Move = {}
    for want, got in pairs:
        if move.setdefault(want, got) != got:
            return None
    return move if len(set(move.values())) == len(move) else None


def _exchanged(kind: str, pins: Pins, move: Move) -> Iterator[Finding]:
    wrong = {line: place for line, place in move.items() if line != place}
    if not wrong:
        return
    lessons: tuple[Lesson, ...] = ()
    if set(wrong) == set(wrong.values()):
        right = tuple(pins[wrong.get(line, line)] for line in range(len(pins)))
        lessons = (Lesson("keypad", f"{kind}s", right),)
    for line, place in sorted(wrong.items()):
        found = {"number": line + 1, "pin": pins[place], "planned": pins[line]}
        text = "board.test.row_moved" if kind == "row" else "board.test.column_moved"
        yield Finding(phrase(text, **found), lessons)
        lessons = ()


def _transposed(spec: KeypadSpec, across: Move, down: Move) -> Finding:
    """Each row's wire is where a column should be, and the other way round."""
    found = {"rows": _gpios(spec.rows), "columns": _gpios(spec.columns)}
    words = phrase("board.test.transposed", **found)
    if len(across) < len(spec.rows) or len(down) < len(spec.columns):
        return Finding(words)
    rows = tuple(spec.columns[across[line]] for line in range(len(spec.rows)))
    columns = tuple(spec.rows[down[line]] for line in range(len(spec.columns)))
    return Finding(words, (Lesson("keypad", "rows", rows), Lesson("keypad", "columns", columns)))


def _gpios(pins: "tuple[int, ...] | list[int]") -> str:
    return ", ".join(f"GPIO {pin}" for pin in pins)
