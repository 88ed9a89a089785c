import pytest

from hal.evdev.reading import EV_HID, EV_KEY, EV_SW, Reading
from hal.events import DeviceFailed, HookFlash, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.keys import Key

FIVE, PHONE, LID = (EV_KEY, 6), (EV_KEY, 169), (EV_SW, 0)
DOWN, UP, REPEAT = 1, 0, 2


@pytest.fixture
def reading():
    return Reading({FIVE: Key.DIGIT_5}, PHONE, lifted=True, flash_max=0.5)


def test_a_key_repeats_by_itself_and_is_one_press(reading):
    assert reading.take(FIVE, DOWN, 1.0) == (KeyDown(Key.DIGIT_5, 1.0),)
    assert reading.take(FIVE, REPEAT, 1.3) == ()
    assert reading.take(FIVE, UP, 1.5) == (KeyUp(Key.DIGIT_5, 1.5),)
    assert len(reading) == 0


@pytest.mark.parametrize("code", [(EV_KEY, 7), (4, 4), (2, 8)])
def test_what_the_board_does_not_name_means_nothing(reading, code):
    assert reading.take(code, DOWN, 1.0) == ()


def test_the_handset_is_lifted_replaced_and_tapped(reading):
    assert reading.take(PHONE, DOWN, 1.0) == (HookLifted(1.0),)
    assert reading.take(PHONE, UP, 9.0) == (HookReplaced(9.0),)
    assert reading.take(PHONE, DOWN, 9.2) == (HookFlash(9.2),)


def test_a_switch_may_be_open_with_the_handset_off():
    reading = Reading({}, LID, lifted=False, flash_max=0.5)
    assert reading.settle({LID}, 1.0) == ()
    assert reading.take(LID, UP, 2.0) == (HookLifted(2.0),)
    assert reading.take(LID, DOWN, 9.0) == (HookReplaced(9.0),)


def test_a_handset_that_is_off_when_it_is_plugged_in_is_lifted(reading):
    assert reading.settle({PHONE, FIVE}, 1.0) == (HookLifted(1.0),), "a key is not pressed late"
    assert reading.take(FIVE, UP, 2.0) == ()


def test_f41_a_handset_of_which_nobody_knows_where_it_is_stays_where_it_was(reading):
    reading.take(PHONE, DOWN, 1.0)
    assert reading.settle(set(), 2.0, {PHONE}) == ()
    assert reading.take(PHONE, DOWN, 3.0) == ()
    assert reading.take(PHONE, UP, 4.0) == (HookReplaced(4.0),)


def test_f37_what_was_lost_in_a_flood_of_events_is_found_again(reading):
    reading.take(FIVE, DOWN, 1.0)
    reading.take(PHONE, DOWN, 1.0)
    assert reading.settle(set(), 9.0) == (KeyUp(Key.DIGIT_5, 9.0), HookReplaced(9.0))


def test_f36_a_key_that_is_stuck_is_let_go_told_and_ignored(reading):
    reading.take(FIVE, DOWN, 1.0)
    assert reading.deadline == 31.0
    assert reading.expire(31.0) == (
        KeyUp(Key.DIGIT_5, 31.0),
        DeviceFailed("key 5", "it is stuck down", 31.0),
    )


def test_the_cable_is_pulled_with_a_key_down_and_the_handset_off(reading):
    reading.take(FIVE, DOWN, 1.0)
    reading.take(PHONE, DOWN, 1.0)
    assert reading.gone(2.0) == (KeyUp(Key.DIGIT_5, 2.0),)
    assert len(reading) == 0


HID_FIVE, HID_REDIAL = (EV_HID, 0x0B00B5), (EV_HID, 0x0B0024)


@pytest.fixture
def both_ways():
    """The board file names a key by its event and by its report, as it comes with the phone."""
    keys = {FIVE: Key.DIGIT_5, HID_FIVE: Key.DIGIT_5, HID_REDIAL: Key.REDIAL}
    return Reading(keys, None, lifted=True, flash_max=0.5)


def test_f37_a_key_that_the_kernel_maps_and_reports_is_one_press_however_late(both_ways):
    both_ways.offer({FIVE, HID_FIVE, HID_REDIAL})
    late = [(code, value) for code in (FIVE, HID_FIVE) for value in (DOWN, UP)]
    told = [event for code, value in late for event in both_ways.take(code, value, 9.0)]
    assert told == [KeyDown(Key.DIGIT_5, 9.0), KeyUp(Key.DIGIT_5, 9.0)]
    assert both_ways.take(HID_REDIAL, DOWN, 9.1) == (KeyDown(Key.REDIAL, 9.1),)


def test_a_key_that_the_kernel_does_not_map_is_heard_from_its_report(both_ways):
    both_ways.offer({HID_FIVE, HID_REDIAL})
    assert both_ways.take(HID_FIVE, DOWN, 1.0) == (KeyDown(Key.DIGIT_5, 1.0),)
    both_ways.offer({FIVE, HID_FIVE})
    assert both_ways.take(HID_FIVE, UP, 2.0) == ()
    assert both_ways.gone(3.0) == (KeyUp(Key.DIGIT_5, 3.0),)


def test_f37_a_held_key_with_two_names_is_not_let_go_by_a_flood(both_ways):
    both_ways.take(FIVE, DOWN, 1.0)
    assert both_ways.settle({FIVE}, 2.0) == ()
    assert both_ways.settle(set(), 3.0) == (KeyUp(Key.DIGIT_5, 3.0),)
