"""Scanning: what is driven when, what wakes it, and what a torn reading looks like."""

import itertools

import pytest

from hal.errors import DeviceError, DeviceGoneError
from hal.events import DeviceFailed, DeviceRecovered, KeyDown, KeyUp
from hal.gpio.keypad import Keypad
from hal.keys import Key
from hal.matrix import IGNORED_SCAN, SCAN, Matrix

NAMES = ["123", "456", "789", "*0#"]
KEYS = [[Key(name) for name in row] for row in NAMES]
PLACE = {name: (r, c) for r, row in enumerate(NAMES) for c, name in enumerate(row)}


class Pad:
    """Rows and columns with fingers on the crossings; ghosts included."""

    def __init__(self):
        self.low = [False] * 4
        self.down = set()
        self.edges = [None] * 3
        self.woken = 0
        self.readings = 0
        self.settling = lambda: None
        self.broken = False

    def rows(self):
        return [Row(self, place) for place in range(4)]

    def columns(self):
        return [Column(self, place) for place in range(3)]

    def level(self, column):
        """Whether a path of closed keys leads from this column to a row that is low."""
        rows, columns = set(), {column}
        while True:
            more = {r for r, c in self.down if c in columns} - rows
            rows |= more
            wider = {c for r, c in self.down if r in rows} | columns
            if not more and wider == columns:
                return any(self.low[row] for row in rows)
            columns = wider

    def move(self, change):
        """Let something change; whoever listens hears the edges."""
        before = [self.level(column) for column in range(3)]
        change()
        for column, (was, listener) in enumerate(zip(before, self.edges, strict=True)):
            if self.level(column) != was and listener is not None:
                listener(not was, 0.0)

    def press(self, *names):
        self.move(lambda: self.down.update(PLACE[name] for name in names))

    def release(self, *names):
        self.move(lambda: self.down.difference_update(PLACE[name] for name in names))

    def wake(self):
        self.woken += 1


class Row:
    def __init__(self, pad, place):
        self._pad, self._place = pad, place

    def _set(self, *, low):
        self._pad.move(lambda: self._pad.low.__setitem__(self._place, low))

    def drive(self):
        self._set(low=True)

    def release(self):
        self._set(low=False)

    close = release


class Column:
    def __init__(self, pad, place):
        self._pad, self._place = pad, place

    @property
    def closed(self):
        if self._pad.broken:
            raise DeviceGoneError("keypad column 1: GPIO 12 does not answer")
        return self._pad.level(self._place)

    def watch(self, edge):
        self._pad.edges[self._place] = edge

    def close(self):
        self.watch(None)


@pytest.fixture
def pad():
    return Pad()


@pytest.fixture
def keypad(pad):
    keypad = Keypad(
        Matrix(KEYS, stuck_after=1.0),
        pad.rows(),
        pad.columns(),
        pad.wake,
        lambda: pad.settling(),  # noqa: PLW0108 - it changes
    )
    run(keypad, 0.0)
    return keypad


def run(keypad, until):
    """Keep its deadlines up to a moment; what was told."""
    told, now = [], 0.0
    for _ in range(10_000):
        if keypad.deadline is None or keypad.deadline > until:
            return told
        now = max(now, keypad.deadline)
        told += keypad.run(now)
    raise AssertionError("it never rests")


def names(events):
    marks = {KeyDown: "+", KeyUp: "-"}
    return [marks[type(event)] + event.key.value for event in events]


def test_at_rest_all_rows_are_low_and_nothing_is_polled(pad, keypad):
    assert keypad.deadline is None
    assert pad.low == [True] * 4


@pytest.mark.parametrize("name", PLACE)
def test_any_key_wakes_it_and_is_heard_in_the_first_scan(pad, keypad, name):
    pad.press(name)
    assert pad.woken == 1
    assert names(keypad.run(5.0)) == ["+" + name]
    pad.release(name)
    assert names(run(keypad, 6.0)) == ["-" + name]
    assert keypad.deadline is None
    assert pad.low == [True] * 4


def test_while_a_key_is_down_it_is_scanned_every_ten_milliseconds(pad, keypad):
    pad.press("5")
    list(keypad.run(5.0))
    for scan in range(1, 5):
        assert keypad.deadline == pytest.approx(5.0 + scan * SCAN)
        assert list(keypad.run(keypad.deadline)) == []


def test_our_own_driving_wakes_nobody(pad, keypad):
    pad.press("5")
    for now in range(20):
        list(keypad.run(5.0 + now * SCAN))
    assert pad.woken == 1


def test_only_one_row_at_a_time_is_low_while_it_is_read(pad, keypad):
    seen = []
    pad.settling = lambda: seen.append(tuple(pad.low))
    pad.press("1")
    list(keypad.run(5.0))
    assert seen[:4] == [tuple(row == place for row in range(4)) for place in range(4)]
    assert seen[-1] == (True,) * 4


def test_f37_a_contact_that_is_open_when_it_is_read_is_looked_at_again(pad, keypad):
    pad.press("5")
    pad.release("5")
    assert list(keypad.run(5.0)) == []
    assert keypad.deadline == pytest.approx(5.0 + SCAN)
    pad.move(lambda: None)
    pad.down.add(PLACE["5"])  # closed again, and that edge was lost
    assert names(keypad.run(5.0 + SCAN)) == ["+5"]


