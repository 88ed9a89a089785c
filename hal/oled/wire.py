"""The two ways to a display chip, over luma's interfaces, and what a chip must hear first.

Every fault becomes a `DeviceError` in the words of whoever holds the soldering iron. luma and what
it stands on are imported when a display is opened, in its own thread: a quarter of a second on a
small Pi.

A chip's wake-up is taken from luma's driver once, by letting the driver talk to a recorder, and is
played again each time the display comes back. A driver must not be made anew for that: each one
stays for ever in Python's list of what to do at exit, with half a megabyte of tables.
"""

# ruff: noqa: PLC0415 - see above

import errno
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Protocol

from hal.board_spec import DisplaySpec
from hal.errors import DeviceError, DeviceGoneError
from hal.libraries import OLED, lacks
from hal.oled.chips import Command, Data, Op

_USUAL = (0x3C, 0x3D)
"""Where displays are; a wire or a bridge of solder on the board chooses."""
_NO_ANSWER = (errno.EREMOTEIO, errno.EIO, errno.ENXIO, errno.ENODEV, errno.ETIMEDOUT)


class OutputLine(Protocol):
    """A pin that is driven."""

    def on(self) -> None:
        """Drive it high."""

    def off(self) -> None:
        """Drive it low."""

    def close(self) -> None:
        """Give it back."""


OpenLine = Callable[[int], OutputLine]
"""Takes the BCM number; raises `hal.errors.DeviceError`."""


class Interface(Protocol):
    """What luma calls a serial interface."""

    def command(self, *cmd: int) -> None:
        """Send to the command decoder; at most 32 bytes."""

    def data(self, data: list[int]) -> None:
        """Send to the memory."""

    def cleanup(self) -> None:
        """Close the bus."""


class Wire:
    """An open way to one chip; `close` may be called twice."""

    def __init__(
        self,
        interface: Interface,
        where: str,
        release: Callable[[], None],
        others: Callable[[], list[int]] = list,
    ) -> None:
        """Take an open interface; `others` are the usual addresses at which somebody answers."""
        self._interface = interface
        self._where = where
        self._release = release
        self._others = others

    def send(self, ops: Iterable[Op]) -> None:
        """Send in this order.

        Raises:
            hal.errors.DeviceGoneError: the chip does not answer.
        """
        try:
            with translated(self._where):
                for op in ops:
                    match op:
                        case Command(octets):
                            self._interface.command(*octets)
                        case Data(octets):
                            self._interface.data(list(octets))
        except DeviceGoneError as error:
            found = " and ".join(f"0x{other:02x}" for other in self._others())
            hint = f", but somebody does at {found}" if found else ""
            raise DeviceGoneError(f"{error}{hint}") from error

    def close(self) -> None:
        """Close bus and pins; a bus that is gone has nothing to close."""
        try:
            with translated(self._where):
                self._interface.cleanup()
        except DeviceError:
            pass
        finally:
            self._release()


def open_wire(spec: DisplaySpec, open_line: OpenLine) -> Wire:
    """Open the bus that the board file names.

    Raises:
        hal.errors.DeviceError: there is no such bus, a library is missing, or we may not.
    """
    return _open_spi(spec, open_line) if spec.bus == "spi" else _open_i2c(spec)


def _open_i2c(spec: DisplaySpec) -> Wire:
    where = f"0x{spec.address:02x} on I²C bus {spec.port}"
    with translated(where):
        from luma.core.interface.serial import i2c
        from smbus2 import I2cFunc, SMBus

        bus = SMBus(spec.port)
        release: Callable[[], None] = bus.close
        if bus.funcs & I2cFunc.I2C:
            # luma writes a whole picture at once only on a bus that it opened itself.
            bus.close()
            interface, release = i2c(port=spec.port, address=spec.address), _nothing
        else:
            interface = i2c(bus=bus, address=spec.address)

        def others() -> list[int]:
            return [
                address
                for address in _USUAL
                if address != spec.address and _answers(spec.port, address)
            ]

        return Wire(interface, where, release, others)


def _answers(port: int, address: int) -> bool:
    """Whether a display is at this address: it tells its status to whoever reads a byte."""
    from smbus2 import SMBus

    try:
        with closing(SMBus(port)) as bus:
            bus.read_byte(address)
    except OSError:
        return False
    return True


