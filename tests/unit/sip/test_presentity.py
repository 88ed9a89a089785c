"""Our own presence: published, and shown to who watches us."""

import re

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.facts import Activity
from firmware.sip.names import LineName
from firmware.sip.notifications import EventReceived
from firmware.sip.told import PresenceChanged

LINE = LineName("desk")
AVAILABLE, PHONE, DND = Activity.AVAILABLE, Activity.ON_THE_PHONE, Activity.DO_NOT_DISTURB


@pytest.fixture
def published(pbx, sip):
    """The bodies that the PBX was sent, with the seconds they are for."""
    register = pbx.register
    seen = []

    def reply(message):
        if getattr(message, "method", "") != "PUBLISH":
            return register(message)
        seen.append((message.headers.get("Expires"), message.body))
        return [sip.answer_to(message, 200, ("SIP-ETag", "e"), ("Expires", "3600"))]

    pbx.reply = reply
    return seen


def test_what_the_line_does_is_published(world, desk, published):
    desk.agent.presence.show(LINE, AVAILABLE, world.now)
    world.run(0.1)
    desk.agent.presence.show(LINE, PHONE, world.now)
    desk.agent.presence.show(LINE, PHONE, world.now)
    world.run(0.1)
    assert len(published) == 2
    assert b"<basic>open</basic>" in published[0][1]
    assert b"on-the-phone" not in published[0][1]
    assert b"<rpid:on-the-phone/>" in published[1][1]
    assert b'entity="sip:101@192.0.2.9"' in published[1][1]


def test_a_refresh_that_comes_too_late_is_published_anew(world, desk, pbx, sip):
    """RFC 3903 §4.1, §5 (412): the server has forgotten it; everything once more."""
    register, seen = pbx.register, []

    def reply(message):
        if getattr(message, "method", "") != "PUBLISH":
            return register(message)
        etag = message.headers.get("SIP-If-Match")
        seen.append((etag, bool(message.body)))
        if etag == "first":
            return [sip.answer_to(message, 412)]
        tag = "first" if len(seen) == 1 else "second"
        return [sip.answer_to(message, 200, ("SIP-ETag", tag), ("Expires", "60"))]

    pbx.reply = reply
    desk.agent.presence.show(LINE, AVAILABLE, world.now)
    world.run(110.0)
    assert seen[:3] == [(None, True), ("first", False), (None, True)]
    assert seen[3] == ("second", False)


def test_who_may_see_it_is_not_told(world, desk, pbx, sip):
    """RFC 3857 is not there: a SUBSCRIBE to presence.winfo is answered 489 (RFC 6665 §8.3.2)."""
    desk.agent.presence.show(LINE, AVAILABLE, world.now)
    row = sip.request("SUBSCRIBE", "sip:101@192.0.2.1", ("Event", "presence.winfo"),
                      ("Contact", "<sip:a@192.0.2.9>"), ("Expires", "600"))  # fmt: skip
    pbx.tell(row, desk)
    world.run(0.1)
    assert pbx.responses(489)[0].headers.get("Allow-Events") == "dialog, presence"


def test_and_taken_back(world, desk, published):
    desk.agent.presence.show(LINE, AVAILABLE, world.now)
    world.run(0.1)
    desk.agent.presence.hide(LINE, world.now)
    desk.agent.presence.hide(LINE, world.now)
    world.run(60.0)
    assert published[-1] == ("0", b"")
    assert len(published) == 2
    assert len(desk.agent) == 0


def test_a_line_that_is_none(world, desk):
    with pytest.raises(LocalError):
        desk.agent.presence.show(LineName("none"), AVAILABLE, world.now)
    desk.agent.presence.hide(LineName("none"), world.now)


