"""What we tell those who watch us (RFC 6665 §4.2)."""

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.event.package import Reason
from firmware.sip.message import Response
from tests.support.lives import LIVES
from tests.support.sip_link import LINE, Stranger

STATE = "application/x-state"


class Weather:
    """A package of our own: the state is a word."""

    package = "weather"
    media_types = (STATE,)
    interval = 1.0

    def __init__(self):
        self.word = "sun"
        self.verdict = 200
        self.over = []

    def admit(self, *_):
        return self.verdict

    def content(self, *_):
        return (STATE, self.word.encode())

    def on_over(self, usage, _):
        self.over.append(usage)


class Watcher(Stranger):
    """Answers every NOTIFY with 200, or the next of `verdicts`."""

    def __init__(self, world, host="192.0.2.9"):
        super().__init__(world, host)
        self.verdicts = []
        self.reply = self.take
        self.cseq = 0

    def take(self, message):
        if isinstance(message, Response) or message.method != "NOTIFY":
            return []
        verdict = self.verdicts.pop(0) if self.verdicts else 200
        if verdict is None:
            return []
        status, rows = verdict if isinstance(verdict, tuple) else (verdict, ())
        headers = message.headers.copy()
        for name in ("Subscription-State", "Event", "Content-Type", "Max-Forwards", "Contact"):
            headers.remove(name)
        for name, value in rows:
            headers.add(name, value)
        return [Response(status, "Fine", headers)]

    @property
    def notes(self):
        """(state, body) of each NOTIFY, repetitions apart."""
        seen = {request.headers.get("CSeq"): request for request in self.requests("NOTIFY")}
        return [(r.headers.get("Subscription-State"), r.body.decode()) for r in seen.values()]


@pytest.fixture
def service(desk):
    service = Weather()
    desk.agent.notifiers.serve(service)
    return service


@pytest.fixture
def watcher(world, service):
    return Watcher(world)


@pytest.fixture
def subscribe(world, desk, watcher, sip):
    """Sends a SUBSCRIBE; with a tag it is a refresh."""

    def send(*rows, expires="600", event="weather", tag="", call_id="w", contact=True):
        watcher.cseq += 1
        fixed = [("Event", event)] if event else []
        fixed += [("Expires", expires)] if expires else []
        fixed += [("Contact", "<sip:w@192.0.2.9:5060>")] if contact else []
        watcher.tell(
            sip.request(
                "SUBSCRIBE", "sip:101@192.0.2.1", *fixed, *rows, tag=tag, call_id=call_id,
                cseq=watcher.cseq, branch=f"z9hG4bKs{watcher.cseq}",
            ),
            desk,
        )  # fmt: skip
        world.run(0.1)
        return next((m for m in reversed(watcher.inbox) if isinstance(m, Response)), None)

    return send


def tag_of(answer):
    return answer.headers.get("To").split("tag=")[1]


def test_a_subscription_is_granted_and_notified_at_once(subscribe, watcher, desk):
    """RFC 6665 §4.2.1.1, RFC 6665 §4.2.1.2."""
    answer = subscribe()
    assert (answer.status, answer.headers.get("Expires")) == (200, "600")
    assert answer.headers.get("Contact").startswith("<sip:")
    assert watcher.notes == [("active;expires=600", "sun")]
    note = watcher.requests("NOTIFY")[0]
    assert note.uri == "sip:w@192.0.2.9:5060"
    assert note.headers.get("Event") == "weather"
    assert note.headers.get("From").endswith(f"tag={tag_of(answer)}")
    assert note.headers.get("Content-Type") == STATE
    assert len(desk.agent.notifiers) == 1


