"""REFERs of ours, and far ends that answer and notify in their own ways (RFC 3515)."""

import pytest

from firmware.sip.message import Request
from firmware.sip.notifications import (
    CallRef,
    FailureCause,
    TransferFailed,
    TransferProgress,
    TransferSucceeded,
)
from firmware.sip.uri import parse_uri
from tests.unit.sip.transfer.conftest import aor

DONE, NEWS = "terminated;reason=noresource", "active;expires=60"


@pytest.fixture
def asked(world, desk, far):
    """The far end has our REFER; gives (call, the request)."""
    call = far.calls()
    desk.agent.transfers.blind(call, "103", world.now)
    world.run(0.02)
    return call, far.requests("REFER")[-1]


def outcome(desk):
    """What the phone was told at last."""
    kinds = TransferSucceeded | TransferFailed
    found = [x for x in desk.heard if isinstance(x, kinds)]
    assert len(found) <= 1, "an outcome is told once"
    return found[0] if found else None


def test_the_refer_stands_in_the_dialog(asked):
    """RFC 3515 §2.4.1: exactly one Refer-To; RFC 3892 §2.1: and who asks for it."""
    _, refer = asked
    assert refer.uri == "sip:far@192.0.2.2"
    assert refer.headers.get("Refer-To") == "<sip:103@192.0.2.1>"
    assert refer.headers.get("Referred-By") == "<sip:101@192.0.2.1>"
    assert "Contact" in refer.headers
    assert "tag=" in refer.headers.get("To")


@pytest.mark.parametrize("status", [200, 202])
def test_202_is_as_good_as_200(desk, far, asked, status):
    """RFC 7647 §5."""
    call, refer = asked
    far.answers(refer, status)
    assert desk.last(TransferProgress) == TransferProgress(call, 100)
    assert far.notifies("SIP/2.0 200 OK\r\n", DONE) == 200
    assert outcome(desk) == TransferSucceeded(call)


@pytest.mark.parametrize(
    ("fragment", "state"),
    [
        ("SIP/2.0 200 OK\r\n", DONE),
        ("SIP/2.0 200 OK", NEWS),
        ("sip/2.0 200 Fine\r\nTo: someone\r\n\r\n", DONE),
        ("\r\nSIP/2.0 202 Accepted\r\n", DONE),
        ("SIP/2.0 100 Trying\r\n", DONE),
        ("", DONE),
        ("nonsense", "terminated"),
    ],
)
def test_what_counts_as_success(desk, far, asked, fragment, state):
    """RFC 3515 §2.4.4: a peer may keep no state and end its notifications without a result."""
    call, refer = asked
    far.answers(refer, 202)
    assert far.notifies(fragment, state) == 200
    assert outcome(desk) == TransferSucceeded(call)


@pytest.mark.parametrize(
    ("fragment", "state", "cause", "status"),
    [
        ("SIP/2.0 486 Busy Here\r\n", DONE, FailureCause.BUSY, 486),
        ("SIP/2.0 603 Decline\r\n", NEWS, FailureCause.DECLINED, 603),
        ("SIP/2.0 503\r\n", "terminated", FailureCause.SERVER_ERROR, 503),
        ("SIP/2.0 100 Trying\r\n", "terminated;reason=rejected", FailureCause.DECLINED, 0),
        ("SIP/2.0 180 Ringing\r\n", "terminated;reason=timeout", FailureCause.NO_ANSWER, 0),
    ],
)
def test_what_counts_as_failure(desk, far, asked, fragment, state, cause, status):  # noqa: PLR0917
    """RFC 3515 §2.4.5, §2.4.7."""
    call, refer = asked
    far.answers(refer, 202)
    far.notifies(fragment, state)
    failed = outcome(desk)
    assert (failed.call, failed.cause, failed.status, failed.reached) == (
        call,
        cause,
        status,
        True,
    )


def test_news_are_passed_on(desk, far, asked):
    call, refer = asked
    far.answers(refer, 202)
    far.notifies("SIP/2.0 100 Trying\r\n")
    far.notifies("SIP/2.0 180 Ringing\r\n")
    statuses = [x.status for x in desk.of(TransferProgress)]
    assert statuses == [100, 100, 180]
    assert outcome(desk) is None
    assert call


