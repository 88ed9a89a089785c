"""Subscriptions that stand for good, whatever the notifier does (RFC 6665 §4.1)."""

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.event.message_summary import Counts, MessageSummary
from firmware.sip.notifications import EventReceived, FailureCause, SubscriptionChanged
from firmware.sip.notifications import SubscriptionProgress as Progress
from tests.support.events import Notifier
from tests.support.lives import LIVES
from tests.support.sip_link import LINE

REF = "mwi"
BODY = b"Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n"
SUMMARY = MessageSummary(
    waiting=True, voice=Counts(2, 8, 0, 2), kinds=(("voice-message", Counts(2, 8, 0, 2)),)
)


@pytest.fixture
def server(world):
    return Notifier(world)


@pytest.fixture
def subscribed(world, desk, server):
    """The desk watches its mailbox; it has had the first NOTIFY."""
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(1.0)
    return server


def progress(desk):
    return [change.progress for change in desk.of(SubscriptionChanged)]


def sent(server):
    return server.requests("SUBSCRIBE")


def test_the_first_subscribe_says_who_what_and_how_long(desk, subscribed):
    """RFC 6665 §4.1.2.1, RFC 3842 §3."""
    request = sent(subscribed)[0]
    assert request.uri == "sip:101@192.0.2.9"
    assert request.headers.get("Event") == "message-summary"
    assert request.headers.get("Accept") == "application/simple-message-summary"
    assert request.headers.get("Expires") == "3600"
    assert request.headers.get("Contact").startswith("<sip:")
    assert progress(desk) == [Progress.TRYING, Progress.ACTIVE]


def test_what_waits_is_told_as_a_document(world, desk, subscribed):
    subscribed.notify(desk, "active;expires=3600", BODY)
    assert desk.last(EventReceived) == EventReceived(REF, LINE, "message-summary", SUMMARY)
    assert len(subscribed.responses(200)) == 2


def test_a_notify_may_be_faster_than_the_answer(world, desk, server):
    """RFC 6665 §4.1.2.4: NOTIFY before the 2xx; RFC 6665 §4.4.1: it makes the dialog."""
    server.body = BODY
    server.verdicts = [lambda request: list(reversed(take_as(server, request)))]
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(1.0)
    assert desk.last(EventReceived).document == SUMMARY
    assert progress(desk) == [Progress.TRYING, Progress.ACTIVE]
    assert server.responses(200)


def take_as(server, request):
    server.verdicts = []
    return server.take(request)


def test_the_route_set_is_the_notifys(world, desk, server):
    """RFC 6665 §4.4.1: the 2xx's Record-Route counts for nothing."""
    server.verdicts = [(200, (("Record-Route", "<sip:wrong@192.0.2.77;lr>"),))]
    server.notifies = False
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(0.1)
    server.notifies = True
    server.notify(
        desk, "active;expires=100", b"", ("Record-Route", "<sip:192.0.2.9;lr>, <sip:192.0.2.8;lr>")
    )
    world.run(90.0)
    refresh = sent(server)[1]
    assert refresh.headers.get("Route") == "<sip:192.0.2.9;lr>, <sip:192.0.2.8;lr>"
    assert refresh.uri == "sip:notifier@192.0.2.9:5060"


def test_it_is_refreshed_in_its_dialog_before_it_ends(world, desk, subscribed):
    """RFC 6665 §4.1.2.2."""
    world.run(3600 * 0.9)
    first, second = sent(subscribed)
    assert second.headers.get("Call-ID") == first.headers.get("Call-ID")
    assert second.headers.get("To").endswith(";tag=n0")
    assert second.headers.get("CSeq") == "2 SUBSCRIBE"
    assert second.headers.get("Event") == "message-summary"
    assert progress(desk) == [Progress.TRYING, Progress.ACTIVE]


def test_the_notifier_may_shorten_it(world, desk, subscribed):
    """RFC 6665 §4.1.3: the expires of a NOTIFY is the authority."""
    subscribed.state = "active;expires=60"
    subscribed.notify(desk, "active;expires=60")
    world.run(55.0)
    assert len(sent(subscribed)) == 2


