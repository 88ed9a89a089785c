import pytest

from firmware.media.messages import PathName
from firmware.phone.actions import (
    Answer,
    Backspace,
    CallMailbox,
    DialNow,
    Digit,
    Dismiss,
    HangUp,
    Hold,
    Join,
    Mute,
    Record,
    Redial,
    Resume,
    SelectPath,
    Transfer,
    Volume,
)
from firmware.phone.view import CallState, Mode
from firmware.ui.navigator import LONG_PRESS, REPEAT_AFTER, REPEAT_EVERY, VOLUME_MODE, Navigator
from hal.events import KeyDown, KeyUp
from hal.keys import Key


class Fingers:
    """A person at the keys of one phone, on a clock of their own."""

    def __init__(self, view):
        self.navigator = Navigator()
        self.view = view
        self.now = 50.0

    def down(self, key):
        return self.navigator.handle(KeyDown(key, self.now), self.view, self.now)

    def up(self, key):
        return self.navigator.handle(KeyUp(key, self.now), self.view, self.now)

    def press(self, key):
        return self.down(key) + self.up(key)

    def wait(self, seconds):
        until = self.now + seconds
        actions = []
        while (at := self.navigator.next_deadline()) is not None and at <= until:
            self.now = max(self.now, at)
            actions += self.navigator.fire(self.now)
        self.now = until
        return actions


@pytest.fixture
def at(make_phone, make_call):
    """Fingers at a phone in a mode, with a call in front if the mode has one."""

    def seat(mode, **changes):
        has_call = mode in (Mode.CALLING, Mode.RINGING, Mode.TALKING)
        return Fingers(make_phone(mode, *([make_call(**changes)] if has_call else [])))

    return seat


@pytest.mark.parametrize("digit", "0123456789*#")
@pytest.mark.parametrize("mode", [Mode.IDLE, Mode.OFF_HOOK, Mode.DIALLING, Mode.TALKING])
def test_a_digit_is_a_digit_everywhere(digit, mode, at):
    assert at(mode).press(Key(digit)) == [Digit(digit)]


def test_a_digit_counts_when_it_is_pressed_not_when_it_is_let_go(at):
    assert at(Mode.DIALLING).down(Key.DIGIT_5) == [Digit("5")]


@pytest.mark.parametrize(
    ("mode", "key", "action"),
    [
        (Mode.IDLE, Key.REDIAL, Redial()),
        (Mode.IDLE, Key.MESSAGES, CallMailbox()),
        (Mode.IDLE, Key.SOFT_1, Redial()),
        (Mode.IDLE, Key.SPEAKER, SelectPath(PathName.SPEAKER)),
        (Mode.IDLE, Key.HEADSET, SelectPath(PathName.HEADSET)),
        (Mode.IDLE, Key.CANCEL, Dismiss()),
        (Mode.DIALLING, Key.OK, DialNow()),
        (Mode.DIALLING, Key.LEFT, Backspace()),
        (Mode.DIALLING, Key.CANCEL, Backspace()),
        (Mode.DIALLING, Key.SOFT_4, HangUp()),
        (Mode.CALLING, Key.CANCEL, HangUp()),
        (Mode.RINGING, Key.OK, Answer()),
        (Mode.RINGING, Key.SOFT_1, Answer()),
        (Mode.RINGING, Key.CANCEL, HangUp()),
        (Mode.TALKING, Key.MUTE, Mute()),
        (Mode.TALKING, Key.HOLD, Hold("c1")),
        (Mode.TALKING, Key.TRANSFER, Transfer()),
        (Mode.TALKING, Key.CONFERENCE, Join()),
        (Mode.TALKING, Key.UP, Volume(5)),
        (Mode.RELEASED, Key.OK, Dismiss()),
    ],
)
def test_what_a_key_means(mode, key, action, at):
    assert at(mode).press(key) == [action]


