"""`[cards]`: the sound card of each path. Pure.

How the controls of a card are to stand: `hal.mixer_table`.
"""

from hal.board import CardSpec
from hal.card_spec import PATHS
from hal.mixer_table import Mixers, mixer_of
from hal.tables.pins import Pins
from hal.toml_table import Table

CARD_KINDS = ("alsa", "browser", "file", "null", "mock")
CARD_BUSES: dict[str, tuple[str, ...]] = {"usb": (), "i2s": ("i2s",), "i2s+i2c": ("i2s", "i2c")}
"""What a card on the header hangs on."""


def cards(table: Table, pins: Pins, mixers: Mixers) -> dict[str, CardSpec]:
    """By path."""
    found = ((path, table.part(path, _card, pins, mixers)) for path in PATHS)
    return {path: card for path, card in found if card is not None}


def _card(table: Table, pins: Pins, mixers: Mixers) -> CardSpec:
    kind = table.text("kind", "alsa", CARD_KINDS)
    device = table.text("device", None if kind == "alsa" else "")
    spec = CardSpec(
        kind=kind,
        device=device,
        play=table.text("play", ""),
        record=table.text("record", ""),
        mixer=mixer_of(mixers, device) if kind == "alsa" else (),
    )
    for bus in CARD_BUSES[table.text("bus", "usb", CARD_BUSES)]:
        pins.bus(bus, table, "bus")
    return spec