def test_a_2xx_grants_what_a_notify_leaves_open(world, desk, server):
    """RFC 6665 §4.2.2 warns of NOTIFYs without expires."""
    server.state, server.grants = "active", "60"
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(55.0)
    assert len(sent(server)) == 2


def test_unsubscribing_sends_expires_0_and_leaves_nothing(world, desk, subscribed):
    """RFC 6665 §4.1.2.3."""
    desk.agent.subscriptions.unsubscribe(REF, world.now)
    world.run(1.0)
    assert desk.last(SubscriptionChanged).progress is Progress.ENDED
    last = sent(subscribed)[-1]
    assert last.headers.get("Expires") == "0"
    assert last.headers.get("To").endswith(";tag=n0")
    world.run(100.0)
    assert len(desk.agent) == 0


def test_unsubscribing_before_anything_came_ends_what_comes(world, desk, server):
    server.notifies = False
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(0.1)
    desk.agent.subscriptions.unsubscribe(REF, world.now)
    server.notifies = True
    server.notify(desk, "active;expires=3600", BODY)
    world.run(1.0)
    assert sent(server)[-1].headers.get("Expires") == "0"
    assert desk.of(EventReceived) == []
    world.run(100.0)
    assert len(desk.agent) == 0


def test_a_fetch_gets_one_state_and_ends(world, desk, server):
    """RFC 6665 §4.4.3."""
    server.body = BODY
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now, once=True)
    world.run(1.0)
    assert sent(server)[0].headers.get("Expires") == "0"
    assert desk.last(EventReceived).document == SUMMARY
    assert progress(desk) == [Progress.TRYING, Progress.ENDED]
    world.run(100.0)
    assert len(desk.agent) == 0
    assert len(sent(server)) == 1


@pytest.mark.parametrize("status", [200, 202])
def test_pending_becomes_active(world, desk, server, status):
    """RFC 6665 §4.1.3 pending; RFC 6665 §8.3.1: 202 is as good as 200."""
    server.state, server.verdicts = "pending;expires=3600", [status]
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(1.0)
    server.notify(desk, "active;expires=3600")
    assert progress(desk) == [Progress.TRYING, Progress.PENDING, Progress.ACTIVE]


@pytest.mark.parametrize("reason", ["rejected", "noresource", "invariant"])
def test_a_final_word_is_final(world, desk, subscribed, reason):
    """RFC 6665 §4.1.3: rejected, noresource, invariant."""
    subscribed.notify(desk, f"terminated;reason={reason};retry-after=5")
    assert desk.last(SubscriptionChanged).progress is Progress.ENDED
    assert desk.last(SubscriptionChanged).phrase == reason
    world.run(90000.0)
    assert len(sent(subscribed)) == 1
    assert len(desk.agent) == 0


@pytest.mark.parametrize("reason", ["deactivated", "timeout"])
def test_after_these_it_subscribes_anew_at_once(world, desk, subscribed, reason):
    """RFC 6665 §4.1.3 deactivated, timeout; RFC 6665 §4.4.2: on a new dialog."""
    subscribed.notify(desk, f"terminated;reason={reason};retry-after=4000")
    world.run(3.0)
    first, second = sent(subscribed)
    assert second.headers.get("Call-ID") != first.headers.get("Call-ID")
    assert second.headers.get("From") != first.headers.get("From")
    assert "tag=" not in second.headers.get("To")
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE


@pytest.mark.parametrize("reason", ["probation", "giveup", "somethingnew", ""])
def test_after_these_it_waits_as_long_as_it_is_told(world, desk, subscribed, reason):
    """RFC 6665 §4.1.3 probation, giveup, unknown, none."""
    reason = f";reason={reason}" if reason else ""
    subscribed.notify(desk, f"terminated{reason};retry-after=500")
    waiting = desk.last(SubscriptionChanged)
    assert waiting.progress is Progress.WAITING
    assert 500 <= waiting.retry_in < 700
    world.run(499.0)
    assert len(sent(subscribed)) == 1
    world.run(200.0)
    assert len(sent(subscribed)) == 2
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE


