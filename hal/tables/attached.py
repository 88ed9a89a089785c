"""What brings keys and lamps without a pin for each of them, by its table. Pure.

[panel]     the virtual phone in place of hardware
[serial]    a front panel of its own behind a serial port
[usb]       an input device, mostly a handset
"""

import re

from hal.board_spec import Contact, PanelSpec, SerialSpec, UsbSpec
from hal.header import SERIAL_PORTS
from hal.key_names import key_of
from hal.keys import Key
from hal.lamp_names import check_lamp, lamp_names
from hal.tables.pins import Pins
from hal.toml_table import Table

_WIDEST_STRIP = 336
"""Columns that fit into the longest line of `hal.uart.framing`."""
_INPUT_CODE = re.compile(r"(KEY|BTN|SW|HID)_[A-Z0-9_]+")
_LED_CODE = re.compile(r"(LED|HID)_[A-Z0-9_]+")


def panel(table: Table) -> PanelSpec:
    """All keys, unless fewer are named."""
    names = table.texts("keys", tuple(key.value for key in Key))
    keys = [key_of(name, table, "keys") for name in names]
    return PanelSpec(
        keys=tuple(key for key in keys if key is not None),
        size=table.size("size", required=False),
        lamps=lamp_names(table),
        bell=table.flag("bell", default=True),
        hook=table.flag("hook", default=True),
    )


def serial(table: Table, pins: Pins) -> SerialSpec:
    """At a port of the header it takes that port's pins."""
    spec = SerialSpec(
        port=table.text("port"),
        speed=table.integer("speed", 115_200, 1200, 4_000_000),
        size=table.size("size", required=False),
        lamps=lamp_names(table),
        bell=table.flag("bell", default=False),
        flash_max_ms=table.integer("flash_max_ms", 500, 0, 2000),
        letters=_letters(table),
    )
    if spec.size is not None and spec.size[0] > _WIDEST_STRIP:
        table.complain("size", f"a line to a panel carries {_WIDEST_STRIP} columns at most")
    if spec.size is not None and spec.letters is not None:
        table.complain("letters", "a display has pixels (size) or letters, not both")
    if table.flag("header_pins", default=spec.port in SERIAL_PORTS):
        pins.bus("uart", table, "header_pins")
    return spec


def _letters(table: Table) -> tuple[int, int] | None:
    if "letters" not in table:
        table.texts("letters")
        return None
    numbers = table.integers("letters", 1, 80)
    if len(numbers) == 2 and numbers[0] >= 8:
        return numbers[0], numbers[1]
    if numbers:
        table.complain("letters", "must be [columns, rows], like [20, 4]")
    return None


def usb(table: Table) -> UsbSpec:
    """Which device it is, and what its keys, its hook and its lamps are called."""
    return UsbSpec(
        vendor=table.integer("vendor", 0, 0, 0xFFFF),
        product=table.integer("product", 0, 0, 0xFFFF),
        name=table.text("name", ""),
        phys=table.text("phys", ""),
        keys=table.part("keys", _usb_keys) or (),
        hook=_input_code(table, "hook", table.text("hook", "")),
        lifted=Contact(table.text("lifted", "closed", ("open", "closed"))),
        flash_max_ms=table.integer("flash_max_ms", 500, 0, 2000),
        lamps=table.part("lamps", _usb_lamps) or (),
        grab=table.flag("grab", default=True),
    )


def _usb_keys(table: Table) -> tuple[tuple[str, Key], ...]:
    found = [
        (_input_code(table, code, code), key_of(table.text(code), table, code))
        for code in table.names
    ]
    return tuple((code, key) for code, key in found if key is not None)


def _usb_lamps(table: Table) -> tuple[tuple[str, str], ...]:
    found = [(name, table.text(name)) for name in table.names]
    for name, code in found:
        check_lamp(name, table, name)
        if code and not _LED_CODE.fullmatch(code):
            table.complain(name, f"{code!r} is not the name of a lamp, like LED_MUTE")
    return tuple(found)


def _input_code(table: Table, key: str, code: str) -> str:
    """An input event's name; which of them exist only the machine knows that has the device."""
    if code and not _INPUT_CODE.fullmatch(code):
        table.complain(key, f"{code!r} is not the name of an input event, like KEY_PHONE")
    return code
