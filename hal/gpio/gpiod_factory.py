"""A pin factory of gpiozero's over libgpiod 2: the way for kernels without anything of the Pi's.

gpiozero names no such factory in the release that Debian has. What a factory and a pin must do is
written in `gpiozero.pins.pi`; what the kernel does with a line, in its GPIO character device
documentation. Each pin is one line request, so that pins come and go one by one.

Edges carry the kernel's own moment, and the kernel keeps 512 of them a line where it would keep 16.
Edges that were lost all the same are counted by their numbers.

A chip on a cable may go. All that was had of it is let go at once, else the kernel would give it
another name when it is back. Nobody looks for it but whoever uses a pin, who waits longer from try
to try (`hal.health`); the first who finds it gives every pin back what it was and was to show.

A chip may also come late. Pins are then handed out all the same, and are made what they are to be
when it is there; what cannot be had of it is told by whoever uses it.
"""

import contextlib
import datetime as dt
import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import gpiod
from gpiod.line import Bias, Direction, Edge, Value
from gpiozero.exc import (
    GPIOPinInUse,
    GPIOZeroError,
    PinFixedPull,
    PinInvalidBounce,
    PinInvalidEdges,
    PinInvalidFunction,
    PinInvalidPin,
    PinInvalidPull,
    PinPWMFixedValue,
    PinSetInput,
)
from gpiozero.pins import PinInfo
from gpiozero.pins.local import LocalPiFactory, LocalPiPin

from hal.errors import DeviceError
from hal.gpio.gpiod_reader import EdgeReader
from hal.gpio.local import own_pins, pi_revision
from hal.gpio.soft_pwm import SoftPwm

CONSUMER = "deskphone"
EVENT_BUFFER = 512
_SETTLE = 0.001
"""Seconds until a wire that was just given its pull-up is high."""
_sleep = time.sleep  # noqa: TID251 - the time that electricity takes; nothing can wake us
T = TypeVar("T")
_DIRECTIONS = {"input": Direction.INPUT, "output": Direction.OUTPUT}
_PULLS = {"up": Bias.PULL_UP, "down": Bias.PULL_DOWN, "floating": Bias.DISABLED}
_EDGES = {"both": Edge.BOTH, "rising": Edge.RISING, "falling": Edge.FALLING, "none": Edge.NONE}
_NO_SYSTEM_ERRORS = (
    ValueError,
    NotImplementedError,
    gpiod.ChipClosedError,
    gpiod.RequestReleasedError,
)
"""What the binding makes of EINVAL, EOPNOTSUPP, and of a chip or a line that was closed."""


@contextlib.contextmanager
def system_errors() -> Iterator[None]:
    """Whatever the binding raises is an `OSError`, as callers expect of a device."""
    try:
        yield
    except _NO_SYSTEM_ERRORS as error:
        number = error.args[0] if error.args and isinstance(error.args[0], int) else errno.EBADF
        raise OSError(number, str(error.args[-1] if error.args else error)) from error


class GpiodFactory(LocalPiFactory):  # type: ignore[misc] # gpiozero has no types
    """The pins of one chip, which is closed with the factory.

    `find` opens it, also when it comes late or back; it raises `hal.errors.DeviceError` while it is
    not there.
    """

    def __init__(self, find: Callable[[], gpiod.Chip]) -> None:
        super().__init__()
        own_pins(self)
        self.pin_class = GpiodPin
        self._find = find
        # Of this lock and a pin's own, this one is taken first.
        self._chip_lock = threading.RLock()
        self._chip: gpiod.Chip | None = None
        self.awaited = True
        """Whether the chip has never been there."""
        with contextlib.suppress(OSError):
            # Who asks for it is told why.
            self._chip, self.awaited = find(), False
        self.reader = EdgeReader()
        self.lost = 0
        """Edges that the kernel had no room for."""

    def have(self) -> gpiod.Chip:
        """The chip; if it was gone or comes late, it is found and every pin is what it is to be.

        Raises:
            OSError: it is not there; a `hal.errors.DeviceError` if it never was.
        """
        with self._chip_lock:
            if self._chip is None:
                self._chip, self.awaited = self._found(), False
                for pin in tuple(self.pins.values()):
                    # One that is refused says so itself when somebody uses it.
                    with contextlib.suppress(OSError, GPIOZeroError):
                        pin.resume(self._chip)
                _sleep(_SETTLE)
            return self._chip

    def _found(self) -> gpiod.Chip:
        try:
            return self._find()
        except (DeviceError, OSError) as error:
            if self.awaited:
                raise
            # In the words of before: what is said again in others would be told again.
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from error

    def lose(self) -> None:
        """The chip is gone: let go of it, and have everybody look who listens to a pin."""
        with self._chip_lock:
            chip, self._chip = self._chip, None
            pins = tuple(self.pins.values())
            for pin in pins:
                pin.drop()
            if chip is None:
                return
            chip.close()
        for pin in pins:
            pin.startle()

    def judge(self, error: OSError) -> None:
        """Let go of the chip if this says that it is gone."""
        if error.errno == errno.ENODEV:
            self.lose()

    def close(self) -> None:
        """Release all pins and the chip; not from a callback."""
        for pin in tuple(self.pins.values()):
            pin.close()
        self.reader.close()
        with self._chip_lock:
            chip, self._chip = self._chip, None
        if chip is not None:
            chip.close()

    def _get_revision(self) -> int:
        return pi_revision()


