"""The expectations of `tests/contract/test_hal_gpio.py` on the kernel's own pins, and what only a
kernel can show: its queue of edges, its moments, and who has which line.
"""

import queue
import statistics
import threading
import time

import gpiod
import pytest

from hal.boards.loader import load_board
from hal.errors import DeviceError
from hal.events import DeviceFailed, DeviceRecovered, HookLifted, KeyDown, KeyUp
from hal.gpio.factories import find_chip
from hal.gpio.gpiod_factory import GpiodFactory
from hal.gpio.parts import open_parts
from hal.gpio.pins import Pins
from hal.ports import LampPattern
from tests.contract import test_hal_gpio as contract
from tests.contract.test_hal_gpio import *  # noqa: F403 - the same tests, with other wires
from tests.support.gpio.bench import Workbench
from tests.support.waiting import wait_for
from tests.vm.inside.gpio_sim import SimulatedPins
from tests.vm.inside.sim_wires import SimWires

# Two pins cannot be looked at in one moment here (tests/vm/inside/test_pins.py rings the bell), and
# a chip that vanishes takes its file system with it.
del test_a_bell_throws_its_clapper_from_coil_to_coil_and_rests_without_current  # noqa: F821
del test_a_device_that_is_gone_is_reported_in_words  # noqa: F821
PRESSES = 60


@pytest.fixture
def pins():
    with SimulatedPins() as pins:
        yield pins


@pytest.fixture
def opener(pins):
    wires = SimWires(pins)
    yield wires, lambda _name, _chip: (GpiodFactory(lambda: find_chip(str(pins.path))), ())
    wires.end()


@pytest.fixture
def bench(opener, tmp_path):
    wires, factory = opener
    bench = Workbench(tmp_path / "bench.toml", factory, wires)
    yield bench
    bench.close()


@pytest.fixture
def factory(pins):
    factory = GpiodFactory(lambda: find_chip(str(pins.path)))
    yield factory
    factory.close()


def test_every_expectation_is_here():
    here = {name for name in globals() if name.startswith("test_")}
    there = {name for name in vars(contract) if name.startswith("test_")}
    assert len(there - here) == 2


def test_a_chip_is_found_by_its_label(pins):
    with gpiod.Chip(str(pins.path)) as chip:
        label = chip.get_info().label
    found = find_chip(label)
    assert found.path == str(pins.path)
    found.close()


def test_f37_a_burst_waits_for_a_late_reader(pins, factory):
    """The kernel would keep 16 edges of a line; it runs two into one only if they are too quick."""
    pin = factory.pin(17)
    pin.input_with_pull("up")
    edges, enough = [], threading.Event()

    def heard(ticks, state):
        edges.append((ticks, state))
        if len(edges) > 100:
            enough.set()

    pin.when_changed = heard
    with pin._lock:  # the reader is late
        for _ in range(100):
            pins.pull(17, up=False)
            pins.pull(17, up=True)
        pins.pull(17, up=False)
    assert enough.wait(10), f"{len(edges)} of 201"
    assert factory.lost == 0
    assert pin.state == 0
    moments = [ticks for ticks, _ in edges]
    assert moments == sorted(moments)


def test_an_edge_carries_the_moment_of_the_kernel(pins, factory):
    pin = factory.pin(17)
    pin.input_with_pull("up")
    edges, came = [], threading.Event()

    def heard(ticks, _state):
        edges.append(ticks)
        came.set()

    pin.when_changed = heard
    before = time.monotonic()
    pins.pull(17, up=False)
    after = time.monotonic()
    assert came.wait(5)
    assert before <= edges[0] <= after


def test_a_line_that_another_program_has_is_named_with_it(pins):
    config = {17: gpiod.LineSettings()}
    with gpiod.request_lines(str(pins.path), consumer="lirc", config=config):
        wanted = Pins(lambda: (GpiodFactory(lambda: find_chip(str(pins.path))), ()), time.monotonic)
        with pytest.raises(DeviceError, match=r"^hook: GPIO 17 cannot be used: .* in use by lirc$"):
            wanted.contact(17, "hook")


LATE = """
gpio.chip = "{chip}"
hook = {{ pin = 17, lifted = "closed" }}
lamps.message.pin = 22
"""


def test_f41_a_chip_that_comes_late_is_used(pins, tmp_path, record_property):
    """Its driver loads after the phone has started."""
    pins.unplug()
    path, told = tmp_path / "late.toml", queue.SimpleQueue()
    path.write_text(LATE.format(chip=pins.path))
    parts = open_parts(load_board(str(path)), told.put)
    parts.inputs.start(told.put)
    parts.lamps.set("message", LampPattern.ON)
    missing = told.get(timeout=5)
    assert (missing.device, type(missing)) == ("GPIO", DeviceFailed)
    assert missing.reason.startswith(f"{pins.path}: No such file or directory")
    pins.plug()
    assert str(pins.path) in missing.reason
    began = time.monotonic()
    assert type(told.get(timeout=30)) is DeviceRecovered
    record_property("late chip found, s (emulated)", round(time.monotonic() - began, 1))
    wait_for("the lamp", lambda: pins.value(22))
    wait_for("the hook's own pull-up", lambda: pins.value(17))
    pins.pull(17, up=False)
    assert type(told.get(timeout=10)) is HookLifted
    for part in (parts.inputs, parts.lamps):
        part.close()
    assert told.empty()


def test_how_soon_a_key_is_heard(bench, record_property):
    times = []
    for _ in range(PRESSES):
        began = time.monotonic()
        bench.press("mute")
        bench.hear(KeyDown)
        times.append((time.monotonic() - began) * 1000)
        bench.release("mute")
        bench.hear(KeyUp)
    record_property(
        "key contact to event, ms, median (emulated)", round(statistics.median(times), 1)
    )
    record_property("key contact to event, ms, worst of 60 (emulated)", round(max(times), 1))
