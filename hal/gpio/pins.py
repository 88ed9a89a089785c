"""The pins of a board as gpiozero devices, in the shapes that the parts want.

Here every pin gets its user, every error of a pin library becomes a sentence with both, and an edge
becomes the moment it happened. Which library moves the pins is the factory's affair
(`hal.gpio.factories`). No device here has a thread of its own: a gpiozero `Button` has two.
"""

import contextlib
import functools
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

from gpiozero import GPIODevice, InputDevice, OutputDevice, PWMOutputDevice
from gpiozero.exc import GPIOZeroError
from gpiozero.pins import Factory

from hal.errors import DeviceError, DeviceGoneError
from hal.gpio.watch import Edge

DIM_HERTZ = 100
"""A lamp that is dimmed flickers so fast that nobody sees it."""
_LATEST = 10.0
"""Seconds; an edge that claims to be older has another clock."""
Failures = tuple[type[Exception], ...]
Opened = tuple[Factory, Failures]
"""A factory, and the errors of its library that are neither gpiozero's nor the system's."""


@runtime_checkable
class HearingPin(Protocol):
    """A pin of a library whose edges anybody may fetch, not its own thread alone."""

    def hear(self) -> None:
        """Tell the edges that wait."""


class Pins:
    """Hands out pins, one user each, from any thread.

    The factory is open while somebody has a pin: a display that vanished asks again for its own.
    """

    def __init__(self, open_factory: Callable[[], Opened], clock: Callable[[], float]) -> None:
        self._open_factory = open_factory
        self._clock = clock
        self._factory: Factory | None = None
        self._errors: Failures = (OSError, GPIOZeroError)
        self._users: dict[int, str] = {}
        self._lock = threading.RLock()

    def open(self) -> Factory:
        """Open the factory.

        Raises:
            hal.errors.DeviceError: it cannot be had.
        """
        with self._lock:
            if self._factory is None:
                self._factory, errors = self._open_factory()
                self._errors = (OSError, GPIOZeroError, *errors)
            return self._factory

    def seek(self) -> None:
        """Look for the chip, if the factory is one that goes on without it.

        Raises:
            hal.errors.DeviceError: it is not there.
        """
        have = getattr(self.open(), "have", None)
        if have is not None:
            try:
                have()
            except OSError as error:
                raise DeviceError(reason(error)) from error

    def settle(self) -> None:
        """Close the factory if nobody has a pin."""
        with self._lock:
            if not self._users and self._factory is not None:
                factory, self._factory = self._factory, None
                factory.close()

    def contact(self, pin: int, user: str) -> "ContactPin":
        """A switch to ground.

        Raises:
            hal.errors.DeviceError: the pin cannot be had; likewise below.
        """
        with self._claimed(pin, user) as factory:
            device = InputDevice(pin, pull_up=True, pin_factory=factory)
        return ContactPin(device, self._care(pin, user), self._moment)

    def row(self, pin: int, user: str) -> "RowPin":
        """A row of a keypad."""
        with self._claimed(pin, user) as factory:
            device = GPIODevice(pin, pin_factory=factory)
            try:
                device.pin.input_with_pull("up")
            except BaseException:
                device.close()
                raise
        return RowPin(device, self._care(pin, user))

    def output(self, pin: int, user: str, *, active_low: bool = False) -> "OutputPin":
        """A pin that is on or off, and off at first."""
        with self._claimed(pin, user) as factory:
            device = OutputDevice(pin, active_high=not active_low, pin_factory=factory)
        return OutputPin(device, self._care(pin, user))

    def pulsed(
        self, pin: int, user: str, hertz: int, part: float, *, active_low: bool = False
    ) -> "PulsedPin":
        """A pin that, when on, is on for `part` (0 to 1) of each of `hertz` periods a second."""
        with self._claimed(pin, user) as factory:
            device = PWMOutputDevice(
                pin, active_high=not active_low, frequency=hertz, pin_factory=factory
            )
        return PulsedPin(device, part, self._care(pin, user))

    def line(self, pin: int, user: str) -> "LinePin":
        """A pin that another adapter drives: reset, or data and command, of a display."""
        return LinePin(self.output(pin, user))

    def _moment(self, ticks: float | None) -> float:
        """The moment of an edge on our clock."""
        now, factory = self._clock(), self._factory
        if ticks is None or factory is None:
            return now
        age = factory.ticks_diff(factory.ticks(), ticks)
        return now - age if 0 <= age < _LATEST else now

    @contextmanager
    def _claimed(self, pin: int, user: str) -> Iterator[Factory]:
        with self._lock:
            if (other := self._users.get(pin)) is not None:
                raise DeviceError(f"{user}: GPIO {pin} is used by {other}")
            factory = self.open()
            try:
                yield factory
            except self._errors as error:
                # gpiozero has the pin reserved for as long as its half-made device lives, and the
                # frames of an error keep that alive: in Python 3.13 until garbage is collected.
                traceback.clear_frames(error.__traceback__)
                self.settle()
                raise DeviceError(f"{user}: GPIO {pin} cannot be used: {reason(error)}") from error
            self._users[pin] = user

    def _care(self, pin: int, user: str) -> "Care":
        def forget() -> None:
            self._users.pop(pin, None)
            self.settle()

        return Care(f"{user}: GPIO {pin}", self._errors, forget)


