"""The parts that are wired to pins of their own, by their tables. Pure.

[keypad] [buttons] [hook] [rotary] [lamps] [ringer] [headset]
"""

import re

from hal.board_spec import (
    SOFTWARE,
    Contact,
    HeadsetSpec,
    HookSpec,
    KeypadSpec,
    LampSpec,
    RingerSpec,
    RotarySpec,
)
from hal.header import PWM_OVERLAY
from hal.key_names import key_of
from hal.keys import Key
from hal.lamp_names import check_lamp
from hal.tables.pins import Pins
from hal.toml_table import Table

_CONTACTS = tuple(contact.value for contact in Contact)
_PWM = re.compile(r"software|hardware|pwmchip[0-9]{1,3}/[0-9]{1,2}")
_BELL_HERTZ, _TONE_HERTZ = (15, 50), (15, 4000)


def keypad(table: Table, pins: Pins) -> KeypadSpec:
    """A matrix of keys, each of which stands at one crossing."""
    rows, columns = pins.several(table, "rows"), pins.several(table, "columns")
    names = table.grid("keys")
    fits = [len(row) for row in names] == [len(columns)] * len(rows)
    if rows and columns and not fits:
        table.complain(
            "keys",
            f"must be {len(rows)} rows of {len(columns)} names, as many as there are pins",
        )
    seen = [name for row in names for name in row if name]
    for twice in sorted({name for name in seen if seen.count(name) > 1}):
        table.complain("keys", f"{twice!r} stands at two crossings")
    return KeypadSpec(
        rows=rows,
        columns=columns,
        keys=tuple(
            tuple(key_of(name, table, "keys") if name else None for name in row) for row in names
        ),
        lockout_ms=table.integer("lockout_ms", 20, 1, 200),
    )


def buttons(table: Table, pins: Pins) -> tuple[tuple[Key, int], ...]:
    """Keys with a pin each."""
    found = [(key_of(name, table, name), pins.one(table, name)) for name in table.names]
    return tuple((key, pin) for key, pin in found if key is not None)


def hook(table: Table, pins: Pins) -> HookSpec:
    """The cradle switch."""
    return HookSpec(
        pin=pins.one(table, "pin"),
        lifted=Contact(table.text("lifted", "auto", _CONTACTS)),
        lockout_ms=table.integer("lockout_ms", 50, 1, 500),
        flash_max_ms=table.integer("flash_max_ms", 500, 0, 2000),
    )


def rotary(table: Table, pins: Pins) -> RotarySpec:
    """A dial, which has ten digits in some order."""
    order = table.text("order", "1234567890")
    if sorted(order) != sorted("1234567890"):
        table.complain("order", "must be the ten digits in the order of their pulses")
    return RotarySpec(pins.one(table, "pulse"), pins.one_or_none(table, "off_normal"), order)


def lamps(table: Table, pins: Pins) -> tuple[tuple[str, LampSpec], ...]:
    """The lamps by name, each a table of its own."""
    found = []
    for name in table.names:
        check_lamp(name, table, name)
        spec = table.part(name, _lamp, pins)
        if spec is not None:
            found.append((name, spec))
    return tuple(found)


def _lamp(table: Table, pins: Pins) -> LampSpec:
    return LampSpec(
        pin=pins.one(table, "pin"),
        active_low=table.flag("active_low", default=False),
        brightness=table.integer("brightness", 100, 1, 100),
    )


def ringer(table: Table, pins: Pins) -> RingerSpec:
    """A buzzer, or a bell of two coils whose clapper swings no faster than it can."""
    kind = table.text("kind", None, ("buzzer", "bell"))
    taken = pins.several(table, "pins")
    wanted = 2 if kind == "bell" else 1
    if len(taken) != wanted:
        table.complain("pins", f"a {kind or 'buzzer'} has {wanted}, here are {len(taken)}")
    usual, (low, high) = (25, _BELL_HERTZ) if kind == "bell" else (440, _TONE_HERTZ)
    hertz, pwm = table.integer("hertz", usual, low, high), table.text("pwm", SOFTWARE)
    spec = RingerSpec(kind, taken, hertz, pwm)
    _check_pwm(spec, table)
    return spec


def _check_pwm(spec: RingerSpec, table: Table) -> None:
    if not _PWM.fullmatch(spec.pwm):
        table.complain("pwm", f"{spec.pwm!r} is not software, hardware, or like pwmchip2/1")
    elif spec.kind == "bell" and spec.pwm != SOFTWARE:
        table.complain("pwm", "a bell has two coils in turn; this is for a buzzer")
    elif spec.pwm == "hardware" and spec.pins and spec.pins[0] not in PWM_OVERLAY:
        pins = ", ".join(map(str, PWM_OVERLAY))
        table.complain("pins", f"hardware PWM comes out at GPIO {pins} alone")


def headset(table: Table, pins: Pins) -> HeadsetSpec:
    """The switch in a socket, whose contact cannot be found out."""
    plugged = Contact(table.text("plugged", "closed", ("open", "closed")))
    return HeadsetSpec(pins.one(table, "pin"), plugged)
