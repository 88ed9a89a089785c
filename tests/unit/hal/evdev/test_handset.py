"""The thread on a stand-in for python-evdev, whose devices are pipes."""

import queue
import sys
import threading
import time

import pytest

from hal.board_spec import Contact, UsbSpec
from hal.errors import DeviceError
from hal.evdev import devices
from hal.evdev.evdev_library import library
from hal.evdev.handset import UsbHandset
from hal.evdev.sources import EvdevSource
from hal.events import (
    DeviceFailed,
    DeviceRecovered,
    HookLifted,
    HookReplaced,
    KeyDown,
    KeyUp,
)
from hal.health import Health
from hal.keys import Key
from hal.ports import LampPattern
from tests.support.fake_evdev import CODES, FakeEvdev, Plugged
from tests.support.left_open import open_now, opened_since

KEYS = (("KEY_NUMERIC_1", Key.DIGIT_1), ("KEY_NUMERIC_STAR", Key.STAR))
SPEC = UsbSpec(0, 0, KEYS, "KEY_PHONE", lamps=(("mute", "LED_MUTE"), ("message", "LED_MAIL")))
DIAL = ("KEY_NUMERIC_1", "KEY_NUMERIC_STAR", "KEY_PHONE")


class Desk:
    """A phone, its socket, and what is told."""

    def __init__(self):
        self.evdev = FakeEvdev()
        self.told = queue.SimpleQueue()
        self.handsets = []
        self.thrown = []

    def plug_in(self, path="/dev/input/event3", **kind):
        device = Plugged("VoIP USB Phone", kind.pop("codes", DIAL), leds=("LED_MUTE",), **kind)
        self.evdev.plugged[path] = device
        self.thrown.append(device)
        return device

    def start(self, spec=SPEC):
        handset = UsbHandset(
            spec,
            lambda post: Health("USB handset", post, time.monotonic, waits=(0.01, 0.01)),
            lambda: self.evdev,
        )
        self.handsets.append(handset)
        handset.start(self.told.put)
        return handset

    def hears(self, *kinds):
        events = [self.told.get(timeout=15) for _ in kinds]
        assert tuple(type(event) for event in events) == kinds
        return events[-1]


@pytest.fixture
def desk():
    made = Desk()
    yield made
    for handset in made.handsets:
        handset.close()
    for device in made.thrown:
        device.throw_away()


def until(condition, what):
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, what
        threading.Event().wait(0.002)


def test_keys_and_hook_come(desk):
    device = desk.plug_in()
    desk.start()
    device.press("KEY_NUMERIC_STAR")
    assert desk.hears(KeyDown).key is Key.STAR
    device.repeat("KEY_NUMERIC_STAR")
    device.release("KEY_NUMERIC_STAR")
    assert desk.hears(KeyUp).key is Key.STAR
    device.press("KEY_PHONE")
    device.release("KEY_PHONE")
    desk.hears(HookLifted, HookReplaced)


def test_the_console_does_not_get_the_keys_unless_told_so(desk):
    device = desk.plug_in()
    desk.start()
    until(lambda: device.grabs, "not grabbed")
    desk.handsets.pop().close()
    desk.start(UsbSpec(0, 0, KEYS, "KEY_PHONE", grab=False))
    device.press("KEY_NUMERIC_1")
    desk.hears(KeyDown)
    assert device.grabs == 1


def test_a_handset_that_lies_beside_its_cradle_at_the_start_is_lifted(desk):
    device = desk.plug_in()
    device.down = {CODES["KEY_PHONE"], CODES["KEY_NUMERIC_1"]}
    desk.start()
    desk.hears(HookLifted)
    device.press("KEY_NUMERIC_STAR")
    assert desk.hears(KeyDown).key is Key.STAR


