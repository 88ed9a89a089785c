# ruff: noqa: FBT003 - the levels of contacts are the data here
"""A late thread, lost edges, wild wires: a part made of switches is fed all the same."""

import pytest

from hal.board_spec import Contact, HookSpec, RotarySpec
from hal.errors import DeviceError, DeviceGoneError
from hal.events import HookFlash, HookLifted, HookReplaced, KeyDown
from hal.gpio.contacts import Dial, Hook
from hal.gpio.watch import Watch


class Wire:
    """A contact in the hand of the test."""

    def __init__(self):
        self.level = False
        self.gone = False
        self.edge = None

    @property
    def closed(self):
        if self.gone:
            raise DeviceGoneError("hook: GPIO 17 does not answer: No such device")
        return self.level

    def watch(self, edge):
        self.edge = edge

    def move(self, closed, at, *, lost=False):
        self.level = closed
        if self.edge is not None and not lost:
            self.edge(closed, at)

    def close(self):
        self.edge = None


@pytest.fixture
def wires():
    return [Wire(), Wire()]


@pytest.fixture
def hook(wires):
    part = Hook(HookSpec(17, Contact.CLOSED, 50, 500))
    watch = Watch(part, wires[:1], lambda: None)
    assert list(watch.run(0.0)) == []
    return watch


def kinds(events):
    return [type(event) for event in events]


def test_an_edge_is_told_with_the_moment_it_happened(hook, wires):
    wires[0].move(True, 1.0)
    assert hook.deadline == 0.0
    assert list(hook.run(1.004)) == [HookLifted(1.0)]
    assert hook.deadline == pytest.approx(1.05)


def test_however_late_the_thread_is_a_tap_is_a_tap(hook, wires):
    wires[0].move(True, 1.0)
    wires[0].move(False, 3.0)
    wires[0].move(True, 3.2)
    assert list(hook.run(9.0)) == [HookLifted(1.0), HookReplaced(3.0), HookFlash(3.2)]


def test_f37_the_last_edge_of_a_burst_was_lost_and_the_level_is_read(hook, wires):
    wires[0].move(True, 1.0)
    wires[0].move(False, 1.01, lost=True)
    assert list(hook.run(1.02)) == [HookLifted(1.0)]
    assert hook.deadline == pytest.approx(1.05)
    assert kinds(hook.run(1.05)) == [HookReplaced]


def test_f37_two_hundred_edges_before_anybody_looks_are_one_lift(hook, wires):
    for step in range(201):
        wires[0].move(step % 2 == 0, 1.0 + step * 0.0002)
    assert list(hook.run(1.2)) == [HookLifted(1.0)]
    assert list(hook.run(1.3)) == []
    assert hook.deadline is None


def test_more_edges_than_are_kept_lose_the_oldest_and_the_level_is_true(hook, wires):
    for step in range(601):
        wires[0].move(step % 2 == 0, 1.0 + step * 0.00005)
    assert kinds(hook.run(1.2)) == [HookLifted]
    assert list(hook.run(1.3)) == []


def test_f37_a_wild_wire_is_not_listened_to_for_a_while(hook, wires):
    def burst(at):
        for step in range(401):
            wires[0].move(step % 2 == 0, at)
        return list(hook.run(at))

    assert burst(1.0) == [HookLifted(1.0)]
    assert burst(1.01) == []
    with pytest.raises(DeviceError, match="changes more than 1000 times a second; is it connec"):
        burst(1.02)
    assert wires[0].edge is None, "its edges cost nothing any more"
    assert hook.deadline == 0.0, "and it is tried again when it has rested"
    assert list(hook.run(3.0)) == []
    assert wires[0].edge is not None


def test_a_wire_that_does_not_answer_is_read_anew_the_next_time(hook, wires):
    wires[0].gone = True
    wires[0].move(True, 1.0)
    with pytest.raises(DeviceGoneError):
        list(hook.run(1.0))
    assert hook.deadline == 0.0
    wires[0].gone = False
    wires[0].level = False
    assert kinds(hook.run(2.0)) == [HookReplaced]


def test_an_edge_of_another_clock_is_of_now(hook, wires):
    wires[0].move(True, 9_999.0)
    assert list(hook.run(1.0)) == [HookLifted(1.0)]


def test_a_digit_that_was_dialled_while_the_thread_was_away(wires):
    watch = Watch(Dial(RotarySpec(24, 25, "1234567890")), wires, lambda: None)
    pulse, off_normal = wires
    pulse.level = True
    list(watch.run(0.0))
    at = 1.0
    off_normal.move(True, at)
    for _ in range(7):
        at += 0.3 if at == 1.0 else 0.02
        pulse.move(False, at)
        at += 0.025
        pulse.move(True, at)
    off_normal.move(False, at + 0.02)
    events = list(watch.run(10.0))
    assert [event.key.value for event in events if isinstance(event, KeyDown)] == ["7"]
    assert watch.deadline is None


def test_two_digits_that_were_dialled_meanwhile_stay_two(wires):
    """Without a rest contact it is the silence between them that counts."""
    watch = Watch(Dial(RotarySpec(24, None, "1234567890")), wires[:1], lambda: None)
    wires[0].level = True
    list(watch.run(0.0))
    at = 1.0
    for pulses in (2, 3):
        for _ in range(pulses):
            wires[0].move(False, at)
            wires[0].move(True, at + 0.06)
            at += 0.1
        at += 0.6
    events = list(watch.run(10.0))
    assert [event.key.value for event in events if isinstance(event, KeyDown)] == ["2", "3"]


def test_closing_lets_go_of_the_wires(hook, wires):
    hook.close()
    assert wires[0].edge is None
