"""Ages of answers across restarts and clocks (F14)."""

from firmware.net.resolver import Remembered
from firmware.runtime.names import Names

KEY = ("pbx.example", "A")
GOOD = {KEY: Remembered(("192.0.2.1",), 100.0)}


class Clock:
    now = 1_700_000_000.0

    def __call__(self):
        return self.now


def do(job):
    job()


def test_f14_answers_are_as_old_after_a_restart_as_they_are(tmp_path):
    clock = Clock()
    names = Names(tmp_path, clock)
    names.write_with(do)
    names.keep(GOOD)
    clock.now += 3600.0
    assert Names(tmp_path, clock).load() == {KEY: Remembered(("192.0.2.1",), 3700.0)}


def test_f14_a_clock_that_was_lost_makes_no_answer_too_old(tmp_path):
    """A machine without a clock starts in 1970: the answers are all that it has."""
    clock = Clock()
    names = Names(tmp_path, clock)
    names.write_with(do)
    names.keep(GOOD)
    clock.now = 10.0
    assert Names(tmp_path, clock).load()[KEY].age == 0.0


def test_what_was_learned_before_somebody_can_write_is_written_then(tmp_path):
    jobs = []
    names = Names(tmp_path, Clock())
    names.keep({KEY: Remembered(("192.0.2.9",), 0.0)})
    names.keep(GOOD)
    assert names.load() == {}
    names.write_with(jobs.append)
    (job,) = jobs
    job()
    assert names.load() == {KEY: Remembered(("192.0.2.1",), 100.0)}