def test_a_notifier_that_ends_it_every_time_is_not_stormed(world, desk, server):
    server.state = "terminated;reason=deactivated"
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(3600.0)
    assert 8 < len(sent(server)) < 30
    server.state = "active;expires=3600"
    world.run(400.0)
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE


@pytest.mark.parametrize(
    ("status", "cause", "least"),
    [
        (403, FailureCause.FORBIDDEN, 120),
        (404, FailureCause.NOT_FOUND, 120),
        (489, FailureCause.OTHER, 3600),
        (405, FailureCause.OTHER, 3600),
        (500, FailureCause.SERVER_ERROR, 30),
        (603, FailureCause.DECLINED, 120),
    ],
)
def test_a_refusal_is_tried_again_by_its_meaning(world, desk, server, status, cause, least):
    server.verdicts = [status]
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(1.0)
    waiting = desk.last(SubscriptionChanged)
    assert (waiting.progress, waiting.cause, waiting.status) == (Progress.WAITING, cause, status)
    assert least <= waiting.retry_in <= least * 1.25
    world.run(waiting.retry_in)
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE


def test_a_retry_after_is_kept(world, desk, server):
    server.verdicts = [(500, (("Retry-After", "1000"),))]
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(1.0)
    assert desk.last(SubscriptionChanged).retry_in >= 1000


def test_too_brief_is_asked_for_longer(world, desk, server):
    """RFC 6665 §4.2.1.1: 423 with Min-Expires."""
    server.verdicts = [(423, (("Min-Expires", "7200"),))]
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(1.0)
    assert [r.headers.get("Expires") for r in sent(server)] == ["3600", "7200"]
    assert progress(desk) == [Progress.TRYING, Progress.ACTIVE]


def test_too_brief_without_a_number_or_for_ever_is_a_refusal(world, desk, server):
    server.verdicts = [423, (423, (("Min-Expires", "99999999"),))]
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(1.0)
    assert desk.last(SubscriptionChanged).progress is Progress.WAITING
    world.run(50.0)
    assert len(sent(server)) == 2
    assert desk.last(SubscriptionChanged).progress is Progress.WAITING


def test_a_challenge_is_answered_with_the_lines_password(world, desk, server):
    challenge = 'Digest realm="pbx", nonce="one", algorithm=MD5, qop="auth"'
    server.verdicts = [(401, (("WWW-Authenticate", challenge),))]
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(1.0)
    assert 'username="101"' in sent(server)[1].headers.get("Authorization")
    assert sent(server)[1].headers.get("CSeq") == "2 SUBSCRIBE"
    assert progress(desk) == [Progress.TRYING, Progress.ACTIVE]


def test_no_notification_in_time_is_a_failure(world, desk, server):
    """RFC 6665 §4.1.2.4: timer N; what comes later gets 481."""
    server.notifies = False
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(31.0)
    assert progress(desk) == [Progress.TRYING]
    world.run(1.5)
    waiting = desk.last(SubscriptionChanged)
    assert (waiting.progress, waiting.cause) == (Progress.WAITING, FailureCause.NO_ANSWER)
    server.notify(desk, "active;expires=60", BODY)
    assert len(server.responses(481)) == 1
    assert desk.of(EventReceived) == []


def test_nobody_there_is_tried_again_and_again(world, desk):
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(40.0)
    assert desk.of(SubscriptionChanged)[1].cause is FailureCause.NO_ANSWER
    server = Notifier(world)
    world.run(600.0)
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE
    assert server.held


