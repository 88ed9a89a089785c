"""The `[mixer]` of a board file: how the controls of each sound card are to stand. Pure.

    [mixer."id:Device"]         the card, as in [cards]
    "Headphone" = 80            a volume in per cent, and its switch on
    "Auto Gain Control" = false a switch
    "Mic Capture?" = true       one that a card may lack
    "Speaker" = ""              left as it is, whatever was said before
    "Line" = { speaker = 90, else = 0 }
                                so while something is heard on this path, else so

What controls there are only the card knows.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from hal.card_spec import PATHS, Control, Value
from hal.toml_table import Table

Mixers = Mapping[str, tuple[Control, ...]]
"""The controls by device."""
NO_MIXERS: Mixers = MappingProxyType({})
_MAYBE, _ELSE = "?", "else"
_PER_CENT = re.compile(r"(\d{1,3}) ?%")


def read_mixers(table: Table | None) -> dict[str, tuple[Control, ...]]:
    """All of them; complaints go to the table's problems."""
    if table is None:
        return {}
    cards = {device: table.table(device, 'mixer."id:DEVICE"') for device in table.names}
    return {device: _controls(card) for device, card in cards.items() if card is not None}


def mixer_of(mixers: Mixers, device: str) -> tuple[Control, ...]:
    """The controls of a device's card; `id:Device,DEV=1` has those of `id:Device`."""
    return mixers.get(device) or mixers.get(device.partition(",")[0], ())


def _controls(table: Table) -> tuple[Control, ...]:
    """What is said last of a control counts: a phone's own words stand behind the file's."""
    found: dict[str, Control] = {}
    for key in table.names:
        name, maybe = key.removesuffix(_MAYBE).strip(), key.endswith(_MAYBE)
        if table.is_table(key) and (paths := table.table(key)) is not None:
            found[name] = Control(name, _otherwise(paths), maybe, _by_path(paths))
        else:
            found[name] = Control(name, _value(table, key), maybe)
    return tuple(control for control in found.values() if control.value != "")


def _by_path(table: Table) -> tuple[tuple[str, Value], ...]:
    """The values of paths, in the order of the file."""
    for key in table.names:
        if key not in {*PATHS, _ELSE}:
            table.complain(key, f"there is no such path; there are {', '.join(PATHS)} and {_ELSE}")
    return tuple((path, _value(table, path)) for path in table.names if path in PATHS)


def _otherwise(table: Table) -> Value:
    value = _value(table, _ELSE) if _ELSE in table else ""
    if value == "":
        table.complain(_ELSE, "is missing: how it stands while none of these paths is heard")
    return value


def _value(table: Table, key: str) -> Value:
    value = table.plain(key)
    if isinstance(value, str) and (written := _PER_CENT.fullmatch(value.strip())):
        table.complain(key, f"per cent are written as a number: {written[1]}")
    elif not isinstance(value, bool | str) and not 0 <= value <= 100:
        table.complain(key, "must be a volume from 0 to 100")
    return value
