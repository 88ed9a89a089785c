"""Where the faults of a board stand: at a line of its file, or in what a person says of it. Pure.

A board is read from a file and from a person's own `[board]` above it, so each fault belongs to one
of the two. It is the person's if the key stands there, or if the file alone would not have it.
"""

from collections.abc import Collection, Mapping, Sequence

from hal.board_spec import BoardSpec
from hal.errors import BoardFault
from hal.toml_positions import Path, Positions, dotted
from hal.toml_table import Complaint

_RINGING = frozenset({"ringer", "serial", "panel", "cards"})
"""Tables that may bring something that rings."""
_SILENT = "with no [ringer], cards.ringer or cards.speaker it comes on screen and lamps alone"


def placed(
    complaints: Sequence[Complaint],
    alone: Sequence[Complaint],
    own: Mapping[str, object],
    file: str,
    text: str,
) -> tuple[BoardFault, ...]:
    """The complaints as faults; `alone` are those about the file's `text` without `own`."""
    lines = Positions(text)
    faults = []
    for each in complaints:
        # Of two that want the same pin, the one that this person named.
        path = max(each.path, each.rival, key=lambda path: _depth(own, path))
        if own and (_depth(own, path) == len(path) > 0 or each not in alone):
            faults.append(BoardFault("", 0, path, str(each), each.text))
        else:
            line = lines.line_of(each.path)
            faults.append(BoardFault(file, line, each.path, str(each), each.text))
    return tuple(faults)


def silent(
    spec: BoardSpec, own: Mapping[str, object], without: Collection[str], text: str
) -> BoardFault:
    """That a call is not heard on this board, at the place where that could be changed.

    `without` are the tables of the file's `text` that are left out. It is no fault: a phone may
    have lamps alone.
    """
    if not _RINGING.isdisjoint(without):
        return _silence("", 0, ("without",))
    if (cards := own.get("cards")) and isinstance(cards, Mapping):
        return _silence("", 0, ("cards", next(iter(cards))))
    lines = Positions(text)
    # `[cards]`, or `[cards.handset]` alone.
    line = lines.line_of(("cards",)) or lines.line_of(("cards", *spec.cards)[:2])
    return _silence(spec.file, line, ("cards",))


def _silence(file: str, line: int, path: Path) -> BoardFault:
    return BoardFault(file, line, path, f"{dotted(path)}: {_SILENT}", _SILENT)


def _depth(tables: Mapping[str, object], path: Path) -> int:
    """How many names of a path lead somewhere."""
    place: object = tables
    for depth, name in enumerate(path):
        if not isinstance(place, Mapping) or name not in place:
            return depth
        place = place[name]
    return len(path)
