# ruff: noqa: FBT003 - the levels of contacts are the data here
"""A late thread, lost edges, wild wires: a part made of switches is fed all the same."""

import pytest

from hal.board_spec import Contact, HeadsetSpec, HookSpec, RotarySpec
from hal.errors import DeviceError, DeviceGoneError
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
from hal.gpio.contacts import Button, Dial, Headset, Hook
from hal.gpio.watch import Watch
from hal.keys import Key


class Wire:
    """A contact in the hand of the test."""

    def __init__(self):
        self.level = False
        self.gone = False
        self.edge = None
        self.waiting = []
        """Edges that the library's thread has not told yet."""

    @property
    def closed(self):
        if self.gone:
            raise DeviceGoneError("hook: GPIO 17 does not answer: No such device")
        return self.level

    def watch(self, edge):
        if self.gone:
            raise DeviceGoneError("hook: GPIO 17 does not answer: No such device")
        self.edge = edge

    def catch_up(self):
        waiting, self.waiting = self.waiting, []
        for closed, at in waiting:
            self.edge(closed, at)

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


def test_f37_a_burst_whose_edges_are_told_after_its_lock_out_is_still_one(hook, wires):
    """The thread of the pin library was away for longer than a contact bounces."""
    wires[0].move(True, 1.0)
    assert list(hook.run(1.001)) == [HookLifted(1.0)]
    assert list(hook.run(1.051)) == [], "it was read: lifted, and the lock-out is over"
    for step in range(1, 81):
        wires[0].move(step % 2 == 0, 1.0 + step * 0.00001)
    assert list(hook.run(1.06)) == []
    assert hook.deadline is None
    assert list(hook.run(1.2)) == []


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


def train(pulses, turned):
    """The edges of a dial that runs back: wire, whether it is closed, moment."""
    edges = [(1, True, 1.0)] if turned else []
    for pulse in range(pulses):
        edges += [(0, False, 1.3 + pulse * 0.1), (0, True, 1.36 + pulse * 0.1)]
    return [*edges, (1, False, 1.33 + pulses * 0.1)] if turned else edges


@pytest.mark.parametrize("fetches", [True, False], ids=["gpiod", "another library"])
@pytest.mark.parametrize("turned", [True, False], ids=["with a rest contact", "without"])
@pytest.mark.parametrize("begin", [1.01, 1.31, 1.37, 1.48, 1.62])
def test_f45_a_digit_in_which_all_threads_stood_still_is_the_one_that_was_dialled(
    wires, turned, begin, fetches
):
    """Whoever is woken first must not take the dial for resting before its edges are told."""
    spec = RotarySpec(24, 25 if turned else None, "1234567890")
    watch = Watch(Dial(spec), wires if turned else wires[:1], lambda: None)
    wires[0].level = True
    told, end, edges = list(watch.run(0.0)), begin + 0.4, train(7, turned)
    meanwhile = [edge for edge in edges if begin <= edge[2] < end]
    told += moved(watch, wires, [edge for edge in edges if edge[2] < begin])
    for wire, closed, at in meanwhile:
        wires[wire].move(closed, at, lost=True)
        if fetches:
            wires[wire].waiting.append((closed, at))
    if watch.deadline is not None:
        told += watch.run(max(end, watch.deadline))
    for wire, closed, at in () if fetches else meanwhile:
        wires[wire].waiting.append((closed, at))
    for wire in wires:
        wire.catch_up()  # the library's own thread has its turn
    told += moved(watch, wires, [edge for edge in edges if edge[2] >= end])
    told += in_time(watch, 9.0)
    assert [event.key.value for event in told if isinstance(event, KeyDown)] == ["7"]


def moved(watch, wires, edges):
    """What a thread says that is never late."""
    told = []
    for wire, closed, at in edges:
        told += in_time(watch, at)
        wires[wire].move(closed, at)
        told += in_time(watch, at)
    return told


def in_time(watch, until):
    told = []
    while (due := watch.deadline) is not None and due <= until:
        told += watch.run(due or until)
    return told


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


