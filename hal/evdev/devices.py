"""Which of the machine's input devices is the handset of the board, by python-evdev.

A USB handset often shows several devices (dial keys, volume keys): all that match are taken. With
no name, vendor or path to go by, only a device that has every wanted code will do: volume keys
alone are on many keyboards.

python-evdev is imported in the thread that looks.
"""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol

from hal.board_spec import UsbSpec
from hal.errors import DeviceError
from hal.evdev.reading import EV_KEY, EV_LED, EV_SW, Code
from hal.libraries import EVDEV

FOLDER = Path("/dev/input")
_TYPES = {"SW": EV_SW, "LED": EV_LED}


class InputEvent(Protocol):
    """What is used of python-evdev's."""

    type: int
    code: int
    value: int


class UsbInfo(Protocol):
    """Who made it."""

    vendor: int
    product: int


class InputDevice(Protocol):
    """What is used of python-evdev's."""

    path: str
    name: str
    phys: str
    info: UsbInfo

    def fileno(self) -> int:
        """To wait for."""

    def capabilities(self, *, verbose: bool, absinfo: bool) -> dict[int, list[int]]:
        """Codes by type."""

    def read(self) -> Iterable[InputEvent]:
        """What has come."""

    def active_keys(self) -> Sequence[int]:
        """Keys that are down."""

    def grab(self) -> None:
        """Nobody else gets its events."""

    def set_led(self, led_num: int, value: int) -> None:
        """Light it or not."""

    def close(self) -> None:
        """Close it."""


class Evdev(Protocol):
    """What is used of the module."""

    class ecodes:  # noqa: N801 - the module's own name
        """The kernel's names."""

        ecodes: dict[str, int]

    def list_devices(self) -> list[str]:
        """Paths of the devices that may be read."""

    def InputDevice(self, dev: str) -> InputDevice:  # noqa: N802 - likewise
        """Open one."""


def library() -> Evdev:
    """python-evdev.

    Raises:
        hal.errors.DeviceError: it is missing.
    """
    try:
        import evdev  # noqa: PLC0415 - see above
    except ImportError as error:
        raise DeviceError(EVDEV.lacks) from error
    module: Evdev = evdev
    return module


def code_named(evdev: Evdev, name: str) -> Code:
    """Type and code of `KEY_PHONE`, `SW_…`, `LED_MUTE`.

    Raises:
        hal.errors.DeviceError: the kernel has no such name.
    """
    number = evdev.ecodes.ecodes.get(name)
    if number is None:
        raise DeviceError(f"the kernel has no input event {name}")
    return _TYPES.get(name.partition("_")[0], EV_KEY), number


def find(spec: UsbSpec, wanted: set[Code], evdev: Evdev) -> list[InputDevice]:
    """Every device of the handset, open.

    Raises:
        hal.errors.DeviceError: there is none, or we may not look.
    """
    paths = evdev.list_devices()
    found = [device for device in _opened(paths, evdev) if _keep(device, spec, wanted)]
    if found:
        return found
    if not paths and any(FOLDER.glob("event*")):
        raise DeviceError(f"no permission for {FOLDER} (group input)")
    raise DeviceError("it is not plugged in")


def _opened(paths: Iterable[str], evdev: Evdev) -> Iterator[InputDevice]:
    for path in paths:
        try:
            yield evdev.InputDevice(path)
        except OSError:
            # Pulled out just now, or not ours.
            continue


def _keep(device: InputDevice, spec: UsbSpec, wanted: set[Code]) -> bool:
    try:
        fits = _fits(device, spec, wanted)
    except OSError:
        fits = False
    if not fits:
        device.close()
    return fits


def _fits(device: InputDevice, spec: UsbSpec, wanted: set[Code]) -> bool:
    named = (
        (spec.vendor, device.info.vendor == spec.vendor),
        (spec.product, device.info.product == spec.product),
        (spec.name, fnmatchcase(device.name or "", spec.name)),
        (spec.phys, fnmatchcase(device.phys or "", spec.phys)),
    )
    if not all(right for asked, right in named if asked):
        return False
    has = {
        (kind, code)
        for kind, codes in device.capabilities(verbose=False, absinfo=False).items()
        for code in codes
    }
    return bool(has & wanted) if any(asked for asked, _ in named) else has >= wanted


def signature() -> int:
    """Another one as soon as a device came or went."""
    try:
        return FOLDER.stat().st_mtime_ns
    except OSError:
        return 0
