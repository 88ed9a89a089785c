"""Our factory over libgpiod: what the kernel does to lines, and what gpiozero must see of it."""

import os
import queue
import threading
import time

import gpiod
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
from tests.support.left_open import open_now, opened_since, running_now, started_since

PATIENCE = 15.0


@pytest.fixture
def wires():
    return Wires()


@pytest.fixture
def chip(wires):
    return FakeChip(wires)


@pytest.fixture
def factory(chip):
    factory = GpiodFactory(lambda: chip)
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
    pins = Pins(lambda: (GpiodFactory(lambda: chip), ()), time.monotonic)
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
        Pins(lambda: (GpiodFactory(lambda: FakeChip(chip.wires)), ()), time.monotonic).contact(
            99, "hook"
        )
    assert "hook: GPIO 99 cannot be used" in str(caught.value)


def test_the_sentence_for_a_busy_pin(wires):
    chip = FakeChip(wires)
    chip.strangers[17] = "lirc"
    pins = Pins(lambda: (GpiodFactory(lambda: chip), ()), time.monotonic)
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
    one = GpiodFactory(lambda: FakeChip(wires))
    other = GpiodFactory(lambda: FakeChip(Wires()))
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
    before = running_now()
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
    assert (wires.read(9), started_since(before)) == (1, [])
    pin.frequency = None
    assert wires.read(9) == 0


def test_closing_leaves_no_descriptor_behind(wires):
    before = open_now()
    for _ in range(10):
        factory = GpiodFactory(lambda: FakeChip(wires))
        listening(factory)
        factory.close()
    assert opened_since(before) == []


def test_closing_joins_the_reader(wires):
    before = running_now()
    factory = GpiodFactory(lambda: FakeChip(wires))
    listening(factory)
    assert len(started_since(before)) == 1
    factory.close()
    factory.close()
    assert started_since(before) == []


def test_a_reader_that_is_called_for_nothing_does_not_wait_with_the_lock_in_its_hand(factory):
    """Its descriptor was closed and given to another line since the kernel said it was readable."""
    pin, _ = listening(factory)
    pin.hear()
    pin.close()
    pin.hear()


