"""Named moments: one per name, earliest first, none lost by who uses them."""

import pytest

from firmware.base.deadlines import Deadlines


@pytest.fixture
def three():
    clocks = Deadlines()
    for name, at in (("late", 3.0), ("soon", 1.0), ("next", 2.0)):
        clocks.set(name, at)
    return clocks


def test_what_is_due_comes_earliest_first(three):
    assert three.earliest() == 1.0
    assert three.take_due(2.0) == ["soon", "next"]
    assert list(three.due(3.0)) == ["late"]
    assert len(three) == 0
    assert three.earliest() is None


def test_a_name_has_one_moment(three):
    three.set("soon", 9.0)
    assert three.take_due(5.0) == ["next", "late"]
    assert three.earliest() == 9.0


def test_f43_a_fault_at_one_leaves_those_after_it_due(three):
    def use():
        for name in three.due(5.0):
            if name == "next":
                raise RuntimeError

    with pytest.raises(RuntimeError):
        use()
    assert three.take_due(5.0) == ["late"]


def test_a_clock_that_is_set_again_while_it_rings_waits_for_its_next_turn(three):
    rung = []
    for name in three.due(5.0):
        rung.append(name)
        three.set(name, 5.0)
    assert rung == ["soon", "next", "late"]
    assert three.take_due(5.0) == rung


def test_one_that_is_cancelled_meanwhile_does_not_ring(three):
    rung = []
    for name in three.due(5.0):
        rung.append(name)
        three.cancel("next")
    assert rung == ["soon", "late"]


def test_ten_thousand_life_cycles_leave_it_empty():
    clocks = Deadlines()
    for number in range(10_000):
        clocks.set(number, float(number))
        clocks.set(number, number + 0.5)
        clocks.cancel(number)
    assert len(clocks) == 0
    assert clocks.earliest() is None
