"""The wires of the workbench on the kernel's simulated pins: keys and contacts become pulls.

A key connects a row with a column. Nothing on this machine does that by itself: `settle`, which the
keypad calls wherever it gives the wires their time, looks which rows are low and pulls the columns
accordingly. Outputs are watched by looking at them, a thousand times a second.
"""

import threading
import time
from collections.abc import Callable, Iterator

import gpiod

from tests.vm.inside.gpio_sim import SimulatedPins

COUNT = 28
WATCHED = (7, 8, 9, 10, 22)
"""What is driven on the workbench's board: coils and lamps."""
_GLANCE = 0.001


class SimLine:
    """One pin."""

    def __init__(self, pins: SimulatedPins, number: int) -> None:
        self._pins = pins
        self._number = number
        self.edges = 0

    @property
    def level(self) -> int:
        return int(self._pins.value(self._number))

    @property
    def output(self) -> bool:
        """Whether somebody has it."""
        with gpiod.Chip(str(self._pins.path)) as chip:
            return bool(chip.get_line_info(self._number).used)

    driven = True


class SimWires:
    """As `tests.support.gpio.wires.Wires`, as far as the expectations need it."""

    def __init__(self, pins: SimulatedPins) -> None:
        self._pins = pins
        self.lines = [SimLine(pins, number) for number in range(COUNT)]
        self.pwm: dict[int, tuple[float, float]] = {}
        self.shorts = 0
        self._keys: set[tuple[int, int]] = set()
        self._lock = threading.Lock()
        self._heard: list[Callable[[int, int, int], None]] = []
        self._over = threading.Event()
        self._eye = threading.Thread(target=self._watch, daemon=True)
        self._eye.start()

    def listen(self, heard: Callable[[int, int, int], None]) -> None:
        self._heard.append(heard)

    def close(self, pin: int) -> None:
        self._pins.pull(pin, up=False)

    def open(self, pin: int) -> None:
        self._pins.pull(pin, up=True)

    def connect(self, row: int, column: int) -> None:
        with self._lock:
            self._keys.add((row, column))
        self.settle()

    def disconnect(self, row: int, column: int) -> None:
        with self._lock:
            self._keys.discard((row, column))
            self._pull(column, low=False)
        self.settle()

    def settle(self) -> None:
        """Pull each column that has keys down to where its wires lead."""
        with self._lock:
            low = {row for row, _ in self._keys if not self._pins.value(row)}
            for column in {column for _, column in self._keys}:
                self._pull(column, low=bool(low.intersection(self._rows(column))))

    def _pull(self, column: int, *, low: bool) -> None:
        if self._pins.value(column) == low:
            self._pins.pull(column, up=not low)

    def _rows(self, column: int) -> set[int]:
        """The rows that a path of closed keys connects with this column."""
        rows: set[int] = set()
        columns = {column}
        while True:
            more = {row for row, col in self._keys if col in columns} - rows
            if not more:
                return rows
            rows |= more
            columns |= {col for row, col in self._keys if row in rows}

    def _watch(self) -> None:
        levels = dict.fromkeys(WATCHED, 0)
        while not self._over.wait(_GLANCE):
            for pin, level in self._changed(levels):
                levels[pin] = level
                self.lines[pin].edges += 1
                for heard in self._heard:
                    heard(pin, level, time.monotonic_ns())

    def _changed(self, levels: dict[int, int]) -> Iterator[tuple[int, int]]:
        for pin in WATCHED:
            level = self.lines[pin].level
            if level != levels[pin]:
                yield pin, level

    def end(self) -> None:
        """Look no longer."""
        self._over.set()
        self._eye.join(2)
