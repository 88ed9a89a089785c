"""The registrar says itself what became of our binding (RFC 3680)."""

import pytest

from firmware.sip.event.reg import PACKAGE, RegInfo, RegisteredAddress, RegisteredContact
from firmware.sip.notifications import (
    EventReceived,
    FailureCause,
    RegistrationChanged,
    SubscriptionRef,
)
from firmware.sip.notifications import RegistrationState as State


@pytest.fixture
def tell(registered, sip):
    """Give the line's registration package news of a contact, ours if nothing else is said."""
    world, desk, pbx = registered

    def tell(event, uri="", ref="reg", **more):
        active = more.pop("active", False)
        contact = RegisteredContact("c", uri or pbx.contact(), active, event, **more)
        other = RegisteredContact("d", "sip:other@192.0.2.8", active=True)
        address = RegisteredAddress("a", "sip:101@pbx", "active", (other, contact))
        told = EventReceived(SubscriptionRef(ref), sip.LINE, PACKAGE.name, RegInfo((address,)))
        desk.agent._core.notify(told)
        desk.settle()
        world.run(4.0)
        return len(pbx.requests("REGISTER")), desk.last(RegistrationChanged)

    return tell


@pytest.mark.parametrize("event", ["deactivated", "expired", "unregistered"])
def test_who_was_dropped_comes_back_at_once(tell, event):
    """RFC 3680 §4.6: deactivated means so, the others happen to a registrar that was restarted."""
    count, last = tell(event)
    assert count == 2
    assert last.state is State.REGISTERED


def test_who_was_rejected_stays_away(tell):
    count, last = tell("rejected")
    assert count == 1
    assert (last.state, last.cause) == (State.FAILED, FailureCause.FORBIDDEN)
    assert last.retry_in >= 60


def test_who_is_on_probation_comes_back_when_told(tell, world, pbx):
    count, last = tell("probation", retry_after=100)
    assert count == 1
    assert 100 <= last.retry_in <= 125
    world.run(130.0)
    assert len(pbx.requests("REGISTER")) == 2


def test_a_shortened_binding_is_refreshed_before_its_new_end(tell, world, pbx):
    assert tell("shortened", active=True, expires=60)[0] == 1
    world.run(30.0)
    assert len(pbx.requests("REGISTER")) == 2


@pytest.mark.parametrize(
    "how",
    [
        {"event": "deactivated", "uri": "sip:101@192.0.2.55"},
        {"event": "refreshed", "active": True},
        {"event": "created", "active": True},
        {"event": "future", "active": False},
        {"event": "rejected", "ref": ""},
    ],
    ids=["another phone", "refreshed", "created", "an unknown event", "unasked"],
)
def test_a21_nothing_else_changes_anything(tell, how):
    count, last = tell(**how)
    assert (count, last.state) == (1, State.REGISTERED)


def test_while_a_refresh_is_under_way_it_says_enough(tell, registered, sip):
    world, desk, pbx = registered
    pbx.verdicts = [lambda request: sip.answer_to(request, 100)]
    desk.agent.register(sip.LINE, world.now)
    world.run(0.2)
    _, last = tell("rejected")
    assert last.state is State.REGISTERED


def test_a_line_that_is_gone_is_told_nothing(registered, tell, sip):
    world, desk, pbx = registered
    uri = pbx.contact()
    desk.agent.set_lines((), world.now)
    world.run(100.0)
    tell("deactivated", uri=uri)
    assert len(desk.agent) == 0