class GpiodPin(LocalPiPin):  # type: ignore[misc] # likewise
    """One line of the chip, taken when it is first asked for."""

    def __init__(self, factory: GpiodFactory, info: PinInfo) -> None:
        """Take the line as it is, unless its chip comes late.

        Raises:
            gpiozero.exc.GPIOPinInUse: somebody else has it.
            OSError: the kernel does not give it.
        """
        super().__init__(factory, info)
        self._lock = threading.RLock()
        self._hearing = threading.RLock()
        self._function = "input"
        self._pull = info.pull or "floating"
        self._bounce: float | None = None
        self._edges = "both"
        self._listening = False
        self._level = False
        self._pwm: SoftPwm | None = None
        self._duty = 0.0
        self._heard: int | None = None
        self._closed = False
        self._request: gpiod.LineRequest | None = None
        if not factory.awaited:
            self._begin(factory)

    def _begin(self, factory: GpiodFactory) -> None:
        try:
            chip = factory.have()
            if self._before(chip) is Direction.OUTPUT:
                self._function = "output"
            self._request = self._take(chip)
        except OSError as error:
            factory.judge(error)
            raise

    def _before(self, chip: gpiod.Chip) -> Direction:
        """What the line is before we have it."""
        with system_errors():
            about = chip.get_info()
        if self._number >= about.num_lines:
            raise PinInvalidPin(f"{about.name} ({about.label}) has {about.num_lines} lines")
        with system_errors():
            line = chip.get_line_info(self._number)
        if line.used:
            raise GPIOPinInUse(f"it is in use by {line.consumer or 'the kernel'}")
        return line.direction

    def _take(self, chip: gpiod.Chip) -> gpiod.LineRequest:
        try:
            with system_errors():
                return chip.request_lines(
                    {self._number: gpiod.LineSettings()},
                    consumer=CONSUMER,
                    event_buffer_size=EVENT_BUFFER,
                )
        except OSError as error:
            if error.errno == errno.EBUSY:
                raise GPIOPinInUse("it is in use") from error
            raise

    def close(self) -> None:
        """Give the line back, also that of a chip that has gone."""
        with contextlib.suppress(OSError):
            self.frequency = None
        with contextlib.suppress(OSError):
            self.when_changed = None
        self._closed = True
        self.drop()
        # A pin that is asked for again is taken anew.
        self.factory.pins.pop(self.info, None)

    # A chip that goes and comes back

    def drop(self) -> None:
        """Give the line back, also that of a chip that has gone."""
        with self._lock:
            request, self._request = self._request, None
            if request is not None:
                self.factory.reader.remove(request.fd)
                request.release()

    def resume(self, chip: gpiod.Chip) -> None:
        """Take the line anew, if it was dropped, and make it what it is to be."""
        with self._lock:
            if self._request is not None or self._closed:
                return
            self._before(chip)
            self._request, self._heard = self._take(chip), None
            try:
                self._configure()
                if self._listening:
                    self.factory.reader.add(self._request.fd, self)
            except OSError:
                self.drop()
                raise
        self._pulse()

    def _reach(self, act: Callable[[], T]) -> T:
        """Do this with the line, which is had again first if its chip was gone."""
        try:
            if self._request is None and not self._closed:
                self.resume(self.factory.have())
            return act()
        except OSError as error:
            self.factory.judge(error)
            raise

    @property
    def _line(self) -> gpiod.LineRequest:
        if self._request is None:
            if self._closed:
                raise OSError(errno.EBADF, "it was closed")
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        return self._request

    def _apply(self) -> None:
        self._bring_about(self._configure)

    def _bring_about(self, act: Callable[[], None]) -> None:
        """Do this with the line; if its chip comes late, `resume` does it then."""
        if not self.factory.awaited:
            self._reach(act)

    def _configure(self) -> None:
        settings = gpiod.LineSettings(direction=_DIRECTIONS[self._function])
        if self._function == "input":
            settings.bias = _PULLS[self._pull]
            settings.edge_detection = _EDGES[self._edges if self._listening else "none"]
            settings.debounce_period = dt.timedelta(seconds=self._bounce or 0)
        else:
            settings.output_value = Value(int(self._level))
        with self._lock, system_errors():
            self._line.reconfigure_lines({self._number: settings})

    # Direction and level

    def output_with_state(self, state: float) -> None:
        """An output that begins with this level."""
        self._function, self._level = "output", bool(state)
        self._apply()

    def input_with_pull(self, pull: str) -> None:
        """An input with this pull."""
        self._check_pull(pull)
        self._function, self._pull = "input", pull
        self._apply()

    def _get_function(self) -> str:
        return self._function

    def _set_function(self, value: str) -> None:
        if value not in _DIRECTIONS:
            raise PinInvalidFunction(f'invalid function "{value}" for pin {self!r}')
        self._function = value
        self._apply()

    def _get_state(self) -> float:
        if self._pwm is not None:
            return self._pwm.duty
        return self._reach(self._read)

    def _read(self) -> int:
        with self._lock, system_errors():
            return int(self._line.get_value(self._number) is Value.ACTIVE)

    def _set_state(self, value: float) -> None:
        if self._pwm is not None:
            self._duty = value
            self._bring_about(self._pulse)
        elif self._function == "input":
            raise PinSetInput(f"cannot set state of pin {self!r}")
        else:
            self._level = bool(value)
            self._reach(lambda: self._write(int(self._level)))

    def _pulse(self) -> None:
        if self._pwm is not None:
            self._pwm.duty = self._duty

    def _write(self, level: int) -> None:
        with self._lock, system_errors():
            self._line.set_value(self._number, Value(level))

    # Pull, bounce and frequency

    def _check_pull(self, value: str) -> None:
        if value not in _PULLS:
            raise PinInvalidPull(f'invalid pull "{value}" for pin {self!r}')
        if self.info.pull and value != self.info.pull:
            raise PinFixedPull(f"{self!r} has a fixed pull resistor")

    def _get_pull(self) -> str:
        return self._pull

    def _set_pull(self, value: str) -> None:
        if self._function != "input":
            raise PinFixedPull(f"cannot set pull on non-input pin {self!r}")
        self.input_with_pull(value)

    def _get_bounce(self) -> float | None:
        return self._bounce

    def _set_bounce(self, value: float | None) -> None:
        if value is not None and value < 0:
            raise PinInvalidBounce("bounce must be 0 or greater")
        self._bounce = value
        self._apply()

    def _get_frequency(self) -> float | None:
        return None if self._pwm is None else self._pwm.hertz

    def _set_frequency(self, value: float | None) -> None:
        if value is None:
            pwm, self._pwm = self._pwm, None
            if pwm is not None:
                pwm.close()
        elif self._pwm is not None:
            self._pwm.hertz = value
        elif self._function != "output":
            raise PinPWMFixedValue(f"cannot start PWM on pin {self!r}")
        else:
            self._pwm, self._duty = SoftPwm(self._write, value), 0.0

    # Edges

    def _get_edges(self) -> str:
        return self._edges

    def _set_edges(self, value: str) -> None:
        if value not in _EDGES:
            raise PinInvalidEdges(f'invalid edges "{value}" for pin {self!r}')
        self._edges = value
        if self._listening:
            self._apply()

    def _enable_event_detect(self) -> None:
        self._listening = True
        self._heard = None
        try:
            self._apply()
            self.factory.reader.add(self._line.fd, self)
        except OSError:
            # Else gpiozero would take it for listening, and never ask again.
            self._listening, self._when_changed = False, None
            raise

    def _disable_event_detect(self) -> None:
        self._listening = False
        with self._lock:
            if self._request is not None:
                self.factory.reader.remove(self._request.fd)
                with contextlib.suppress(OSError):
                    # Nobody listens any more, whatever the kernel says.
                    self._configure()

    def hear(self) -> None:
        """Tell the edges that wait; called by the reader, and by whoever looks at the level.

        When it returns, all of them have been told, in their order, whoever read them.
        """
        with self._hearing:
            self._tell(self._waiting())

    def _waiting(self) -> list[gpiod.EdgeEvent]:
        with self._lock, system_errors():
            # Reading waits for edges, and who waits here has the lock: the descriptor that was
            # said to be readable may meanwhile be that of another line.
            if self._request is None or not self._request.wait_edge_events(0):
                return []
            return self._request.read_edge_events()

    def _tell(self, events: list[gpiod.EdgeEvent]) -> None:
        for event in events:
            if self._heard is not None:
                self.factory.lost += max(0, event.line_seqno - self._heard - 1)
            self._heard = event.line_seqno
            rising = event.event_type is event.Type.RISING_EDGE
            self._call(event.timestamp_ns / 1e9, int(rising))

    def gone(self) -> None:
        """The reader was told that the line is gone, and so is its chip."""
        self.factory.lose()

    def startle(self) -> None:
        """Say that something happened: whoever then looks finds the line gone."""
        self._call(self.factory.ticks(), None)

    def _call(self, ticks: float, state: int | None) -> None:
        """As `_call_when_changed`, for a pin that nobody may listen to any more."""
        method: Callable[[float, int | None], None] | None = self.when_changed
        if method is not None:
            method(ticks, state)
