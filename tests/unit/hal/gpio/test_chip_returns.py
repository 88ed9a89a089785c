"""A GPIO chip on a cable is pulled and plugged in again: its board works again.

Over the real factory, worker and parts; only how long they wait is shorter.
"""

import functools
import time

import pytest

from hal.errors import DeviceError
from hal.events import DeviceFailed, DeviceRecovered, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.gpio.gpiod_factory import GpiodFactory
from hal.gpio.pins import Pins
from hal.health import Health
from hal.keys import Key
from hal.ports import LampPattern
from tests.support.gpio.bench import Workbench
from tests.support.gpio.fake_gpiod import Cable
from tests.support.gpio.wires import Wires
from tests.support.left_open import open_now, opened_since, running_now, started_since

INPUTS = {"keypad", "hook", "rotary dial", "key mute", "key speaker", "headset socket"}
MESSAGE, MUTE, RING = 22, 10, 9
COILS = (7, 8)


@pytest.fixture
def cable():
    return Cable(Wires())


@pytest.fixture
def others():
    """The threads that have nothing to do with the bench."""
    return running_now()


@pytest.fixture
def bench(others, cable, tmp_path, monkeypatch):
    soon = functools.partial(Health, waits=(0.02, 0.04))
    monkeypatch.setattr("hal.gpio.worker.Health", soon)
    bench = Workbench(
        tmp_path / "bench.toml", lambda *_: (GpiodFactory(cable.find), ()), cable.wires
    )
    bench.heard(0.01)
    yield bench
    bench.close()


def told(bench, kind, parts=INPUTS):
    """Wait until this was told of these parts; whatever else was told, in order."""
    missing, others = set(parts), []
    while missing:
        event = bench.next()
        if isinstance(event, kind):
            missing.discard(event.device)
        else:
            others.append(event)
    return others


def pull(bench, cable):
    cable.pull()
    return told(bench, DeviceFailed)


def plug(bench, cable):
    cable.plug()
    return [e for e in told(bench, DeviceRecovered) if not isinstance(e, DeviceFailed)]


def works(bench):
    """Keys, cradle and bell are tried."""
    for key in ("5", "mute"):
        bench.press(key)
        bench.hear(KeyDown)
        bench.release(key)
        bench.hear(KeyUp)
    bench.parts.ringer.ring((5.0, 1.0))
    for coil in COILS:
        bench.until(lambda coil=coil: bench.pulses(coil, 0.15))
    bench.parts.ringer.silence()
    bench.until(lambda: not any(bench.level(coil) for coil in COILS))


def test_f41_a_chip_that_is_plugged_in_again_has_keys_cradle_lamps_and_bell(bench, cable):
    for lamp in ("message", "mute", "ring"):
        bench.parts.lamps.set(lamp, LampPattern.ON)
    bench.until(lambda: bench.level(MESSAGE))
    for _ in range(2):
        assert pull(bench, cable) == [], "nobody pressed or lifted anything"
        assert plug(bench, cable) == []
        assert (bench.level(MESSAGE), bench.level(MUTE)) == (1, 0)
        assert bench.pulses(RING)
        works(bench)
    bench.wires.close(17)
    bench.hear(HookLifted)
    bench.heard(0.06)  # it has bounced
    bench.wires.open(17)
    bench.hear(HookReplaced)


@pytest.mark.parametrize("lifted", [True, False])
def test_f41_a_handset_that_stays_where_it_is_says_nothing(bench, cable, lifted):
    """Nobody's call ends, and nobody's begins, because of a cable."""
    if lifted:
        bench.wires.close(17)
        bench.hear(HookLifted)
        bench.heard(0.06)
    assert pull(bench, cable) == []
    assert plug(bench, cable) == []
    assert bench.heard(0.1) == []


def test_f41_a_handset_that_was_moved_meanwhile_is_told_once_when_the_chip_is_back(bench, cable):
    pull(bench, cable)
    bench.wires.close(17)
    (lifted,) = plug(bench, cable)
    assert isinstance(lifted, HookLifted)
    assert bench.heard(0.1) == []
    pull(bench, cable)
    bench.wires.open(17)
    (replaced,) = plug(bench, cable)
    assert isinstance(replaced, HookReplaced)
    assert bench.heard(0.1) == []


