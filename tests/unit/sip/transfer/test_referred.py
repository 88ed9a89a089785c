"""REFERs of a far end: which are followed, which refused, and what it is told (RFC 3515 §2.4)."""

import pytest

from firmware.sip.message import Response
from firmware.sip.notifications import (
    CallEnded,
    CallRef,
    FailureCause,
    OfferWanted,
    TransferAsked,
)
from tests.unit.sip.transfer.conftest import OFFER, aor

NEW = CallRef("new")
TARGET = ("Refer-To", "<sip:103@192.0.2.3>")


@pytest.fixture
def call(far):
    return far.calls()


def follow(desk):
    desk.agent.transfers.follow(desk.last(TransferAsked).transfer, NEW, desk.now)
    desk.world.run(0.02)


def invite(desk):
    """The INVITE that the REFER has led to."""
    return desk.sent("INVITE")[-1]


def told(far):
    """The status lines and Subscription-States of the NOTIFYs so far; each is answered."""
    rows = []
    for notify in far.requests("NOTIFY"):
        rows.append((notify.body.decode().strip(), notify.headers.get("Subscription-State")))
        far.answers(notify, 200)
    return rows


def test_the_phone_is_asked_first(desk, far, call):
    """RFC 3515 §2.4.2: approval comes before anything is done."""
    assert far.refers(TARGET, ("Referred-By", '"Ann" <sip:ann@pbx>;x=1')) is None
    asked = desk.last(TransferAsked)
    assert (asked.call, asked.line, asked.target.uri) == (call, "desk", "sip:103@192.0.2.3")
    assert (asked.referrer.name, asked.referrer.user) == ("Ann", "ann")
    assert not desk.sent("INVITE")
    follow(desk)
    assert far.responses(200)
    assert far.responses(200)[-1].headers.get("Contact")
    assert invite(desk).uri == "sip:103@192.0.2.3"
    assert invite(desk).headers.get("Referred-By") == '"Ann" <sip:ann@pbx>;x=1'


def test_a_phone_that_does_not_decide_has_declined(world, far, call):
    far.refers(TARGET)
    world.run(20)
    assert far.responses(603)
    assert call


def test_the_first_notify_comes_at_once(desk, far, call):
    """RFC 3515 §2.4.4, §3.4: 100 Trying, for longer than a call can ring."""
    far.refers(TARGET)
    follow(desk)
    ((line, state),) = told(far)
    assert line == "SIP/2.0 100 Trying"
    word, _, seconds = state.partition(";expires=")
    assert word == "active"
    assert int(seconds) > 300
    assert far.requests("NOTIFY")[0].headers.get("Content-Type").startswith("message/sipfrag")
    assert call


def test_a_call_that_is_given_up_here(world, desk, far, call):
    """RFC 3515 §2.4.7: terminated, noresource."""
    far.refers(TARGET)
    follow(desk)
    told(far)
    desk.agent.end(NEW, world.now)
    world.run(0.1)
    line, state = told(far)[-1]
    assert line == "SIP/2.0 487 Request Terminated"
    assert state == "terminated;reason=noresource"
    assert call


def test_nobody_at_the_target(world, desk, far, call):
    far.refers(("Refer-To", "<sip:103@nowhere.example>"))
    follow(desk)
    world.run(1)
    told(far)
    world.run(1)
    assert desk.last(CallEnded).cause is FailureCause.NAME_NOT_FOUND
    assert told(far)[-1][0] == "SIP/2.0 404 Not Found"
    assert call


def test_the_replaces_of_the_reference_is_carried_on(desk, far, call):
    """RFC 3891 §4: escaped in the Refer-To, plain in the INVITE."""
    far.refers(
        (
            "Refer-To",
            "<sip:103@192.0.2.3?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2&Require=replaces>",
        )
    )
    assert desk.last(TransferAsked).replaces
    follow(desk)
    headers = invite(desk).headers
    assert headers.get("Replaces") == "a@b;to-tag=1;from-tag=2"
    assert headers.get("Require") == "replaces"
    assert call


