"""How late a loop was: real loops, one pipe, and a clock that only counts."""

import asyncio
import os
import selectors

import pytest

from firmware.runtime.watched_selector import WatchedSelector


class SlowWait:
    """A clock that the test moves, also while the selector waits."""

    def __init__(self):
        self.now = 50.0
        self.oversleep = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return SlowWait()


@pytest.fixture
def lags():
    return []


@pytest.fixture
def turns(clock, lags, monkeypatch):
    def wait(_self, timeout=None):
        clock.now += (timeout or 0) + clock.oversleep
        return []

    monkeypatch.setattr(selectors.DefaultSelector, "select", wait)
    made = WatchedSelector(clock)
    made.watcher = lags.append
    yield made
    made.close()


def test_waiting_is_no_lag(turns, lags):
    for _ in range(3):
        turns.select(5.0)
    assert lags == [0.0, 0.0, 0.0]


def test_what_a_turn_does_is_its_lag(turns, clock, lags):
    turns.select(1.0)
    clock.now += 0.25
    turns.select(1.0)
    assert lags[1:] == [0.25]


def test_waking_late_for_a_timer_is_lag_too(turns, clock, lags):
    clock.oversleep = 0.5
    turns.select(1.0)
    clock.now += 0.25
    turns.select(0)
    assert lags[1:] == [0.75]


def test_who_waits_for_ever_is_never_late(turns, clock, lags):
    clock.oversleep = 500.0
    turns.select(None)
    turns.select(None)
    assert lags[1:] == [0.0]


def test_a_datagram_that_wakes_the_loop_was_not_waited_for(clock, lags):
    reading, writing = os.pipe()
    turns = WatchedSelector(clock)
    turns.watcher = lags.append
    turns.register(reading, selectors.EVENT_READ)
    os.write(writing, b"!")
    clock.now += 3
    assert turns.select(1.0)
    turns.select(0)
    assert lags == [3.0, 0.0]
    turns.close()
    os.close(reading)
    os.close(writing)


def test_a_real_loop_runs_on_it():
    turns, lags = WatchedSelector(), []

    async def life():
        turns.watcher = lags.append
        await asyncio.sleep(0.001)
        return "done"

    assert turns.run(life()) == "done"
    assert lags
    assert min(lags) >= 0.0