def reason(error: Exception) -> str:
    """What the library says, without its number."""
    text = getattr(error, "strerror", None) or str(error).strip("'\"")
    return str(text) or type(error).__name__


class Care:
    """What becomes of the errors of one pin, and of the pin when it is closed."""

    def __init__(self, who: str, errors: Failures, forget: Callable[[], None]) -> None:
        self._who = who
        self._errors = errors
        self._forget = forget

    @contextmanager
    def __call__(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise DeviceGoneError(f"{self._who} does not answer: {reason(error)}") from error

    def release(self, device: GPIODevice, rest: Callable[[], None]) -> None:
        """Bring a pin to rest and give it back; it is free afterwards, whatever it says."""
        if device.closed:
            return
        try:
            with contextlib.suppress(*self._errors):
                rest()
            with contextlib.suppress(*self._errors):
                device.close()
        finally:
            self._forget()


class ContactPin:
    """A switch to ground, on an input with a pull-up."""

    def __init__(
        self, device: InputDevice, care: Care, moment: Callable[[float | None], float]
    ) -> None:
        self._device = device
        self._care = care
        self._moment = moment
        self.faults = 0
        """How often whoever listens failed."""
        # gpiozero keeps only a weak reference to what it calls.
        self._edge: Callable[[float, int | None], None] | None = None

    @property
    def closed(self) -> bool:
        with self._care():
            return bool(self._device.is_active)

    def watch(self, edge: Edge | None) -> None:
        with self._care():
            # Listening anew begins at nothing: gpiozero cannot tell that a pin went deaf.
            self._deafen()
            if edge is None:
                return
            self._edge = functools.partial(self._changed, edge)
            self._device.pin.edges = "both"
            self._device.pin.when_changed = self._edge

    def catch_up(self) -> None:
        pin = self._device.pin
        if self._edge is not None and isinstance(pin, HearingPin):
            # Of a chip that is gone, whoever then reads the level is told.
            with contextlib.suppress(DeviceGoneError), self._care():
                pin.hear()

    def _deafen(self) -> None:
        self._device.pin.when_changed = self._edge = None

    def _changed(self, edge: Edge, ticks: float | None, state: int | None) -> None:
        try:
            edge(None if state is None else not state, self._moment(ticks))
        except Exception:  # noqa: BLE001 - it would end the library's thread and deafen every pin
            self.faults += 1

    def close(self) -> None:
        self._care.release(self._device, self._deafen)


class RowPin:
    """A row of a keypad: low, or an input with a pull-up."""

    def __init__(self, device: GPIODevice, care: Care) -> None:
        self._device = device
        self._care = care

    def drive(self) -> None:
        with self._care():
            self._device.pin.output_with_state(0)

    def release(self) -> None:
        with self._care():
            self._let_go()

    def _let_go(self) -> None:
        self._device.pin.input_with_pull("up")

    def close(self) -> None:
        self._care.release(self._device, self._let_go)


class OutputPin:
    """A lamp, or one side of an H-bridge."""

    def __init__(self, device: OutputDevice, care: Care) -> None:
        self._device = device
        self._care = care

    def power(self, *, on: bool) -> None:
        with self._care():
            self._device.value = on

    shine = power

    def close(self) -> None:
        self._care.release(self._device, self._device.off)


class PulsedPin:
    """A buzzer, or a lamp that is dimmed."""

    def __init__(self, device: PWMOutputDevice, part: float, care: Care) -> None:
        self._device = device
        self._part = part
        self._care = care

    def sound(self, *, on: bool) -> None:
        with self._care():
            self._device.value = self._part if on else 0

    shine = sound

    def close(self) -> None:
        self._care.release(self._device, self._rest)

    def _rest(self) -> None:
        """Off, which is high for a lamp that is lit by low: a library ends its pulses with low."""
        self._device.off()
        self._device.pin.frequency = None
        self._device.pin.output_with_state(int(not self._device.active_high))


class LinePin:
    """A pin that is set high and low by somebody else."""

    def __init__(self, output: OutputPin) -> None:
        self._output = output

    def on(self) -> None:
        self._output.power(on=True)

    def off(self) -> None:
        self._output.power(on=False)

    def close(self) -> None:
        self._output.close()
