"""A handset whose hook and lamps are reports: the files of hidraw, with a FIFO for the device."""

import errno
import math
import os
import queue
import select
import threading
import time

import pytest

from hal.board_spec import UsbSpec
from hal.evdev import devices, sources
from hal.evdev.handset import UsbHandset, UsbLamps
from hal.evdev.hid import USAGES, Reports
from hal.evdev.reading import EV_HID, Reading
from hal.evdev.sources import HidSource
from hal.events import DeviceFailed, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.health import Health
from hal.keys import Key
from hal.ports import LampPattern
from tests.support.fake_evdev import FakeEvdev, Plugged
from tests.support.hid_handset import DESCRIPTOR, RawHandset, report
from tests.support.waiting import wait_for

KEYS = (("HID_KEY_5", Key.DIGIT_5), ("HID_KEY_POUND", Key.POUND))
SPEC = UsbSpec(0x06E6, 0xC31C, KEYS, "HID_HOOK", lamps=(("ring", "HID_RING"),))


def no_library():
    raise AssertionError("python-evdev is not needed for reports")


@pytest.fixture
def raw(tmp_path, monkeypatch):
    made = RawHandset(tmp_path)
    monkeypatch.setattr(devices, "HID_FOLDER", made.classes)
    monkeypatch.setattr(devices, "HID_NODES", made.nodes)
    # Its folder was made just now, and nothing more will come.
    monkeypatch.setattr("hal.evdev.handset._SETTLING", 0.0)
    yield made
    made.close()


@pytest.fixture
def start(raw):
    handsets = []

    def run(spec=SPEC, load=no_library):
        told = queue.SimpleQueue()
        handset = UsbHandset(
            spec, lambda post: Health("p", post, time.monotonic, waits=(0.01, 0.01)), load
        )
        handsets.append(handset)
        handset.start(told.put)
        return handset, told

    yield run
    for handset in handsets:
        handset.close()


def hears(told, *kinds):
    events = [told.get(timeout=15) for _ in kinds]
    assert [type(event) for event in events] == list(kinds)
    return events[-1]


def test_hook_and_keys_are_read_from_reports(raw, start):
    _, told = start()
    raw.send(lifted=True)
    hears(told, HookLifted)
    raw.send(lifted=True, key="#")
    assert hears(told, KeyDown).key is Key.POUND
    raw.send(lifted=True)
    hears(told, KeyUp)
    raw.send()
    hears(told, HookReplaced)
    assert told.empty()


def test_keys_may_be_events_and_the_hook_a_report(raw, start):
    """As the kernel shows many handsets: it maps dial keys, and no hook."""
    evdev = FakeEvdev()
    keypad = Plugged("VoIP Handset", ("KEY_NUMERIC_1",))
    evdev.plugged["/dev/input/event0"] = keypad
    spec = UsbSpec(0x06E6, 0, (("KEY_NUMERIC_1", Key.DIGIT_1),), "HID_HOOK")
    _, told = start(spec, lambda: evdev)
    keypad.press("KEY_NUMERIC_1")
    hears(told, KeyDown)
    raw.send(lifted=True)
    hears(told, HookLifted)
    keypad.throw_away()


def test_f37_a_key_that_comes_as_event_and_as_report_is_one_digit(raw, start):
    """Both were there before anybody looked: the phone was busy for as long as the press lasted."""
    evdev = FakeEvdev()
    keypad = Plugged("VoIP Handset", ("KEY_NUMERIC_5",))
    evdev.plugged["/dev/input/event0"] = keypad
    keypad.press("KEY_NUMERIC_5")
    keypad.release("KEY_NUMERIC_5")
    raw.send(key="5")
    raw.send()
    spec = UsbSpec(0x06E6, 0, (("KEY_NUMERIC_5", Key.DIGIT_5), *KEYS), "HID_HOOK")
    _, told = start(spec, lambda: evdev)
    hears(told, KeyDown, KeyUp)
    # A FIFO does not keep reports apart.
    wait_for("it to be read", lambda: not select.select((raw._end,), (), (), 0)[0], 15)
    raw.send(lifted=True)
    hears(told, HookLifted)
    raw.send(lifted=True, key="#")
    assert hears(told, KeyDown).key is Key.POUND
    keypad.throw_away()


def test_a_handset_that_cannot_be_asked_where_it_is_says_so_itself(raw):
    """A FIFO knows no reports to ask for, like some handsets."""
    hook = USAGES["HID_HOOK"]
    source = HidSource(raw.node, Reports(DESCRIPTOR), hook)
    assert source.state() == (set(), {(EV_HID, hook)})
    raw.send(lifted=True, key="5")
    assert ((EV_HID, hook), 1) in list(source.read())
    assert source.state() == ({(EV_HID, hook), (EV_HID, USAGES["HID_KEY_5"])}, set())
    source.close()
    source.close()


