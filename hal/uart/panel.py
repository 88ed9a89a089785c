"""The serial port, its thread, and the ports that the phone sees of a front panel.

One thread reads, writes and waits; what the panel should show is left for it in one place, latest
wins. A port that is not there, or vanishes (a USB cable), is told once and tried again.
pyserial is imported in the thread, when the port is opened.
"""

import errno
import os
import termios
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from hal.board_spec import SerialSpec
from hal.device_thread import DeviceThread
from hal.errors import DeviceError, DeviceGoneError
from hal.health import Health
from hal.libraries import SERIAL
from hal.packing import blank
from hal.ports import LampPattern, Picture, Post
from hal.uart.link import PanelLink, Wanted

DEVICE = "front panel"
_READ = 4096
_STUCK = 2.0
"""Seconds after which a port that takes nothing is broken."""
_VANISHED = (0, errno.EIO, errno.ENXIO, errno.ENODEV)
_DENIED = "Permission denied; is this user in the group dialout?"
_ADVICE = {
    errno.ENOENT: "it is not there; is its cable in, or is the header's port switched on?",
    errno.ENOTTY: "it is no serial port",
    errno.EACCES: _DENIED,
    errno.EPERM: _DENIED,
}


class SerialPort(Protocol):
    """What is used of pyserial's."""

    def fileno(self) -> int:
        """To wait for."""

    def read(self, size: int) -> bytes:
        """What has come, at once."""

    def write(self, data: bytes) -> int | None:
        """Send all of it."""

    def flush(self) -> None:
        """Wait until it is sent."""

    def close(self) -> None:
        """Close it."""


