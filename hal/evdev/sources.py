"""Where the events of a handset come from: input devices of the kernel, and reports as they are.

A source is one open device of either kind; a handset may have several.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from hal.errors import DeviceError
from hal.evdev.evdev_library import InputDevice
from hal.evdev.hid import Reports
from hal.evdev.reading import EV_HID, EV_KEY, EV_LED, EV_SW, EV_SYN, SYN_DROPPED, Code

_LONGEST_REPORT = 4096
_REFUSED = (errno.EPIPE, errno.ETIMEDOUT, errno.EINVAL, errno.EAGAIN, errno.EOVERFLOW)
_MOST_REPORTS = 64
"""Read at once: a device that never stops does not keep its thread from lamps and closing."""


class Source(Protocol):
    """One open device."""

    def fileno(self) -> int:
        """To wait for."""

    def read(self) -> Iterator[tuple[Code, int] | None]:
        """Code and value of what has come; None where something was lost."""

    @property
    def codes(self) -> set[Code]:
        """What it can say."""

    def state(self) -> tuple[set[Code], set[Code]]:
        """What is on now, and of what the device did not say it."""

    def light(self, lamps: dict[Code, bool]) -> None:
        """Switch those that it has."""

    def grab(self) -> None:
        """Keep its events from others."""

    def close(self) -> None:
        """Close it."""


class EvdevSource:
    """An input device."""

    def __init__(self, device: InputDevice) -> None:
        self._device = device
        has = device.capabilities(verbose=False, absinfo=False)
        self.codes = {(kind, code) for kind in (EV_KEY, EV_SW) for code in has.get(kind, [])}
        self._switches = has.get(EV_SW, [])
        self._leds = has.get(EV_LED, [])
        self._lit: dict[int, bool] = {}

    def fileno(self) -> int:
        return self._device.fileno()

    def read(self) -> Iterator[tuple[Code, int] | None]:
        try:
            for event in self._device.read():
                code = (event.type, event.code)
                if code == (EV_SYN, SYN_DROPPED):
                    # What is behind it was read before the state will be: a key that has gone up
                    # by then would be pressed for ever. The kernel drops what it has not given us.
                    yield None
                    return
                yield code, event.value
        except BlockingIOError:
            # Woken for nothing.
            return

    def state(self) -> tuple[set[Code], set[Code]]:
        on = {(EV_KEY, key) for key in self._device.active_keys()}
        switches = (one for one in self._switches if _switch_is_on(self.fileno(), one))
        return on | {(EV_SW, switch) for switch in switches}, set()

    def light(self, lamps: dict[Code, bool]) -> None:
        for (kind, code), lit in lamps.items():
            if kind == EV_LED and code in self._leds and self._lit.get(code) is not lit:
                self._lit[code] = lit
                self._device.set_led(code, int(lit))

    def grab(self) -> None:
        try:
            self._device.grab()
        except OSError as error:
            if error.errno != errno.EBUSY:
                raise
            raise DeviceError(f"another program holds {self._device.path}") from error

    def close(self) -> None:
        self._device.close()


class HidSource:
    """A device as the bus has it, by its hidraw file; `hook` is asked for at the start."""

    def __init__(self, path: Path, reports: Reports, hook: int | None) -> None:
        """Open it.

        Raises:
            OSError: it is gone, or we may not.
        """
        self.codes = {(EV_HID, usage) for usage in reports.inputs}
        self._reports = reports
        self._hook = hook
        self._on: dict[int, bool] = {}
        self._told: list[bytes] | None = None
        self._file = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int:
        return self._file

    def read(self) -> Iterator[tuple[Code, int] | None]:
        for _ in range(_MOST_REPORTS):
            try:
                report = os.read(self._file, _LONGEST_REPORT)
            except BlockingIOError:
                return
            if not report:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
            yield from self._news(report)

    def _news(self, report: bytes) -> Iterator[tuple[Code, int]]:
        for usage, on in self._reports.read(report).items():
            # What is told for the first time is news, also that the handset is down: its cable may
            # have been pulled in a call.
            if self._on.get(usage) is not on:
                self._on[usage] = on
                yield (EV_HID, usage), int(on)

    def state(self) -> tuple[set[Code], set[Code]]:
        unknown: set[Code] = set()
        if self._hook is not None and (where := self._reports.holding(self._hook)) is not None:
            self._on |= self._reports.read(_input_report(self._file, *where))
            if self._hook not in self._on:
                unknown.add((EV_HID, self._hook))
        return {(EV_HID, usage) for usage, on in self._on.items() if on}, unknown

    def light(self, lamps: dict[Code, bool]) -> None:
        wanted = {code for (kind, code), lit in lamps.items() if kind == EV_HID and lit}
        reports = self._reports.write(wanted)
        if reports != self._told:
            self._told = reports
            for report in reports:
                self._write(report)

    def _write(self, report: bytes) -> None:
        try:
            os.write(self._file, report)
        except OSError as error:
            # One that refuses its lamps has keys and a hook all the same.
            if error.errno not in _REFUSED:
                raise

    def grab(self) -> None:
        """Reports come to whoever reads them."""

    def close(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def _input_report(descriptor: int, number: int, size: int) -> bytes:
    """HIDIOCGINPUT of linux/hidraw.h; nothing where device or kernel cannot be asked."""
    report = bytearray(size)
    report[0] = number
    request = 3 << 30 | size << 16 | ord("H") << 8 | 0x0A
    try:
        length = fcntl.ioctl(descriptor, request, report)
    except OSError:
        return b""
    return bytes(report[:length] if number else report[1:length])


def _switch_is_on(descriptor: int, code: int) -> bool:
    """EVIOCGSW of linux/input.h, which python-evdev does not have."""
    bits = bytearray(code // 8 + 1)
    request = 2 << 30 | len(bits) << 16 | ord("E") << 8 | 0x1B
    fcntl.ioctl(descriptor, request, bits)
    return bool(bits[code // 8] >> code % 8 & 1)