def test_f37_after_a_flood_of_events_the_present_state_is_read(desk):
    device = desk.plug_in()
    desk.start()
    device.press("KEY_PHONE")
    device.press("KEY_NUMERIC_1")
    desk.hears(HookLifted, KeyDown)
    device.down = set()
    device.overflow()
    desk.hears(KeyUp, HookReplaced)


def test_f41_a_handset_that_is_pulled_out_is_told_once_and_works_when_it_is_back(desk):
    device = desk.plug_in()
    desk.start()
    device.press("KEY_NUMERIC_1")
    desk.hears(KeyDown)
    device.pull()
    assert desk.hears(KeyUp, DeviceFailed).reason == "it was unplugged"
    assert desk.hears(DeviceFailed).reason == "it is not plugged in"
    again = desk.plug_in("/dev/input/event9")
    desk.hears(DeviceRecovered)
    again.press("KEY_NUMERIC_1")
    desk.hears(KeyDown)
    assert device.opens == device.closes


def test_f41_a_handset_that_is_plugged_in_after_the_start_has_keys_and_lamps(desk):
    desk.start().lamps.set("mute", LampPattern.ON)
    assert desk.hears(DeviceFailed).reason == "it is not plugged in"
    device = desk.plug_in()
    desk.hears(DeviceRecovered)
    device.press("KEY_NUMERIC_1")
    desk.hears(KeyDown)
    until(lambda: device.leds.get(CODES["LED_MUTE"]) == 1, "its lamp is dark")


@pytest.mark.parametrize("lifted", [True, False])
def test_f41_a_handset_that_was_pulled_out_stays_where_it_was_until_it_says_otherwise(desk, lifted):
    """Off its cradle in a call: the cable is pulled, and put back."""
    device = desk.plug_in()
    desk.start()
    device.press("KEY_PHONE")
    desk.hears(HookLifted)
    device.pull()
    desk.hears(DeviceFailed, DeviceFailed)
    again = Plugged("VoIP USB Phone", DIAL)
    desk.thrown.append(again)
    again.down = {CODES["KEY_PHONE"]} if lifted else set()
    desk.evdev.plugged["/dev/input/event9"] = again
    if not lifted:
        desk.hears(HookReplaced)
    desk.hears(DeviceRecovered)
    again.press("KEY_NUMERIC_1")
    desk.hears(KeyDown)


def test_f41_a_handset_that_another_program_holds_is_told(desk):
    desk.plug_in().busy = True
    desk.start()
    assert desk.hears(DeviceFailed).reason == "another program holds /dev/input/event3"


def test_f41_a_handset_that_goes_while_it_is_taken_is_held_by_nobody(desk, monkeypatch):
    def grab(_self):
        raise OSError(19, "No such device")

    monkeypatch.setattr("tests.support.fake_evdev.FakeInputDevice.grab", grab)
    desk.plug_in()
    desk.start()
    assert desk.hears(DeviceFailed).reason == "it was unplugged"


def test_f41_a_handset_that_is_not_there_is_not_looked_for_without_a_pause(desk, monkeypatch):
    looks = []
    monkeypatch.setattr(desk.evdev, "list_devices", lambda: looks.append(1) or [])
    handset = UsbHandset(
        SPEC,
        lambda post: Health("p", post, time.monotonic, waits=(999, 999)),
        lambda: desk.evdev,
    )
    desk.handsets.append(handset)
    handset.start(desk.told.put)
    desk.hears(DeviceFailed)
    threading.Event().wait(0.03)
    assert len(looks) == 1


def test_f41_a_code_that_the_kernel_does_not_know_is_told(desk):
    desk.plug_in()
    desk.start(UsbSpec(0, 0, (("KEY_NONSENSE", Key.HOLD),), ""))
    assert desk.hears(DeviceFailed).reason == "the kernel has no input event KEY_NONSENSE"


def test_f41_without_permission_the_group_is_named(desk, monkeypatch, tmp_path):
    (tmp_path / "event0").touch()
    monkeypatch.setattr(devices, "FOLDER", tmp_path)
    desk.start()
    assert desk.hears(DeviceFailed).reason == f"no permission for {tmp_path} (group input)"


