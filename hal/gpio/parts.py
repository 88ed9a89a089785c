"""The parts of a board that hang on GPIO pins, opened as its file says.

A part whose pin is taken or does not answer is left out and reported; the phone starts with the
rest. A lamp is a part of its own: nobody needs to do without all of them because one is missing.
If the chip itself is missing and its factory can wait for it, all parts wait until it is there.
"""

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hal.board_spec import SOFTWARE, BoardSpec, HookSpec, KeypadSpec, LampSpec, RingerSpec
from hal.errors import DeviceError
from hal.events import DeviceFailed, Event
from hal.gpio.contacts import Button, Contacts, Dial, Headset, Hook
from hal.gpio.factories import open_factory
from hal.gpio.hard_pwm import HardPwm, open_hard_pwm
from hal.gpio.keypad import Keypad, settle
from hal.gpio.lamps import Lamps, Light
from hal.gpio.left_behind import HookMemory
from hal.gpio.pins import DIM_HERTZ, LinePin, Opened, Pins
from hal.gpio.ringer import Bell, Buzzer, Ringer, Striker, Tone
from hal.gpio.watch import Watch
from hal.gpio.worker import Worker
from hal.matrix import Matrix
from hal.ports import Post


class Pin(Protocol):
    """What was taken and can be given back."""

    def close(self) -> None:
        """Give it back."""


P = TypeVar("P", bound=Pin)
OpenPwm = Callable[[int, str, int, float], HardPwm]
"""Pin, where its PWM is, hertz, part of a period; raises `hal.errors.DeviceError`."""
HALF = 0.5
"""A buzzer is loudest when it is on for half of each period."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What could be opened; None where there is nothing. `line` gives pins to other adapters."""

    inputs: "Inputs | None"
    lamps: Lamps | None
    ringer: Ringer | None
    line: Callable[[int], LinePin]


class Chip:
    """The task of looking for the chip that all pins are on."""

    name = "GPIO"
    deadline = 0.0

    def __init__(self, pins: Pins) -> None:
        self._pins = pins

    def run(self, _now: float) -> Iterator[Event]:
        self._pins.seek()
        yield from ()


class Inputs:
    """An `InputPort` of all that is pressed, turned and lifted; `ended` is called by `close`."""

    def __init__(
        self,
        tasks: tuple[Keypad | Watch, ...],
        worker: Worker,
        ended: Callable[[], None] | None = None,
    ) -> None:
        self._tasks = tasks
        self._ended = ended
        self._worker = worker
        self._started = False

    @property
    def names(self) -> tuple[str, ...]:
        """The parts that were opened."""
        return tuple(task.name for task in self._tasks)

    def start(self, post: Post) -> None:
        self._started = True
        for task in self._tasks:
            self._worker.join(task, post)

    def close(self) -> None:
        tasks, self._tasks = self._tasks, ()
        for task in tasks:
            if self._started:
                self._worker.leave(task, task.close)
            else:
                task.close()
        if self._ended is not None:
            self._ended()


def open_parts(
    spec: BoardSpec,
    post: Post,
    clock: Callable[[], float] = time.monotonic,
    *,
    factory: Callable[[str, str], Opened] = open_factory,
    settle: Callable[[], None] = settle,
    pwm: OpenPwm = open_hard_pwm,
) -> Parts:
    """Open all that the board has on pins; what cannot be opened is posted as failed.

    `clock` is monotonic seconds, the same as the kernel's for edges. `factory`, `settle` and `pwm`
    are for tests, which have wires of their own.
    """
    pins = Pins(lambda: factory(spec.pin_factory, spec.gpio_chip), clock)
    opening = _Opening(spec, post, clock, pins, pwm)
    try:
        pins.open()
    except DeviceError as error:
        post(DeviceFailed(Chip.name, str(error), clock()))
        return Parts(None, None, None, opening.line)
    return opening.all(settle)