def _open_spi(spec: DisplaySpec, open_line: OpenLine) -> Wire:
    where = f"SPI {spec.port}.{spec.device}"
    lines = Lines(open_line)
    try:
        with translated(where):
            from luma.core.interface.serial import spi

            interface = spi(
                gpio=lines,
                port=spec.port,
                device=spec.device,
                gpio_DC=_named(spec.data_command),
                gpio_RST=_named(spec.reset),
                reset_hold_time=0.001,
                reset_release_time=0.001,
            )
    except BaseException:
        # Whatever it was: a pin that is not given back could not be had the next time.
        lines.cleanup()
        raise
    return Wire(interface, where, lines.cleanup)


_FIRST = 1000
"""To luma a pin 0 is none: ours are called 1000 and up."""


def _named(pin: int | None) -> int | None:
    return None if pin is None else _FIRST + pin


class Lines:
    """Our pins in the shape of RPi.GPIO, which is what luma asks for; BCM numbers and `_FIRST`."""

    OUT, LOW, HIGH = 0, 0, 1

    def __init__(self, open_line: OpenLine) -> None:
        self._open = open_line
        self._lines: dict[int, OutputLine] = {}

    def setup(self, pin: int, _direction: int) -> None:
        """Claim a pin."""
        self._lines[pin] = self._open(pin - _FIRST)

    def output(self, pin: int, level: int) -> None:
        """Drive it."""
        line = self._lines[pin]
        (line.on if level else line.off)()

    def cleanup(self, _pins: object = None) -> None:
        """Give every pin back."""
        while self._lines:
            self._lines.popitem()[1].close()


class _Recorder:
    """Writes down what a luma driver sends."""

    def __init__(self) -> None:
        self.ops: list[Op] = []

    def command(self, *cmd: int) -> None:
        self.ops.append(Command(bytes(cmd)))

    def data(self, data: list[int]) -> None:
        self.ops.append(Data(bytes(data)))

    def cleanup(self) -> None:
        """There is nothing behind it."""


def wake_up(spec: DisplaySpec) -> tuple[Op, ...]:
    """What luma's driver of this chip sends first: set-up and contrast, the panel still dark.

    Raises:
        hal.errors.DeviceError: luma is missing, or does not know this chip in this size.
    """
    with translated(spec.chip):
        from luma.core.error import DeviceDisplayModeError
        from luma.oled import device

        driver: type = getattr(device, spec.chip)
        # The driver would clear the memory here, with a call that Pillow is about to drop, and then
        # light the panel: ours is lit when there is a picture to see.
        silent = type(spec.chip, (driver,), {"clear": _nothing, "show": _nothing})
        recorder = _Recorder()
        width, height = spec.size
        # Only a greyscale chip looks at `mode`.
        made = {"serial_interface": recorder, "width": width, "height": height, "mode": "1"}
        try:
            chip = silent(**made)
        except DeviceDisplayModeError as error:
            raise DeviceError(f"{spec.chip} has no {width}×{height} pixels") from error
        chip.contrast(spec.contrast)
        recorded = tuple(recorder.ops)
        # What Python's exit would do with it, it does to a recorder.
        chip.persist = True
        return recorded


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Faults of luma, of the bus and of the machine become errors of the device.

    Raises:
        hal.errors.DeviceError: what happened, as a clause; `DeviceGoneError` if nobody answers.
    """
    try:
        yield
    except DeviceError:
        raise
    except ImportError as error:
        raise DeviceError(lacks(error.name, OLED)) from error
    except OSError as error:
        raise _translated(error, where) from error
    except Exception as error:
        if not type(error).__module__.startswith("luma."):
            raise
        # luma's words for a chip that gave no answer, a bus that is not there, no permission.
        cause = error.__context__
        if isinstance(cause, OSError):
            raise _translated(cause, where) from error
        raise DeviceError(str(error)) from error


def _translated(error: OSError, where: str) -> DeviceError:
    if error.errno in _NO_ANSWER:
        return DeviceGoneError(f"no answer at {where}")
    if error.errno == errno.ENOENT:
        return DeviceError(
            f"there is no {where.rpartition(' on ')[2]}; is the bus switched on in config.txt?"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return DeviceError(f"no permission for {error.filename or where}")
    return DeviceError(f"{where}: {error.strerror or error}")


def _nothing(*_args: object) -> None:
    """Do nothing."""
