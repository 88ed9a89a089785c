# ruff: noqa: FBT003 - the levels of contacts are the data here
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.events import KeyDown, KeyUp
from hal.keys import Key
from hal.rotary import RotaryDial


class Finger:
    """Turns a dial in time: the levels as wires give them, bounce included if wanted."""

    def __init__(self, *, off_normal=True, order="1234567890", bounce=0.0):
        self.dial = RotaryDial(order, off_normal=off_normal)
        self.now, self.bounce = 10.0, bounce
        self.opened = self.turned = False
        self.events = []

    @property
    def digits(self):
        return "".join(e.key.value for e in self.events if isinstance(e, KeyDown))

    def wait(self, seconds):
        end = self.now + seconds
        while (due := self.dial.deadline) is not None and due <= end:
            assert due >= self.now, "a deadline lies ahead"
            self.now = due
            self.events += self.dial.sample(self.opened, self.turned, due)
            assert self.dial.deadline != due, "a deadline that was kept is past"
        self.now = end

    def edge(self, opened, turned):
        changed = (self.opened, self.turned) != (opened, turned)
        steady = (opened, turned)
        if changed and self.bounce:
            for step in range(5):
                raw = steady if step % 2 == 0 else (self.opened, self.turned)
                self.events += self.dial.sample(*raw, self.now + step * self.bounce / 5)
            self.now += self.bounce
        self.opened, self.turned = steady
        self.events += self.dial.sample(opened, turned, self.now)

    def pull(self, pulses, rate=10.0, open_part=0.6):
        """Pull once and let it run back."""
        self.edge(False, True)
        self.wait(0.3)
        for _ in range(pulses):
            self.edge(True, True)
            self.wait(open_part / rate - self.bounce)
            self.edge(False, True)
            self.wait((1 - open_part) / rate - self.bounce)
        self.edge(False, False)
        self.wait(0.3)


@pytest.mark.parametrize("off_normal", [True, False])
@pytest.mark.parametrize("digit", "1234567890")
def test_every_digit(off_normal, digit):
    finger = Finger(off_normal=off_normal)
    finger.pull(int(digit) or 10)
    assert finger.digits == digit


def test_a_digit_is_a_key_pressed_and_let_go():
    finger = Finger()
    finger.pull(2)
    down, up = finger.events
    assert down == KeyDown(Key.DIGIT_2, down.at)
    assert up == KeyUp(Key.DIGIT_2, down.at)


@pytest.mark.parametrize("off_normal", [True, False])
def test_a_number(off_normal):
    finger = Finger(off_normal=off_normal)
    for digit in "0301":
        finger.pull(int(digit) or 10)
    assert finger.digits == "0301"
    assert len(finger.dial) == 0


@pytest.mark.parametrize("off_normal", [True, False])
@settings(deadline=None)
@given(
    digits=st.text("1234567890", min_size=1, max_size=4),
    rate=st.floats(8, 22),
    open_part=st.floats(0.33, 0.75),
    bounce=st.sampled_from([0.0, 0.002, 0.005, 0.01]),
)
def test_f37_any_dial_in_the_field_gives_the_digits_that_were_dialled(
    off_normal, digits, rate, open_part, bounce
):
    finger = Finger(off_normal=off_normal, bounce=bounce)
    for digit in digits:
        finger.pull(int(digit) or 10, rate, open_part)
    assert finger.digits == digits


@pytest.mark.parametrize("flicker", [0.001, 0.01])
def test_f37_a_rest_contact_that_flickers_does_not_split_a_digit(flicker):
    finger = Finger()
    finger.edge(False, True)
    finger.wait(0.3)
    for pulse in range(7):
        finger.edge(True, True)
        finger.wait(0.06)
        finger.edge(False, True)
        if pulse == 3:
            finger.edge(False, False)
            finger.wait(flicker)
            finger.edge(False, True)
        finger.wait(0.04)
    finger.edge(False, False)
    finger.wait(0.3)
    assert finger.digits == "7"


def test_a_pulse_wire_that_broke_dials_nothing():
    finger = Finger()
    finger.edge(False, True)
    finger.wait(0.3)
    finger.edge(True, True)
    finger.wait(0.9)
    finger.edge(True, False)
    finger.wait(0.3)
    assert finger.digits == ""


def test_a_dial_of_another_country():
    finger = Finger(order="0123456789")
    finger.pull(1)
    finger.pull(10)
    assert finger.digits == "09"


@pytest.mark.parametrize("off_normal", [True, False])
@pytest.mark.parametrize("pulses", [0, 11, 25])
def test_a_train_that_no_dial_makes_is_nothing(off_normal, pulses):
    finger = Finger(off_normal=off_normal)
    finger.pull(pulses)
    finger.pull(3)
    assert finger.digits == "3"


@pytest.mark.parametrize("off_normal", [True, False])
def test_a_pulse_that_lasts_too_long_spoils_its_digit_only(off_normal):
    finger = Finger(off_normal=off_normal)
    finger.pull(1, rate=2.0)
    finger.pull(4)
    assert finger.digits == "4"


def test_crackle_at_rest_is_forgotten_when_the_dial_turns():
    finger = Finger()
    for _ in range(3):
        finger.edge(True, False)
        finger.wait(0.05)
        finger.edge(False, False)
        finger.wait(0.05)
    finger.pull(5)
    assert finger.digits == "5"


def test_a_resting_dial_asks_for_nothing():
    finger = Finger()
    assert finger.dial.deadline is None
    finger.pull(3)
    finger.wait(1.0)
    assert finger.dial.deadline is None
