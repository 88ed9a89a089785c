"""Our factory over libgpiod: what the kernel does to lines, and what gpiozero must see of it."""

import queue
import threading
import time

import pytest
from gpiod.line import Edge
from gpiozero import InputDevice
from gpiozero.exc import (
    GPIOPinInUse,
    PinFixedPull,
    PinInvalidBounce,
    PinInvalidEdges,
    PinInvalidFunction,
    PinInvalidPull,
    PinPWMFixedValue,
    PinSetInput,
)

from hal.errors import DeviceError
from hal.gpio.gpiod_factory import EVENT_BUFFER, GpiodFactory
from hal.gpio.pins import Pins
from tests.support.gpio.fake_gpiod import FakeChip
from tests.support.gpio.wires import Wires

PATIENCE = 3.0


@pytest.fixture
def wires():
    return Wires()


@pytest.fixture
def chip(wires):
    return FakeChip(wires)


@pytest.fixture
def factory(chip):
    factory = GpiodFactory(chip)
    yield factory
    factory.close()


class Ear:
    """Listens to a pin as gpiozero lets one listen."""

    def __init__(self):
        self._coming = queue.SimpleQueue()

    def __call__(self, ticks, state):
        self._coming.put((ticks, state))

    def wait(self, wanted=1):
        return [self._coming.get(timeout=PATIENCE) for _ in range(wanted)]


def listening(factory, number=17):
    pin = factory.pin(number)
    pin.input_with_pull("up")
    ear = Ear()
    pin.when_changed = ear
    return pin, ear


def test_an_edge_carries_the_moment_of_the_kernel(factory, wires):
    _, ear = listening(factory)
    before = time.monotonic()
    wires.close(17)
    after = time.monotonic()
    ((ticks, state),) = ear.wait()
    assert state == 0
    assert before <= ticks <= after


def test_however_late_it_is_read_an_edge_is_told_with_its_moment(wires, chip):
    pins = Pins(lambda: (GpiodFactory(chip), ()), time.monotonic)
    contact, told = pins.contact(17, "hook"), queue.SimpleQueue()
    contact.watch(lambda closed, at: told.put((closed, at)))
    with contact._device.pin._lock:  # the reader is late
        wires.close(17)
        after = time.monotonic()
        time.sleep(0.02)  # noqa: TID251 - that is how late
    closed, at = told.get(timeout=PATIENCE)
    assert closed
    assert at <= after + 0.001
    contact.close()


def test_only_the_edges_that_were_asked_for_are_told(factory, wires):
    pin, ear = listening(factory)
    pin.edges = "rising"
    wires.close(17)
    wires.open(17)
    assert [state for _, state in ear.wait()] == [1]
    pin.when_changed = None
    assert len(factory.reader) == 0


def test_f37_a_burst_of_two_hundred_edges_arrives_whole(factory, wires):
    pin, ear = listening(factory)
    with pin._lock:  # the reader is late
        for _ in range(100):
            wires.close(17)
            wires.open(17)
        wires.close(17)
    assert len(ear.wait(201)) == 201
    assert factory.lost == 0


def test_f37_edges_that_the_kernel_had_no_room_for_are_counted(factory, wires):
    pin, ear = listening(factory)
    wires.close(17)
    ear.wait()
    with pin._lock:
        for _ in range(EVENT_BUFFER):
            wires.open(17)
            wires.close(17)
    ear.wait(EVENT_BUFFER)
    assert factory.lost == EVENT_BUFFER


def test_a_callback_that_fails_does_not_end_the_reader(factory, wires):
    pin = factory.pin(17)
    pin.input_with_pull("up")
    fallen, risen = threading.Event(), threading.Event()

    def trip(_ticks, state):
        if not state:
            fallen.set()
            raise KeyError("a mistake of ours")
        risen.set()

    pin.when_changed = trip
    wires.close(17)
    assert fallen.wait(PATIENCE)
    wires.open(17)
    assert risen.wait(PATIENCE)
    assert factory.reader.faults == 1


