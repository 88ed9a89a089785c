"""Our side of a subscription in one dialog, where refreshes do not go as planned."""

import pytest

from firmware.sip.notifications import SubscriptionChanged
from firmware.sip.notifications import SubscriptionProgress as Progress
from tests.support.events import Notifier
from tests.support.sip_link import LINE

REF = "mwi"


@pytest.fixture
def server(world):
    return Notifier(world)


@pytest.fixture
def watch(world, desk, server):
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(1.0)
    return desk.agent.subscriptions


def expires(server):
    return [each.headers.get("Expires") for each in server.requests("SUBSCRIBE")]


def test_a_refresh_that_is_too_brief_is_longer_from_then_on(world, server, watch):
    """RFC 6665 §4.2.1.4: 423 with Min-Expires."""
    server.verdicts = [(423, (("Min-Expires", "7200"),))]
    watch.refresh(REF, world.now)
    world.run(1.0)
    watch.refresh(REF, world.now)
    world.run(1.0)
    assert expires(server) == ["3600", "3600", "7200", "7200"]


def test_wishes_during_a_refresh_are_met_after_it(world, desk, server, watch):
    for _ in range(5):
        watch.refresh(REF, world.now)
    world.run(1.0)
    assert len(expires(server)) == 3, "five wishes at once are two refreshes"
    watch.refresh(REF, world.now)
    watch.unsubscribe(REF, world.now)
    world.run(1.0)
    assert expires(server)[3:] == ["3600", "0"]
    world.run(100.0)
    assert len(desk.agent) == 0


@pytest.mark.parametrize("status", [481, 500, 204])
def test_leaving_ends_whatever_is_answered(world, desk, server, watch, status):
    """RFC 6665 §4.1.2.3."""
    server.notifies = False
    server.verdicts = [status]
    watch.unsubscribe(REF, world.now)
    world.run(1.0)
    assert len(desk.agent._core.dialogs) == 0
    world.run(100.0)
    assert len(desk.agent) == 0


def test_leaving_ends_when_nothing_is_answered_or_notified(world, desk, server, watch):
    """RFC 6665 §4.4.1: not terminated until the last NOTIFY, but no longer than timer N."""
    server.notifies = False
    watch.unsubscribe(REF, world.now)
    world.run(20.0)
    assert len(desk.agent._core.dialogs) == 1
    world.run(100.0)
    assert len(desk.agent) == 0


def test_a_refresh_that_nobody_answers_begins_anew(world, desk, server, watch):
    """RFC 6665 §4.1.2.2: timer N, then an unrelated subscription."""
    world.silent.add(server.endpoint)
    watch.refresh(REF, world.now)
    world.run(40.0)
    assert [each.progress for each in desk.of(SubscriptionChanged)][2] is Progress.WAITING
    world.silent.clear()
    world.run(60.0)
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE
    assert len(server.held) == 2


@pytest.mark.parametrize("seconds", [0, 1, 3])
def test_a_notifier_that_grants_next_to_nothing_is_not_stormed(world, desk, server, seconds):
    server.state = f"active;expires={seconds}"
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(600.0)
    assert len(expires(server)) < 40
    server.state = "active;expires=3600"
    world.run(400.0)
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE


def test_what_is_granted_for_ever_is_refreshed_within_a_week(world, desk, server):
    server.state = "active;expires=4294967295"
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(7 * 86400.0)
    assert len(expires(server)) == 2


def test_the_contact_of_a_notify_is_where_refreshes_go(world, desk, server, watch):
    """RFC 6665 §3.2: NOTIFY is a target refresh request."""
    server.notify(desk, "active;expires=3600", contact="<sip:moved@192.0.2.9:5060>")
    watch.refresh(REF, world.now)
    world.run(1.0)
    assert server.requests("SUBSCRIBE")[-1].uri == "sip:moved@192.0.2.9:5060"
