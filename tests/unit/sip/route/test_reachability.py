"""What is remembered of places that failed."""

from firmware.sip.flow import Endpoint, Target, Transport
from firmware.sip.route.reachability import FIRST_SECONDS, LONGEST_SECONDS, Reachability

HERE = Endpoint("192.0.2.1", 5060)
FIRST, SECOND = (
    (Transport.UDP, Endpoint("192.0.2.7", 5060)),
    (
        Transport.UDP,
        Endpoint("192.0.2.8", 5060),
    ),
)


def target(place):
    return Target(*place, HERE)


def test_f16_a_place_that_failed_comes_last_for_a_minute():
    reach = Reachability()
    reach.fail(FIRST, 100.0)
    places = [target(FIRST), target(SECOND)]
    assert reach.sorted(places, 101.0) == [target(SECOND), target(FIRST)]
    assert reach.sorted(places, 100.0 + FIRST_SECONDS) == places
    assert reach.bad_until(FIRST, 101.0) == 100.0 + FIRST_SECONDS
    assert reach.bad_until(SECOND, 101.0) is None


def test_f16_an_answer_ends_it_and_so_does_another_network():
    reach = Reachability()
    reach.fail(FIRST, 100.0)
    reach.forgive(FIRST)
    reach.forgive(SECOND)
    assert reach.bad_until(FIRST, 101.0) is None
    reach.fail(FIRST, 102.0)
    reach.forget()
    assert reach.bad_until(FIRST, 103.0) is None


def test_f16_a_place_that_stays_dead_is_asked_ever_more_seldom():
    reach, now, waits = Reachability(), 0.0, []
    for _ in range(6):
        reach.fail(FIRST, now)
        until = reach.bad_until(FIRST, now)
        waits.append(until - now)
        now = until
    assert waits == [60.0, 120.0, 240.0, 480.0, LONGEST_SECONDS, LONGEST_SECONDS]


def test_one_outage_counts_once_however_many_requests_it_costs():
    reach = Reachability()
    for at in range(5):
        reach.fail(FIRST, float(at))
    assert reach.bad_until(FIRST, 5.0) == FIRST_SECONDS


def test_f18_a_server_says_itself_how_long_it_wants_to_be_left_alone():
    """RFC 3261 §21.5.4."""
    reach = Reachability()
    reach.fail(FIRST, 100.0, 300.0)
    assert reach.bad_until(FIRST, 100.0) == 400.0
    reach.fail(FIRST, 110.0, 5.0)
    assert reach.bad_until(FIRST, 110.0) == 115.0


def test_ten_thousand_dead_places_do_not_fill_the_memory():
    reach = Reachability()
    for number in range(10_000):
        reach.fail((Transport.UDP, Endpoint(f"10.0.{number // 256}.{number % 256}", 5060)), 1.0)
    assert len(reach) <= 128
