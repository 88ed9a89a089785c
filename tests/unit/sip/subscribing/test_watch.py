"""A subscription that is to stand: forks, gaps, lists, and the way it moves with its line."""

import pytest

from firmware.sip.event.dialog_info import DialogInfo
from firmware.sip.event.resource_list import ResourceList
from firmware.sip.flow import Endpoint, Transport
from firmware.sip.notifications import EventReceived, SubscriptionChanged
from firmware.sip.notifications import SubscriptionProgress as Progress
from tests.support.events import Notifier
from tests.support.sip_link import LINE

KIND = "application/dialog-info+xml"


class Office(Notifier):
    """Registrar and notifier at once."""

    def take(self, message):
        if getattr(message, "method", "") == "REGISTER":
            contact = ("Contact", message.headers.get("Contact") + ";expires=3600")
            return [self.answer(message, 200, contact, tag="pbx")]
        return super().take(message)


@pytest.fixture
def office(world):
    office = Office(world)
    office.media_type = KIND
    return office


@pytest.fixture
def watching(world, desk, office):
    desk.agent.subscriptions.subscribe("blf", LINE, "dialog", world.now, target="102")
    world.run(1.0)
    return office


def document(*names, version=0, state="full", entity="sip:102@x"):
    inside = "".join(f'<dialog id="{n}"><state>early</state></dialog>' for n in names)
    head = f'<dialog-info version="{version}" state="{state}" entity="{entity}">'
    return f"{head}{inside}</dialog-info>".encode()


def subscribes(office):
    return office.requests("SUBSCRIBE")


def test_a_number_is_looked_for_at_the_lines_server(watching):
    request = subscribes(watching)[0]
    assert request.uri == "sip:102@192.0.2.9"
    assert request.headers.get("To") == "<sip:102@192.0.2.9>"
    assert request.headers.get("Accept") == KIND


def test_every_fork_is_kept_where_the_package_wants_it(world, desk, watching):
    """RFC 4235 §3.9, RFC 6665 §4.1.4: each NOTIFY of a fork makes a subscription."""
    watching.notify(desk, "active;expires=3600", document("a"), tag="second")
    assert [len(each.document.dialogs) for each in desk.of(EventReceived)] == [1]
    assert len(watching.responses(200)) == 2
    # Each fork has its own state: this one is whole although the other's version is 0.
    watching.notify(desk, "active;expires=3600", document("b", version=9), tag="n0")
    assert [d.id for d in desk.last(EventReceived).document.dialogs] == ["b"]
    watching.notify(desk, "terminated;reason=noresource", tag="second")
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE
    watching.notify(desk, "terminated;reason=noresource", tag="n0")
    assert desk.last(SubscriptionChanged).progress is Progress.ENDED
    world.run(100.0)
    assert len(desk.agent) == 0


def test_forks_without_end_are_not_kept(world, desk, watching):
    for number in range(40):
        watching.notify(desk, "active;expires=3600", document(), tag=f"fork{number}")
    assert len(desk.agent._core.dialogs) == 16
    assert len(watching.responses(481)) == 40 - 15


def test_a_gap_asks_for_the_whole_but_not_all_the_time(world, desk, watching):
    """RFC 4235 §4.3."""
    watching.notify(desk, "active;expires=3600", document("a", version=1))
    watching.body = document("a", "b", "c", version=9)
    watching.notify(desk, "active;expires=3600", document("c", version=5, state="partial"))
    assert [d.id for d in desk.last(EventReceived).document.dialogs] == ["a", "b", "c"]
    assert len(subscribes(watching)) == 2
    watching.body = b""
    for version in (20, 30, 40):
        watching.notify(
            desk, "active;expires=3600", document("d", version=version, state="partial")
        )
    assert len(subscribes(watching)) == 2
    world.run(6.0)
    watching.notify(desk, "active;expires=3600", document("d", version=60, state="partial"))
    assert len(subscribes(watching)) == 3


@pytest.mark.parametrize(
    ("method", "event", "contact", "status"),
    [
        ("NOTIFY", "presence", "", 481),
        ("NOTIFY", "@", "", 489),
        ("NOTIFY", "dialog", "<mailto:x@y>", 400),
        ("INFO", "dialog", "", 481),
    ],
)
def test_the_first_notify_must_make_sense(  # noqa: PLR0917 - rows
    world, desk, office, method, event, contact, status
):
    """RFC 6665 §4.4.1, RFC 6665 §4.1.3."""
    office.notifies = False
    desk.agent.subscriptions.subscribe("blf", LINE, "dialog", world.now, target="102")
    world.run(0.1)
    request = office.notification(office.held[0], "active", event=event, contact=contact)
    request.method = method
    request.headers.set("CSeq", f"1 {method}")
    office.tell(request, desk)
    world.run(0.05)
    assert len(office.responses(status)) == 1
    assert len(desk.agent._core.dialogs) == 0
    # A good one is still welcome.
    office.notify(desk, "active;expires=60")
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE


