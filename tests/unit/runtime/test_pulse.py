import pytest

from firmware.runtime.pulse import FEED_EVERY, Pulse


class Turns:
    """Turns of a loop that the test takes."""

    def __init__(self):
        self.watcher = None


@pytest.fixture
def turns():
    return Turns()


@pytest.fixture
def fed():
    return []


@pytest.fixture
def pulse(turns, fed, clock):
    made = Pulse(turns, lambda: fed.append(clock.now), clock)
    made.start()
    turns.watcher(7.0)  # the turn in which everything was started
    return made


def test_f42_the_watchdog_is_fed_with_every_sign_of_the_resting_audio_process(pulse, fed, clock):
    for _ in range(12):
        pulse.audio_lives()
        clock.now += 5
    assert len(fed) == 12


def test_f42_in_a_call_it_is_not_fed_for_every_report(pulse, fed, clock):
    for _ in range(600):
        pulse.audio_lives()
        clock.now += 0.1
    assert len(fed) <= 60 / FEED_EVERY


def test_f42_a_dead_audio_process_is_not_fed_for(pulse, fed, turns, clock):
    pulse.audio_lives()
    for _ in range(1000):
        clock.now += 0.1
        turns.watcher(0.001)
    assert len(fed) == 1


def test_f42_when_audio_is_back_so_is_the_food(pulse, fed, clock):
    clock.now += 60
    pulse.audio_lives()
    assert len(fed) == 1


def test_f42_a_block_is_an_alarm(pulse, turns, caplog):
    turns.watcher(0.16)
    assert pulse.alarms == 1
    assert pulse.worst_lag == 0.16
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_f42_what_is_shorter_than_a_tenth_of_a_second_is_none(pulse, turns, caplog):
    for _ in range(20):
        turns.watcher(0.09)
    assert pulse.alarms == 0
    assert pulse.worst_lag == 0.09
    assert caplog.text == ""


def test_f42_every_block_is_counted_but_the_log_is_not_flooded(pulse, turns, caplog, clock):
    for _ in range(50):
        turns.watcher(0.2)
        clock.now += 0.3
    assert pulse.alarms == 50
    assert len(caplog.messages) == 2  # fifteen seconds, one line in ten


def test_what_starting_took_is_no_alarm(pulse):
    assert pulse.alarms == 0
    assert pulse.worst_lag == 0.0


def test_after_stopping_nothing_is_an_alarm(pulse, turns):
    pulse.stop()
    turns.watcher(5.0)
    assert pulse.alarms == 0


def test_on_a_loop_that_is_not_measured_the_watchdog_is_fed_all_the_same(fed, clock):
    pulse = Pulse(None, lambda: fed.append(clock.now), clock)
    pulse.start()
    pulse.audio_lives()
    pulse.stop()
    assert len(fed) == 1
