"""Who has which pin of the header, while a board file is read. Pure.

A pin that two parts want is told with both of them. A bus takes the pins of its number, once for
all devices that hang on it.
"""

from hal.header import BUS_PINS, SELECT_PINS, Lines, bus_lines, select_lines
from hal.toml_positions import Path
from hal.toml_table import Table

LAST_PIN = 27


class Pins:
    """The pins that are taken so far."""

    def __init__(self) -> None:
        self._users: dict[int, tuple[str, Path]] = {}

    @property
    def taken(self) -> frozenset[int]:
        """By BCM number."""
        return frozenset(self._users)

    def one(self, table: Table, key: str) -> int:
        """The pin that a key names, which it must."""
        if key not in table:
            return table.integer(key, None, 0, LAST_PIN)
        before = len(table.problems)
        pin = table.integer(key, None, 0, LAST_PIN)
        if len(table.problems) == before:
            self._claim(pin, table, key, table.where(key))
        return pin

    def one_or_none(self, table: Table, key: str) -> int | None:
        """The pin that a key names, if it stands there."""
        if key in table:
            return self.one(table, key)
        table.integer(key, 0, 0, LAST_PIN)
        return None

    def several(self, table: Table, key: str) -> tuple[int, ...]:
        """The list of pins that a key names, which it must."""
        pins = table.integers(key, 0, LAST_PIN)
        for place, pin in enumerate(pins):
            self._claim(pin, table, key, f"{table.where(key)}[{place}]")
        return pins

    def bus(self, bus: str, table: Table, key: str) -> None:
        """Those of the one bus of this kind that the header has."""
        self._claim_lines(BUS_PINS[bus], table, key)

    def bus_at(self, bus: str, port: int, table: Table, key: str) -> None:
        """Those of the bus of this number."""
        self._claim_lines(bus_lines(bus, port), table, key)

    def selects(self, port: int, device: int, table: Table) -> None:
        """The chip selects of an SPI device, if its bus has so many."""
        self._claim_lines(select_lines(port, device), table, "device")
        count = len(SELECT_PINS.get(port, ())) or device + 1
        if device >= count:
            table.complain("device", f"SPI bus {port} has {count} chip selects, from 0")

    def _claim_lines(self, lines: Lines, table: Table, key: str) -> None:
        for pin, signal in lines:
            # Devices share a bus, so the line is the user, not the device.
            self._claim(pin, table, key, f"the {signal} line")

    def _claim(self, pin: int, table: Table, key: str, user: str) -> None:
        """Note who uses a pin; a second user learns of the first."""
        first, rival = self._users.setdefault(pin, (user, table.path(key)))
        if first != user:
            both = f"{user} and {first} both use GPIO {pin}; give one another pin"
            table.complain(key, both, rival)