def test_a_list_is_asked_for_and_read(world, desk, office):
    """RFC 4662 §4.1: Supported and Require eventlist; RFC 4662 §4.3: both kinds of body."""
    office.media_type = 'multipart/related;type="application/rlmi+xml";boundary="b"'
    office.body = (
        b"--b\r\nContent-Type: application/rlmi+xml\r\n\r\n"
        b'<list uri="sip:all@x" version="0" fullState="true"><resource uri="sip:102@x">'
        b'<instance id="1" state="active" cid="c@x"/></resource></list>\r\n'
        b"--b\r\nContent-ID: <c@x>\r\nContent-Type: " + KIND.encode() + b"\r\n\r\n"
        + document("d") + b"\r\n--b--\r\n"
    )  # fmt: skip
    office.notifies = False
    desk.agent.subscriptions.subscribe(
        "all", LINE, "dialog", world.now, target="sip:all@192.0.2.9", lists=True
    )
    world.run(0.1)
    asked = subscribes(office)[0].headers
    assert asked.get("Supported") == "eventlist"
    assert asked.get("Accept") == f"{KIND}, application/rlmi+xml, multipart/related"
    office.notify(desk, "active;expires=60", office.body, ("Require", "eventlist"))
    found = desk.last(EventReceived).document
    assert isinstance(found, ResourceList)
    assert isinstance(found.resources[0].instances[0].document, DialogInfo)


def test_a_conference_that_is_no_more_is_watched_no_more(world, desk, office):
    """RFC 4575 §4.6: state deleted, so SUBSCRIBE with Expires 0."""
    office.media_type = "application/conference-info+xml"
    desk.agent.subscriptions.subscribe("c", LINE, "conference", world.now, target="sip:c@192.0.2.9")
    world.run(1.0)
    gone = b'<conference-info entity="sip:c@x" version="2" state="deleted"/>'
    office.notify(desk, "active;expires=600", gone)
    assert desk.last(EventReceived).document.over
    assert desk.last(SubscriptionChanged).progress is Progress.ENDED
    assert subscribes(office)[-1].headers.get("Expires") == "0"
    world.run(100.0)
    assert len(desk.agent) == 0


def test_f09_a_new_address_reaches_the_notifier(world, desk, office):
    """F9: SUBSCRIBE is a target refresh request (RFC 6665 §3.1): the dialog goes on."""
    desk.agent.register(LINE, world.now)
    world.run(1.0)
    desk.agent.subscriptions.subscribe("blf", LINE, "dialog", world.now, target="102")
    world.run(1.0)
    desk.endpoint = Endpoint("192.0.2.55", 5060)
    world.nodes[desk.endpoint] = desk
    desk.agent.network_changed(world.now)
    world.run(3.0)
    first, *_, last = subscribes(office)
    assert "192.0.2.1" in first.headers.get("Contact")
    assert "192.0.2.55" in last.headers.get("Contact")
    assert last.headers.get("Call-ID") == first.headers.get("Call-ID")
    office.notify(desk, "active;expires=3600", document("a"))
    assert desk.last(EventReceived).document.dialogs


def test_a_lost_connection_is_made_anew_and_the_subscription_follows(world, desk, office, sip):
    """F25 for subscriptions: over the connection that the line registers by afterwards."""
    desk.line(sip.PBX, password="secret", transport=Transport.TCP)
    desk.agent.register(LINE, world.now)
    world.run(1.0)
    desk.agent.subscriptions.subscribe("blf", LINE, "dialog", world.now, target="102")
    world.run(1.0)
    before = desk.agent._core.lines[LINE].registrar_flow
    world.close(before)
    world.run(8.0)
    after = desk.agent._core.lines[LINE].registrar_flow
    assert after not in (None, before)
    assert len(subscribes(office)) == 2
    assert subscribes(office)[1].headers.get("To").endswith(";tag=n0")
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE


def test_f17_a_server_that_was_away_is_asked_again(world, desk, office):
    """F17: it may have forgotten us: 481, and a new subscription at once."""
    desk.agent.register(LINE, world.now)
    world.run(1.0)
    desk.agent.subscriptions.subscribe("blf", LINE, "dialog", world.now, target="102")
    world.run(1.0)
    world.silent.add(office.endpoint)
    desk.agent.register(LINE, world.now)
    world.run(35.0)
    world.silent.clear()
    office.held.clear()
    office.verdicts = [481]
    world.run(20.0)
    *_, refresh, anew = subscribes(office)
    assert "tag=" in refresh.headers.get("To")
    assert "tag=" not in anew.headers.get("To")
    assert desk.last(SubscriptionChanged).progress is Progress.ACTIVE
    assert len(office.held) == 1


def test_the_service_route_of_the_line_is_taken(world, desk, office):
    """RFC 3608 §6.1: the first SUBSCRIBE goes the way every request of the line goes."""
    route = ("Service-Route", "<sip:192.0.2.9;lr>, <sip:192.0.2.99;lr>")
    take = office.take

    def with_route(message):
        answers = take(message)
        if getattr(message, "method", "") == "REGISTER":
            answers[0].headers.add(*route)
        return answers

    office.reply = with_route
    desk.agent.register(LINE, world.now)
    world.run(1.0)
    desk.agent.subscriptions.subscribe("blf", LINE, "dialog", world.now, target="102")
    world.run(1.0)
    assert subscribes(office)[0].headers.get("Route") == route[1]
