"""REFER to a GRUU: a request of its own that names the call (RFC 7647 §4, RFC 4538)."""

import pytest

from firmware.sip.message import Response
from firmware.sip.notifications import (
    CallRef,
    FailureCause,
    IncomingCall,
    TransferAsked,
    TransferFailed,
    TransferProgress,
    TransferSucceeded,
)
from firmware.sip.uri import parse_uri
from tests.unit.sip.transfer.conftest import ANSWER, aor

GRUU = "sip:far@192.0.2.2;gr=urn:uuid:1"
NEWS, DONE = "active;expires=60", "terminated;reason=noresource"


@pytest.fixture
def call(far):
    """A far end with a GRUU that knows Target-Dialog calls the desk."""
    far.address = GRUU
    return far.calls(("Supported", "replaces, tdialog"))


def refer(world, desk, far, call):
    desk.agent.transfers.blind(call, "103", world.now)
    world.run(0.02)
    return far.requests("REFER")[-1]


def notifies(far, refer, fragment, state=NEWS, event="refer"):
    """In the dialog that this NOTIFY makes, or has made."""
    before = len(far.inbox)
    rows = [("Event", event), ("Subscription-State", state), ("Content-Type", "message/sipfrag")]
    sender = refer.headers.get("From")
    contact, far.contact = far.contact, refer.headers.get("Contact").strip("<>")
    to_us = {"to": sender, "call_id": refer.headers.get("Call-ID")}
    far.ask("NOTIFY", *rows, body=fragment.encode(), **to_us)
    far.contact = contact
    (answer,) = [x for x in far.inbox[before:] if isinstance(x, Response)]
    return answer.status


def test_it_proves_that_we_know_the_call(world, desk, far, call):
    """RFC 7647 §4, RFC 4538 §3, RFC 5589 §6.1: no tag in To; the far end's view of the tags."""
    found = refer(world, desk, far, call)
    headers = found.headers
    assert found.uri == GRUU
    assert headers.get("To") == f"<{GRUU}>"
    assert headers.get("Call-ID") != "by-hand"
    assert headers.get("Target-Dialog") == f"by-hand;local-tag=far;remote-tag={far.tag}"
    assert headers.get("Require") == "tdialog"
    assert headers.get("Refer-To") == "<sip:103@192.0.2.1>"


def test_the_first_notify_makes_the_dialog(world, desk, far, call):
    """RFC 6665 §4.4.1, RFC 3515 §2.4.4."""
    found = refer(world, desk, far, call)
    far.answers(found, 202)
    assert desk.last(TransferProgress) == TransferProgress(call, 100)
    assert notifies(far, found, "SIP/2.0 180 Ringing\r\n") == 200
    assert desk.last(TransferProgress).status == 180
    assert notifies(far, found, "SIP/2.0 200 OK\r\n", DONE, "refer;id=1") == 200
    assert desk.of(TransferSucceeded) == [TransferSucceeded(call)]
    desk.agent.end(call, world.now)
    world.run(400)
    assert len(desk.agent) == 0


def test_a_notify_may_be_faster_than_the_answer(world, desk, far, call):
    """RFC 3515 §2.4.4: and the target may be busy before that."""
    found = refer(world, desk, far, call)
    assert notifies(far, found, "SIP/2.0 486 Busy Here\r\n", DONE) == 200
    assert desk.last(TransferFailed).cause is FailureCause.BUSY
    far.answers(found, 202)
    assert len(desk.of(TransferFailed)) == 1


@pytest.mark.parametrize(
    ("address", "supported"), [(GRUU, "replaces"), ("sip:far@192.0.2.2", "tdialog")]
)
def test_who_has_no_gruu_or_cannot_tell_is_asked_inside(world, desk, far, address, supported):
    """RFC 7647 §4 for the one, RFC 4538 §3 for the other."""
    far.address = address
    call = far.calls(("Supported", supported))
    found = refer(world, desk, far, call)
    assert found.headers.get("Call-ID") == "by-hand"
    assert "Target-Dialog" not in found.headers


@pytest.mark.parametrize("status", [404, 420, 480, 503])
def test_a_gruu_that_leads_nowhere_leaves_the_call_itself(world, desk, far, call, status):
    found = refer(world, desk, far, call)
    far.answers(found, status)
    world.run(1)
    inside = far.requests("REFER")[-1]
    assert inside.headers.get("Call-ID") == "by-hand"
    far.answers(inside, 202)
    assert not desk.of(TransferFailed)
    far.notifies("SIP/2.0 200 OK\r\n", DONE)
    assert desk.of(TransferSucceeded)


@pytest.mark.parametrize("status", [403, 405, 501, 603])
def test_a_refusal_is_a_refusal(world, desk, far, call, status):
    """RFC 4538 §3: who understood and refused is not asked again."""
    far.answers(refer(world, desk, far, call), status)
    world.run(1)
    assert len(far.requests("REFER")) == 1
    assert desk.last(TransferFailed).status == status


def test_who_tells_nothing_is_given_up(world, desk, far, call):
    """RFC 6665 §4.1.2.4: timer N."""
    far.answers(refer(world, desk, far, call), 202)
    world.run(40)
    assert desk.last(TransferFailed).cause is FailureCause.NO_ANSWER
    desk.agent.end(call, world.now)
    world.run(400)
    assert len(desk.agent) == 0


def test_a_second_notifier_and_another_package_are_turned_away(world, desk, far, call):
    """RFC 6665 §4.4.1: one phone has this GRUU."""
    found = refer(world, desk, far, call)
    far.answers(found, 202)
    assert notifies(far, found, "x", event="dialog") == 481
    assert notifies(far, found, "SIP/2.0 100 Trying\r\n") == 200


def test_one_that_ends_while_it_is_asked_leaves_nothing(world, desk, far, call):
    refer(world, desk, far, call)
    desk.agent.shut_down(world.now)
    world.run(400)
    assert len(desk.agent.transfers) == 0


def has_a_gruu(party, call, user):
    """As if a registrar had given the far end one (RFC 5627 §4.4); gives it."""
    gruu = f"{aor(user)};gr=urn:uuid:{user}"
    party.agent._core.calls[call].dialog.remote_target = parse_uri(gruu)
    return gruu


def test_attended_between_gruus(world, office):
    """RFC 5589 §7.1: Target-Dialog names the one call, Replaces the other."""
    boss, ann, bob = office
    anns, there = boss.calls(ann, "out")
    bobs, _ = boss.calls(bob, "other")
    has_a_gruu(boss, anns, "102")
    gruu = has_a_gruu(boss, bobs, "103")
    boss.agent.transfers.attended(anns, bobs, world.now)
    world.run(0.1)
    (refer,) = boss.sent("REFER")
    assert refer.headers.get("Refer-To").startswith(f"<{gruu}?Replaces=")
    assert "Require=" not in refer.headers.get("Refer-To")
    asked = ann.last(TransferAsked)
    assert (asked.call, asked.replaces) == (there, True)
    ann.agent.transfers.follow(asked.transfer, CallRef("new"), world.now)
    world.run(0.1)
    taken = bob.last(IncomingCall)
    assert taken.replaces is not None
    bob.agent.accept(taken.call, ANSWER, world.now)
    world.run(0.1)
    assert boss.of(TransferSucceeded) == [TransferSucceeded(anns)]