@pytest.mark.parametrize("digit", range(1, 11))
def test_f37_a_dial_whose_wires_are_read_one_after_the_other_gives_its_digit(wires, digit):
    """The thread of the edges was away: it finds all pulses first, then the contact at rest."""
    dial = Watch(Dial(RotarySpec(23, 24, "1234567890")), wires, lambda: None)
    wires[0].level = True
    assert list(dial.run(0.5)) == []
    for pulse in range(digit):
        wires[0].move(False, 1.3 + pulse * 0.1)
        wires[0].move(True, 1.36 + pulse * 0.1)
    wires[1].move(True, 1.0)
    wires[1].move(False, 1.4 + digit * 0.1)
    told = [*dial.run(3.0), *dial.run(3.1)]
    assert [event.key.value for event in told if isinstance(event, KeyDown)] == [str(digit % 10)]


def test_the_edges_of_one_wire_are_in_the_order_they_came(hook, wires):
    """Their moments are reckoned backwards from now, and somebody else may have had a turn then."""
    wires[0].move(True, 1.0)
    wires[0].move(False, 2.0)
    wires[0].move(True, 1.999)
    told = list(hook.run(2.4))
    assert kinds(told) == [HookLifted, HookReplaced, HookFlash]
    assert told[-1].at == pytest.approx(2.05), "when its lock-out ended, not when somebody looked"


def test_closing_lets_go_of_the_wires(hook, wires):
    hook.close()
    assert wires[0].edge is None


def test_a_wire_that_could_not_be_listened_to_is_listened_to_the_next_time(wires):
    hook = Watch(Hook(HookSpec(17, Contact.CLOSED, 50, 500)), wires[:1], lambda: None)
    wires[0].gone = True
    with pytest.raises(DeviceGoneError):
        list(hook.run(0.0))
    wires[0].gone = False
    assert list(hook.run(1.0)) == []
    wires[0].move(True, 2.0)
    assert list(hook.run(2.1)) == [HookLifted(2.0)]


def test_after_any_fault_the_wire_is_listened_to_anew(hook, wires):
    """A library may have let go of a pin that failed once."""
    wires[0].gone = True
    wires[0].move(True, 1.0)
    with pytest.raises(DeviceGoneError):
        list(hook.run(1.0))
    wires[0].edge, wires[0].gone, wires[0].level = None, False, False
    assert kinds(hook.run(2.0)) == [HookReplaced]
    wires[0].move(True, 9.0)
    assert list(hook.run(9.1)) == [HookLifted(9.0)]


def test_a_digit_in_the_middle_of_which_the_wires_failed_is_not_dialled(wires):
    """Three of seven pulses are no 3."""
    watch = Watch(Dial(RotarySpec(24, 25, "1234567890")), wires, lambda: None)
    pulse, off_normal = wires
    pulse.level = True
    list(watch.run(0.0))
    off_normal.move(True, 1.0)
    for at in (1.3, 1.4, 1.5):
        pulse.move(False, at)
        pulse.move(True, at + 0.06)
    list(watch.run(1.57))
    pulse.gone = True
    off_normal.move(True, 1.58)
    with pytest.raises(DeviceGoneError):
        list(watch.run(1.58))
    pulse.gone, pulse.level, off_normal.level = False, True, False
    assert played(watch, 2.6, 3.0) == []
    off_normal.move(True, 4.0)
    pulse.move(False, 4.3)
    pulse.move(True, 4.36)
    off_normal.move(False, 4.5)
    assert [e.key.value for e in played(watch, 4.5, 5.0) if isinstance(e, KeyDown)] == ["1"]


def played(watch, now, until):
    told = list(watch.run(now))
    while watch.deadline is not None and watch.deadline <= until:
        told += watch.run(max(watch.deadline, now))
    return told


