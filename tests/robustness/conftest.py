"""Whole phones as programs, with a far end of the test's own.

They stand on IPv4 unless a module says `pytestmark = BOTH_FAMILIES`.
"""

import pytest

from firmware.control import schema as s
from firmware.runtime.pulse import LAG_ALARM
from tests.support.far_end import FarEnd
from tests.support.ground import Ground
from tests.support.own_time import Bystander
from tests.support.phone import Phone, line


@pytest.fixture
def ground(request):
    """Where this test's addresses come from; parametrise it indirectly with `IPv6`."""
    with Ground(ipv6=getattr(request, "param", "IPv4") == "IPv6") as made:
        yield made


@pytest.fixture
def far_end(ground):
    """A server on an address that is nobody else's."""
    with FarEnd(ground.address(), ground.namespace) as server:
        yield server


@pytest.fixture
def held_up():
    """Tells whether a phone's loop was held up by more than the machine can have been.

    Asked for before the phone, whose every moment it judges.
    """
    with Bystander() as bystander:

        def judge(phone):
            counters = phone.ask(s.Stats(), s.StatsReply).counters
            if counters["lag_alarms"] == 0:
                return False
            return counters["worst_lag_ms"] / 1000 > LAG_ALARM + 2 * bystander.worst()

        yield judge


@pytest.fixture
def start_phone(tmp_path, ground, far_end):
    """Starts phones; they are stopped after the test, while there is still somebody to tell."""
    phones = []

    def start(*lines, name="phone", **more):
        more.setdefault("address", ground.address())
        phones.append(Phone(tmp_path / name, "\n".join(lines), namespace=ground.namespace, **more))
        return phones[-1]

    yield start
    for phone in reversed(phones):
        phone.close()


@pytest.fixture
def phone(far_end, start_phone):
    """A phone that is registered at the far end as 101."""
    made = start_phone(line("101", far_end.server))
    made.wait_registered()
    return made