class _Opening:
    def __init__(
        self,
        spec: BoardSpec,
        post: Post,
        clock: Callable[[], float],
        pins: Pins,
        pwm: OpenPwm,
    ) -> None:
        self._spec = spec
        self._post = post
        self._clock = clock
        self._pins = pins
        self._open_pwm = pwm
        self._worker = Worker(clock)
        guessed = spec.hook if spec.guesses_hook else None
        self._memory = HookMemory(guessed.pin) if guessed is not None else None

    def all(self, settle: Callable[[], None]) -> Parts:
        tasks = tuple(self._inputs(settle))
        lights = dict(self._lights())
        lamps = Lamps(lights, self._worker) if lights else None
        ringer = self._ringer()
        if tasks or lamps is not None or ringer is not None:
            self._worker.begin_with(Chip(self._pins), self._post)
        for output in (lamps, ringer):
            if output is not None:
                self._worker.join(output, self._post)
        self._pins.settle()
        ended = self._memory.forget if self._memory is not None else None
        inputs = Inputs(tasks, self._worker, ended) if tasks else None
        return Parts(inputs, lamps, ringer, self.line)

    def line(self, pin: int) -> LinePin:
        """A pin of the display; it asks again if it fails."""
        return self._pins.line(pin, "display")

    @contextmanager
    def _forgiving(self, name: str) -> Iterator[None]:
        try:
            yield
        except DeviceError as error:
            self._post(DeviceFailed(name, str(error), self._clock()))

    def _inputs(self, settle: Callable[[], None]) -> Iterator[Keypad | Watch]:
        if (keypad := self._spec.keypad) is not None:
            with self._forgiving(Keypad.name):
                yield self._keypad(keypad, settle)
        for part in self._contacts():
            with self._forgiving(part.name):
                wires = self._each(part.pins, part.name, self._pins.contact)
                yield Watch(part, wires, self._worker.wake)

    def _each(self, pins: tuple[int, ...], user: str, claim: Callable[[int, str], P]) -> list[P]:
        """All of these pins, or none."""
        taken: list[P] = []
        try:
            for place, pin in enumerate(pins, 1):
                taken.append(claim(pin, user if len(pins) == 1 else f"{user} {place}"))
        except DeviceError:
            for one in taken:
                one.close()
            raise
        return taken

    def _keypad(self, spec: KeypadSpec, settle: Callable[[], None]) -> Keypad:
        rows = self._each(spec.rows, "keypad row", self._pins.row)
        try:
            columns = self._each(spec.columns, "keypad column", self._pins.contact)
        except DeviceError:
            for row in rows:
                row.close()
            raise
        matrix = Matrix(spec.keys, spec.lockout_ms / 1000)
        return Keypad(matrix, rows, columns, self._worker.wake, settle)

    def _contacts(self) -> Iterator[Contacts]:
        spec = self._spec
        if spec.hook is not None:
            yield self._hook(spec.hook)
        if spec.rotary is not None:
            yield Dial(spec.rotary)
        # A key of its own is a part of its own: one that cannot be had costs no other.
        for key, pin in spec.buttons:
            yield Button(key, pin)
        if spec.headset is not None:
            yield Headset(spec.headset)

    def _hook(self, spec: HookSpec) -> Hook:
        if self._memory is None:
            return Hook(spec)
        return Hook(dataclasses.replace(spec, lifted=self._memory.recall()), self._memory.keep)

    def _lights(self) -> Iterator[tuple[str, Light]]:
        for name, spec in self._spec.lamps:
            user = f"lamp {name}"
            with self._forgiving(user):
                yield name, self._light(user, spec)

    def _light(self, user: str, spec: LampSpec) -> Light:
        if spec.brightness == 100:
            return self._pins.output(spec.pin, user, active_low=spec.active_low)
        part = spec.brightness / 100
        return self._pins.pulsed(spec.pin, user, DIM_HERTZ, part, active_low=spec.active_low)

    def _ringer(self) -> Ringer | None:
        if (spec := self._spec.ringer) is not None:
            with self._forgiving(spec.kind):
                return Ringer(spec.kind, self._striker(spec), self._worker)
        return None

    def _striker(self, spec: RingerSpec) -> Striker:
        if spec.kind == "buzzer":
            return Buzzer(self._tone(spec))
        left, right = self._each(spec.pins, "bell coil", self._pins.output)
        return Bell(left, right, spec.hertz)

    def _tone(self, spec: RingerSpec) -> Tone:
        """The tone of a buzzer: a rough one is better than none."""
        (pin,) = spec.pins
        if spec.pwm != SOFTWARE:
            try:
                return self._open_pwm(pin, spec.pwm, spec.hertz, HALF)
            except DeviceError as error:
                reason = f"{error}; a thread buzzes in its place"
                self._post(DeviceFailed(spec.kind, reason, self._clock()))
        return self._pins.pulsed(pin, spec.kind, spec.hertz, HALF)