def test_an_at_sign_that_was_not_escaped(desk, far, call):
    far.refers(("Refer-To", "<sip:103@192.0.2.3?Replaces=a@b;to-tag=1;from-tag=2>"))
    follow(desk)
    assert invite(desk).headers.get("Replaces") == "a@b;to-tag=1;from-tag=2"
    assert call


def test_other_headers_of_the_reference_are_not_ours(desk, far, call):
    """RFC 3261 §19.1.5: nobody writes our INVITE for us."""
    far.refers(("Refer-To", "<sip:103@192.0.2.3?From=sip%3Aboss%40pbx&Call-ID=x&Subject=hello>"))
    follow(desk)
    headers = invite(desk).headers
    assert "boss" not in headers.get("From")
    assert headers.get("Call-ID") != "x"
    assert headers.get("Subject") is None
    assert call


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([], 400),
        ([TARGET, TARGET], 400),
        ([("Refer-To", "<sip:103@a>, <sip:104@a>")], 400),
        ([("Refer-To", "nonsense here")], 400),
        ([("Refer-To", "<sip:103@a?Replaces=x>")], 400),
        ([("Refer-To", "<sip:103@a?Replaces=x%3Bto-tag%3D1%3Bfrom-tag%3D2&Replaces=y>")], 400),
        ([("Refer-To", "<tel:+4930123456>")], 416),
        ([("Refer-To", "<http://example.org/>")], 416),
        ([("Refer-To", "<mailto:ann@example.org>")], 416),
        ([("Refer-To", "<sip:103@a;method=BYE>")], 403),
        ([("Refer-To", "<sip:103@a;method=SUBSCRIBE>")], 403),
        ([TARGET, ("Referred-By", "<sip:a@b>"), ("Referred-By", "<sip:c@d>")], 400),
        ([TARGET, ("Require", "explicitsub")], 420),
    ],
)
def test_what_is_refused_without_asking(desk, far, call, rows, status):
    """RFC 3515 §2.4.2, RFC 3892 §2.1, RFC 7614 §4.3."""
    assert far.refers(*rows).status == status
    assert not desk.of(TransferAsked)
    assert call


@pytest.mark.parametrize("escaped", ["%0d%0aX:%20y", "%0a", "%00", "%7f"])
@pytest.mark.parametrize("value", ["abc{};to-tag=1;from-tag=2", "abc;to-tag=1{};from-tag=2"])
def test_a23_no_header_is_smuggled_in_by_an_escape(desk, far, call, value, escaped):
    value = value.format(escaped).replace(";", "%3B").replace("=", "%3D")
    far.refers(("Refer-To", f"<sip:103@192.0.2.3?Replaces={value}>"))
    assert far.responses(400)
    assert not desk.of(TransferAsked)
    assert call


def test_a_method_that_is_the_usual_one(desk, far, call):
    """RFC 3515 §2.4.3: method=INVITE."""
    far.refers(("Refer-To", "<sip:103@192.0.2.3;method=INVITE>"))
    follow(desk)
    assert invite(desk).uri == "sip:103@192.0.2.3"
    assert call


@pytest.mark.parametrize(
    "rows",
    [
        [("Refer-Sub", "false")],
        [("Refer-Sub", "false"), ("Require", "norefersub")],
        [("Require", "nosub")],
    ],
)
def test_a_far_end_that_wants_no_news(world, desk, far, call, rows):
    """RFC 4488 §4, RFC 7614 §5: no NOTIFY, and the answer says so."""
    far.refers(TARGET, *rows)
    follow(desk)
    assert far.responses(200)[-1].headers.get("Refer-Sub") == "false"
    desk.agent.end(NEW, world.now)
    world.run(1)
    assert not far.requests("NOTIFY")
    assert call


def test_a_far_end_that_loses_interest(world, desk, far, call):
    """RFC 3515 §2.4.4: the call goes on when nobody wants to know of it any more."""
    far.refers(TARGET)
    follow(desk)
    notify = far.requests("NOTIFY")[-1]
    far.answers(notify, 481)
    world.run(1)
    assert not desk.of(CallEnded)
    assert len(desk.agent.transfers) == 0
    assert call


