"""P6: a week of an office on virtual time, a call a minute: ten thousand, and nothing piled up."""

import tracemalloc

import pytest

from tests.support.office import A_CALL_A_MINUTE, Office, held
from tests.support.sip_link import Wire

DAYS = 7
SPARE = 24 * 1024
"""Bytes that may be held more on the last evening than on the first: three for each call."""


@pytest.fixture
def traced():
    """Memory is watched while the test runs."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    "wire",
    [Wire(), Wire(loss=0.03, double=0.02, delay=0.02, jitter=0.06)],
    ids=["good wire", "bad wire"],
)
def test_p06_a_week_leaves_memory_timers_and_dialogs_where_they_were(traced, wire):
    office = Office(11, wire, A_CALL_A_MINUTE)
    office.everybody_registered(60)
    office.world.run(60)
    evenings = []
    for _ in range(DAYS):
        office.live()
        office.settle()
        office.forget()
        evenings.append(held())

    sizes = [size for size, _ in evenings]
    print(f"\nheld on each evening: {sizes}")  # noqa: T201 - the figures are the point
    # The first day fills caches and call lists.
    assert sizes[-1] - sizes[0] < SPARE, "\n".join(str(row) for row in evenings[-1][1][:10])
    office.close()
