"""Several usages of one dialog: a call and subscriptions (RFC 5057)."""

import pytest

from firmware.sip.event.package import Event, Reason
from firmware.sip.subscribing.notifying import Notifying
from firmware.sip.subscribing.subscribed import GOOD, Subscribed, Terms

EVENT = Event("refer", "7")


class Party:
    """Both a source and a user of subscriptions; remembers what it was told."""

    def __init__(self):
        self.notices = []
        self.over = []
        self.text = b"SIP/2.0 100 Trying"

    def content(self, *_):
        return "message/sipfrag", self.text

    def on_notified(self, _usage, notice, _now):
        self.notices.append((notice.state.standing.value, notice.body))
        return GOOD

    def on_over(self, usage, *more):
        self.over.append((usage, *more[:-1]))


@pytest.fixture
def shared(talking):
    """The caller watches something of the callee's in the dialog of their call."""
    world, left, right, out, arrived = talking
    ours = left.agent._core.calls[out]
    theirs = right.agent._core.calls[arrived]
    watcher, source = Party(), Party()
    terms = Terms(EVENT, 60, refreshes=False, loose=True)
    watching = Subscribed(left.agent._core, ours.line, ours.dialog, terms, watcher)
    watching.expect(world.now)
    telling = Notifying(right.agent._core, theirs.line, theirs.dialog, EVENT, source)
    telling.grant(60, world.now)
    telling.notify(world.now)
    world.run(0.1)
    return watcher, source, watching, telling


def test_notifys_in_a_call_find_their_subscription(shared, talking):
    """RFC 5057 §4.2; RFC 3515 §2.4.4."""
    watcher, source, _, telling = shared
    world = talking[0]
    assert watcher.notices == [("active", b"SIP/2.0 100 Trying")]
    source.text = b"SIP/2.0 200 OK"
    telling.end(world.now, Reason.NORESOURCE)
    world.run(0.1)
    assert watcher.notices[-1] == ("terminated", b"SIP/2.0 200 OK")
    assert [ending.reason for _, ending in watcher.over] == [Reason.NORESOURCE]
    assert len(source.over) == 1


def test_the_call_goes_on_when_the_subscription_ends(shared, talking):
    """RFC 5057 §4."""
    world, left, right, out, _ = talking
    shared[3].end(world.now, None)
    world.run(0.1)
    assert len(left.agent._core.shared) == len(right.agent._core.shared) == 0
    assert out in left.agent._core.calls
    left.agent.end(out, world.now)
    world.run(100.0)
    assert len(left.agent) == len(right.agent) == 0


def test_the_subscription_goes_on_when_the_call_ends(shared, talking):
    """RFC 5057 §4: the dialog ends with its last usage."""
    world, left, right, out, _ = talking
    watcher, source, _, telling = shared
    left.agent.end(out, world.now)
    world.run(1.0)
    source.text = b"SIP/2.0 180 Ringing"
    telling.change(world.now)
    world.run(0.1)
    assert watcher.notices[-1] == ("active", b"SIP/2.0 180 Ringing")
    telling.end(world.now, Reason.NORESOURCE)
    world.run(100.0)
    assert len(watcher.over) == 1
    assert len(left.agent) == len(right.agent) == 0


def test_what_is_let_run_out_ends_by_itself(shared, talking):
    world, left, *_ = talking
    watcher, source, *_ = shared
    world.run(61.0)
    assert watcher.notices[-1][0] == "terminated"
    assert len(source.over) == len(watcher.over) == 1
    assert not [row for row in left.world.log if row[3].startswith(b"SUBSCRIBE")]


def test_a_watcher_may_leave_and_refresh_in_the_call(shared, talking):
    """RFC 6665 §4.1.2.2, RFC 6665 §4.1.2.3, inside a dialog that a call made."""
    world = talking[0]
    watcher, _, watching, _ = shared
    watching.refresh(world.now)
    world.run(0.1)
    assert len(watcher.notices) == 2
    watching.leave(world.now)
    world.run(0.1)
    assert [ending.reason for _, ending in watcher.over] == [Reason.TIMEOUT]


def test_a_notify_without_id_is_for_the_first_of_its_kind(shared, talking):
    """RFC 3515 §2.4.6."""
    watching = shared[2]
    assert watching.matches(Event("refer"))
    assert watching.matches(EVENT)
    assert not watching.matches(Event("refer", "8"))
    assert not watching.matches(Event("dialog"))


def test_a_notify_for_nobody_in_a_call_is_refused(talking):
    """RFC 6665 §4.1.3: 481 for what we know, 489 for what we do not."""
    world, _, right, _, arrived = talking
    call = right.agent._core.calls[arrived]
    for package, status in (("refer", b"481"), ("dialog", b"481"), ("x-magic", b"489")):
        party = Party()
        usage = Notifying(right.agent._core, call.line, call.dialog, Event(package), party)
        usage.notify(world.now)
        world.run(0.1)
        answers = [row[3] for row in world.log if row[3].startswith(b"SIP/2.0 4")]
        assert answers[-1].startswith(b"SIP/2.0 " + status)
        assert len(party.over) == 1, "both end it"


def test_dropped_usages_say_nothing(shared, talking):
    world, left, right, out, _ = talking
    watcher, source, watching, telling = shared
    watching.drop()
    telling.drop()
    watching.leave(world.now)
    watching.refresh(world.now)
    telling.notify(world.now)
    telling.end(world.now, None)
    assert watcher.over == source.over == []
    left.agent.end(out, world.now)
    world.run(100.0)
    assert len(left.agent) == len(right.agent) == 0


def test_a_subscription_may_begin_in_a_call(talking):
    """RFC 5057 §4.2: a SUBSCRIBE inside a call's dialog is served there."""
    world, left, right, out, _ = talking
    call = left.agent._core.calls[out]
    party = Party()
    terms = Terms(Event("dialog"), 600, (("Accept", "application/dialog-info+xml"),))
    usage = Subscribed(left.agent._core, call.line, call.dialog, terms, party)
    usage.refresh(world.now)
    world.run(0.2)
    assert b"confirmed" in party.notices[0][1]
    assert len(right.agent.notifiers) == 1
    left.agent.end(out, world.now)
    world.run(2.0)
    assert b"confirmed" not in party.notices[-1][1]
    usage.leave(world.now)
    world.run(100.0)
    assert len(left.agent) == len(right.agent) == 0