def test_each_change_is_told_and_no_faster_than_the_package_wants(
    world, desk, subscribe, watcher, service
):
    """RFC 6665 §5.4.10: at most one in `interval` seconds, and then the latest."""
    subscribe()
    for word in ("rain", "hail", "snow"):
        service.word = word
        desk.agent.notifiers.changed("weather", line_of(desk), world.now)
        world.run(0.05)
    assert len(watcher.notes) == 1
    world.run(1.0)
    assert [body for _, body in watcher.notes] == ["sun", "snow"]
    world.run(5.0)
    service.word = "fog"
    desk.agent.notifiers.changed("weather", line_of(desk), world.now)
    world.run(0.05)
    assert [body for _, body in watcher.notes] == ["sun", "snow", "fog"]


def line_of(desk):
    return desk.agent._core.lines[LINE]


def test_a_subscriber_may_ask_for_fewer_notifications(world, desk, subscribe, watcher, service):
    """RFC 6446 §5.1, RFC 6446 §5.2: max-rate, said again in Subscription-State."""
    subscribe(event="weather;max-rate=0.1")
    assert watcher.notes[0][0] == "active;expires=600;max-rate=0.1"
    service.word = "rain"
    desk.agent.notifiers.changed("weather", line_of(desk), world.now)
    world.run(9.0)
    assert len(watcher.notes) == 1
    world.run(1.5)
    assert watcher.notes[1][1] == "rain"


@pytest.mark.parametrize("rate", ["0", "-1", "nan", "1e9", "", "x" * 40])
def test_a_rate_that_is_none_is_passed_over(subscribe, watcher, rate):
    subscribe(event=f"weather;max-rate={rate}")
    assert watcher.notes == [("active;expires=600", "sun")]


def test_a_refresh_gives_the_state_and_more_time(world, subscribe, watcher, desk):
    """RFC 6665 §4.2.1.4."""
    tag = tag_of(subscribe())
    world.run(500.0)
    answer = subscribe(tag=tag, expires="300")
    assert (answer.status, answer.headers.get("Expires")) == (200, "300")
    assert watcher.notes[1] == ("active;expires=300", "sun")
    world.run(250.0)
    assert len(desk.agent.notifiers) == 1


@pytest.mark.parametrize(("expires", "status"), [("10", 423), ("soon", 400)])
def test_a_refresh_that_makes_no_sense_changes_nothing(subscribe, watcher, desk, expires, status):
    """RFC 6665 §4.2.1.4."""
    tag = tag_of(subscribe())
    assert subscribe(tag=tag, expires=expires).status == status
    assert len(watcher.notes) == 1
    assert len(desk.agent.notifiers) == 1


def test_what_changes_while_the_last_word_waits_is_in_it(world, desk, subscribe, watcher, service):
    """RFC 6665 §4.2.2: one NOTIFY at a time, the terminated one last."""
    watcher.verdicts = [None, None]
    tag = tag_of(subscribe())
    service.word = "rain"
    desk.agent.notifiers.changed("weather", line_of(desk), world.now)
    (usage,) = desk.agent.notifiers.watchers("weather")
    usage.end(world.now, Reason.NORESOURCE)
    usage.end(world.now, Reason.REJECTED)
    usage.change(world.now)
    usage.notify(world.now)
    assert subscribe(tag=tag).status == 481
    world.run(10.0)
    assert watcher.notes[1:] == [("terminated;reason=noresource", "rain")]
    assert usage.over
    world.run(100.0)
    assert len(desk.agent) == 0


def test_a_subscriber_that_moves_is_followed(world, desk, subscribe, watcher, service, sip):
    """RFC 6665 §3.1: SUBSCRIBE is a target refresh request."""
    tag = tag_of(subscribe())
    subscribe(("Contact", "<sip:moved@192.0.2.9:5060>"), tag=tag, contact=False)
    assert watcher.requests("NOTIFY")[-1].uri == "sip:moved@192.0.2.9:5060"


def test_what_is_not_refreshed_ends_with_a_last_word(world, subscribe, watcher, desk, service):
    """RFC 6665 §4.2.1.4: reason timeout."""
    subscribe()
    world.run(601.0)
    assert watcher.notes[-1] == ("terminated;reason=timeout", "sun")
    assert len(service.over) == 1
    world.run(100.0)
    assert len(desk.agent) == 0


