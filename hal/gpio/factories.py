"""The pin factories: which library moves the pins, by the name that board files use.

Each library is imported only when its factory is asked for.
"""

# ruff: noqa: PLC0415 - see above

import contextlib
import errno
import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from hal.errors import DeviceError
from hal.gpio.pins import Opened, reason

if TYPE_CHECKING:
    import gpiod

HEADER_CHIPS = ("pinctrl-bcm2711", "pinctrl-bcm2835", "pinctrl-rp1")
"""What the kernel calls the chip behind the header: Pi 4, the older ones, Pi 5."""
_FOLDER = Path("/dev")
_NO_CHIP = errno.ENODEV, errno.ENOTTY
"""What libgpiod says of a file of another kind."""
_LATE = "when it is plugged in and its driver loaded, it is found within half a minute"


def _open_gpiod(chip: str) -> Opened:
    import gpiod

    if not hasattr(gpiod, "LineSettings"):
        raise DeviceError("libgpiod 2 is needed, this machine has 1 (pip install gpiod)")
    from hal.gpio.gpiod_factory import GpiodFactory

    return GpiodFactory(lambda: find_chip(chip)), ()


def find_chip(wanted: str, folder: Path = _FOLDER) -> "gpiod.Chip":
    """The chip with this path or label; without one, that of the header.

    Raises:
        hal.errors.DeviceError: there is none; the message says what there is.
    """
    import gpiod

    if wanted.startswith("/"):
        try:
            return gpiod.Chip(wanted)
        except OSError as error:
            late = f"; {_LATE}" if isinstance(error, FileNotFoundError) else ""
            raise DeviceError(f"{wanted}: {_why(error)}{late}") from error
    labels = (wanted,) if wanted else HEADER_CHIPS
    seen = []
    for path in sorted(folder.glob("gpiochip*")):
        try:
            chip = gpiod.Chip(str(path))
            with contextlib.ExitStack() as unless_wanted:
                unless_wanted.callback(chip.close)
                # Another one may go at this moment; ours may come after it.
                if (label := chip.get_info().label) in labels:
                    unless_wanted.pop_all()
                    return chip
            seen.append(f"{path} is {label}")
        except OSError as error:
            seen.append(f"{path}: {_why(error)}")
    there = "; ".join(seen) or f"there is no {folder}/gpiochip*"
    raise DeviceError(f"no GPIO chip {' or '.join(labels)}: {there}; {_LATE}")


def _why(error: OSError) -> str:
    if error.errno in _NO_CHIP:
        return "this is no GPIO chip"
    denied = isinstance(error, PermissionError)
    return reason(error) + "; is this user in the group gpio?" * denied


def _open_lgpio(chip: str) -> Opened:
    lgpio = _import_lgpio()

    from hal.gpio.lgpio_factory import SteadyLgpioFactory

    number = chip.removeprefix("/dev/gpiochip")
    if chip and not number.isdigit():
        raise DeviceError(f"gpio.chip is {chip!r}; lgpio takes /dev/gpiochip0 and the like")
    try:
        return SteadyLgpioFactory(int(number) if chip else None), (lgpio.error,)
    except lgpio.error as error:
        raise DeviceError(f"lgpio: {reason(error)}") from error


def _import_lgpio() -> ModuleType:
    """lgpio, which at its import makes a pipe in the working directory and leaves it there.

    A service may write nowhere near its own. The names of both its halves must lead to one file,
    so the directory is changed for that moment.
    """
    if "lgpio" in sys.modules:
        return sys.modules["lgpio"]
    before = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="lgpio-") as folder:
        os.environ["LG_WD"] = folder
        os.chdir(folder)
        try:
            return importlib.import_module("lgpio")
        finally:
            os.chdir(before)


def _open_rpigpio(_chip: str) -> Opened:
    from hal.gpio.rpigpio_factory import AloneRpigpioFactory

    return AloneRpigpioFactory(), (RuntimeError, ValueError)


def _open_mock(_chip: str) -> Opened:
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    return MockFactory(pin_class=MockPWMPin), ()


FACTORIES: Mapping[str, Callable[[str], Opened]] = {
    "gpiod": _open_gpiod,
    "lgpio": _open_lgpio,
    "rpigpio": _open_rpigpio,
    "mock": _open_mock,
}


def open_factory(name: str, chip: str = "") -> Opened:
    """The factory of this name; `chip` is the label or path of a GPIO chip, "" = the header's.

    Raises:
        hal.errors.DeviceError: it cannot be had here; the message says why.
    """
    try:
        return FACTORIES[name](chip)
    except (ImportError, RuntimeError, OSError) as error:
        if isinstance(error, DeviceError):
            raise
        raise DeviceError(f"{name}: {reason(error)}") from error