def test_a_dial_without_a_rest_contact_loses_the_digit_too_and_no_other(wires):
    watch = Watch(Dial(RotarySpec(24, None, "1234567890")), wires[:1], lambda: None)
    pulse = wires[0]
    pulse.level = True

    def fail(now):
        pulse.gone = True
        pulse.move(True, now)
        with pytest.raises(DeviceGoneError):
            list(watch.run(now))
        pulse.gone = False
        return played(watch, now + 0.01, now + 1)

    list(watch.run(0.0))
    pulse.move(False, 1.0)
    pulse.move(True, 1.06)
    assert fail(1.1) == [], "of this digit a part may be missing"
    assert fail(3.0) == []
    pulse.move(False, 5.0)
    pulse.move(True, 5.06)
    assert kinds(played(watch, 5.07, 6.0)) == [KeyDown, KeyUp], "it failed between two digits"


def test_f36_a_key_whose_wire_fails_is_let_go_and_not_pressed_again(wires):
    button = Watch(Button(Key.MUTE, 23), wires[:1], lambda: None)
    list(button.run(0.0))
    wires[0].move(True, 1.0)
    assert kinds(button.run(1.0)) == [KeyDown]
    wires[0].gone = True
    wires[0].move(True, 1.1)
    run = button.run(1.1)
    assert next(run) == KeyUp(Key.MUTE, 1.1)
    with pytest.raises(DeviceGoneError):
        next(run)
    with pytest.raises(DeviceGoneError):
        next(button.run(2.1))
    wires[0].gone = False
    assert played(button, 4.1, 5.0) == []
    wires[0].move(False, 6.0)
    assert played(button, 6.0, 7.0) == []
    wires[0].move(True, 8.0)
    assert kinds(button.run(8.0)) == [KeyDown]


def test_f37_a_wire_that_never_stops_does_not_keep_the_thread(wires):
    """Each edge is followed by another before it has been looked at."""

    class Restless(Hook):
        looks = 0

        def sample(self, closed, now):
            self.looks += 1
            assert self.looks < 500, "the other parts have no turn any more"
            wires[0].move(not wires[0].level, now)
            return super().sample(closed, now)

    watch = Watch(Restless(HookSpec(17, Contact.CLOSED, 50, 500)), wires[:1], lambda: None)
    for step in range(20):
        watch._part.looks = 0
        list(watch.run(step / 10))
        assert watch.deadline == 0.0, "and it is looked at again at once"


def test_an_edge_that_is_told_after_the_wires_were_read_has_its_own_moment(hook, wires):
    """It happened before: the lock-out is reckoned from there."""
    wires[0].move(True, 5.0)
    assert list(hook.run(5.0)) == [HookLifted(5.0)]
    list(hook.run(6.0))
    wires[0].move(False, 5.9)
    assert [event.at for event in hook.run(6.1)] == [5.9]
    assert hook.deadline is None, "it is over"


def test_a_plug_that_is_pushed_in_slides_along_its_contacts_and_is_one_plug(wires):
    headset = Watch(Headset(HeadsetSpec(27, Contact.CLOSED)), wires[:1], lambda: None)
    list(headset.run(0.0))
    for step in range(9):
        wires[0].move(step % 2 == 0, 1.0 + step * 0.025)
    assert kinds(played(headset, 1.21, 3.0)) == [HeadsetPlugged]
    for step in range(9):
        wires[0].move(step % 2 == 1, 5.0 + step * 0.025)
    assert kinds(played(headset, 5.21, 7.0)) == [HeadsetUnplugged]


def test_f37_a_tap_on_a_key_that_is_shorter_than_its_lock_out_is_let_go(wires):
    button = Watch(Button(Key.MUTE, 23), wires[:1], lambda: None)
    list(button.run(0.0))
    wires[0].move(True, 1.0)
    wires[0].move(False, 1.005)
    assert [event.at for event in played(button, 1.01, 2.0)] == [1.0, pytest.approx(1.02)]
    assert button.deadline is None


def test_f36_a_key_with_a_wire_of_its_own_is_stuck_after_half_a_minute(wires):
    button = Watch(Button(Key.MUTE, 23), wires[:1], lambda: None)
    list(button.run(0.0))
    wires[0].move(True, 1.0)
    told = played(button, 1.0, 40.0)
    assert kinds(told) == [KeyDown, KeyUp, DeviceFailed]
    assert told[-1].at == pytest.approx(31.0)
    assert button.deadline is None, "nothing is polled"
