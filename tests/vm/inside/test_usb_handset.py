"""A USB handset as the kernel shows it: a real input device, made by uinput."""

import contextlib
import queue
import subprocess
import time

import evdev
import pytest
from evdev import ecodes as codes

from hal.board_spec import Contact, UsbSpec
from hal.events import DeviceFailed, DeviceRecovered, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.keys import Key
from hal.ports import LampPattern
from tests.support.waiting import wait_for
from tests.vm.inside.listening import hears

VENDOR, PRODUCT = 0x06E6, 0xC31C
KEYS = (("KEY_NUMERIC_5", Key.DIGIT_5), ("KEY_NUMERIC_POUND", Key.POUND))
SPEC = UsbSpec(VENDOR, PRODUCT, KEYS, "KEY_PHONE", lamps=(("mute", "LED_MUTE"),))
WITH_SWITCH = UsbSpec(VENDOR, PRODUCT, KEYS, "SW_LID", lifted=Contact.OPEN)


def plug_in():
    """A handset in its socket; the kernel has its device, and udev gave it its group."""
    can = {
        codes.EV_KEY: [codes.KEY_NUMERIC_5, codes.KEY_NUMERIC_POUND, codes.KEY_PHONE],
        codes.EV_LED: [codes.LED_MUTE],
        codes.EV_SW: [codes.SW_LID],
    }
    made = evdev.UInput(can, name="Test Handset", vendor=VENDOR, product=PRODUCT)
    wait_for("the device", lambda: made.device is not None)
    return made


def send(handset, kind, code, value):
    handset.write(kind, code, value)
    handset.syn()


@pytest.fixture(scope="module", autouse=True)
def kernel():
    for module in ("uinput", "evdev"):
        subprocess.run(["modprobe", module], check=True)


@pytest.fixture
def socket():
    """What is plugged in; another handset may be plugged in by `append`."""
    plugged = [plug_in()]
    yield plugged
    for handset in plugged:
        with contextlib.suppress(OSError):
            handset.close()


def grabbed(handset):
    """Whether somebody keeps this device for themselves."""
    other = evdev.InputDevice(handset.device.path)
    try:
        other.grab()
        other.ungrab()
    except OSError:
        return True
    finally:
        other.close()
    return False


def test_keys_and_hook_of_a_real_device(socket, listen, record_property):
    _, told = listen(SPEC)
    wait_for("the phone to have it", lambda: grabbed(socket[0]))
    waits = []
    for _ in range(50):
        began = time.monotonic()
        send(socket[0], codes.EV_KEY, codes.KEY_NUMERIC_5, 1)
        assert hears(told, KeyDown).key is Key.DIGIT_5
        waits.append(time.monotonic() - began)
        send(socket[0], codes.EV_KEY, codes.KEY_NUMERIC_5, 0)
        hears(told, KeyUp)
    record_property("key of a USB handset, median ms, emulated", round(sorted(waits)[25] * 1000, 2))
    send(socket[0], codes.EV_KEY, codes.KEY_PHONE, 1)
    hears(told, HookLifted)
    send(socket[0], codes.EV_KEY, codes.KEY_PHONE, 0)
    hears(told, HookReplaced)


def test_nobody_else_gets_its_keys(socket, listen):
    console = evdev.InputDevice(socket[0].device.path)
    _, told = listen(SPEC)
    wait_for("the phone to have it", lambda: grabbed(socket[0]))
    send(socket[0], codes.EV_KEY, codes.KEY_NUMERIC_5, 1)
    hears(told, KeyDown)
    with pytest.raises(BlockingIOError):
        list(console.read())
    console.close()


def test_its_lamp_is_lit_by_the_kernel(socket, listen):
    handset, _ = listen(SPEC)
    wait_for("the phone to have it", lambda: grabbed(socket[0]))
    handset.lamps.set("mute", LampPattern.ON)
    wait_for("the lamp", lambda: socket[0].device.leds() == [codes.LED_MUTE])
    handset.close()
    wait_for("its end", lambda: socket[0].device.leds() == [])


def test_a_switch_is_read_before_it_changes(socket, listen):
    """SW_LID stands for a cradle: closed with the handset down, and open at the start."""
    _, told = listen(WITH_SWITCH)
    hears(told, HookLifted)
    send(socket[0], codes.EV_SW, codes.SW_LID, 1)
    hears(told, HookReplaced)
    send(socket[0], codes.EV_SW, codes.SW_LID, 0)
    assert type(told.get(timeout=10)).__name__ in ("HookFlash", "HookLifted")


def test_f37_a_flood_that_the_kernel_drops_leaves_no_key_down(socket, listen):
    """The kernel keeps some dozens of events and says so when it dropped the rest."""
    _, told = listen(SPEC)
    wait_for("the phone to have it", lambda: grabbed(socket[0]))
    for _ in range(2000):
        socket[0].write(codes.EV_KEY, codes.KEY_NUMERIC_5, 1)
        socket[0].write(codes.EV_KEY, codes.KEY_NUMERIC_5, 0)
    socket[0].syn()
    down, rests, end = 0, False, time.monotonic() + 30
    while not (rests and down == 0) and time.monotonic() < end:
        try:
            down += {KeyDown: 1, KeyUp: -1}[type(told.get(timeout=0.5))]
            rests = False
        except queue.Empty:
            rests = True
    assert down == 0
    send(socket[0], codes.EV_KEY, codes.KEY_NUMERIC_POUND, 1)
    assert hears(told, KeyDown).key is Key.POUND


def test_f41_it_is_pulled_out_and_comes_back(socket, listen, record_property):
    _, told = listen(SPEC)
    wait_for("the phone to have it", lambda: grabbed(socket[0]))
    send(socket[0], codes.EV_KEY, codes.KEY_NUMERIC_5, 1)
    hears(told, KeyDown)
    socket[0].close()
    assert hears(told, KeyUp, DeviceFailed).reason == "it was unplugged"
    assert hears(told, DeviceFailed).reason == "it is not plugged in"
    began = time.monotonic()
    socket.append(plug_in())
    hears(told, DeviceRecovered)
    record_property("a USB handset is back, s", round(time.monotonic() - began, 2))
    send(socket[1], codes.EV_KEY, codes.KEY_NUMERIC_5, 1)
    hears(told, KeyDown)