class SerialPanel:
    """An `InputPort`, and what is on the panel: `screen`, `lamps` and `ringer`."""

    def __init__(
        self,
        spec: SerialSpec,
        health: Callable[[Post], Health],
        connect: Callable[[], SerialPort],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._health_of = health
        self._connect = connect
        self._clock = clock
        self._link = PanelLink(spec.flash_max_ms / 1000)
        self._wanted = Wanted(lamps=dict.fromkeys(spec.lamps, LampPattern.OFF))
        self._thread = DeviceThread("serial panel", self._serve, self._rest)
        self.letters = PanelLetters(self, spec.letters) if spec.letters else None
        self.screen = PanelScreen(self, spec.size) if spec.size else self.letters
        self.lamps = PanelLamps(self, spec.lamps)
        self.ringer = PanelBell(self) if spec.bell else None

    def start(self, post: Post) -> None:
        self._thread.start(post, self._health_of(post))

    def close(self) -> None:
        self._thread.close()

    @property
    def wanted(self) -> Wanted:
        """What the panel should show."""
        return self._wanted

    @wanted.setter
    def wanted(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._thread.wake()

    # The thread

    def _rest(self, _post: Post, seconds: float) -> None:
        self._thread.pause(seconds)

    def _serve(self, post: Post, health: Health) -> None:
        """Talk until the phone is done with it.

        Raises:
            hal.errors.DeviceError: the port cannot be opened, or has vanished.
        """
        port = self._connect()
        try:
            self._link.open(self._clock())
            while not self._thread.closing:
                self._turn(port, post)
                _tell(self._link.fault, health)
            self._say_bye(port)
        except (OSError, termios.error) as error:
            raise DeviceGoneError(_words(error)) from error
        finally:
            try:
                port.close()
            finally:
                if not self._thread.closing:
                    self._let_go(post)

    def _let_go(self, post: Post) -> None:
        """Nobody presses keys that are not there."""
        for event in self._link.close(self._clock()):
            post(event)

    def _turn(self, port: SerialPort, post: Post) -> None:
        """One thing that happens."""
        link, now = self._link, self._clock()
        link.want(self._wanted, now)
        if output := link.take_output():
            port.write(output)
        due = link.deadline
        wait = None if due is None else max(due - now, 0.0)
        ready = self._thread.wait((port.fileno(),), wait)
        now = self._clock()
        events = link.receive(port.read(_READ), now) if ready else ()
        for event in (*events, *link.fire(now)):
            post(event)

    def _say_bye(self, port: SerialPort) -> None:
        port.write(self._link.say_bye())
        port.flush()


class PanelScreen:
    """A `DisplayPort`."""

    def __init__(self, panel: SerialPanel, size: tuple[int, int]) -> None:
        self._panel = panel
        self._size = size

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def show(self, picture: Picture) -> None:
        self._panel.wanted = replace(self._panel.wanted, picture=picture)

    def close(self) -> None:
        self.show(blank(self._size))


class PanelLetters:
    """A `LetterPort`, and a `DisplayPort` whose pictures nobody sees."""

    _PIXELS = 128, 32

    def __init__(self, panel: SerialPanel, letters: tuple[int, int]) -> None:
        self._panel = panel
        self._letters = letters

    @property
    def letters(self) -> tuple[int, int]:
        return self._letters

    @property
    def size(self) -> tuple[int, int]:
        return self._PIXELS

    def write(self, rows: tuple[str, ...]) -> None:
        self._panel.wanted = replace(self._panel.wanted, rows=rows)

    def show(self, picture: Picture) -> None:
        """The page shows it, and `ctl screen`."""

    def close(self) -> None:
        columns, rows = self._letters
        self.write((" " * columns,) * rows)


class PanelLamps:
    """A `LampPort`; the panel blinks by itself."""

    def __init__(self, panel: SerialPanel, names: tuple[str, ...]) -> None:
        self._panel = panel
        self._names = names

    @property
    def names(self) -> tuple[str, ...]:
        return self._names

    def set(self, lamp: str, pattern: LampPattern) -> None:
        if lamp in self._names:
            wanted = self._panel.wanted
            self._panel.wanted = replace(wanted, lamps={**wanted.lamps, lamp: pattern})

    def close(self) -> None:
        wanted = self._panel.wanted
        self._panel.wanted = replace(wanted, lamps=dict.fromkeys(self._names, LampPattern.OFF))


class PanelBell:
    """A `RingerPort`; the panel keeps the cadence."""

    def __init__(self, panel: SerialPanel) -> None:
        self._panel = panel

    def ring(self, cadence: tuple[float, ...]) -> None:
        self._panel.wanted = replace(self._panel.wanted, bell=cadence)

    def silence(self) -> None:
        self.ring(())

    def close(self) -> None:
        self.silence()


def open_port(spec: SerialSpec) -> SerialPort:
    """Open the serial port, 8 data bits, no parity, 1 stop bit.

    Raises:
        hal.errors.DeviceError: it is not there, taken, or we may not.
    """
    try:
        import serial  # noqa: PLC0415 - in the thread that opens the port
    except ImportError as error:
        raise DeviceError(SERIAL.lacks) from error
    try:
        port: SerialPort = serial.Serial(
            spec.port, spec.speed, timeout=0, write_timeout=_STUCK, exclusive=True
        )
    except (OSError, termios.error) as error:
        raise DeviceError(f"{spec.port}: {_words(error)}") from error
    return port


def open_panel(spec: SerialSpec, clock: Callable[[], float] = time.monotonic) -> SerialPanel:
    """The panel that the board file names; what is wrong is told once it is started."""
    return SerialPanel(
        spec, lambda post: Health(DEVICE, post, clock), lambda: open_port(spec), clock
    )


def _tell(fault: str | None, health: Health) -> None:
    if fault == "":
        health.works()
    elif fault and fault != health.fault:
        health.failed(fault)


def _words(error: Exception) -> str:
    """What happened, without pyserial's wrapping; it has no number for a port that vanished."""
    if "timeout" in str(error).lower():
        return "it takes nothing any more"
    number = _number(error) or _number(error.__context__)
    if number in (errno.EAGAIN, errno.EBUSY):
        return "another program has it"
    if number in _VANISHED:
        return "it was unplugged"
    return _ADVICE.get(number) or os.strerror(number)


def _number(error: BaseException | None) -> int:
    """The number of a fault of the system, 0 if it has none; a `termios.error` is no OSError."""
    first = error.args[0] if error is not None and error.args else 0
    return first if isinstance(first, int) else 0
