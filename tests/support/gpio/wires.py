"""Wires, keys and switches as electricity sees them.

Lines are driven or pulled; keys connect two of them, switches one with ground. After each change
every line has the level that Ohm gives it, ghosts of a keypad included, and whoever listens is told
of the edges. A high and a low pin that are connected are counted: on a real board they burn.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

Heard = Callable[[int, int, int], None]
"""Line, level, monotonic nanoseconds."""


@dataclass
class Line:
    """One pin of the chip."""

    output: bool = False
    driven: int = 0
    pull: str = "floating"
    grounded: bool = False
    level: int = 0
    edges: int = 0


class Wires:
    """Some pins and all that is soldered to them."""

    def __init__(self, count: int = 28) -> None:
        self.lines = [Line() for _ in range(count)]
        self.pwm: dict[int, tuple[float, float]] = {}
        """Hertz and duty of pins that the library pulses by itself."""
        self.shorts = 0
        self.broken = False
        """Whether the chip is gone: every access then fails."""
        self._keys: set[tuple[int, int]] = set()
        self._heard: list[Heard] = []
        self._lock = threading.RLock()

    def listen(self, heard: Heard) -> None:
        """Tell every edge, in the thread that causes it."""
        self._heard.append(heard)

    # What a program does

    def configure(self, pin: int, *, output: bool, driven: int = 0, pull: str = "floating") -> None:
        """Make it an output with a level, or an input with a pull."""
        self._check()
        with self._lock:
            line = self.lines[pin]
            line.output, line.driven, line.pull = output, driven, pull
            self._settle(pin)

    def drive(self, pin: int, level: int) -> None:
        """Set an output."""
        self._check()
        with self._lock:
            self.lines[pin].driven = level
            self._settle(pin)

    def read(self, pin: int) -> int:
        """The level now."""
        self._check()
        with self._lock:
            return self.lines[pin].level

    def _check(self) -> None:
        if self.broken:
            raise OSError(19, "No such device")

    # What a hand does

    def close(self, pin: int) -> None:
        """Connect it with ground."""
        self._switch(pin, grounded=True)

    def open(self, pin: int) -> None:
        """Let it go."""
        self._switch(pin, grounded=False)

    def _switch(self, pin: int, *, grounded: bool) -> None:
        with self._lock:
            self.lines[pin].grounded = grounded
            self._settle(pin)

    def connect(self, one: int, other: int) -> None:
        """Press the key between two lines."""
        with self._lock:
            self._keys.add((one, other))
            self._settle(one)

    def disconnect(self, one: int, other: int) -> None:
        """Let it go."""
        with self._lock:
            self._keys.discard((one, other))
            self._settle(one)
            self._settle(other)

    # What electricity does

    def _settle(self, pin: int) -> None:
        """Give every line that is connected with this one its level."""
        now = time.monotonic_ns()
        net = self._net(pin)
        level = self._level([self.lines[each] for each in net])
        for each in net:
            line = self.lines[each]
            new = line.level if level is None else level
            if new != line.level:
                line.level = new
                line.edges += 1
                for heard in self._heard:
                    heard(each, new, now)

    def _net(self, pin: int) -> set[int]:
        net, more = {pin}, {pin}
        while more:
            more = {
                end for key in self._keys if net.intersection(key) for end in key if end not in net
            }
            net |= more
        return net

    def _level(self, lines: list[Line]) -> int | None:
        low = any(line.grounded or (line.output and not line.driven) for line in lines)
        high = any(line.output and line.driven for line in lines)
        self.shorts += low and high
        if low or high:
            return int(not low)
        pulls = {line.pull for line in lines} - {"floating"}
        return int("up" in pulls) if pulls else None
