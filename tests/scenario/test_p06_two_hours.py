"""P6 at the pace of the week: a call a minute, registrations of a minute; the week: tests/long."""

import tracemalloc

import pytest

from tests.support.office import A_CALL_A_MINUTE, Office, held
from tests.support.sip_link import Wire

HOUR = 3600.0
SPARE = 6 * 1024
"""Bytes that may be held more after the second hour than after the first: 100 for each call."""


@pytest.fixture
def traced():
    """Memory is watched while the test runs."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.slow
def test_p06_two_hours_leave_memory_timers_and_dialogs_where_they_were(traced):
    office = Office(3, Wire(loss=0.02, double=0.02, delay=0.02, jitter=0.06), A_CALL_A_MINUTE)
    office.everybody_registered(60)
    office.world.run(60)
    after = []
    for _ in range(2):
        office.live(HOUR)
        office.settle()
        office.forget()
        after.append(held())
    (first, _), (last, rows) = after[0], after[-1]
    assert last - first < SPARE, "\n".join(str(row) for row in rows[:10])
    office.close()
