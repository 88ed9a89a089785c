"""A USB handset by the telephony standard, as the kernel's HID core has it: a device made by uhid.

The kernel reads our descriptor and makes /dev/hidrawN; the hook switch is shown nowhere else.
"""

import os
import struct
import subprocess
import threading
from pathlib import Path

import pytest

from hal.board_spec import UsbSpec
from hal.boards.loader import load_board
from hal.evdev.hid import USAGES
from hal.events import DeviceFailed, DeviceRecovered, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.keys import Key
from hal.ports import LampPattern
from tests.support.hid_handset import DESCRIPTOR, KEYS, lamps, report
from tests.support.waiting import wait_for
from tests.vm.inside.listening import hears

# linux/uhid.h
DESTROY, OPEN, OUTPUT, GET_REPORT, GET_REPORT_REPLY, CREATE2, INPUT2 = 1, 4, 6, 9, 10, 11, 12
SET_REPORT, SET_REPORT_REPLY = 13, 14
USB, VENDOR, PRODUCT = 3, 0x06E6, 0xC31C
RING, MUTE = USAGES["HID_RING"], USAGES["HID_MUTE"]
BY_REPORTS = UsbSpec(
    VENDOR,
    PRODUCT,
    tuple((f"HID_KEY_{digit}", Key(digit)) for digit in "0123456789"),
    "HID_HOOK",
    lamps=(("ring", "HID_RING"), ("mute", "HID_MUTE")),
)


class Handset:
    """The device; `lifted` is where the handset is, `lit` what it was last told."""

    def __init__(self):
        self.lifted = False
        self.lit = None
        self.told = 0
        self._file = os.open("/dev/uhid", os.O_RDWR | os.O_CLOEXEC)
        created = struct.pack(
            "<I128s64s64sHHIIII", CREATE2, b"Test Handset", b"usb-9/input0", b"",
            len(DESCRIPTOR), USB, VENDOR, PRODUCT, 1, 0,
        )  # fmt: skip
        os.write(self._file, created + DESCRIPTOR)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def send(self, **what):
        octets = report(lifted=self.lifted, **what)
        os.write(self._file, struct.pack("<IH", INPUT2, len(octets)) + octets)

    def lift(self, *, lifted=True):
        self.lifted = lifted
        self.send()

    def _serve(self):
        while True:
            try:
                event = os.read(self._file, 5000)
            except OSError:
                return
            (kind,) = struct.unpack_from("<I", event)
            if kind == OUTPUT:
                self._told(event[4:6])
            elif kind == GET_REPORT:
                (number,) = struct.unpack_from("<I", event, 4)
                octets = report(lifted=self.lifted)
                answer = struct.pack("<IIHH", GET_REPORT_REPLY, number, 0, len(octets)) + octets
                os.write(self._file, answer)
            elif kind == SET_REPORT:
                (number,) = struct.unpack_from("<I", event, 4)
                self._told(event[12:14])
                os.write(self._file, struct.pack("<IIH", SET_REPORT_REPLY, number, 0))

    def _told(self, octets):
        self.lit = lamps(octets)
        self.told += 1

    def pull(self):
        if self._file >= 0:
            os.write(self._file, struct.pack("<I", DESTROY))
            file, self._file = self._file, -1
            os.close(file)


@pytest.fixture(scope="module", autouse=True)
def kernel():
    subprocess.run(["modprobe", "uhid"], check=True)
    wait_for("uhid", Path("/dev/uhid").exists)


def plug_in():
    before = set(Path("/dev").glob("hidraw*"))
    made = Handset()
    wait_for("its hidraw file", lambda: set(Path("/dev").glob("hidraw*")) - before)
    return made


@pytest.fixture
def socket():
    plugged = [plug_in()]
    yield plugged
    for handset in plugged:
        handset.pull()


def test_the_hook_is_where_it_is_and_the_keys_are_heard(socket, listen):
    """Off its cradle before the phone looks: the kernel is asked for the report."""
    socket[0].lifted = True
    _, told = listen(BY_REPORTS)
    hears(told, HookLifted)
    for digit in "0123456789":
        socket[0].send(key=digit)
        assert hears(told, KeyDown).key is Key(digit)
        socket[0].send()
        hears(told, KeyUp)
    socket[0].lift(lifted=False)
    hears(told, HookReplaced)


def test_its_bell_and_its_lamp_are_told(socket, listen):
    handset, _ = listen(BY_REPORTS)
    wait_for("dark at first", lambda: socket[0].lit == set())
    handset.lamps.set("ring", LampPattern.ON)
    handset.lamps.set("mute", LampPattern.ON)
    wait_for("both", lambda: socket[0].lit == {RING, MUTE})
    handset.lamps.set("ring", LampPattern.OFF)
    wait_for("one", lambda: socket[0].lit == {MUTE})
    handset.close()
    wait_for("dark at last", lambda: socket[0].lit == set())


def test_the_board_for_usb_handsets_finds_it_by_its_hook(socket, listen):
    """Whether or not this kernel makes events of its dial keys: each is heard once."""
    _, told = listen(load_board("usb-handset").usb)
    socket[0].lift()
    hears(told, HookLifted)
    for key in KEYS:
        socket[0].send(key=key)
        assert hears(told, KeyDown).key is Key(key)
        socket[0].send()
        hears(told, KeyUp)


def test_f41_it_is_pulled_out_in_a_call_and_comes_back_off_hook(socket, listen):
    _, told = listen(BY_REPORTS)
    wait_for("dark at first", lambda: socket[0].lit == set())
    socket[0].lift()
    hears(told, HookLifted)
    socket[0].pull()
    hears(told, DeviceFailed)
    while (event := told.get(timeout=10)) and isinstance(event, DeviceFailed):
        socket.append(plug_in())
        socket[-1].lifted = True
    assert isinstance(event, DeviceRecovered), "nobody hung up meanwhile"
    socket[-1].lift(lifted=False)
    hears(told, HookReplaced)