@pytest.mark.parametrize("key", [Key.SOFT_2, Key.HOLD, Key.DND, Key.LINE_8, Key.OK])
def test_a_key_without_a_meaning_does_nothing(key, at):
    assert at(Mode.OFF_HOOK).press(key) == []


def test_the_hold_key_takes_up_a_held_call(at):
    assert at(Mode.TALKING, held=True).press(Key.HOLD) == [Resume("c1")]


def test_a_line_key_answers_what_rings_on_the_line(at):
    assert at(Mode.RINGING, state=CallState.RINGING_HERE).press(Key.LINE_1) == [Answer("c1")]


def test_a_line_key_takes_up_what_is_held_on_the_line(at):
    assert at(Mode.TALKING, held=True).press(Key.LINE_1) == [Resume("c1")]


def test_a_volume_key_repeats_while_it_is_held(at):
    fingers = at(Mode.TALKING)
    assert fingers.down(Key.VOLUME_UP) == [Volume(5)]
    assert fingers.wait(REPEAT_AFTER - 0.01) == []
    assert fingers.wait(0.02 + 2 * REPEAT_EVERY) == [Volume(5)] * 3
    assert fingers.up(Key.VOLUME_UP) == []
    assert fingers.wait(10) == []


def test_without_volume_keys_a_held_star_opens_the_volume_in_a_call(at):
    fingers = at(Mode.TALKING)
    assert fingers.down(Key.STAR) == []
    assert fingers.wait(LONG_PRESS) == []
    assert fingers.up(Key.STAR) == []
    assert fingers.press(Key.DIGIT_8) == [Volume(-5)]
    assert fingers.press(Key.DIGIT_2) == [Volume(5)]


def test_another_digit_closes_the_volume_and_is_sent(at):
    fingers = at(Mode.TALKING)
    fingers.down(Key.STAR)
    fingers.wait(LONG_PRESS)
    fingers.up(Key.STAR)
    assert fingers.press(Key.DIGIT_5) == [Digit("5")]
    assert fingers.press(Key.DIGIT_2) == [Digit("2")]


def test_the_volume_closes_by_itself(at):
    fingers = at(Mode.TALKING)
    fingers.down(Key.STAR)
    fingers.wait(LONG_PRESS)
    fingers.up(Key.STAR)
    fingers.wait(VOLUME_MODE)
    assert fingers.press(Key.DIGIT_2) == [Digit("2")]


def test_a_held_cancel_key_drops_the_whole_number(at):
    fingers = at(Mode.DIALLING)
    assert fingers.down(Key.CANCEL) == [Backspace()]
    assert fingers.wait(LONG_PRESS) == [HangUp()]
    assert fingers.up(Key.CANCEL) == []


def test_a_key_that_chatters_counts_once(at):
    fingers = at(Mode.DIALLING)
    assert fingers.down(Key.DIGIT_1) == [Digit("1")]
    assert fingers.down(Key.DIGIT_1) == []


def test_letting_go_of_a_key_that_was_never_down_means_nothing(at):
    assert at(Mode.TALKING).up(Key.STAR) == []


def test_ten_thousand_presses_leave_nothing_behind(at):
    fingers = at(Mode.TALKING)
    keys = list(Key)
    for number in range(10_000):
        fingers.press(keys[number % len(keys)])
    assert len(fingers.navigator) == 0
    assert fingers.navigator.next_deadline() is None


def test_the_record_key_records(at):
    assert at(Mode.TALKING).press(Key.RECORD) == [Record()]


def test_a_phone_without_that_key_records_by_a_held_star_and_seven(at):
    fingers = at(Mode.TALKING)
    fingers.down(Key.STAR)
    fingers.wait(LONG_PRESS)
    fingers.up(Key.STAR)
    assert fingers.press(Key.DIGIT_7) == [Record()]
    assert fingers.press(Key.DIGIT_7) == [Digit("7")], "once"
