"""The lamps that the phone has something to say with. Pure.

A lamp by another name would stay dark for ever, so a board file that has one is told.
"""

import re

from hal.toml_table import Table, nearest

LAMPS = ("message", "ring", "mute", "hold", "speaker", "headset", "dnd")
"""And one for each line: `line_1` …"""
_LINE = re.compile(r"line_[1-9][0-9]?")


def check_lamp(name: str, table: Table, key: str) -> None:
    """Complain about a name that is none, with the nearest."""
    if name not in LAMPS and not _LINE.fullmatch(name):
        near = nearest(name, (*LAMPS, "line_1"))
        hint = f"is it {near!r}?" if near else f"there are {', '.join(LAMPS)}, line_1 …"
        table.complain(key, f"there is no lamp {name!r}; {hint}")


def lamp_names(table: Table) -> tuple[str, ...]:
    """The list `lamps` of a table."""
    names = table.texts("lamps")
    for name in names:
        check_lamp(name, table, "lamps")
    return names