def test_an_unsubscribe_is_answered_and_the_call_goes_on(world, desk, far, call):
    """RFC 3515 §2.4.4: the subscription may be ended by SUBSCRIBE with Expires 0."""
    far.refers(TARGET)
    follow(desk)
    event = far.requests("NOTIFY")[-1].headers.get("Event")
    told(far)
    far.ask("SUBSCRIBE", ("Event", event), ("Expires", "0"))
    assert told(far)[-1][1].startswith("terminated")
    world.run(1)
    assert not desk.of(CallEnded)
    assert call


def test_a_subscription_without_a_refer(desk, far, call):
    """RFC 3515 §2.4.4: 403."""
    far.ask("SUBSCRIBE", ("Event", "refer;id=77"), ("Expires", "60"))
    assert far.responses(403)
    assert desk
    assert call


def test_a19_a_refer_from_outside_a_call_is_refused(desk, far, call):
    """Nobody makes the phone dial who is not talking with it."""
    before = len(far.inbox)
    far.ask("REFER", TARGET, to=f"<{aor('101')}>", call_id="other")
    answer = next(x for x in far.inbox[before:] if isinstance(x, Response))
    assert answer.status == 403
    assert not desk.of(TransferAsked)
    assert call


def test_a19_an_invented_target_dialog_helps_nobody(desk, far, call):
    """RFC 4538 §4: identifiers that match nothing are ignored."""
    rows = [TARGET, ("Target-Dialog", "by-hand;local-tag=guess;remote-tag=far")]
    far.ask("REFER", *rows, to=f"<{aor('101')}>", call_id="other")
    assert far.responses(403)
    assert not desk.of(TransferAsked)
    assert call


def test_a_refer_beside_the_call_names_it(world, desk, far, call):
    """RFC 7647 §4, RFC 4538 §4: a dialog of its own, and the call by Target-Dialog."""
    known = f"by-hand;local-tag={far.tag};remote-tag=far"
    rows = [TARGET, ("Target-Dialog", known), ("Require", "tdialog")]
    far.ask("REFER", *rows, to=f"<{aor('101')}>", call_id="other")
    assert desk.last(TransferAsked).call == call
    follow(desk)
    accepted = far.responses(200)[-1]
    tag = accepted.headers.get("To").split("tag=")[1]
    notify = far.requests("NOTIFY")[-1]
    assert notify.headers.get("Call-ID") == "other"
    assert f"tag={tag}" in notify.headers.get("From")
    told(far)
    desk.agent.end(NEW, world.now)
    world.run(1)
    told(far)
    world.run(400)
    assert len(desk.agent.transfers) == 0


def test_a19_only_so_many_at_a_time(world, desk, far, call):
    for _ in range(25):
        far.refers(TARGET)
    assert len(desk.of(TransferAsked)) == 20
    assert far.responses(503)
    world.run(40)
    assert len(desk.agent.transfers) == 0
    assert call


def test_what_was_answered_is_not_answered_again(world, desk, far, call):
    far.refers(TARGET)
    transfer = desk.last(TransferAsked).transfer
    desk.agent.transfers.refuse(transfer, 603, world.now)
    desk.agent.transfers.refuse(transfer, 603, world.now)
    desk.agent.transfers.follow(transfer, NEW, world.now)
    world.run(0.1)
    assert len(far.responses(603)) == 1
    assert not [x for x in desk.of(OfferWanted) if x.call == NEW]
    assert call


def test_ten_thousand_refers_leave_nothing(world, desk, far, call):
    """Refused by the phone."""
    desk.script = lambda x: (
        desk.agent.transfers.refuse(x.transfer, 603, desk.now)
        if isinstance(x, TransferAsked)
        else None
    )
    world.run(60)
    before = len(desk.agent)
    for _ in range(10_000):
        far.refers(TARGET)
        far.inbox.clear()
        far.flows.clear()
        far.raw.clear()
        desk.heard.clear()
        world.log.clear()
    world.run(60)
    assert len(desk.agent) == before
    assert call
    assert OFFER