def test_f41_a_handset_put_down_while_its_cable_was_out_says_so_with_its_first_report(raw):
    """It cannot be asked; whoever had lifted it is believed to talk until it says otherwise."""
    hook = (EV_HID, USAGES["HID_HOOK"])
    reading = Reading({}, hook, lifted=True, flash_max=0.5)
    reading.take(hook, 1, 1.0)
    reading.gone(2.0)
    source = HidSource(raw.node, Reports(DESCRIPTOR), hook[1])
    reading.settle(*source.state()[:1], 3.0, source.state()[1])
    raw.send()
    told = [event for said in source.read() for event in reading.take(*said, 9.0)]
    assert [type(event) for event in told] == [HookReplaced]
    raw.send()
    assert list(source.read()) == [], "and only with its first"
    source.close()


def test_f41_a_handset_without_any_input_device_is_seen_to_come(raw):
    """A class of the kernel keeps its date whatever is plugged in; /dev does not."""
    before = devices.signature()
    dated = raw.classes.stat()
    (raw.classes / "hidraw7").mkdir()
    os.utime(raw.classes, ns=(dated.st_atime_ns, dated.st_mtime_ns))
    assert devices.signature() == before
    (raw.nodes / "hidraw7").touch()
    assert devices.signature() != before


@pytest.mark.parametrize("number", [0, 1])
def test_a_handset_that_can_be_asked_is_asked_as_the_kernel_has_it(raw, monkeypatch, number):
    """HIDIOCGINPUT of linux/hidraw.h: the number first, and left out where reports have none."""
    asked = []

    def ioctl(_file, request, buffer):
        asked.append((request, bytes(buffer)))
        buffer[1:2] = report(lifted=True)[1:]
        return 2

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    hook = USAGES["HID_HOOK"]
    described = DESCRIPTOR if number else DESCRIPTOR.replace(bytes.fromhex("8501"), b"")
    source = HidSource(raw.node, Reports(described), hook)
    assert source.state() == ({(EV_HID, hook)}, set())
    assert asked == [(0xC002480A, bytes((number, 0)))]
    source.close()


