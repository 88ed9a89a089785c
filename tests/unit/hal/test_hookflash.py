# ruff: noqa: FBT003 - the levels of contacts are the data here
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.events import HookFlash, HookLifted, HookReplaced
from hal.hookflash import HookSwitch


def play(hook, *moves):
    """Each move is (lifted, at); every deadline on the way is kept with the level of then."""
    told, raw = [], False
    for lifted, at in moves:
        while hook.deadline is not None and hook.deadline <= at:
            told += hook.sample(raw, hook.deadline)
        raw = lifted
        told += hook.sample(raw, at)
    while hook.deadline is not None:
        told += hook.sample(raw, hook.deadline)
    return told


def test_lifting_and_replacing_are_told_at_once():
    assert play(HookSwitch(), (True, 1.0), (False, 5.0)) == [HookLifted(1.0), HookReplaced(5.0)]


def test_a_tap_is_replaced_at_once_and_then_a_flash():
    told = play(HookSwitch(), (True, 1.0), (False, 5.0), (True, 5.2))
    assert told == [HookLifted(1.0), HookReplaced(5.0), HookFlash(5.2)]


def test_after_flash_max_it_is_a_new_lift():
    told = play(HookSwitch(), (True, 1.0), (False, 5.0), (True, 5.5))
    assert told[-1] == HookLifted(5.5)


@pytest.mark.parametrize("flash_max", [0.5, 0.0, 1.2])
def test_whoever_hears_of_the_fall_hears_how_long_to_wait(flash_max):
    told = play(HookSwitch(flash_max=flash_max), (True, 1.0), (False, 5.0))
    assert told[-1] == HookReplaced(5.0, flash_max)


@pytest.mark.parametrize(("after", "kind"), [(0.4999, HookFlash), (0.5, HookLifted)])
def test_f37_the_window_of_a_tap_ends_where_it_says(after, kind):
    told = play(HookSwitch(), (True, 1.0), (False, 5.0), (True, 5.0 + after))
    assert type(told[-1]) is kind


def test_flash_can_be_switched_off():
    told = play(HookSwitch(flash_max=0), (True, 1.0), (False, 5.0), (True, 5.1))
    assert told[-1] == HookLifted(5.1)


def test_a_handset_that_is_off_at_the_start_is_lifted_however_early():
    assert play(HookSwitch(), (True, 0.01)) == [HookLifted(0.01)]


def test_two_taps_are_two_flashes():
    told = play(HookSwitch(), (True, 1.0), (False, 2.0), (True, 2.2), (False, 2.4), (True, 2.6))
    assert [type(event) for event in told[1:]] == [HookReplaced, HookFlash] * 2


def test_f37_bounce_of_a_replaced_handset_does_not_lift_it():
    hook = HookSwitch()
    told = play(hook, (True, 1.0), (False, 5.0), (True, 5.004), (False, 5.01), (True, 5.02))
    told += play(hook, (False, 5.2))
    assert told[1] == HookReplaced(5.0)


def test_f37_a_fall_back_that_was_lost_in_the_bounce_is_found_again():
    hook = HookSwitch()
    hook.sample(True, 1.0)
    assert hook.sample(False, 1.01) == ()
    assert hook.sample(False, hook.deadline) == (HookReplaced(pytest.approx(1.05)),)


@given(st.lists(st.tuples(st.floats(0, 0.7), st.booleans()), max_size=40))
def test_any_rattling_ends_in_the_truth_and_every_lift_has_its_fall(moves):
    hook, now, timed = HookSwitch(), 0.0, []
    for gap, lifted in moves:
        now += gap
        timed.append((lifted, now))
    told = play(hook, *timed)
    assert hook.lifted == (bool(moves) and moves[-1][1])
    falls = [isinstance(event, HookReplaced) for event in told]
    assert falls == [n % 2 == 1 for n in range(len(told))]