class TestWatched:
    """Two phones without a server: one watches the other (RFC 3856)."""

    @pytest.fixture
    def two(self, world, pair):
        left, right = pair

        def watch():
            left.agent.buddies.watch(LINE, "600", world.now)
            world.run(0.5)
            return left.of(PresenceChanged)

        return world, left, right, watch

    def test_a_friend_sees_what_we_do(self, two):
        world, left, right, watch = two
        right.agent.presence.show(LINE, AVAILABLE, world.now)
        assert watch() == [PresenceChanged(LINE, "600", available=True)]
        right.agent.presence.show(LINE, PHONE, world.now)
        world.run(6.0)
        assert left.last(PresenceChanged).activities == ("on-the-phone",)
        assert left.of(EventReceived)

    def test_not_oftener_than_every_five_seconds(self, two):
        """RFC 3856 §6.10."""
        world, left, right, watch = two
        right.agent.presence.show(LINE, AVAILABLE, world.now)
        watch()
        for activity in (PHONE, DND, PHONE, DND):
            right.agent.presence.show(LINE, activity, world.now)
            world.run(0.5)
        assert len(left.of(PresenceChanged)) == 1
        world.run(6.0)
        assert [news.activities for news in left.of(PresenceChanged)[1:]] == [("busy",)]

    def test_a_phone_that_shows_nothing_is_not_watched(self, two):
        """RFC 3856 §6.6.2."""
        _, left, _, watch = two
        assert watch() == []
        assert not left.of(EventReceived)

    def test_who_hides_is_seen_no_longer(self, two):
        world, left, right, watch = two
        right.agent.presence.show(LINE, AVAILABLE, world.now)
        watch()
        right.agent.presence.hide(LINE, world.now)
        world.run(2.0)
        assert left.last(PresenceChanged) == PresenceChanged(LINE, "600")
        assert len(right.agent.notifiers) == 0

    def test_a_buddy_who_is_forgotten_is_watched_no_longer(self, two):
        world, left, right, watch = two
        right.agent.presence.show(LINE, AVAILABLE, world.now)
        watch()
        left.agent.buddies.forget(LINE, "600", world.now)
        left.agent.buddies.forget(LINE, "600", world.now)
        world.run(60.0)
        assert len(left.agent) == len(right.agent) == 0

    def test_the_list_of_a_line_is_exactly_what_it_was_set_to(self, two):
        world, left, right, _ = two
        right.agent.presence.show(LINE, AVAILABLE, world.now)
        buddies = left.agent.buddies
        buddies.set(LINE, ("600", "601"), world.now)
        world.run(0.5)
        buddies.set(LINE, ("601", "602", "602"), world.now)
        world.run(0.5)
        assert len(buddies) == 2
        left.agent.set_lines((), world.now)
        world.run(60.0)
        assert len(buddies) == 0

    def test_nobody_who_cannot_be_addressed(self, two):
        world, left, _, _ = two
        with pytest.raises(LocalError):
            left.agent.buddies.watch(LINE, "6 00", world.now)
        with pytest.raises(LocalError):
            left.agent.buddies.watch(LineName("none"), "600", world.now)
        for number in range(128):
            left.agent.buddies.watch(LINE, f"{number}", world.now)
        with pytest.raises(LocalError):
            left.agent.buddies.watch(LINE, "600", world.now)
        assert len(left.agent.buddies) == 128

    def test_the_accept_of_a_watcher_who_wants_something_else(self, world, desk, pbx, sip):
        desk.agent.presence.show(LINE, AVAILABLE, world.now)
        rows = (("Event", "presence"), ("Accept", "text/plain"), ("Contact", "<sip:x@192.0.2.9>"))
        pbx.tell(sip.request("SUBSCRIBE", "sip:101@192.0.2.1", *rows), desk)
        world.run(0.1)
        assert pbx.responses(406)

    def test_a_question_is_answered_once(self, world, desk, pbx, sip):
        """RFC 6665 §4.4.3."""
        desk.agent.presence.show(LINE, PHONE, world.now)
        rows = (("Event", "presence"), ("Expires", "0"), ("Contact", "<sip:x@192.0.2.9>"))
        pbx.tell(sip.request("SUBSCRIBE", "sip:101@192.0.2.1", *rows), desk)
        world.run(0.1)
        notify = pbx.requests("NOTIFY")[0]
        assert re.match("terminated", notify.headers.get("Subscription-State"))
        assert b"on-the-phone" in notify.body

    def test_many_lives_leave_nothing(self, two):
        world, left, right, _ = two
        right.agent.presence.show(LINE, AVAILABLE, world.now)
        for _ in range(300):
            left.agent.buddies.watch(LINE, "600", world.now)
            world.run(0.2)
            left.agent.buddies.forget(LINE, "600", world.now)
            world.run(0.2)
        world.run(60.0)
        assert len(left.agent) == len(right.agent) == 0