def test_a_notify_before_the_answer(desk, far, asked):
    """RFC 3515 §2.4.4: the agent must be prepared for a NOTIFY before the REFER completes."""
    call, refer = asked
    far.notifies("SIP/2.0 200 OK\r\n", DONE, f"refer;id={refer.headers.get('CSeq').split()[0]}")
    assert outcome(desk) == TransferSucceeded(call)
    far.answers(refer, 202)
    assert outcome(desk) == TransferSucceeded(call)


def test_the_id_tells_which_refer_it_is_about(far, asked):
    """RFC 3515 §2.4.6."""
    _, refer = asked
    far.answers(refer, 202)
    number = refer.headers.get("CSeq").split()[0]
    assert far.notifies("SIP/2.0 100 Trying\r\n", event="refer;id=99") == 481
    assert far.notifies("SIP/2.0 100 Trying\r\n", event=f"refer;id={number}") == 200
    assert far.notifies("SIP/2.0 100 Trying\r\n", event="presence") in (481, 489)


def test_after_the_result_nothing_more_is_wanted(far, asked):
    """RFC 6665 §4.1.3: 481 ends the subscription of a peer that would go on."""
    _, refer = asked
    far.answers(refer, 202)
    assert far.notifies("SIP/2.0 200 OK\r\n") == 200
    assert far.notifies("SIP/2.0 200 OK\r\n", DONE) == 481


def test_a_far_end_that_will_not_tell(desk, far, asked):
    """RFC 4488 §4: Refer-Sub: false; there will be no NOTIFY."""
    call, refer = asked
    far.answers(refer, 200, ("Refer-Sub", "false"))
    assert outcome(desk) == TransferSucceeded(call)


@pytest.mark.parametrize(
    ("status", "cause"),
    [(403, FailureCause.FORBIDDEN), (405, FailureCause.OTHER), (603, FailureCause.DECLINED)],
)
def test_a_refused_refer(desk, far, asked, status, cause):
    call, refer = asked
    far.answers(refer, status)
    failed = outcome(desk)
    assert (failed.call, failed.cause, failed.status, failed.reached) == (
        call,
        cause,
        status,
        False,
    )


def test_a_far_end_that_says_nothing(world, desk, asked):
    """RFC 3261 §17.1.2.2: timer F."""
    call, _ = asked
    world.run(40)
    assert outcome(desk).cause is FailureCause.NO_ANSWER
    assert call


def test_a_far_end_that_agrees_and_never_notifies(world, desk, far, asked):
    """RFC 6665 §4.1.2.4: timer N."""
    _, refer = asked
    far.answers(refer, 202)
    world.run(30)
    assert outcome(desk) is None
    world.run(5)
    assert outcome(desk).cause is FailureCause.NO_ANSWER


def test_a_far_end_whose_news_stop(world, desk, far, asked):
    """RFC 3515 §3.4: the subscription runs out."""
    _, refer = asked
    far.answers(refer, 202)
    far.notifies("SIP/2.0 180 Ringing\r\n", "active;expires=60")
    world.run(59)
    assert outcome(desk) is None
    world.run(40)
    assert outcome(desk).cause is FailureCause.NO_ANSWER


def test_news_without_end(world, desk, far, asked):
    """One that names no end and falls silent is given up all the same."""
    _, refer = asked
    far.answers(refer, 202)
    far.notifies("SIP/2.0 180 Ringing\r\n", "active")
    world.run(310)
    assert outcome(desk).cause is FailureCause.NO_ANSWER


def test_the_call_ends_before_the_result(world, desk, far, asked):
    """RFC 5057 §4: the subscription goes on in the dialog that the call has left."""
    call, refer = asked
    far.answers(refer, 202)
    far.ask("BYE")
    assert far.notifies("SIP/2.0 200 OK\r\n", DONE) == 200
    assert outcome(desk) == TransferSucceeded(call)
    world.run(400)
    assert len(desk.agent) == 0


