"""What is used of python-evdev, and nothing but that.

It is imported in the thread that looks for handsets, by boards whose handset has input events.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

from hal.errors import DeviceError
from hal.libraries import EVDEV


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