def test_lamps_shine_where_they_are_and_blink(desk):
    device = desk.plug_in()
    handset = desk.start()
    mute = CODES["LED_MUTE"]
    assert handset.lamps.names == ("mute", "message")
    handset.lamps.set("message", LampPattern.ON)
    handset.lamps.set("disco", LampPattern.ON)
    handset.lamps.set("mute", LampPattern.FAST_BLINK)
    for lit in (1, 0, 1):
        until(lambda lit=lit: device.leds.get(mute) == lit, "it does not blink")
    assert set(device.leds) == {mute}, "this handset has no lamp for messages"
    handset.close()
    assert device.leds[mute] == 0


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ({}, {"dial"}),
        ({"vendor": 0x06E6}, {"dial", "volume"}),
        ({"vendor": 0x06E6, "product": 0xC31C}, {"dial", "volume"}),
        ({"product": 0x0002}, set()),
        ({"name": "VoIP*"}, {"dial", "volume"}),
        ({"name": "Other*"}, set()),
        ({"phys": "usb-1*/input0"}, {"dial"}),
    ],
)
def test_the_handset_is_found_by_what_the_board_says_of_it(desk, asked, taken):
    """Two devices of one handset, and somebody's keyboard."""
    there = {
        "dial": desk.plug_in("/dev/input/event1"),
        "volume": desk.plug_in(
            "/dev/input/event2", codes=("KEY_VOLUMEUP", "KEY_NUMERIC_1"), phys="usb-1/input1"
        ),
        "keyboard": desk.plug_in(
            "/dev/input/event0",
            codes=("KEY_ESC", "KEY_NUMERIC_1"),
            ids=(3, 0x046D, 1, 1),
            phys="usb-2/input3",
        ),
    }
    there["keyboard"].name = "Keyboard"
    fields = {"vendor": 0, "product": 0, **asked}
    desk.start(UsbSpec(keys=KEYS, hook="KEY_PHONE", **fields))
    if taken:
        until(lambda: {name for name, it in there.items() if it.grabs} == taken, "not found")
    else:
        assert desk.hears(DeviceFailed).reason == "it is not plugged in"
    for name in set(there) - taken:
        until(lambda it=there[name]: it.opens == it.closes > 0, "it was kept open")


def test_a_device_of_the_same_make_without_a_key_of_ours_is_left_alone(desk):
    mouse = desk.plug_in("/dev/input/event0", codes=("KEY_VOLUMEUP",))
    dial = desk.plug_in("/dev/input/event1")
    desk.start(UsbSpec(0x06E6, 0, KEYS, "KEY_PHONE"))
    until(lambda: dial.grabs, "not found")
    assert (mouse.grabs, mouse.opens) == (0, mouse.closes)


def test_f41_a_switch_that_does_not_answer_does_not_take_the_keys_with_it(desk, monkeypatch):
    """Whatever goes wrong inside is told, and the handset is opened anew."""
    device = desk.plug_in()
    monkeypatch.setattr("hal.evdev.handset._grab", lambda _devices: 1 / 0)
    desk.start()
    assert desk.hears(DeviceFailed).reason == "ZeroDivisionError: division by zero"
    monkeypatch.setattr("hal.evdev.handset._grab", lambda _devices: None)
    desk.hears(DeviceRecovered)
    device.press("KEY_NUMERIC_1")
    desk.hears(KeyDown)


def test_closing_gives_everything_back_and_tells_nothing_more(desk):
    device = desk.plug_in()
    handset = desk.start(
        UsbSpec(0, 0, KEYS, "KEY_PHONE", lifted=Contact.CLOSED, lamps=(("mute", "LED_MUTE"),))
    )
    until(lambda: device.grabs, "not opened")
    handset.close()
    handset.close()
    handset.lamps.close()
    handset.lamps.set("mute", LampPattern.ON)
    device.press("KEY_NUMERIC_1")
    assert desk.told.empty()
    assert device.opens == device.closes


