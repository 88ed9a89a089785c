"""When a binding is registered again, without a wire."""

import pytest

from firmware.base.tokens import Tokens
from firmware.sip.account import Account
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.notifications import FailureCause, LineName
from firmware.sip.registering.schedule import Schedule

HERE, THERE = Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5060)
UDP, TCP = Flow(Transport.UDP, HERE, THERE), Flow(Transport.TCP, HERE, THERE, 1)


@pytest.fixture(params=range(8))
def schedule(request):
    """Makes a schedule, with another lot each time."""

    def made(recheck=0):
        account = Account(LineName("desk"), "me", "pbx.example", recheck=recheck)
        return Schedule(account, Tokens(bytes([request.param]) * 16))

    return made


@pytest.mark.parametrize(
    ("granted", "least", "most"), [(20, 9.6, 10.0), (64, 30.7, 32.0), (100, 61.2, 68.0)]
)
def test_a_binding_is_renewed_while_there_is_time_for_another_try(schedule, granted, least, most):
    """RFC 5627 §4.2: half of a short one, 32 seconds before the end of a longer one."""
    plan = schedule()
    plan.renewed(granted, None, 1000.0)
    assert least <= plan.next_at(UDP, 1000.0) - 1000.0 <= most


def test_f16_a_server_to_be_preferred_is_looked_for_when_it_may_be_back(schedule):
    plan = schedule()
    plan.renewed(3600, 1200.0, 1000.0)
    assert 1200.0 <= plan.next_at(UDP, 1000.0) <= 1240.0
    plan.renewed(3600, 1001.0, 1000.0)
    assert 1030.0 <= plan.next_at(UDP, 1000.0) <= 1036.0


def test_f17_by_datagrams_it_is_made_sure_of_in_between(schedule):
    plan = schedule(recheck=50)
    plan.renewed(3600, None, 0.0)
    assert 35.0 <= plan.next_at(UDP, 0.0) <= 50.0
    assert plan.next_at(TCP, 0.0) >= 2700.0


def test_what_only_makes_sure_puts_off_no_look_at_the_servers(schedule):
    plan = schedule(recheck=50)
    assert not plan.checks(0.0)
    plan.renewed(3600, None, 0.0)
    anew = plan.next_at(TCP, 0.0)
    for now in range(50, 2700, 50):
        assert plan.checks(now)
        plan.confirmed(3600, now)
        assert plan.next_at(TCP, now) <= anew
    assert not plan.checks(anew)


def test_f21_flows_that_stand_only_briefly_come_back_ever_more_slowly(schedule):
    plan = schedule()
    waits = []
    for now in range(0, 120, 20):
        plan.new_flow(now)
        waits.append(plan.lost_wait(now + 5.0))
    assert waits[0] <= 2.2
    assert [wait > 4.0 for wait in waits] == [False, True, True, True, True, True]
    assert waits[-1] > waits[1]
    plan.new_flow(200.0)
    assert plan.lost_wait(300.0) <= 2.2


def test_failures_in_a_row_make_the_waits_longer_until_one_is_forgiven(schedule):
    plan = schedule()
    waits = [plan.failure_wait(FailureCause.NO_ANSWER) for _ in range(6)]
    assert 4.0 <= waits[0] <= 5.0
    assert 44.0 <= waits[-1] <= 55.0
    plan.forgive()
    assert 4.0 <= plan.failure_wait(FailureCause.NO_ANSWER) <= 5.0


def test_a_flow_that_proved_nothing_counts_as_a_failure(schedule):
    """RFC 5626 §4.5: from 30 seconds on with all flows down, from 90 while another stands."""
    assert 30.0 <= schedule().unproven_wait(others=False) <= 60.0
    assert 90.0 <= schedule().unproven_wait(others=True) <= 180.0


@pytest.mark.parametrize(("after", "least", "most"), [(0.0, 1.0, 1.25), (30.0, 30.0, 37.5)])
def test_f18_whoever_names_a_time_is_not_asked_before_it(schedule, after, least, most):
    assert least <= schedule().told_wait(after) <= most