@pytest.mark.parametrize(
    "status", [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604]
)
def test_these_answers_to_a_refresh_end_it(world, desk, subscribed, status):
    """RFC 6665 §4.1.2.2, RFC 5057 §5.1; the next SUBSCRIBE is unrelated."""
    subscribed.verdicts = [status]
    desk.agent.subscriptions.refresh(REF, world.now)
    world.run(0.1)
    assert desk.last(SubscriptionChanged).progress is Progress.WAITING
    assert len(desk.agent._core.dialogs) == 0
    world.run(5000.0)
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE
    assert "tag=" not in sent(subscribed)[2].headers.get("To")


@pytest.mark.parametrize("status", [400, 403, 408, 500, 503, 600])
def test_other_answers_to_a_refresh_leave_it_to_its_end(world, desk, subscribed, status):
    """RFC 6665 §4.1.2.2: still valid for the known duration."""
    subscribed.verdicts = [status]
    desk.agent.subscriptions.refresh(REF, world.now)
    world.run(1.0)
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE
    subscribed.notify(desk, "active;expires=3000", BODY)
    assert desk.last(EventReceived).document == SUMMARY
    world.run(40.0)
    assert len(sent(subscribed)) == 3, "and is tried again before"
    assert sent(subscribed)[2].headers.get("To").endswith(";tag=n0")


def test_204_says_that_no_notify_will_come(world, desk, subscribed):
    """RFC 5839 §7.1 by way of RFC 6665 §4.1.2.2: timer N is off."""
    subscribed.verdicts, subscribed.notifies = [204], False
    desk.agent.subscriptions.refresh(REF, world.now)
    world.run(100.0)
    assert progress(desk) == [Progress.TRYING, Progress.ACTIVE]


def test_a_refresh_without_a_notify_ends_it(world, desk, subscribed):
    """RFC 6665 §4.1.2.2: timer N."""
    subscribed.notifies = False
    desk.agent.subscriptions.refresh(REF, world.now)
    world.run(33.0)
    assert desk.last(SubscriptionChanged).progress is Progress.WAITING
    subscribed.notifies = True
    world.run(10.0)
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE
    assert len(subscribed.held) == 2


def test_a_second_fork_is_refused_where_one_is_enough(world, desk, subscribed):
    """RFC 6665 §4.1.4, RFC 6665 §5.4.9."""
    subscribed.notify(desk, "active;expires=3600", BODY, tag="another")
    assert len(subscribed.responses(481)) == 1
    assert desk.of(EventReceived) == []


@pytest.mark.parametrize(
    ("rows", "event", "status"),
    [
        ((), "message-summary;id=7", 481),
        ((), "presence", 481),
        ((), ";;", 489),
        ((("Require", "magic"),), "", 420),
        ((("Content-Encoding", "gzip"),), "", 415),
    ],
)
def test_a_notify_that_is_not_ours_is_refused(world, desk, subscribed, rows, event, status):
    """RFC 6665 §4.1.3, RFC 6665 §8.2.1."""
    subscribed.notify(desk, "active;expires=3600", BODY, *rows, event=event)
    assert len(subscribed.responses(status)) == 1
    assert desk.of(EventReceived) == []


def test_a_body_that_is_no_summary_is_400_and_a_foreign_one_415(world, desk, subscribed):
    subscribed.notify(desk, "active;expires=3600", b"hello")
    assert len(subscribed.responses(400)) == 1
    subscribed.media_type = "application/pidf+xml"
    subscribed.notify(desk, "active;expires=3600", BODY)
    refused = subscribed.responses(415)[0]
    assert refused.headers.get("Accept") == "application/simple-message-summary"
    assert progress(desk) == [Progress.TRYING, Progress.ACTIVE]


def test_a_notify_without_a_state_is_taken_and_a_bad_one_not(world, desk, subscribed):
    """RFC 6665 §4.1.3; servers of RFC 3265's time leave it out."""
    subscribed.notify(desk, "", BODY)
    assert desk.last(EventReceived).document == SUMMARY
    subscribed.notify(desk, "@", BODY)
    assert len(subscribed.responses(400)) == 1


