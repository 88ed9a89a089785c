"""F52: a hundred thousand registrations on virtual time, and nothing piled up."""

import gc
import tracemalloc

import pytest

from firmware.sip.flow import Transport
from tests.support.crowd import Crowd

PHONES = 20
REGISTRATIONS = 100_000
SPARE = 64 * 1024
"""Bytes that may be held more after all of them: under one for each."""


def held(crowd):
    """Bytes in use, and how many things the phones keep alive."""
    crowd.times.clear()
    crowd.attempts.clear()
    gc.collect()
    return tracemalloc.get_traced_memory()[0], sum(len(phone.agent) for phone in crowd.phones)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_f52_a_hundred_thousand_registrations_leave_memory_and_stores_as_they_were(transport):
    crowd = Crowd(PHONES, transport, expires=60)
    crowd.run(3600.0)
    tracemalloc.start()
    try:
        crowd.run(3600.0)
        before, alive = held(crowd)
        count = 0
        while count < REGISTRATIONS // 2:
            crowd.run(3600.0)
            count += len(crowd.times)
            crowd.times.clear()
            crowd.attempts.clear()
        after, still_alive = held(crowd)
    finally:
        tracemalloc.stop()
    assert crowd.registered == PHONES
    assert after - before < SPARE
    assert abs(still_alive - alive) <= 3 * PHONES, "a refresh may be under way"
    for phone in crowd.phones:
        phone.agent.set_lines((), crowd.now)
    crowd.run(300.0)
    assert sum(len(phone.agent) for phone in crowd.phones) == 0
