"""python-evdev's documented interface over pipes: devices that tests plug in, press and pull out.

Stands in `sys.modules` as `evdev`, or is handed to whoever takes the module. Numbers are the
kernel's (linux/input-event-codes.h).
"""

import errno
import os
import struct
import types
from collections import namedtuple

CODES = {
    "EV_KEY": 0x01,
    **{f"KEY_{digit}": 2 + (digit - 1) % 10 for digit in range(10)},
    "KEY_VOLUMEDOWN": 114,
    "KEY_VOLUMEUP": 115,
    "KEY_PHONE": 169,
    **{f"KEY_NUMERIC_{digit}": 0x200 + digit for digit in range(10)},
    "KEY_NUMERIC_STAR": 0x20A,
    "KEY_NUMERIC_POUND": 0x20B,
    "KEY_UP": 103,
    "KEY_DOWN": 108,
    "KEY_ENTER": 28,
    "KEY_ESC": 1,
    "SW_LID": 0,
    "LED_MUTE": 7,
    "LED_MAIL": 9,
}
KEY, LED, SYN_DROPPED = 1, 0x11, (0, 3)
InputEvent = namedtuple("InputEvent", "sec usec type code value")  # noqa: PYI024 - as the module has it
DeviceInfo = namedtuple("DeviceInfo", "bustype vendor product version")  # noqa: PYI024
_EVENT = struct.Struct("HHi")


class Plugged:
    """A device as the kernel has it; `press` and the like are fingers, `leds` what shines."""

    def __init__(self, name, codes, *, ids=(3, 0x06E6, 0xC31C, 1), phys="usb-1/input0", leds=()):
        self.name, self.phys, self.info = name, phys, DeviceInfo(*ids)
        self.keys = [CODES[code] for code in codes]
        self.led_codes = [CODES[code] for code in leds]
        self.down, self.leds = set(), {}
        self.read_end, self.write_end = os.pipe2(os.O_NONBLOCK)
        self.gone = self.busy = False
        self.grabs = self.opens = self.closes = 0

    def send(self, kind, code, value):
        os.write(self.write_end, _EVENT.pack(kind, code, value))

    def press(self, code):
        self.down.add(CODES[code])
        self.send(KEY, CODES[code], 1)

    def repeat(self, code):
        self.send(KEY, CODES[code], 2)

    def release(self, code):
        self.down.discard(CODES[code])
        self.send(KEY, CODES[code], 0)

    def overflow(self):
        """The kernel's buffer ran over."""
        self.send(*SYN_DROPPED, 0)

    def pull(self):
        self.gone = True
        self._close("write_end")

    def throw_away(self):
        self._close("read_end")
        self._close("write_end")

    def _close(self, end):
        # Once: its number may be that of somebody else's file by now.
        number = getattr(self, end)
        setattr(self, end, -1)
        if number >= 0:
            os.close(number)


class FakeEvdev(types.ModuleType):
    """The module; `plugged` maps a path to its device."""

    ecodes = types.SimpleNamespace(ecodes=CODES)

    def __init__(self):
        super().__init__("evdev")
        self.plugged = {}

    def list_devices(self):
        return [path for path, device in self.plugged.items() if not device.gone]

    def InputDevice(self, path):  # noqa: N802 - the module's own name
        device = self.plugged.get(path)
        if device is None or device.gone:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", path)
        return FakeInputDevice(path, device)


class FakeInputDevice:
    """One opened device."""

    def __init__(self, path, device):
        self.path, self._device = path, device
        self.name, self.phys, self.info = device.name, device.phys, device.info
        device.opens += 1

    def fileno(self):
        return self._device.read_end

    def capabilities(self, verbose=False, absinfo=True):  # noqa: ARG002, FBT002 - as the module has it
        found = {0: [0, 1], KEY: list(self._device.keys)}
        return {**found, LED: list(self._device.led_codes)} if self._device.led_codes else found

    def read(self):
        data = os.read(self._device.read_end, 64 * _EVENT.size)
        if not data:
            raise OSError(errno.ENODEV, "No such device")
        return [InputEvent(0, 0, *fields) for fields in _EVENT.iter_unpack(data)]

    def active_keys(self):
        return sorted(self._device.down)

    def grab(self):
        if self._device.busy:
            raise OSError(errno.EBUSY, "Device or resource busy")
        self._device.grabs += 1

    def set_led(self, led_num, value):
        self._device.leds[led_num] = value

    def close(self):
        self._device.closes += 1
