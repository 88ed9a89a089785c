"""A USB handset as its HID descriptor tells it: hook, mute and dial keys in, three lamps out.

Written by the HID specification: report 1 has two bits and a number of four for the keys in, three
bits for the lamps out.
"""

import os
from pathlib import Path

from hal.evdev.hid import USAGES

DESCRIPTOR = bytes.fromhex(
    "050b 0905 a101 8501"  # Telephony: Headset, application collection, report 1
    "1500 2501 7501 9502 0920 092f 8102"  # hook switch, phone mute
    "1501 250c 7504 9501 19b0 29bb 8100"  # one of twelve keys, 0 = none
    "7502 9501 8103"  # nothing, to fill the byte
    "0508 1500 2501 7501 9503 0917 0918 0909 9102"  # LED: off-hook, ring, mute
    "7505 9501 9103 c0".replace(" ", "")
)
KEYS = "0123456789*#"


def report(*, lifted=False, mute=False, key=""):
    """What the handset sends."""
    number = KEYS.index(key) + 1 if key else 0
    return bytes((1, lifted | mute << 1 | number << 2))


def lamps(written):
    """The lamps that a report to the handset lights."""
    assert written[0] == 1
    names = ("HID_OFF_HOOK", "HID_RING", "HID_MUTE")
    return {USAGES[name] for bit, name in enumerate(names) if written[1] >> bit & 1}


class RawHandset:
    """The files that the kernel shows of it, under `folder`; the device itself is a FIFO."""

    def __init__(self, folder: Path, *, vendor=0x06E6, product=0xC31C, descriptor=DESCRIPTOR):
        self.classes, self.nodes = folder / "class", folder / "dev"
        about = self.classes / "hidraw0/device"
        about.mkdir(parents=True)
        self.nodes.mkdir()
        (about / "report_descriptor").write_bytes(descriptor)
        (about / "uevent").write_text(
            f"DRIVER=hid-generic\nHID_ID=0003:{vendor:08X}:{product:08X}\n"
            "HID_NAME=VoIP Handset\nHID_PHYS=usb-1.2/input0\n"
        )
        self.node = self.nodes / "hidraw0"
        os.mkfifo(self.node)
        self._end = os.open(self.node, os.O_RDWR | os.O_NONBLOCK)

    def send(self, **what):
        self.write(report(**what))

    def write(self, octets):
        os.write(self._end, octets)

    def close(self):
        os.close(self._end)