def test_a_pin_that_went_deaf_hears_when_it_is_listened_to_anew(wires, chip):
    """The kernel said no once: the reader let go of the line, and gpiozero knows nothing of it."""
    pins = Pins(lambda: (GpiodFactory(lambda: chip), ()), time.monotonic)
    contact, told = pins.contact(17, "hook"), queue.SimpleQueue()
    reader = contact._device.pin.factory.reader

    def listen():
        contact.watch(lambda closed, _at: told.put(closed))

    listen()
    wires.broken = True
    chip.requests[17].note(0, 0)
    told.get(timeout=PATIENCE)  # the reader says that something happened
    wires.broken = False
    assert len(reader) == 0
    listen()
    wires.close(17)
    assert told.get(timeout=PATIENCE) is True
    wires.broken = True
    for _ in range(2):
        with pytest.raises(DeviceError):
            listen()
    wires.broken = False
    assert len(reader) == 0
    listen()
    wires.open(17)
    while told.get(timeout=PATIENCE):
        """What was said before it went deaf."""
    contact.close()


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ValueError(22, "Invalid argument"), "Invalid argument"),
        (NotImplementedError(95, "Operation not supported"), "Operation not supported"),
        (gpiod.ChipClosedError(), "I/O operation on closed chip"),
        (gpiod.RequestReleasedError(), "GPIO lines have been released"),
    ],
)
def test_what_the_binding_makes_of_errors_is_a_sentence_with_the_pin(chip, raised, said):
    def refuse(*_args, **_more):
        raise raised

    pins = Pins(lambda: (GpiodFactory(lambda: chip), ()), time.monotonic)
    lamp = pins.output(22, "lamp mute")
    chip.requests[22].set_value = refuse
    with pytest.raises(DeviceError) as caught:
        lamp.shine(on=True)
    assert str(caught.value) == f"lamp mute: GPIO 22 does not answer: {said}"
    for pin, call in ((17, "get_line_info"), (18, "request_lines")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(chip, call, refuse)
            with pytest.raises(DeviceError) as caught:
                pins.contact(pin, "hook")
        assert str(caught.value) == f"hook: GPIO {pin} cannot be used: {said}"
    lamp.close()


def test_a_chip_that_has_fewer_lines_is_named_with_their_number():
    """The expander of a Pi, or a chip on USB, in place of the header's."""
    pins = Pins(
        lambda: (GpiodFactory(lambda: FakeChip(Wires(8), "raspberrypi-exp-gpio")), ()),
        time.monotonic,
    )
    with pytest.raises(DeviceError) as caught:
        pins.contact(17, "hook")
    assert str(caught.value) == (
        "hook: GPIO 17 cannot be used: gpiochip0 (raspberrypi-exp-gpio) has 8 lines"
    )


def test_a_row_that_cannot_be_let_go_leaves_its_pin_to_others(wires, chip):
    def refuse(_config):
        raise OSError(22, "Invalid argument")

    pins = Pins(lambda: (GpiodFactory(lambda: chip), ()), time.monotonic)
    held = pins.output(4, "lamp mute")
    asking = chip.request_lines

    def request_lines(*args, **more):
        request = asking(*args, **more)
        request.reconfigure_lines = refuse
        return request

    chip.request_lines = request_lines
    with pytest.raises(DeviceError):
        pins.row(5, "keypad row 1")
    chip.request_lines = asking
    assert 5 not in chip.requests
    pins.row(5, "keypad row 1").close()
    held.close()


def test_pulses_on_a_pin_that_is_gone_are_told_and_begin_anew(factory, wires):
    pin = factory.pin(9)
    pin.output_with_state(0)
    pin.frequency = 400
    wires.broken = True
    with pytest.raises(OSError, match="No such device"):
        pin.state = 0.5
    wires.broken = False
    pin.state = 0.5
    running = pin._pwm._thread
    wires.broken = True
    running.join(PATIENCE)
    assert not running.is_alive()
    wires.broken = False
    pin.state = 0.4
    edges, end = wires.lines[9].edges, time.monotonic() + PATIENCE
    while wires.lines[9].edges < edges + 4:
        assert time.monotonic() < end, "nobody pulses it any more"
        time.sleep(0.001)  # noqa: TID251 - the thread is at work


def test_a_callback_that_hangs_keeps_its_descriptors(wires, monkeypatch):
    """Closed under its feet, their numbers would soon be somebody's file."""
    monkeypatch.setattr("hal.gpio.gpiod_reader._PATIENCE", 0.02)
    factory, entered, hanging = (
        GpiodFactory(lambda: FakeChip(wires)),
        threading.Event(),
        threading.Event(),
    )
    pin = factory.pin(17)
    pin.input_with_pull("up")

    def hang(_ticks, _state):
        entered.set()
        hanging.wait(PATIENCE)

    pin.when_changed = hang
    wires.close(17)
    assert entered.wait(PATIENCE)
    reader = factory.reader
    factory.close()
    os.fstat(reader._epoll.fileno())
    thread = reader._thread
    hanging.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize(("claimed", "told"), [(-0.5, 99.5), (-60.0, 100.0), (5.0, 100.0)])
def test_a_moment_of_another_clock_is_now(chip, monkeypatch, claimed, told):
    pins = Pins(lambda: (GpiodFactory(lambda: chip), ()), lambda: 100.0)
    pins.open()
    monkeypatch.setattr(GpiodFactory, "ticks", staticmethod(lambda: 7.0))
    assert pins._moment(7.0 + claimed) == pytest.approx(told)
    pins.settle()


def test_the_chip_is_closed_with_the_last_pin(wires):
    chips = []

    def open_factory():
        chips.append(FakeChip(wires))
        return GpiodFactory(lambda: chips[-1]), ()

    pins = Pins(open_factory, time.monotonic)
    hook, lamp = pins.contact(17, "hook"), pins.output(22, "lamp mute")
    hook.close()
    assert chips[0].open
    lamp.close()
    assert not chips[0].open
    pins.line(24, "display").close()
    assert [chip.open for chip in chips] == [False, False]


@pytest.mark.parametrize("active_low", [False, True])
def test_nothing_shines_or_pulls_while_it_is_opened_and_after_it_was_closed(
    wires, chip, active_low
):
    """A coil that gets a current when the phone starts strikes the bell."""
    wires.configure(22, output=False, pull="up" if active_low else "floating")
    dark, levels = int(active_low), []
    wires.listen(lambda pin, level, _at: pin == 22 and levels.append(level))
    pins = Pins(lambda: (GpiodFactory(lambda: chip), ()), time.monotonic)
    lamp = pins.output(22, "lamp mute", active_low=active_low)
    assert (wires.read(22), levels) == (dark, [])
    lamp.shine(on=True)
    assert wires.read(22) == 1 - dark
    lamp.shine(on=False)
    lamp.close()
    assert levels[:2] == [1 - dark, dark]
