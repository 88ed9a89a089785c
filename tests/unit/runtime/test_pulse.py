import asyncio
import itertools

import pytest

from firmware.runtime.pulse import AUDIO_SILENCE, Pulse


class FakeLoop:
    """A loop whose time the test moves; `block` is a callback that takes long."""

    def __init__(self):
        self.now = 100.0
        self._timers = []

    def time(self):
        return self.now

    def call_at(self, when, callback):
        timer = Timer(when, callback)
        self._timers.append(timer)
        return timer

    def block(self, seconds):
        """Everything due meanwhile happens late, at its end."""
        self.now += seconds
        self._fire()

    def run(self, seconds):
        """Time passes in time."""
        end = self.now + seconds
        while due := [timer.when for timer in self._timers if timer.when <= end]:
            self.now = max(self.now, min(due))
            self._fire()
        self.now = end

    def _fire(self):
        ready = [timer for timer in self._timers if timer.when <= self.now]
        self._timers = [timer for timer in self._timers if timer.when > self.now]
        for timer in ready:
            timer.callback()


class Timer:
    def __init__(self, when, callback):
        self.when, self.callback = when, callback

    def cancel(self):
        self.callback = lambda: None


@pytest.fixture
def loop(monkeypatch):
    made = FakeLoop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: made)
    return made


@pytest.fixture
def fed():
    return []


@pytest.fixture
def pulse(loop, fed):
    made = Pulse(lambda: fed.append(loop.now))
    made.start()
    return made


def alive(loop, pulse, seconds):
    """The audio process reports every five seconds."""
    for _ in range(int(seconds / 5)):
        pulse.audio_lives()
        loop.run(5)


def test_f42_the_watchdog_is_fed_every_two_seconds_while_both_live(loop, pulse, fed):
    alive(loop, pulse, 60)
    assert len(fed) in (29, 30)
    assert max(b - a for a, b in itertools.pairwise(fed)) < 2.2
    assert pulse.alarms == 0


def test_f42_a_dead_audio_process_is_not_fed_for(loop, pulse, fed):
    alive(loop, pulse, 10)
    last_sign = loop.now
    loop.run(60)
    assert not pulse.audio_alive
    assert fed[-1] < last_sign + AUDIO_SILENCE


def test_f42_when_audio_is_back_so_is_the_food(loop, pulse, fed):
    loop.run(60)
    count = len(fed)
    pulse.audio_lives()
    loop.run(0.1)
    assert len(fed) == count + 1


def test_f42_a_blocked_loop_feeds_nothing(loop, pulse, fed):
    pulse.audio_lives()
    loop.run(1)
    count = len(fed)
    loop.now += 30  # nothing runs at all
    assert len(fed) == count


@pytest.mark.parametrize("at", [0.0, 0.01, 0.03, 0.049])
def test_f42_a_block_of_a_sixth_of_a_second_is_an_alarm_whenever_it_begins(loop, pulse, at, caplog):
    loop.run(1 + at)
    loop.block(0.16)
    assert pulse.alarms == 1
    assert 0.1 < pulse.worst_lag <= 0.16
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_f42_what_is_shorter_than_a_tenth_of_a_second_is_none(loop, pulse, caplog):
    for _ in range(20):
        loop.run(0.33)
        loop.block(0.09)
    assert pulse.alarms == 0
    assert caplog.text == ""


def test_f42_every_block_is_counted_but_the_log_is_not_flooded(loop, pulse, caplog):
    for _ in range(50):
        loop.run(0.1)
        loop.block(0.2)
    assert pulse.alarms == 50
    assert len(caplog.messages) == 2  # fifteen seconds, one line in ten


def test_after_stopping_it_is_still(loop, pulse, fed):
    pulse.stop()
    loop.run(20)
    assert fed == []
    pulse.stop()
