import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hal.events import DeviceFailed, DeviceRecovered, KeyDown, KeyUp
from hal.keys import Key
from hal.matrix import Matrix, ghosts

NAMES = ["123", "456", "789", "*0#"]
PAD = [[Key(name) for name in row] for row in NAMES]
PLACE = {name: (r, c) for r, row in enumerate(NAMES) for c, name in enumerate(row)}


def wires(*names):
    """The crossings that a scan reads with these keys down, ghosts and all."""
    closed = {PLACE[name] for name in names}
    while True:
        more = {
            (r2, c1)
            for (r1, c1) in closed
            for (r1b, c2) in closed
            for (r2, c2b) in closed
            if r1 == r1b and c2 == c2b
        }
        if more <= closed:
            return frozenset(closed)
        closed |= more


class Pad:
    """The matrix with fingers on it, scanned every 10 ms."""

    def __init__(self, **options):
        self.matrix = Matrix(PAD, **options)
        self.now = 0.0
        self.hold("")

    def hold(self, names, seconds=0.05):
        """Keep exactly these keys down for a while; what was told."""
        told = []
        for _ in range(round(seconds * 100)):
            self.now += 0.01
            told.extend(self.matrix.scan(wires(*names), self.now))
        return said(told)


def said(events):
    text = []
    for event in events:
        match event:
            case KeyDown(key):
                text.append("+" + key.value)
            case KeyUp(key):
                text.append("-" + key.value)
            case DeviceFailed(device, reason):
                text.append(f"{device} {reason}")
            case DeviceRecovered(device):
                text.append(f"{device} again")
    return text


def test_every_key_is_heard_down_and_up():
    for name in PLACE:
        pad = Pad()
        assert pad.hold(name) + pad.hold("") == ["+" + name, "-" + name]


def test_a_key_is_heard_in_the_first_scan_that_sees_it():
    matrix = Matrix(PAD)
    matrix.scan(frozenset(), 0.0)
    assert matrix.scan(wires("5"), 0.01) == (KeyDown(Key.DIGIT_5, 0.01),)


def test_f37_bounce_is_one_press():
    matrix, told = Matrix(PAD), []
    matrix.scan(frozenset(), 0.0)
    for step in range(16):
        told += matrix.scan(wires("5") if step % 2 == 0 or step > 8 else frozenset(), step / 1000)
    assert said(told) == ["+5"]


def test_two_keys_at_once_are_both_heard():
    pad = Pad()
    assert pad.hold("15") == ["+1", "+5"]
    assert pad.hold("5") == ["-1"]


def test_three_keys_in_one_row_make_no_ghost():
    assert Pad().hold("123") == ["+1", "+2", "+3"]


def test_f37_a_third_corner_is_not_believed_and_neither_is_its_ghost():
    pad = Pad()
    pad.hold("1")
    pad.hold("12")
    # 4 closes the rectangle 1-2-4-5: the wires say 5 as loudly as 4.
    assert wires("1", "2", "4") == wires("1", "2", "4", "5")
    assert pad.hold("124") == []
    assert pad.hold("14") == ["-2", "+4"]


def test_keys_that_were_believed_stay_down_while_a_rectangle_stands():
    pad = Pad()
    pad.hold("12")
    assert pad.hold("1245") == []
    assert len(pad.matrix) == 2
    assert pad.hold("") == ["-1", "-2"]
    assert len(pad.matrix) == 0


def test_ghosts_are_the_corners_of_full_rectangles_only():
    assert ghosts(wires("1", "2", "4", "#")) == {PLACE[n] for n in "1245"}
    assert ghosts(wires("1", "5", "9")) == set()
    assert ghosts(frozenset()) == set()


def test_f36_a_stuck_key_is_one_press_then_reported_then_ignored():
    pad = Pad(stuck_after=1.0)
    assert pad.hold("8", 0.9) == ["+8"]
    assert pad.hold("8", 0.3) == ["-8", "key 8 it is stuck down"]
    assert pad.hold("8", 5.0) == []
    assert pad.hold("83") == ["+3"]
    assert pad.hold("") == ["-3", "key 8 again"]
    assert pad.hold("8") == ["+8"]


