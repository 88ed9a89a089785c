"""What the phone expects of everything on pins, over every pin factory.

The wires are the tests': a keypad is scanned, a hook bounces, coils are driven. Real threads, real
gpiozero devices; the factory's library is its own where it can be had without a chip (mock), the
real binding over a chip of ours (gpiod), and a stand-in that does as documented (lgpio, rpigpio).
On a real kernel the same expectations run in the virtual Pi.
"""

import itertools
import threading
import time

import pytest

from hal.errors import DeviceError
from hal.events import (
    DeviceFailed,
    HeadsetPlugged,
    HeadsetUnplugged,
    HookFlash,
    HookLifted,
    HookReplaced,
    KeyDown,
    KeyUp,
)
from hal.gpio.pins import Pins
from hal.keys import Key
from hal.ports import LampPattern
from tests.support.gpio.bench import ALL_KEYS, FACTORIES, Workbench, make_factory
from tests.support.gpio.wires import Wires
from tests.support.left_open import running_now, started_since


@pytest.fixture(params=FACTORIES)
def opener(request, monkeypatch):
    """The wires, and what opens a factory over them."""
    wires, endings = Wires(), []
    yield wires, lambda _name, _chip: make_factory(request.param, wires, monkeypatch, endings)
    for end in endings:
        end()


@pytest.fixture
def bench(opener, tmp_path):
    wires, factory = opener
    bench = Workbench(tmp_path / "bench.toml", factory, wires)
    yield bench
    bench.close()


def test_every_key_is_heard_down_and_up(bench):
    for key in ALL_KEYS:
        bench.press(key.value)
        assert bench.hear(KeyDown) == [key]
        bench.release(key.value)
        assert bench.hear(KeyUp) == [key]
    assert bench.wires.shorts == 0, "a high pin met a low one"


def test_two_keys_of_one_column_are_both_heard_and_nothing_burns(bench):
    bench.press("1")
    bench.press("7")
    assert set(bench.hear(KeyDown, KeyDown)) == {Key.DIGIT_1, Key.DIGIT_7}
    bench.release("1")
    assert bench.hear(KeyUp) == [Key.DIGIT_1]
    bench.release("7")
    assert bench.hear(KeyUp) == [Key.DIGIT_7]
    assert bench.wires.shorts == 0


def test_f37_three_corners_of_a_rectangle_make_no_ghost(bench):
    for key in "12":
        bench.press(key)
        bench.hear(KeyDown)
    bench.press("4")  # the wires now say 5, too
    assert bench.heard(0.1) == []
    bench.release("2")
    # Whichever row is read first: 2 has gone, and 4 is real.
    events = {(type(event), event.key) for event in (bench.next(), bench.next())}
    assert events == {(KeyUp, Key.DIGIT_2), (KeyDown, Key.DIGIT_4)}


def test_a_key_with_a_wire_of_its_own(bench):
    for key in (Key.MUTE, Key.SPEAKER):
        bench.press(key.value)
        assert bench.hear(KeyDown) == [key]
        bench.release(key.value)
        assert bench.hear(KeyUp) == [key]


def test_the_handset_is_lifted_tapped_and_put_down(bench):
    hook = bench.spec.hook.pin
    bench.wires.close(hook)
    bench.hear(HookLifted)
    assert bench.heard(0.06) == []
    bench.wires.open(hook)
    bench.hear(HookReplaced)
    assert bench.heard(0.06) == []
    bench.wires.close(hook)
    bench.hear(HookFlash)
    assert bench.heard(0.06) == []
    bench.wires.open(hook)
    bench.hear(HookReplaced)


def test_f37_a_hook_that_bounces_is_told_once(bench):
    hook, began = bench.spec.hook.pin, time.monotonic()
    for _ in range(40):
        bench.wires.close(hook)
        bench.wires.open(hook)
    bench.wires.close(hook)
    took = time.monotonic() - began
    bench.hear(HookLifted)
    more = bench.heard(0.15)
    # A machine that takes longer than the lock-out for this has moved the hook, not let it bounce.
    assert more == [] or (took > 0.04 and isinstance(more[-1], HookLifted | HookFlash))


def test_a_plug_is_told_in_and_out(bench):
    bench.wires.close(bench.spec.headset.pin)
    bench.hear(HeadsetPlugged)
    assert bench.heard(0.3) == []
    bench.wires.open(bench.spec.headset.pin)
    bench.hear(HeadsetUnplugged)


def dial_three(bench):
    """Pull three and let it run back, eight pulses a second; the digit as it was understood."""
    dial, wires = bench.spec.rotary, bench.wires
    wires.close(dial.off_normal)
    bench.heard(0.03)
    for _ in range(3):
        wires.open(dial.pulse)
        bench.heard(0.07)
        wires.close(dial.pulse)
        bench.heard(0.05)
    wires.open(dial.off_normal)
    return [event.key for event in bench.heard(0.15)]


def test_a_digit_is_dialled(bench):
    bench.wires.close(bench.spec.rotary.pulse)
    bench.heard(0.02)
    # A machine that stands still for a tenth of a second makes another digit of it.
    tries = (dial_three(bench) for _ in range(5))
    assert [Key.DIGIT_3, Key.DIGIT_3] in tries


def test_a_lamp_is_lit_and_put_out(bench):
    lamps = bench.parts.lamps
    assert lamps.names == ("message", "mute", "ring")
    for name, pin, lit in (("message", 22, 1), ("mute", 10, 0)):
        bench.until(lambda pin=pin, lit=lit: bench.level(pin) != lit)
        lamps.set(name, LampPattern.ON)
        bench.until(lambda pin=pin, lit=lit: bench.level(pin) == lit)
        lamps.set(name, LampPattern.OFF)
        bench.until(lambda pin=pin, lit=lit: bench.level(pin) != lit)


