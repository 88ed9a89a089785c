"""A buzzer, or the two coils of an old bell, rung by cadence.

A bell's clapper is thrown from coil to coil 20 or 25 times a second: through an H-bridge, one pin
high and the other low, then the other way round. Between the rings both are low, so that no current
stands in a coil.
"""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Protocol

from hal.events import Event
from hal.gpio.worker import Worker
from hal.rhythm import Rhythm, phase


class Tone(Protocol):
    """A pin that can be made to buzz."""

    def sound(self, *, on: bool) -> None:
        """Give it its frequency, or nothing."""

    def close(self) -> None:
        """Silence it and release the pin."""


class Coil(Protocol):
    """A pin that drives one side of an H-bridge."""

    def power(self, *, on: bool) -> None:
        """High or low."""

    def close(self) -> None:
        """Low, and the pin released."""


class Striker(Protocol):
    """What makes the noise."""

    def strike(self, now: float) -> float:
        """Make noise; returns when to come back, infinity if it goes on by itself."""

    def stop(self) -> None:
        """Be silent."""

    def close(self) -> None:
        """Be silent and release the pins."""


class Buzzer:
    """One pin with a frequency."""

    def __init__(self, tone: Tone) -> None:
        self._tone = tone

    def strike(self, _now: float) -> float:
        self._tone.sound(on=True)
        return math.inf

    def stop(self) -> None:
        self._tone.sound(on=False)

    def close(self) -> None:
        self._tone.close()


class Bell:
    """Two coils in turn, at `hertz`."""

    def __init__(self, left: Coil, right: Coil, hertz: int) -> None:
        self._coils = (left, right)
        self._half = 0.5 / hertz
        self._turn = 0
        self._flip_at = -math.inf

    def strike(self, now: float) -> float:
        if now >= self._flip_at:
            turn = 1 - self._turn
            # The one is let go before the other pulls.
            self._coils[1 - turn].power(on=False)
            self._coils[turn].power(on=True)
            self._turn = turn
            late = now - self._flip_at > self._half
            self._flip_at = now + self._half if late else self._flip_at + self._half
        return self._flip_at

    def stop(self) -> None:
        self._flip_at, self._turn = -math.inf, 0
        with ExitStack() as both:
            # One that does not answer is no reason to leave a current in the other.
            for coil in self._coils:
                both.callback(coil.power, on=False)

    def close(self) -> None:
        for coil in self._coils:
            coil.close()


class Ringer:
    """A `RingerPort`, and the task of the bell."""

    def __init__(self, name: str, striker: Striker, worker: Worker) -> None:
        """`name` is what people call it: `bell` or `buzzer`."""
        self.name = name
        self._striker = striker
        self._worker = worker
        self._cadence: Rhythm = ()
        self._began: float | None = None
        self._next: float | None = None

    def ring(self, cadence: tuple[float, ...]) -> None:
        self._worker.tell(partial(self._begin, cadence))

    def silence(self) -> None:
        self.ring(())

    def _begin(self, cadence: Rhythm) -> None:
        self._cadence = cadence
        self._began = None
        self._next = 0.0

    @property
    def deadline(self) -> float | None:
        return self._next

    def run(self, now: float) -> Iterator[Event]:
        if self._began is None:
            self._began = now
        loud, left = phase(self._cadence, now - self._began)
        again = now + left
        if loud:
            again = min(again, self._striker.strike(now))
        else:
            self._striker.stop()
        self._next = None if again == math.inf else again
        yield from ()

    def close(self) -> None:
        self._worker.leave(self, self._striker.close)