def test_a_key_that_is_down_at_the_start_is_no_wish():
    matrix = Matrix(PAD, stuck_after=1.0)
    told = [event for n in range(50) for event in matrix.scan(wires("1"), n / 100)]
    assert told == []
    assert said(matrix.scan(wires("1"), 1.0)) == ["key 1 it is stuck down"]
    assert said(matrix.scan(frozenset(), 1.1)) == ["key 1 again"]
    assert said(matrix.scan(wires("1"), 1.2)) == ["+1"]


def test_a_key_that_is_let_go_soon_after_the_start_is_silent_too():
    matrix = Matrix(PAD)
    matrix.scan(wires("1"), 0.0)
    assert matrix.scan(frozenset(), 0.1) == ()
    assert said(matrix.scan(wires("1"), 0.2)) == ["+1"]


def test_a_crossing_without_a_key_is_nothing():
    matrix = Matrix([[Key.DIGIT_1, None]])
    matrix.scan(frozenset(), 0.0)
    assert matrix.scan({(0, 1), (7, 7)}, 0.1) == ()


def test_scanning_may_rest_only_when_nothing_is_pending():
    matrix = Matrix(PAD)
    matrix.scan(frozenset(), 0.0)
    assert not matrix.active
    matrix.scan(wires("1"), 0.1)
    assert matrix.active
    matrix.scan(frozenset(), 0.2)
    assert matrix.active, "the lock-out of the release is still running"
    matrix.scan(frozenset(), 0.3)
    assert not matrix.active


def test_ten_thousand_presses_leave_no_key_down():
    matrix, now = Matrix(PAD), 0.0
    matrix.scan(frozenset(), now)
    names = list(PLACE)
    for n in range(10_000):
        for closed in (wires(names[n % 12]), frozenset()):
            now += 0.03
            matrix.scan(closed, now)
    assert len(matrix) == 0


class Fingers(RuleBasedStateMachine):
    """Any fingers, any time: compared with what the hands really did."""

    @initialize()
    def sit_down(self):
        self.pad = Pad(stuck_after=1e9)
        self.real = set()
        self.believed = set()

    def scan(self, times):
        for _ in range(times):
            for word in self.pad.hold(sorted(self.real), 0.01):
                mark, name = word[0], word[1:]
                assert (name in self.believed) == (mark == "-"), "down and up alternate"
                assert mark == "-" or name in self.real, "a ghost was believed"
                (self.believed.remove if mark == "-" else self.believed.add)(name)

    @rule(name=st.sampled_from(sorted(PLACE)), times=st.integers(1, 4))
    def touch(self, name, times):
        self.real ^= {name}
        self.scan(times)

    @rule()
    def let_go(self):
        self.real.clear()
        self.scan(4)
        assert self.believed == set()

    @rule()
    def one_or_two_fingers_are_always_understood(self):
        if len(self.real) <= 2:
            self.scan(4)
            assert self.believed == self.real

    @invariant()
    def nothing_is_believed_that_the_wires_do_not_say(self):
        if hasattr(self, "pad"):
            self.scan(4)
            assert {PLACE[name] for name in self.believed} <= wires(*self.real)

    @invariant()
    def without_a_rectangle_all_is_known(self):
        if hasattr(self, "pad") and not ghosts(wires(*self.real)):
            assert self.believed == self.real


Fingers.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestFingers = Fingers.TestCase


@pytest.mark.parametrize("names", ["14", "12", "1", ""])
def test_the_model_of_the_wires_adds_no_ghost_to_two_fingers(names):
    assert wires(*names) == {PLACE[name] for name in names}


def test_f36_a_key_that_was_stuck_and_is_free_again_is_a_key_like_any_other():
    pad = Pad(stuck_after=1.0)
    assert pad.hold("5", 1.5) == ["+5", "-5", "key 5 it is stuck down"]
    assert pad.hold("") == ["key 5 again"]
    assert pad.hold("5") == ["+5"]
    assert pad.hold("") == ["-5"]
    assert pad.hold("5", 1.5) == ["+5", "-5", "key 5 it is stuck down"]
