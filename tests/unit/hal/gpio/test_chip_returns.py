"""A GPIO chip on a cable is pulled and plugged in again, or comes late: its board works.

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
def opened(others, cable, tmp_path, monkeypatch):
    """The board on this cable, which looks again soon, or after as many seconds."""
    benches = []

    def open_one(wait=0.02):
        waits = functools.partial(Health, waits=(wait, 2 * wait))
        monkeypatch.setattr("hal.gpio.worker.Health", waits)
        path, there = tmp_path / "bench.toml", not cable.wires.broken
        benches.append(
            Workbench(path, lambda *_: (GpiodFactory(cable.find), ()), cable.wires, there=there)
        )
        return benches[-1]

    yield open_one
    for bench in benches:
        bench.close()


@pytest.fixture
def bench(opened):
    bench = opened()
    bench.heard(0.01)
    return bench


@pytest.fixture
def waiting(opened, cable):
    """A phone that has started without the chip."""
    cable.wires.broken = True
    bench = opened()
    assert bench.failures() == {"GPIO": "there is no chip"}
    return bench


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
        bench.until(lambda: bench.pulses(RING))
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
    """A display asks again; a lamp that nobody touches meanwhile shines with it.

    The error of before takes the pin from nobody, however long somebody holds it: Python 3.13
    itself holds it until garbage is collected.
    """
    cable = Cable(Wires())
    pins = Pins(lambda: (GpiodFactory(cable.find), ()), time.monotonic)
    lamp = pins.output(MESSAGE, "lamp message")
    lamp.shine(on=True)
    cable.pull()
    with pytest.raises(DeviceError, match="GPIO 24 cannot be used: No such device") as held:
        pins.line(24, "display")
    assert not cable.chips[0].open
    cable.plug()
    reset = pins.line(24, "display")
    assert cable.wires.read(MESSAGE) == 1
    assert "No such device" in str(held.value.__cause__)
    reset.close()
    lamp.close()
    assert not any(chip.open for chip in cable.chips)


# A chip that comes late


def arrive(bench, cable):
    """The chip is there for the first time."""
    keys = [task for task in bench.parts.inputs._tasks if task.name.startswith("key")]
    cable.plug()
    assert told(bench, DeviceRecovered, {"GPIO"}) == []
    # What is down when they begin is no wish.
    bench.until(lambda: all(key.deadline != 0.0 for key in keys))


def test_f41_a_chip_that_comes_after_the_start_has_keys_cradle_lamps_and_bell(waiting, cable):
    """A driver that loads late, a cable that is plugged in later: nobody starts the phone again."""
    for lamp in ("message", "ring"):
        waiting.parts.lamps.set(lamp, LampPattern.ON)
    assert waiting.heard(0.1) == [], "that it is missing is told once, and of no part"
    arrive(waiting, cable)
    assert waiting.heard(0.1) == [], "nobody pressed or lifted anything"
    waiting.until(lambda: waiting.level(MESSAGE))
    assert waiting.level(MUTE) == 1, "which is dark: it is lit by low"
    waiting.until(lambda: waiting.pulses(RING))
    works(waiting)
    waiting.wires.close(17)
    waiting.hear(HookLifted)
    waiting.heard(0.06)
    assert pull(waiting, cable) == []
    assert plug(waiting, cable) == []


def test_f41_what_was_done_before_the_chip_came_is_told_as_at_a_start(waiting, cable):
    """A handset that is off is told, a key that is down is no wish."""
    waiting.wires.close(17)
    waiting.press("5")
    arrive(waiting, cable)
    waiting.hear(HookLifted)
    assert waiting.heard(0.06) == []
    waiting.release("5")
    assert waiting.heard(0.06) == []
    works(waiting)


def test_f41_a_bell_rings_as_soon_as_its_chip_comes_and_not_when_it_was_silenced(waiting, cable):
    waiting.parts.ringer.ring((9.0,))
    arrive(waiting, cable)
    for coil in COILS:
        waiting.until(lambda coil=coil: waiting.pulses(coil, 0.15))


def test_f41_a_bell_that_was_silenced_before_its_chip_came_stays_silent(waiting, cable):
    waiting.parts.ringer.ring((9.0,))
    waiting.parts.ringer.silence()
    pulled = []
    waiting.wires.listen(lambda pin, level, _at: pin in COILS and level and pulled.append(pin))
    arrive(waiting, cable)
    waiting.heard(0.1)
    assert pulled == []


def test_f41_a_line_that_somebody_has_when_the_chip_comes_costs_its_part_alone(waiting, cable):
    cable.strangers[17] = "lirc"
    arrive(waiting, cable)
    (failed,) = waiting.hear(DeviceFailed)
    assert failed.device == "hook"
    assert failed.reason == "hook: GPIO 17 does not answer: it is in use by lirc"
    works(waiting)
    del cable.strangers[17]
    assert told(waiting, DeviceRecovered, {"hook"}) == []
    waiting.wires.close(17)
    waiting.hear(HookLifted)


def test_f41_a_chip_that_is_too_small_says_so_when_it_comes(waiting, cable):
    """The rotary dial has lines 24 and 25, the headset socket 27."""
    del cable.wires.lines[24:]
    arrive(waiting, cable)
    said = {event.device: event.reason for event in waiting.hear(DeviceFailed, DeviceFailed)}
    assert said.keys() == {"rotary dial", "headset socket"}
    assert said["headset socket"].endswith(
        "GPIO 27 does not answer: gpiochip0 (pinctrl-bcm2711) has 24 lines"
    )
    works(waiting)


def test_f41_another_reason_why_there_is_no_chip_is_told_too(waiting, cable):
    """It is there, but udev has not yet given it to our group."""
    cable.reason = "Permission denied; is this user in the group gpio?"
    failed = waiting.next()
    assert (failed.device, failed.reason) == ("GPIO", cable.reason)
    arrive(waiting, cable)
    works(waiting)


def test_f41_nobody_looks_for_a_missing_chip_more_often_than_the_house_does(opened, cable):
    cable.wires.broken = True
    bench = opened(wait=60.0)
    looked = cable.looked
    bench.parts.lamps.set("message", LampPattern.ON)
    bench.parts.ringer.ring((1.0, 1.0))
    assert set(bench.failures()) == {"GPIO"}
    bench.heard(0.1)
    assert cable.looked == looked <= 2


def test_f41_a_board_that_is_closed_before_its_chip_comes_leaves_nothing(others, opened, cable):
    before = open_now()
    cable.wires.broken = True
    bench = opened()
    looked = cable.looked
    bench.until(lambda: cable.looked > looked)
    bench.close()
    assert started_since(others) == []
    assert opened_since(before) == []
    bench.heard(0.01)
    looked = cable.looked
    cable.plug()
    assert bench.heard(0.1) == []
    assert cable.looked == looked
    assert cable.chips == []


def test_f41_a_display_whose_pins_are_on_a_chip_that_comes_late_is_told_why():
    """It asks again; nothing else is on the board that could."""
    cable = Cable(Wires())
    cable.wires.broken = True
    pins = Pins(lambda: (GpiodFactory(cable.find), ()), time.monotonic)
    reset = pins.line(24, "display")
    with pytest.raises(DeviceError, match="display: GPIO 24 does not answer: there is no chip"):
        reset.on()
    cable.plug()
    reset.on()
    assert cable.wires.read(24) == 1
    reset.close()
    assert not any(chip.open for chip in cable.chips)