def test_unsubscribing_ends_it(world, subscribe, watcher, desk):
    """RFC 6665 §4.2.1.4: Expires 0."""
    tag = tag_of(subscribe())
    assert subscribe(tag=tag, expires="0").headers.get("Expires") == "0"
    assert watcher.notes[-1] == ("terminated;reason=timeout", "sun")
    world.run(100.0)
    assert len(desk.agent) == 0
    assert subscribe(tag=tag).status == 481


def test_a_question_is_answered_once(world, subscribe, watcher, desk):
    """RFC 6665 §4.4.3."""
    assert subscribe(expires="0").status == 200
    assert watcher.notes == [("terminated;reason=timeout", "sun")]
    world.run(100.0)
    assert len(desk.agent) == 0


@pytest.mark.parametrize(
    ("more", "status", "header"),
    [
        ({"event": "sports"}, 489, ("Allow-Events", "weather")),
        ({"event": ""}, 489, ("Allow-Events", "weather")),
        ({"event": "@"}, 489, ("Allow-Events", "weather")),
        ({"expires": "10"}, 423, ("Min-Expires", "30")),
        ({"expires": "soon"}, 400, None),
        ({"contact": False}, 400, None),
    ],
)
def test_what_cannot_be_granted_is_refused(subscribe, watcher, desk, more, status, header):
    """RFC 6665 §4.2.1.1, RFC 6665 §4.2.3, RFC 6665 §4.4.4."""
    answer = subscribe(**more)
    assert answer.status == status
    if header:
        assert header[1] in answer.headers.get(header[0]).split(", ")
    assert watcher.notes == []
    assert len(desk.agent.notifiers) == 0


@pytest.mark.parametrize(
    ("accept", "status"),
    [(STATE, 200), ("text/plain", 406), ("application/*", 200), ("text/plain, */*;q=0.1", 200)],
)
def test_accept_decides(subscribe, accept, status):
    """RFC 6665 §4.1.2.1: 406 if we can write nothing they read."""
    assert subscribe(("Accept", accept)).status == status


def test_without_expires_the_package_decides(subscribe):
    """RFC 6665 §3.1.1."""
    assert subscribe(expires="").headers.get("Expires") == "3600"
    assert subscribe(expires="999999999", call_id="long").headers.get("Expires") == "86400"


def test_whoever_is_not_admitted_is_refused(subscribe, service, watcher):
    """RFC 6665 §4.2.1.3."""
    service.verdict = 403
    assert subscribe().status == 403
    assert watcher.notes == []


def test_whoever_is_not_decided_about_waits(world, desk, subscribe, service, watcher):
    """RFC 6665 §4.2.1.3: 200 at once, pending until somebody decides."""
    service.verdict = 202
    assert subscribe().status == 200
    assert watcher.notes[0][0] == "pending;expires=600"
    desk.agent.notifiers.watchers("weather")[0].allow(world.now)
    world.run(0.1)
    assert watcher.notes[1][0].startswith("active")
    desk.agent.notifiers.watchers("weather")[0].end(world.now, Reason.REJECTED)
    world.run(0.1)
    assert watcher.notes[2][0] == "terminated;reason=rejected"


@pytest.mark.parametrize(
    "status", [404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604]
)
def test_these_answers_to_a_notify_end_it(world, desk, subscribe, watcher, status):
    """RFC 6665 §4.2.2, RFC 5057 §5.1."""
    watcher.verdicts = [status]
    subscribe()
    assert len(desk.agent.notifiers) == 0
    world.run(100.0)
    assert len(desk.agent) == 0


@pytest.mark.parametrize("status", [400, 408, 500, 600])
def test_other_answers_to_a_notify_are_tried_again_later(world, desk, subscribe, watcher, status):
    """RFC 6665 §4.2.2, RFC 5057 §5.1: no others end it."""
    watcher.verdicts = [(status, (("Retry-After", "50"),))]
    subscribe()
    world.run(40.0)
    assert len(watcher.notes) == 1
    world.run(15.0)
    assert len(watcher.notes) == 2
    assert len(desk.agent.notifiers) == 1