def test_f41_a_key_that_is_held_all_the_while_is_let_go_and_not_pressed_again(bench, cable):
    bench.press("5")
    assert bench.hear(KeyDown) == [Key("5")]
    (up,) = pull(bench, cable)
    assert isinstance(up, KeyUp)
    assert plug(bench, cable) == []
    assert bench.heard(0.1) == []
    bench.release("5")
    assert bench.heard(0.06) == []
    works(bench)


def test_f41_lamps_show_what_they_are_to_show_when_the_chip_is_back(bench, cable):
    bench.parts.lamps.set("message", LampPattern.ON)
    bench.until(lambda: bench.level(MESSAGE))
    pull(bench, cable)
    for lamp, pattern in (("message", LampPattern.OFF), ("mute", LampPattern.ON)):
        bench.parts.lamps.set(lamp, pattern)
    told(bench, DeviceFailed, {"lamps"})
    cable.plug()
    told(bench, DeviceRecovered, INPUTS | {"lamps"})
    assert (bench.level(MESSAGE), bench.level(MUTE)) == (0, 0)


def test_f41_a_bell_that_was_silenced_meanwhile_has_no_current_in_its_coils(bench, cable):
    bench.parts.ringer.ring((9.0,))
    bench.until(lambda: any(bench.level(coil) for coil in COILS))
    cable.pull()
    told(bench, DeviceFailed, INPUTS | {"bell"})
    bench.parts.ringer.silence()
    pulled = []
    bench.wires.listen(lambda pin, level, _at: pin in COILS and level and pulled.append(pin))
    cable.plug()
    told(bench, DeviceRecovered, INPUTS | {"bell"})
    assert pulled == []


def test_f41_a_line_that_somebody_took_meanwhile_costs_its_part_alone(bench, cable):
    pull(bench, cable)
    cable.strangers[17] = "lirc"
    cable.plug()
    others = told(bench, DeviceRecovered, INPUTS - {"hook"})
    said = {e.reason for e in [*others, *bench.heard(0.1)] if isinstance(e, DeviceFailed)}
    assert said == {"hook: GPIO 17 does not answer: it is in use by lirc"}
    works(bench)
    looked = cable.looked
    del cable.strangers[17]
    told(bench, DeviceRecovered, {"hook"})
    assert cable.looked == looked, "the others keep their pins meanwhile"


def test_f41_nobody_looks_for_a_chip_that_is_there(bench, cable):
    works(bench)
    bench.heard(0.1)
    assert cable.looked == 1


def test_f41_a_board_that_is_closed_while_its_chip_is_away_leaves_nothing(others, bench, cable):
    assert started_since(others) == ["gpio", "gpio-edges"], "the worker and the reader"
    pull(bench, cable)
    bench.close()
    assert started_since(others) == []
    assert not any(chip.open or chip.requests for chip in cable.chips)
    looked = cable.looked
    cable.plug()
    assert bench.heard(0.1) == []
    assert cable.looked == looked


def test_f41_a_chip_that_comes_and_goes_leaves_no_descriptor_behind(bench, cable):
    before, opened = open_now(), []
    for _ in range(5):
        pull(bench, cable)
        plug(bench, cable)
        opened.append(len(opened_since(before)))
    assert len(set(opened)) == 1, "those of the chip that is there, in the place of the old ones"


def test_f41_whoever_asks_for_a_pin_finds_the_chip_gone_and_later_back():
    """A display asks again; a lamp that nobody touches meanwhile shines with it."""
    cable = Cable(Wires())
    pins = Pins(lambda: (GpiodFactory(cable.find), ()), time.monotonic)
    lamp = pins.output(MESSAGE, "lamp message")
    lamp.shine(on=True)
    cable.pull()
    with pytest.raises(DeviceError, match="GPIO 24 cannot be used: No such device"):
        pins.line(24, "display")
    assert not cable.chips[0].open
    cable.plug()
    reset = pins.line(24, "display")
    assert cable.wires.read(MESSAGE) == 1
    reset.close()
    lamp.close()
    assert not any(chip.open for chip in cable.chips)