def test_a_line_that_somebody_else_has_is_named_with_him(factory, chip):
    chip.strangers[17] = "lirc"
    with pytest.raises(GPIOPinInUse, match="it is in use by lirc"):
        factory.pin(17)
    with pytest.raises(DeviceError) as caught:
        Pins(lambda: (GpiodFactory(FakeChip(chip.wires)), ()), time.monotonic).contact(99, "hook")
    assert "hook: GPIO 99 cannot be used" in str(caught.value)


def test_the_sentence_for_a_busy_pin(wires):
    chip = FakeChip(wires)
    chip.strangers[17] = "lirc"
    pins = Pins(lambda: (GpiodFactory(chip), ()), time.monotonic)
    with pytest.raises(DeviceError) as caught:
        pins.contact(17, "hook")
    assert str(caught.value) == "hook: GPIO 17 cannot be used: it is in use by lirc"
    assert not chip.open, "nobody has a pin of it"


def test_a_closed_pin_is_free_and_can_be_had_again(factory, chip):
    for _ in range(3):
        device = InputDevice(17, pull_up=True, pin_factory=factory)
        assert 17 in chip.requests
        device.close()
        assert 17 not in chip.requests
    assert not factory.pins


def test_two_factories_know_nothing_of_each_other(wires):
    one, other = GpiodFactory(FakeChip(wires)), GpiodFactory(FakeChip(Wires()))
    first = InputDevice(17, pin_factory=one)
    second = InputDevice(17, pin_factory=other)
    first.close()
    second.close()
    one.close()
    other.close()


def test_a_chip_that_vanishes_tells_whoever_listens_and_costs_nothing_more(factory, chip):
    _, ear = listening(factory)
    chip.unplug()
    ear.wait()
    assert len(factory.reader) == 0
    factory.close()
    assert not chip.open
    chip.wires.broken = False


def test_the_pins_of_i2c_have_their_own_pull_up(factory):
    with pytest.raises(PinFixedPull):
        factory.pin(2).pull = "down"
    assert InputDevice(3, pull_up=True, pin_factory=factory).value == 0


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (lambda pin: setattr(pin, "function", "i2c"), PinInvalidFunction),
        (lambda pin: setattr(pin, "pull", "sideways"), PinInvalidPull),
        (lambda pin: setattr(pin, "state", 1), PinSetInput),
        (lambda pin: setattr(pin, "frequency", 100), PinPWMFixedValue),
        (lambda pin: setattr(pin, "edges", "sharp"), PinInvalidEdges),
        (lambda pin: setattr(pin, "bounce", -1), PinInvalidBounce),
    ],
)
def test_what_makes_no_sense_is_refused_as_gpiozero_has_it(factory, wrong, error):
    with pytest.raises(error):
        wrong(factory.pin(17))


def test_pull_and_bounce_cannot_be_of_an_output(factory):
    pin = factory.pin(17)
    pin.output_with_state(1)
    assert (pin.function, pin.state) == ("output", 1)
    with pytest.raises(PinFixedPull):
        pin.pull = "up"


def test_an_output_that_was_driven_before_keeps_its_function(wires, factory):
    wires.configure(4, output=True, driven=1)
    assert factory.pin(4).function == "output"


def test_bounce_is_the_kernels(factory, chip):
    pin, _ = listening(factory)
    pin.bounce = 0.005
    settings = chip.requests[17]._settings
    assert settings.debounce_period.total_seconds() == 0.005
    assert settings.edge_detection is Edge.BOTH
    assert pin.bounce == 0.005


def test_pulses_are_made_by_a_thread_that_ends_with_them(factory, wires):
    before = threading.active_count()
    pin = factory.pin(9)
    pin.output_with_state(0)
    pin.frequency = 400
    pin.state = 0.5
    assert (pin.frequency, pin.state) == (400, 0.5)
    end = time.monotonic() + PATIENCE
    while wires.lines[9].edges < 10:
        assert time.monotonic() < end
        time.sleep(0.001)  # noqa: TID251 - the thread is at work
    pin.state = 1
    assert (wires.read(9), threading.active_count()) == (1, before)
    pin.frequency = None
    assert wires.read(9) == 0


def test_closing_joins_the_reader(wires):
    before = threading.active_count()
    factory = GpiodFactory(FakeChip(wires))
    listening(factory)
    assert threading.active_count() == before + 1
    factory.close()
    factory.close()
    assert threading.active_count() == before
