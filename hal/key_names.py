"""The names of keys as a board file has them, in a table or as `hal.keys` lists them. Pure."""

from hal.keys import Key, key_named
from hal.toml_table import Table, nearest


def key_of(name: str, table: Table, place: str) -> Key | None:
    """The key of this name; a name that is none is told with the nearest."""
    key = key_named(name)
    if key is None:
        near = nearest(name, [k.value for k in Key])
        table.complain(place, f"there is no key {name!r}" + (f"; is it {near!r}?" * bool(near)))
    return key
