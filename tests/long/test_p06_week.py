"""P6: a week of an office on virtual time: fourteen hundred calls, and nothing has piled up."""

import gc
import tracemalloc
from pathlib import Path

import pytest

import firmware
from tests.support.office import Office
from tests.support.sip_link import Wire

DAYS = 7
SPARE = 64 * 1024
"""Bytes: what five phones and an exchange may hold more on the last evening than on the second."""
OURS = tracemalloc.Filter(inclusive=True, filename_pattern=f"{Path(firmware.__file__).parent}/*")


def held():
    """Bytes that code of the phone has allocated and somebody still holds."""
    gc.collect()
    rows = tracemalloc.take_snapshot().filter_traces([OURS]).statistics("filename")
    return sum(row.size for row in rows), rows


@pytest.fixture
def traced():
    """Memory is watched while the test runs."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    "wire",
    [Wire(), Wire(loss=0.03, double=0.02, delay=0.02, jitter=0.06)],
    ids=["good wire", "bad wire"],
)
def test_p06_a_week_leaves_memory_timers_and_dialogs_where_they_were(traced, wire):
    office = Office(11, wire)
    office.everybody_registered(60)
    office.world.run(60)
    evenings = []
    for _ in range(DAYS):
        office.live_a_day()
        office.forget()
        evenings.append(held())

    # The first day fills caches and call lists.
    (second, _), (last, rows) = evenings[1], evenings[-1]
    assert last - second < SPARE, "\n".join(str(row) for row in rows[:10])
    office.close()
