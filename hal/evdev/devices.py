"""Which of the machine's devices is the handset of the board.

A USB handset often shows several devices (dial keys, volume keys): all that match are taken. With
no name, vendor or path to go by, only a device with all its dial keys, or its hook, will do: volume
keys are on many keyboards.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from hal.board_spec import UsbSpec
from hal.errors import DeviceError
from hal.evdev.evdev_library import Evdev, InputDevice
from hal.evdev.hid import USAGES, Reports
from hal.evdev.reading import EV_HID, EV_KEY, EV_LED, EV_SW, Code
from hal.evdev.sources import EvdevSource, HidSource, Source

FOLDER = Path("/dev/input")
HID_FOLDER, HID_NODES = Path("/sys/class/hidraw"), Path("/dev")
_TYPES = {"SW": EV_SW, "LED": EV_LED}


class Codes:
    """The names of a board file as numbers; `load` gives python-evdev if one of them needs it."""

    def __init__(self, spec: UsbSpec, load: Callable[[], Evdev]) -> None:
        names = [
            *(name for name, _ in spec.keys),
            *(name for _, name in spec.lamps),
            *((spec.hook,) if spec.hook else ()),
        ]
        needed = any(not name.startswith("HID_") for name in names)
        self.evdev = load() if needed else None
        self.keys = {self._code(name): key for name, key in spec.keys}
        self.hook = self._code(spec.hook) if spec.hook else None
        self.lamps = {lamp: self._code(name) for lamp, name in spec.lamps}

    @property
    def wanted(self) -> set[Code]:
        """Keys and hook."""
        return {*self.keys, *((self.hook,) if self.hook else ())}

    def telling(self, *, raw: bool) -> set[Code]:
        """What makes a device the telephone: its hook if that is of this kind, else its dial keys.

        A handset may show its dial keys in both ways, or in one of them.
        """
        hook = {self.hook} if self.hook and (self.hook[0] == EV_HID) is raw else set()
        dials = {code for code, key in self.keys.items() if key.digit}
        mine = {code for code in dials or set(self.keys) if (code[0] == EV_HID) is raw}
        return hook or mine if raw else hook | mine

    def _code(self, name: str) -> Code:
        if self.evdev is None or name.startswith("HID_"):
            if name not in USAGES:
                raise DeviceError(f"there is no report {name}")
            return EV_HID, USAGES[name]
        number = self.evdev.ecodes.ecodes.get(name)
        if number is None:
            raise DeviceError(f"the kernel has no input event {name}")
        return _TYPES.get(name.partition("_")[0], EV_KEY), number


def find(spec: UsbSpec, codes: Codes) -> list[Source]:
    """Every device of the handset, open.

    Raises:
        hal.errors.DeviceError: there is none, or we may not look.
    """
    found: list[Source] = []
    try:
        for source in _sources(spec, codes):
            found.append(source)  # noqa: PERF402 - what was opened before a fault is closed
    except OSError:
        for source in found:
            source.close()
        raise
    if not found:
        raise DeviceError("it is not plugged in")
    return found


def _sources(spec: UsbSpec, codes: Codes) -> Iterator[Source]:
    if codes.evdev is not None:
        yield from _input_devices(spec, codes.evdev, codes)
    if any(kind == EV_HID for kind, _ in (*codes.wanted, *codes.lamps.values())):
        yield from _raw_devices(spec, codes)


def _input_devices(spec: UsbSpec, evdev: Evdev, codes: Codes) -> Iterator[Source]:
    paths = evdev.list_devices()
    if not paths and any(FOLDER.glob("event*")):
        raise DeviceError(f"no permission for {FOLDER} (group input)")
    for device in _opened(paths, evdev):
        if _keep(device, spec, codes):
            try:
                source = EvdevSource(device)
            except OSError:
                # Pulled out just now.
                device.close()
                continue
            yield source


def _opened(paths: Iterable[str], evdev: Evdev) -> Iterator[InputDevice]:
    for path in paths:
        try:
            yield evdev.InputDevice(path)
        except OSError:
            # Pulled out just now, or not ours.
            continue


def _keep(device: InputDevice, spec: UsbSpec, codes: Codes) -> bool:
    try:
        has = {
            (kind, number)
            for kind, numbers in device.capabilities(verbose=False, absinfo=False).items()
            for number in numbers
        }
    except OSError:
        has = set()
    about = _About((device.info.vendor, device.info.product), device.name or "", device.phys or "")
    fits = about.fits(spec, codes, has, raw=False)
    if not fits:
        device.close()
    return fits


def _raw_devices(spec: UsbSpec, codes: Codes) -> Iterator[Source]:
    hook = codes.hook[1] if codes.hook and codes.hook[0] == EV_HID else None
    for folder in sorted(HID_FOLDER.glob("hidraw*")):
        try:
            about = _About.of((folder / "device/uevent").read_text())
            reports = Reports((folder / "device/report_descriptor").read_bytes())
        except (OSError, ValueError):
            # Pulled out just now.
            continue
        has = {(EV_HID, usage) for usage in reports.inputs | reports.outputs}
        if not about.fits(spec, codes, has, raw=True):
            continue
        path = HID_NODES / folder.name
        try:
            yield HidSource(path, reports, hook)
        except PermissionError as error:
            raise DeviceError(f"no permission for {path} (group input)") from error
        except OSError:
            continue


@dataclass(frozen=True, slots=True)
class _About:
    """What a device says of itself: vendor and product, name, the socket it is in."""

    ids: tuple[int, int]
    name: str
    phys: str

    @classmethod
    def of(cls, uevent: str) -> "_About":
        """By the kernel's `uevent` file of a HID device."""
        said = dict(row.split("=", 1) for row in uevent.splitlines())
        _, vendor, product = (int(part, 16) for part in said.get("HID_ID", "0:0:0").split(":"))
        return cls((vendor, product), said.get("HID_NAME", ""), said.get("HID_PHYS", ""))

    def fits(self, spec: UsbSpec, codes: Codes, has: set[Code], *, raw: bool) -> bool:
        """Whether it is the handset, or a part of it."""
        asked = (
            (spec.vendor, self.ids[0] == spec.vendor),
            (spec.product, self.ids[1] == spec.product),
            (spec.name, fnmatchcase(self.name, spec.name)),
            (spec.phys, fnmatchcase(self.phys, spec.phys)),
        )
        if not all(right for given, right in asked if given):
            return False
        if any(given for given, _ in asked):
            return bool(has & {*codes.wanted, *codes.lamps.values()})
        telling = codes.telling(raw=raw)
        return bool(telling) and has >= telling


def signature() -> tuple[int, ...]:
    """Another one as soon as a device came or went.

    A folder of devices is changed by that; one of the kernel's classes (sysfs) is never.
    """
    return tuple(_modified(folder) for folder in (FOLDER, HID_NODES))


def young(seconds: float) -> bool:
    """Whether a device came or went within the last so many seconds: more may be on their way."""
    now = time.time()  # noqa: TID251 - the clock of files
    return any(0 <= now - at / 1e9 < seconds for at in signature())


def _modified(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return 0