def test_a_key_that_comes_while_it_goes_to_rest_is_not_lost(pad, keypad):
    pad.press("5")
    pad.release("5")
    list(keypad.run(5.0))
    scans = itertools.count()

    def at_the_end():
        if next(scans) == 4:
            pad.down.add(PLACE["8"])

    pad.settling = at_the_end
    list(keypad.run(5.1))
    pad.settling = lambda: None
    assert keypad.deadline is not None
    assert names(keypad.run(keypad.deadline)) == ["+8"]


def test_f37_a_third_key_in_the_middle_of_a_scan_makes_no_ghost(pad, keypad):
    """2 and 4 are held; 1 comes after its row was read, and 5 looks real from then on."""
    pad.press("2")
    assert names(keypad.run(5.0)) == ["+2"]
    pad.press("4")
    assert names(keypad.run(5.03)) == ["+4"]
    scans = itertools.count()

    def in_the_middle():
        if next(scans) == 1:
            pad.down.add(PLACE["1"])

    pad.settling = in_the_middle
    assert list(keypad.run(5.06)) == []
    assert names(run(keypad, 5.2)) == []
    pad.release("2")
    assert names(run(keypad, 5.3)) == ["+1", "-2"]


def test_three_at_once_on_a_rectangle_are_told_when_it_breaks(pad, keypad):
    pad.press("1", "2", "4")
    assert run(keypad, 0.5) == []
    assert keypad.deadline is not None, "nobody may rest while a finger is down"
    pad.release("1")
    assert sorted(names(run(keypad, 0.6))) == ["+2", "+4"]


def test_f36_a_stuck_key_is_one_press_then_reported_and_the_others_still_work(pad, keypad):
    pad.press("8")
    told = run(keypad, 2.0)
    assert names(told[:2]) == ["+8", "-8"]
    (failed,) = told[2:]
    assert (type(failed), failed.device) == (DeviceFailed, "key 8")
    pauses = keypad.deadline
    list(keypad.run(pauses))
    assert keypad.deadline == pytest.approx(pauses + IGNORED_SCAN), "it costs little"
    pad.press("3")
    assert names(run(keypad, 2.2)) == ["+3"]
    pad.release("3", "8")
    up, again = run(keypad, 2.6)
    assert names([up]) == ["-3"]
    assert (type(again), again.device) == (DeviceRecovered, "key 8")


def test_f37_a_wild_column_is_not_listened_to_for_a_while(pad, keypad):
    for _ in range(2600):
        pad.press("5")
        pad.release("5")
    with pytest.raises(DeviceError, match="its wire changes more than 5000 times a second"):
        list(keypad.run(5.0))
    assert pad.edges == [None] * 3
    list(keypad.run(7.0))
    assert None not in pad.edges


def test_a_column_that_does_not_answer_is_tried_again(pad, keypad):
    pad.broken = True
    pad.press("5")
    with pytest.raises(DeviceGoneError):
        list(keypad.run(5.0))
    pad.broken = False
    assert keypad.deadline == 0.0
    assert names(keypad.run(6.0)) == ["+5"]


def test_closing_leaves_no_row_driven(pad, keypad):
    keypad.close()
    assert pad.low == [False] * 4
    assert pad.edges == [None] * 3


def test_a_crossing_without_a_key_that_is_shorted_costs_little(pad):
    keys = [[None, *KEYS[0][1:]], *KEYS[1:]]
    keypad = Keypad(Matrix(keys), pad.rows(), pad.columns(), pad.wake, lambda: None)
    pad.press("1")
    run(keypad, 1.0)
    assert keypad.deadline == pytest.approx(1.0 + IGNORED_SCAN, abs=IGNORED_SCAN)
    before = keypad.deadline
    list(keypad.run(before))
    assert keypad.deadline == pytest.approx(before + IGNORED_SCAN)
    pad.press("4")
    assert names(run(keypad, 1.2)) == ["+4"], "and hides nobody in its column"


def test_a_column_that_fails_just_when_it_goes_to_rest_is_tried_again(pad, keypad):
    pad.press("5")
    pad.release("5")
    list(keypad.run(5.0))
    scans = itertools.count()

    def break_it():
        pad.broken = next(scans) == 4

    pad.settling = break_it
    with pytest.raises(DeviceGoneError):
        list(keypad.run(5.1))
    assert keypad.deadline == 0.0, "else only an edge would wake it, and who listens?"
    pad.broken, pad.settling = False, lambda: None
    pad.down.add(PLACE["8"])
    assert names(keypad.run(6.1)) == ["+8"]


def test_f36_a_key_that_is_down_when_the_keypad_fails_is_let_go_and_not_pressed_again(pad, keypad):
    pad.press("5")
    assert names(keypad.run(5.0)) == ["+5"]
    pad.broken = True
    scanning = keypad.run(5.01)
    assert names([next(scanning)]) == ["-5"]
    with pytest.raises(DeviceGoneError):
        next(scanning)
    with pytest.raises(DeviceGoneError):
        next(keypad.run(5.1))
    pad.edges = [None] * 3  # the library has let go of its pins
    pad.broken = False
    assert names(keypad.run(5.2)) == []
    pad.press("2")
    assert names(keypad.run(5.3)) == ["+2"], "who still has a finger there presses nothing new"
    pad.release("5", "2")
    assert names(run(keypad, 5.9)) == ["-2"]
    pad.press("5")
    assert names(keypad.run(10.0)) == ["+5"], "its columns are listened to again"
