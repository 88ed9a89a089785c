"""A day of an office: five phones, one exchange, two hundred calls, a bad wire, in seconds.

In `make test` it is over after three hours.
"""

import pytest

from tests.support.office import Office
from tests.support.sip_link import Wire


@pytest.mark.parametrize("hours", [3, pytest.param(24, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "wire",
    [Wire(), Wire(loss=0.03, double=0.02, delay=0.02, jitter=0.06)],
    ids=["good wire", "bad wire"],
)
def test_a_day_with_two_hundred_calls_ends_as_it_began(wire, hours):
    office = Office(7, wire)
    office.everybody_registered(60)
    office.world.run(60)

    office.live(hours * 3600.0)

    office.close()