@pytest.mark.parametrize(("switch", "octets"), [(0, 1), (7, 1), (8, 2), (13, 2)])
def test_a_switch_is_asked_for_as_the_kernel_has_it(monkeypatch, switch, octets):
    """EVIOCGSW of linux/input.h: a bit for each, as many bytes as it takes."""

    def ioctl(_file, request, buffer):
        assert request == 0x8000451B | octets << 16
        assert len(buffer) == octets
        buffer[switch // 8] = on << switch % 8
        return octets

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    for on in (0, 1):
        assert sources._switch_is_on(3, switch) is bool(on)


@pytest.mark.parametrize("refusal", ["EPIPE", "ETIMEDOUT", "EINVAL", "EAGAIN"])
def test_f41_a_handset_that_refuses_its_lamps_is_talked_with(raw, start, monkeypatch, refusal):
    """It names lamps in its descriptor and stalls when it is told of them: cheap ones do."""
    write, number = os.write, getattr(errno, refusal)

    def refuse(descriptor, octets):
        if threading.current_thread().name == "usb handset" and octets[:1] == b"\x01":
            raise OSError(number, os.strerror(number))
        return write(descriptor, octets)

    monkeypatch.setattr(os, "write", refuse)
    handset, told = start()
    handset.lamps.set("ring", LampPattern.ON)
    raw.send(lifted=True)
    hears(told, HookLifted)


def test_f41_a_handset_that_is_gone_when_a_lamp_is_lit_is_told(raw, monkeypatch):
    source = HidSource(raw.node, Reports(DESCRIPTOR), None)

    def gone(_file, _octets):
        raise OSError(errno.ENODEV, "No such device")

    monkeypatch.setattr(os, "write", gone)
    with pytest.raises(OSError, match="No such device"):
        source.light({(EV_HID, USAGES["HID_RING"]): True})
    monkeypatch.undo()
    source.close()


def test_f41_another_handset_is_not_taken(raw, start):
    _, told = start(UsbSpec(0x046D, 0, KEYS, "HID_HOOK"))
    assert hears(told, DeviceFailed).reason == "it is not plugged in"


def test_without_a_name_it_is_found_by_what_it_can(raw, start):
    _, told = start(UsbSpec(0, 0, KEYS, "HID_HOOK"))
    raw.send(lifted=True)
    hears(told, HookLifted)
    _, told = start(UsbSpec(0, 0, (("HID_REDIAL", Key.REDIAL),), ""))
    assert hears(told, DeviceFailed).reason == "it is not plugged in"


def test_a_handset_whose_dial_keys_are_elsewhere_is_known_by_its_hook(raw, start):
    """The board names the keys both ways; this device has a hook switch and nothing else."""
    hook_alone = bytes.fromhex("050b0905a10115002501750195010920810275079501" + "8103c0")
    (raw.classes / "hidraw0/device/report_descriptor").write_bytes(hook_alone)
    _, told = start(UsbSpec(0, 0, KEYS, "HID_HOOK"))
    raw.write(b"\x01")
    hears(told, HookLifted)


def test_f41_without_permission_the_file_is_named_and_what_was_open_is_closed(
    raw, start, monkeypatch
):
    evdev = FakeEvdev()
    keypad = Plugged("VoIP Handset", ("KEY_NUMERIC_1",))
    evdev.plugged["/dev/input/event0"] = keypad
    opening = os.open

    def refuse(path, *flags, **more):
        if path == raw.node:
            raise PermissionError(13, "Permission denied")
        return opening(path, *flags, **more)

    monkeypatch.setattr(os, "open", refuse)
    spec = UsbSpec(0x06E6, 0, (("KEY_NUMERIC_1", Key.DIGIT_1),), "HID_HOOK")
    _, told = start(spec, lambda: evdev)
    assert hears(told, DeviceFailed).reason == f"no permission for {raw.node} (group input)"
    wait_for("it to be closed", lambda: keypad.opens == keypad.closes > 1, 15)
    keypad.throw_away()


def test_a_handset_that_never_stops_reporting_leaves_time_for_lamps_and_closing(raw, monkeypatch):
    source = HidSource(raw.node, Reports(DESCRIPTOR), None)
    reports = (report(lifted=bool(n % 2)) for n in range(10_000))
    monkeypatch.setattr(os, "read", lambda _file, _size: next(reports))
    assert len(list(source.read())) < 100
    source.close()


def test_a_report_that_says_nothing_new_is_not_written(raw, monkeypatch):
    source = HidSource(raw.node, Reports(DESCRIPTOR), None)
    written = []
    monkeypatch.setattr(os, "write", lambda _file, octets: written.append(octets))
    ring = (EV_HID, USAGES["HID_RING"])
    for lit in (True, True, False, False):
        source.light({ring: lit})
    assert written == [b"\x01\x02", b"\x01\x00"]
    source.close()


def test_f41_an_unknown_report_is_named(raw, start):
    _, told = start(UsbSpec(0x06E6, 0, KEYS, "HID_HOK"))
    assert hears(told, DeviceFailed).reason == "there is no report HID_HOK"


def test_f41_a_device_that_tells_rubbish_of_itself_is_passed_by(raw, start):
    (raw.classes / "hidraw0/device/report_descriptor").write_bytes(os.urandom(200))
    (raw.classes / "hidraw1").mkdir()
    _, told = start(UsbSpec(0, 0, KEYS, "HID_HOOK"))
    assert hears(told, DeviceFailed).reason == "it is not plugged in"


def test_lamps_are_written_as_reports(raw, start, monkeypatch):
    """A FIFO cannot tell who wrote: what is written is kept where it is written."""
    written = []
    write = os.write

    def keep(descriptor, octets):
        if threading.current_thread().name == "usb handset" and octets[:1] == b"\x01":
            written.append(octets)
            return len(octets)
        return write(descriptor, octets)

    monkeypatch.setattr(os, "write", keep)
    handset, _ = start()
    wait_for("all off at first", lambda: written == [b"\x01\x00"], 15)
    handset.lamps.set("ring", LampPattern.FAST_BLINK)
    wait_for("the ring", lambda: written[-1] == b"\x01\x02", 15)
    handset.close()
    assert written == [b"\x01\x00", b"\x01\x02", b"\x01\x00"], "a bell does not stutter"


def test_a_line_that_rings_is_not_off_hook():
    lamps = UsbLamps(("line_1",), lambda: None)
    off_hook = (EV_HID, USAGES["HID_OFF_HOOK"])
    shines = {}
    for pattern in LampPattern:
        lamps.set("line_1", pattern)
        shines[pattern] = lamps.at("line_1", off_hook, 0.0)
    assert {pattern for pattern, (lit, _) in shines.items() if lit} == {
        LampPattern.ON,
        LampPattern.SLOW_BLINK,
    }
    assert {stays for _, stays in shines.values()} == {math.inf}
