"""Dials of other countries, worn dials, dials that are wired wrong."""

import pytest

from hal.board_spec import RotarySpec
from hal.keys import Key
from tests.unit.wiring.conftest import Builder, board

PINS = "GPIO 23 (pin 16), GPIO 24 (pin 18)"


def telephone(order="1234567890", off_normal=24):
    return board(keypad=None, hook=None, rotary=RotarySpec(23, off_normal, order))


def counting(real, believed="1234567890", more=0):
    """Each digit gives as many pulses as its place in `real`, and some more or less."""

    def wires(key):
        pulses = real.index(key.value) + 1 + more
        return [Key(believed[pulses - 1])] if 1 <= pulses <= 10 else []

    return wires


@pytest.mark.parametrize("real", ["0123456789", "9876543210", "1234567809"])
def test_a_dial_that_counts_otherwise_is_learned(real):
    builder = Builder(telephone(), counting(real)).go()
    assert builder.found == [("dial_order", {"order": real})]
    assert builder.learned == {"rotary.order": real}


def test_a_dial_that_was_taken_for_a_swedish_one():
    builder = Builder(telephone("0123456789"), counting("1234567890", "0123456789")).go()
    assert builder.learned == {"rotary.order": "1234567890"}


@pytest.mark.parametrize(("more", "text"), [(-1, "dial_less"), (1, "dial_more")])
def test_a_pulse_too_few_or_too_many_is_a_contact_and_no_country(more, text):
    builder = Builder(telephone(), counting("1234567890", more=more)).go()
    assert builder.found == [(text, {"pins": PINS})]
    assert builder.learned == {}


def test_a_dial_that_gives_nothing_is_one_finding_with_its_wires():
    builder = Builder(telephone(), lambda _key: []).go()
    assert builder.found == [("dial_silent", {"pins": PINS})]


def test_a_dial_with_one_contact_has_one_wire():
    builder = Builder(telephone(off_normal=None), lambda _key: []).go()
    assert builder.found == [("dial_silent", {"pins": "GPIO 23 (pin 16)"})]


def test_a_digit_that_comes_wrong_twice_is_told_and_nothing_is_learned():
    builder = Builder(telephone(), lambda key: [Key.DIGIT_2 if key is Key.DIGIT_3 else key]).go()
    assert builder.found == [("dial_other", {"key": "3", "came": "2", "pins": PINS})]
    assert builder.asked.count("turn_again") == 1
    assert builder.learned == {}


def test_a_digit_of_which_nothing_comes():
    builder = Builder(telephone(), lambda key: [key] * (key is not Key.DIGIT_7)).go()
    assert builder.found == [("dial_nothing", {"key": "7", "pins": PINS})]


def test_a_digit_that_comes_wrong_once_was_let_go_too_early():
    early = [[Key.DIGIT_9], [Key.DIGIT_4]]
    builder = Builder(telephone(), lambda key: [key] if key is not Key.DIGIT_9 else early.pop())
    assert builder.go().found == []