def test_a_lamp_blinks(bench):
    before = bench.wires.lines[22].edges
    bench.parts.lamps.set("message", LampPattern.FAST_BLINK)
    bench.until(lambda: bench.wires.lines[22].edges >= before + 2)


def test_a_dimmed_lamp_is_pulsed(bench):
    assert not bench.pulses(9)
    bench.parts.lamps.set("ring", LampPattern.ON)
    bench.until(lambda: bench.pulses(9))
    bench.parts.lamps.set("ring", LampPattern.OFF)
    bench.until(lambda: not bench.pulses(9))


def test_a_dimmed_lamp_that_is_lit_by_low_is_dark_when_the_phone_ends(opener, tmp_path):
    """A kernel may leave the pin as it was last."""
    wires, factory = opener
    text = "[lamps]\nmute = { pin = 10, active_low = true, brightness = 30 }\n"
    bench = Workbench(tmp_path / "lamp.toml", factory, wires, text)
    wires.open(10)
    for pattern, pulsed in ((LampPattern.ON, True), (LampPattern.OFF, False)):
        bench.parts.lamps.set("mute", pattern)
        bench.until(lambda pulsed=pulsed: bench.pulses(10) == pulsed)
    bench.until(lambda: bench.level(10))
    bench.parts.lamps.set("mute", LampPattern.ON)
    bench.until(lambda: bench.pulses(10))
    bench.close()
    assert bench.level(10)


def test_a_lamp_that_does_not_exist_is_ignored(bench):
    bench.parts.lamps.set("disco", LampPattern.ON)
    assert bench.heard(0.02) == []


def test_a_bell_throws_its_clapper_from_coil_to_coil_and_rests_without_current(bench):
    coils = bench.spec.ringer.pins
    both, done = [], threading.Event()

    def heard(pin, level, _nanoseconds):
        if pin in coils:
            both.append((pin, level))
            assert sum(bench.level(coil) for coil in coils) < 2
            if len(both) > 12:
                done.set()

    bench.wires.listen(heard)
    bench.parts.ringer.ring((60.0, 0.2))  # each ring begins with the same coil
    assert done.wait(15)
    bench.parts.ringer.silence()
    bench.until(lambda: not any(bench.level(coil) for coil in coils))
    ups = [pin for pin, level in both if level]
    assert all(one != other for one, other in itertools.pairwise(ups)), "in turn"
    assert bench.heard(0.05) == []
    assert not any(bench.level(coil) for coil in coils)


def test_a_buzzer_buzzes(opener, tmp_path):
    wires, factory = opener
    text = '[ringer]\nkind = "buzzer"\npins = [7]\nhertz = 100\n'
    bench = Workbench(tmp_path / "buzzer.toml", factory, wires, text)
    bench.parts.ringer.ring((1.0,))
    bench.until(lambda: bench.pulses(7))
    bench.parts.ringer.silence()
    bench.until(lambda: not bench.pulses(7))
    bench.close()


def test_nothing_is_told_after_closing_and_every_pin_is_free_again(opener, tmp_path):
    wires, factory = opener
    before = running_now()
    for _ in range(2):
        bench = Workbench(tmp_path / "bench.toml", factory, wires)
        bench.parts.lamps.set("message", LampPattern.ON)
        bench.parts.ringer.ring((1.0,))
        bench.until(lambda bench=bench: bench.level(22))
        bench.press("5")
        bench.hear(KeyDown)
        bench.close()
        bench.close()
        bench.release("5")
        wires.close(17)
        wires.open(17)
        assert bench.heard(0.02) == []
        assert not any(line.output and line.driven for line in wires.lines)
        # A library may keep one thread of its own for good.
        assert len(started_since(before)) <= 3


def test_a_pin_that_two_want_names_both(opener):
    _, factory = opener
    pins = Pins(lambda: factory("", ""), lambda: 0.0)
    pins.contact(17, "hook")
    with pytest.raises(DeviceError, match=r"^lamp mute: GPIO 17 is used by hook$"):
        pins.output(17, "lamp mute")
    with pytest.raises(DeviceError, match=r"^hook: GPIO 99 cannot be used: .*99"):
        pins.contact(99, "hook")


def test_a_listener_that_fails_does_not_deafen_the_pin(opener):
    wires, factory = opener
    pins = Pins(lambda: factory("", ""), lambda: 0.0)
    heard = threading.Event()
    calls = []

    def edge(closed, _at):
        calls.append(closed)
        if len(calls) == 1:
            raise ValueError("a mistake of ours")
        heard.set()

    contact = pins.contact(17, "hook")
    contact.watch(edge)
    wires.close(17)
    end = time.monotonic() + 15
    while not calls:
        assert time.monotonic() < end
        time.sleep(0.001)  # noqa: TID251 - another thread is at work
    wires.open(17)
    assert heard.wait(15)
    assert len(calls) == 2
    assert contact.faults == 1
    contact.close()


def test_a_device_that_is_gone_is_reported_in_words(bench):
    bench.wires.broken = True
    bench.parts.lamps.set("message", LampPattern.ON)
    failed = bench.next()
    assert isinstance(failed, DeviceFailed)
    assert failed.device == "lamps"
    assert "lamp message: GPIO 22 does not answer: No such device" in failed.reason
    bench.wires.broken = False