def test_old_numbers_and_other_methods_in_its_dialog_are_refused(world, desk, subscribed):
    """RFC 3261 §12.2.2; RFC 5057 §4: there is no call in this dialog."""
    held = subscribed.held[0]
    held.cseq = -1
    subscribed.notify(desk, "active;expires=3600", BODY)
    assert len(subscribed.responses(500)) == 1
    held.cseq = 10
    for method, status in (("BYE", 481), ("INFO", 405), ("MAGIC", 501)):
        request = subscribed.notification(held, "")
        request.method = method
        request.headers.set("CSeq", f"{held.cseq} {method}")
        subscribed.tell(request, desk)
        world.run(0.05)
        assert len(subscribed.responses(status)) >= 1


def test_a_line_that_comes_back_brings_its_subscriptions(world, desk, sip):
    """What waits for its retry tries at once when the line is registered again."""
    pbx = Both(world)
    pbx.verdicts = [403]
    desk.agent.subscriptions.subscribe(REF, LINE, "message-summary", world.now)
    world.run(1.0)
    assert desk.last(SubscriptionChanged).progress is Progress.WAITING
    desk.agent.register(LINE, world.now)
    world.run(1.0)
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE


class Both(Notifier):
    """A registrar too."""

    def take(self, message):
        if getattr(message, "method", "") == "REGISTER":
            contact = ("Contact", message.headers.get("Contact") + ";expires=3600")
            return [self.answer(message, 200, contact, tag="pbx")]
        return super().take(message)


def test_a_line_that_goes_takes_its_subscriptions_along(world, desk, subscribed):
    desk.agent.set_lines((), world.now)
    world.run(1.0)
    assert desk.last(SubscriptionChanged).progress is Progress.ENDED
    assert sent(subscribed)[-1].headers.get("Expires") == "0"
    world.run(100.0)
    assert len(desk.agent) == 0


def test_shutting_down_says_goodbye_to_notifiers(world, desk, subscribed):
    desk.agent.shut_down(world.now)
    world.run(1.0)
    assert sent(subscribed)[-1].headers.get("Expires") == "0"
    assert desk.agent.settled


def test_mistakes_of_our_own_are_errors(world, desk, subscribed):
    watch = desk.agent.subscriptions
    with pytest.raises(LocalError):
        watch.subscribe(REF, LINE, "message-summary", world.now)
    with pytest.raises(LocalError):
        watch.subscribe("other", "nowhere", "message-summary", world.now)
    with pytest.raises(LocalError):
        watch.subscribe("other", LINE, "no-such-package", world.now)
    with pytest.raises(LocalError):
        watch.subscribe("other", LINE, "message-summary", world.now, target="a b")
    watch.unsubscribe("nobody", world.now)
    watch.refresh("nobody", world.now)
    assert REF in watch
    assert len(watch) == 1


def test_a_notify_to_nobody_is_refused(world, desk, server, sip):
    """RFC 6665 §4.1.3: 481 for a package we know, 489 for one we do not."""
    for number, (event, status) in enumerate((("dialog", 481), ("x-magic", 489))):
        request = sip.request(
            "NOTIFY", "sip:101@192.0.2.1", ("Event", event), ("Subscription-State", "active"),
            branch=f"z9hG4bKn{number}", call_id=f"n{number}",
        )  # fmt: skip
        server.tell(request, desk)
        world.run(0.05)
        assert len(server.responses(status)) == 1


@LIVES
def test_f52_subscription_lives_leave_nothing(world, desk, server, lives):
    """Subscribed, notified, unsubscribed, over and over."""
    desk.heard = Forgetful()
    server.inbox = server.raw = server.flows = world.log = Forgetful()
    for number in range(lives):
        ref = f"s{number}"
        desk.agent.subscriptions.subscribe(ref, LINE, "message-summary", world.now)
        world.run(0.03)
        desk.agent.subscriptions.unsubscribe(ref, world.now)
        world.run(0.03)
        server.held.clear()
    world.run(100.0)
    assert len(desk.agent) == 0


class Forgetful(list):
    def append(self, item):
        pass