def test_a_proxy_that_wants_to_know_who_we_are(world, desk, far):
    """RFC 3261 §22.3: REFER again with credentials; the NOTIFYs are about the second."""
    desk.line("192.0.2.2", "101", register=False, password="secret")
    call = far.calls()
    desk.agent.transfers.blind(call, "103", world.now)
    world.run(0.02)
    challenge = 'Digest realm="pbx", nonce="n", algorithm=MD5, qop="auth"'
    far.answers(far.requests("REFER")[0], 407, ("Proxy-Authenticate", challenge))
    again = far.requests("REFER")[1]
    assert "Proxy-Authorization" in again.headers
    far.answers(again, 202)
    first, number = (x.headers.get("CSeq").split()[0] for x in far.requests("REFER"))
    assert far.notifies("SIP/2.0 200 OK\r\n", DONE, f"refer;id={first}") == 481
    assert far.notifies("SIP/2.0 200 OK\r\n", DONE, f"refer;id={number}") == 200
    assert outcome(desk) == TransferSucceeded(call)


def consultation(world, desk, far):
    """The desk talks to 102 by hand and calls 103, who is no more than an address."""
    call = far.calls()
    other = CallRef("other")
    desk.agent.invite(other, "desk", aor("102"), world.now)
    world.run(0.02)
    invite = far.requests("INVITE")[-1]
    tagged = invite.headers.get("To") + ";tag=target"
    rows = [("Contact", "<sip:bob@192.0.2.2>"), ("Content-Type", "application/sdp")]
    invite.headers.set("To", tagged)
    far.answers(invite, 200, *rows)
    return call, other, invite


def referred_to(far):
    """The URIs of all our REFERs so far."""
    return [
        parse_uri(x.headers.get("Refer-To").strip("<>"))
        for x in far.requests("REFER")
        if isinstance(x, Request)
    ]


def test_an_attended_transfer_by_address_of_record_then_by_contact(world, desk, far):
    """RFC 5589 §7.5, figure 10: the first name does not lead to the device, the second does."""
    call, other, invite = consultation(world, desk, far)
    desk.agent.transfers.attended(call, other, world.now)
    world.run(0.02)
    far.answers(far.requests("REFER")[-1], 202)
    far.notifies("SIP/2.0 404 Not Found\r\n", DONE)
    assert outcome(desk) is None
    first, second = referred_to(far)
    assert (first.user, second.user) == ("102", "bob")
    assert dict(first.headers)["Require"] == "replaces"
    replaces = dict(second.headers)["Replaces"]
    ours = invite.headers.get("From").split("tag=")[1]
    assert replaces == f"{invite.headers.get('Call-ID')};to-tag=target;from-tag={ours}"
    far.answers(far.requests("REFER")[-1], 202)
    number = far.requests("REFER")[-1].headers.get("CSeq").split()[0]
    far.notifies("SIP/2.0 200 OK\r\n", DONE, f"refer;id={number}")
    assert outcome(desk) == TransferSucceeded(call)


def test_a_transferee_without_refer_is_called_by_the_target(world, desk, far):
    """RFC 5589 §7.4, figure 8: 501 from the one, so the other is asked to replace our call."""
    call, other, invite = consultation(world, desk, far)
    desk.agent.transfers.attended(call, other, world.now)
    world.run(0.02)
    far.answers(far.requests("REFER")[-1], 501)
    refer = far.requests("REFER")[-1]
    assert refer.headers.get("Call-ID") == invite.headers.get("Call-ID")
    assert dict(referred_to(far)[-1].headers)["Replaces"].startswith("by-hand;to-tag=far")


def test_a_target_without_replaces_is_called_all_the_same(world, desk, far):
    """RFC 5589 §7.5: "the Transferor could fall back to unattended transfer"."""
    call, other, _ = consultation(world, desk, far)
    desk.agent.transfers.attended(call, other, world.now)
    world.run(0.02)
    for _ in range(2):
        refer = far.requests("REFER")[-1]
        far.answers(refer, 202)
        number = refer.headers.get("CSeq").split()[0]
        far.notifies("SIP/2.0 420 Bad Extension\r\n", DONE, f"refer;id={number}")
    assert outcome(desk) is None
    assert [bool(uri.headers) for uri in referred_to(far)] == [True, True, False]
    assert call


def test_a_busy_target_is_not_asked_by_another_name(world, desk, far):
    call, other, _ = consultation(world, desk, far)
    desk.agent.transfers.attended(call, other, world.now)
    world.run(0.02)
    far.answers(far.requests("REFER")[-1], 202)
    far.notifies("SIP/2.0 486 Busy\r\n", DONE)
    assert len(far.requests("REFER")) == 1
    assert outcome(desk).cause is FailureCause.BUSY
