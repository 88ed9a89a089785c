"""Edges of a line that somebody fetches before the thread that is there for it."""

import threading

import pytest

from hal.gpio.gpiod_factory import GpiodFactory
from tests.support.gpio.fake_gpiod import FakeChip
from tests.support.gpio.wires import Wires

PATIENCE = 15.0


@pytest.fixture
def wires():
    return Wires()


@pytest.fixture
def factory(wires):
    factory = GpiodFactory(lambda: FakeChip(wires))
    yield factory
    factory.close()


def test_whoever_looks_at_a_level_hears_first_of_all_edges_before_it(factory, wires):
    """The reader hangs in a callback of another pin; these edges are told by who asks for them."""
    hangs, entered, told = threading.Event(), threading.Event(), []
    other, pin = factory.pin("GPIO17"), factory.pin("GPIO18")

    def hang(_ticks, _state):
        entered.set()
        hangs.wait(PATIENCE)

    for each, ear in ((other, hang), (pin, lambda _ticks, state: told.append(state))):
        each.input_with_pull("up")
        each.when_changed = ear
    try:
        wires.close(17)
        assert entered.wait(PATIENCE)
        wires.close(18)
        wires.open(18)
        pin.hear()
        assert told == [0, 1]
        pin.hear()
        assert told == [0, 1]
    finally:
        hangs.set()


def test_who_asks_for_edges_waits_until_those_that_are_being_told_have_been(factory, wires):
    """Else an edge would be told before one that was read earlier."""
    entered, goes_on, told = threading.Event(), threading.Event(), []
    pin = factory.pin("GPIO17")
    pin.input_with_pull("up")

    def ear(_ticks, state):
        if not state:
            entered.set()
            goes_on.wait(PATIENCE)
        told.append(state)

    pin.when_changed = ear
    wires.close(17)
    assert entered.wait(PATIENCE)
    wires.open(17)
    asking = threading.Thread(target=pin.hear)
    asking.start()
    asking.join(0.05)
    assert (asking.is_alive(), told) == (True, [])
    goes_on.set()
    asking.join(PATIENCE)
    assert told == [0, 1]