def test_f37_what_was_read_with_the_overflow_is_older_than_the_state_and_is_not_believed(desk):
    """A press behind it would be for ever: the kernel drops its release when asked."""
    device = desk.plug_in()
    source = EvdevSource(desk.evdev.InputDevice("/dev/input/event3"))
    device.press("KEY_NUMERIC_STAR")
    device.overflow()
    device.press("KEY_NUMERIC_1")
    assert list(source.read()) == [((1, CODES["KEY_NUMERIC_STAR"]), 1), None]
    source.close()


def test_f41_a_device_that_goes_while_it_is_asked_what_it_is_leaves_nothing_open(desk, monkeypatch):
    device = desk.plug_in()
    asked = []

    def capabilities(self, verbose=False, absinfo=True):  # noqa: FBT002 - the module's own
        asked.append(1)
        if len(asked) % 2 == 0:
            raise OSError(19, "No such device")
        return {0: [0, 1], 1: list(device.keys)}

    monkeypatch.setattr("tests.support.fake_evdev.FakeInputDevice.capabilities", capabilities)
    desk.start()
    assert desk.hears(DeviceFailed).reason == "it is not plugged in"
    until(lambda: device.opens > 3, "it was not tried again")
    desk.handsets.pop().close()
    assert device.opens == device.closes


def test_f41_the_second_device_of_a_handset_may_come_a_moment_after_the_first(
    desk, monkeypatch, tmp_path
):
    """The kernel shows the parts of a handset one by one; nobody looks again once it works."""
    monkeypatch.setattr(devices, "FOLDER", tmp_path)
    volume = []

    def come(_thread, _seconds):
        (tmp_path / "event2").touch()
        where, codes = "/dev/input/event2", ("KEY_VOLUMEUP",)
        volume.append(desk.plug_in(where, codes=codes, phys="usb-1/input1"))

    # It comes while the thread waits for such as it.
    monkeypatch.setattr("hal.device_thread.DeviceThread.pause", come)
    monkeypatch.setattr("hal.evdev.handset._SETTLING", 60.0)
    (tmp_path / "event1").touch()
    desk.plug_in("/dev/input/event1")
    desk.start(UsbSpec(0x06E6, 0, (*KEYS, ("KEY_VOLUMEUP", Key.VOLUME_UP)), "KEY_PHONE"))
    until(lambda: volume and volume[0].grabs, "the volume keys were never found")


def test_f41_a_thousand_times_pulled_out_it_has_left_nothing_behind(desk, monkeypatch):
    """Without the thread: what a session opens, it closes, whatever goes wrong in it."""
    monkeypatch.setattr("hal.evdev.handset.young", lambda _seconds: False)
    device = desk.plug_in()
    handset = UsbHandset(SPEC, lambda post: Health("p", post, time.monotonic), lambda: desk.evdev)
    health = Health("USB handset", lambda _event: None, time.monotonic)
    monkeypatch.setattr("hal.evdev.handset._Session.turn", pulled)
    before = open_now()
    for _ in range(1000):
        with pytest.raises(DeviceError):
            handset._serve(desk.told.put, health)
    assert opened_since(before) == []
    assert device.opens == device.closes == 1000
    handset.close()


def pulled(*_args):
    raise OSError(19, "No such device")


def test_a_handset_that_was_never_started_closes(desk):
    handset = UsbHandset(SPEC, lambda post: Health("p", post, time.monotonic))
    handset.close()


def test_a_missing_library_is_named_with_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "evdev", None)
    with pytest.raises(
        DeviceError, match=r"^evdev is missing \(apt install python3-evdev; in a venv"
    ):
        library()


def test_the_library_is_taken_as_it_is(monkeypatch):
    fake = FakeEvdev()
    monkeypatch.setitem(sys.modules, "evdev", fake)
    assert library() is fake
