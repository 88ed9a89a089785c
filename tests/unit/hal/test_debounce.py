# ruff: noqa: FBT003 - the levels of contacts are the data here
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.debounce import Debouncer

LOCKOUT = 0.02


def test_the_first_edge_is_believed_at_once():
    contact = Debouncer(LOCKOUT)
    assert contact.sample(True, 1.0)
    assert contact.level


def test_bounce_within_the_lock_out_is_one_press():
    contact = Debouncer(LOCKOUT)
    edges = [(True, 0.0), (False, 0.001), (True, 0.003), (False, 0.004), (True, 0.009)]
    assert [contact.sample(level, at) for level, at in edges] == [True, False, False, False, False]
    assert not contact.sample(True, LOCKOUT)
    assert contact.level


def test_f37_a_last_edge_that_was_lost_is_found_by_reading_again():
    hook = Debouncer(0.05)
    hook.sample(True, 0.0)
    # It fell back during the bounce and the kernel dropped that edge.
    assert hook.deadline == pytest.approx(0.05)
    assert hook.sample(False, hook.deadline)
    assert not hook.level


def test_f37_a_bounce_that_is_told_when_its_lock_out_is_over_is_none_of_its_own():
    hook = Debouncer(0.05)
    hook.sample(True, 0.0)
    assert not hook.sample(True, 0.05)
    assert not hook.sample(False, 0.0001)
    assert hook.deadline is None
    assert hook.sample(False, 0.06)


def test_a_contact_at_rest_asks_for_nothing():
    contact = Debouncer(LOCKOUT)
    assert contact.deadline is None
    contact.sample(True, 0.0)
    contact.sample(True, contact.deadline)
    assert contact.deadline is None


def test_a_contact_may_start_closed():
    contact = Debouncer(LOCKOUT, level=True)
    assert not contact.sample(True, 0.0)
    assert contact.sample(False, 0.0)


EDGES = st.lists(st.tuples(st.floats(0, 0.03, allow_nan=False), st.booleans()), max_size=60)


def play(edges):
    """A contact as an adapter drives it: each edge in its time, and every deadline kept."""
    contact, now, raw, told = Debouncer(LOCKOUT), 0.0, False, []
    for gap, level in edges:
        then = now + gap
        while contact.deadline is not None and contact.deadline <= then:
            due = contact.deadline
            if contact.sample(raw, due):
                told.append((due, raw))
        now, raw = then, level
        if contact.sample(raw, now):
            told.append((now, raw))
    while contact.deadline is not None:
        due = contact.deadline
        if contact.sample(raw, due):
            told.append((due, raw))
    return contact, raw, told


@given(EDGES)
def test_in_the_end_the_believed_level_is_the_real_one(edges):
    contact, raw, _ = play(edges)
    assert contact.level == raw


@given(EDGES)
def test_two_changes_are_never_closer_than_the_lock_out(edges):
    _, _, told = play(edges)
    assert all(b - a >= LOCKOUT * 0.999 for (a, _), (b, _) in pairwise(told))


@given(EDGES)
def test_changes_alternate_and_the_first_comes_without_delay(edges):
    _, _, told = play(edges)
    assert [level for _, level in told] == [n % 2 == 0 for n in range(len(told))]
    now = 0.0
    for gap, level in edges:
        now += gap
        if level:
            assert told[0] == (now, True)
            break
    else:
        assert told == []
