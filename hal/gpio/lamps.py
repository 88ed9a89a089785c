"""The lamps on pins: off, on, dimmed, and blinking all in step."""

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Protocol

from hal.events import Event
from hal.gpio.worker import Worker
from hal.ports import LampPattern
from hal.rhythm import BLINKING, phase


class Light(Protocol):
    """A pin with a lamp."""

    def shine(self, *, on: bool) -> None:
        """Light it, as brightly as it was opened for, or put it out."""

    def close(self) -> None:
        """Put it out and release the pin."""


class Lamps:
    """A `LampPort`, and the task of the lamps."""

    name = "lamps"

    def __init__(self, lights: Mapping[str, Light], worker: Worker) -> None:
        self._lights = dict(lights)
        self._worker = worker
        self._patterns = dict.fromkeys(lights, LampPattern.OFF)
        self._shown: dict[str, bool] = {}
        self._next: float | None = 0.0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._lights)

    def set(self, lamp: str, pattern: LampPattern) -> None:
        if lamp in self._lights:
            self._worker.tell(partial(self._change, lamp, pattern))

    def _change(self, lamp: str, pattern: LampPattern) -> None:
        self._patterns[lamp] = pattern
        self._next = 0.0

    @property
    def deadline(self) -> float | None:
        return self._next

    def run(self, now: float) -> Iterator[Event]:
        left = math.inf
        with ExitStack() as others:
            for lamp in self._lights:
                # One clock for all: lamps that blink alike blink together.
                lit, lasts = phase(BLINKING[self._patterns[lamp]], now)
                left = min(left, lasts)
                # One that does not answer is told, when the others have had their light.
                others.callback(self._shine, lamp, on=lit)
        self._next = None if left == math.inf else now + left
        yield from ()

    def _shine(self, lamp: str, *, on: bool) -> None:
        if self._shown.get(lamp) is not on:
            # Of one that does not answer nobody knows what it shows: it is set again and again.
            self._shown.pop(lamp, None)
            self._lights[lamp].shine(on=on)
            self._shown[lamp] = on

    def close(self) -> None:
        self._worker.leave(self, self._release)

    def _release(self) -> None:
        for light in self._lights.values():
            light.close()