def test_a_notify_that_nobody_answers_ends_it(world, desk, subscribe, watcher):
    """RFC 6665 §4.2.2: timer F."""
    watcher.verdicts = [None] * 100
    subscribe()
    world.run(120.0)
    assert len(desk.agent.notifiers) == 0
    assert len(desk.agent) == 0


def test_while_one_notify_waits_no_other_leaves(world, desk, subscribe, watcher, service):
    watcher.verdicts = [None, None, None]
    subscribe()
    service.word = "rain"
    desk.agent.notifiers.changed("weather", line_of(desk), world.now)
    world.run(2.0)
    assert len(watcher.notes) == 1
    world.run(10.0)
    assert [body for _, body in watcher.notes] == ["sun", "rain"]


def test_a02_a_stranger_may_not_watch(world, desk, subscribe, sip, service):
    """A2, P7: no answer at all."""
    stranger = Watcher(world, "203.0.113.7")
    stranger.tell(
        sip.request(
            "SUBSCRIBE", "sip:101@192.0.2.1", ("Event", "weather"),
            ("Contact", "<sip:w@203.0.113.7>"), sender="203.0.113.7",
        ),
        desk,
    )  # fmt: skip
    world.run(1.0)
    assert stranger.inbox == []
    assert len(desk.agent.notifiers) == 0


def test_the_record_route_of_the_subscriber_is_kept(subscribe, watcher):
    """RFC 3261 §12.1.1."""
    route = "<sip:192.0.2.9;lr>, <sip:192.0.2.88;lr>"
    answer = subscribe(("Record-Route", route))
    assert answer.headers.get("Record-Route") == route
    assert watcher.requests("NOTIFY")[0].headers.get("Route") == route


def test_a_line_has_room_for_so_many(subscribe, watcher):
    for number in range(50):
        assert subscribe(call_id=f"c{number}").status == 200
    answer = subscribe(call_id="one-more")
    assert (answer.status, answer.headers.get("Retry-After")) == (500, "60")


def test_a_line_that_goes_says_so(world, desk, subscribe, watcher):
    """RFC 6665 §4.1.3: noresource."""
    subscribe()
    desk.agent.set_lines((), world.now)
    world.run(0.1)
    assert watcher.notes[-1][0] == "terminated;reason=noresource"
    world.run(100.0)
    assert len(desk.agent) == 0


def test_shutting_down_asks_them_to_come_back(world, desk, subscribe, watcher):
    """RFC 6665 §4.1.3: probation with retry-after."""
    subscribe()
    desk.agent.shut_down(world.now)
    world.run(0.1)
    assert watcher.notes[-1][0] == "terminated;reason=probation;retry-after=30"


def test_a_challenge_to_a_notify_is_answered(subscribe, watcher):
    challenge = ("Proxy-Authenticate", 'Digest realm="pbx", nonce="one", qop="auth"')
    watcher.verdicts = [(407, (challenge,))]
    subscribe()
    assert "Proxy-Authorization" in watcher.requests("NOTIFY")[1].headers
    assert len(watcher.notes) == 2


def test_two_services_for_one_package_are_a_mistake(desk, service):
    with pytest.raises(LocalError):
        desk.agent.notifiers.serve(Weather())


@LIVES
def test_f52_watchers_come_and_go(world, desk, subscribe, watcher, lives):
    watcher.inbox, watcher.raw, watcher.flows, world.log = Last(), Last(), Last(), Last()
    for number in range(lives):
        answer = subscribe(expires="0", call_id=f"w{number}")
        assert answer.status == 200
    world.run(100.0)
    assert len(desk.agent) == 0


class Last(list):
    """Remembers three."""

    def append(self, item):
        super().append(item)
        del self[:-3]
