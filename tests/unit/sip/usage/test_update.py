"""UPDATE both ways (RFC 3311), early and confirmed, and what crosses what (RFC 6337 §4)."""

import pytest

from firmware.sip.notifications import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgress,
    CallRef,
    FailureCause,
    IncomingCall,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)

OUT = CallRef("out")
EARLY, MORE, ANSWER = b"v=0 early", b"v=0 more", b"v=0 answer"
REL = ("Require", "100rel")


@pytest.fixture
def ringing(world, pair, sip):
    """A call between two desks whose media is agreed, but nobody has lifted."""
    left, right = pair
    left.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.1)
    arrived = right.last(IncomingCall).call
    right.agent.ring(arrived, world.now, EARLY)
    world.run(0.1)
    assert left.last(CallProgress).reliable
    return world, left, right, arrived


def test_the_caller_changes_its_media_before_anybody_answers(ringing):
    """RFC 3311 §5.1: UPDATE in an early dialog, once offer and answer are through."""
    world, left, right, arrived = ringing
    left.agent.reoffer(OUT, MORE, world.now)
    world.run(0.1)
    assert right.last(ReofferReceived) == ReofferReceived(arrived, MORE)
    right.agent.answer_reoffer(arrived, ANSWER, world.now)
    world.run(0.1)
    fork = left.last(CallProgress).fork
    assert left.last(ReofferAnswered) == ReofferAnswered(OUT, ANSWER, fork)
    right.agent.accept(arrived, b"", world.now)
    world.run(0.1)
    assert left.last(CallAnswered).body == b""
    assert right.of(CallConfirmed)


def test_the_callee_changes_its_media_before_it_answers(ringing):
    """RFC 3311 §5.1: either side may."""
    world, left, right, arrived = ringing
    right.agent.reoffer(arrived, MORE, world.now)
    world.run(0.1)
    fork = left.last(CallProgress).fork
    assert left.last(ReofferReceived) == ReofferReceived(OUT, MORE, fork)
    left.agent.answer_reoffer(OUT, ANSWER, world.now, fork)
    world.run(0.1)
    assert right.last(ReofferAnswered) == ReofferAnswered(arrived, ANSWER)


def test_an_update_that_is_refused_changes_nothing(ringing):
    """RFC 3311 §5.2: 488."""
    world, left, right, arrived = ringing
    left.agent.reoffer(OUT, MORE, world.now)
    world.run(0.1)
    right.agent.reject_reoffer(arrived, 488, world.now, "no")
    world.run(0.1)
    assert left.last(ReofferRejected).status == 488
    assert not left.of(CallEnded)


def test_two_updates_that_cross_are_tried_again(ringing):
    """RFC 3311 §5.2, RFC 3261 §14.1: 491 to both, then one after the other."""
    world, left, right, arrived = ringing
    left.agent.reoffer(OUT, MORE, world.now)
    right.agent.reoffer(arrived, MORE, world.now)
    world.run(0.05)
    assert not left.of(ReofferReceived)
    assert not right.of(ReofferReceived)
    # Whoever made the Call-ID waits longer, and gives way to the other.
    world.until(lambda: bool(left.of(ReofferReceived)), 5.0)
    assert left.last(ReofferRejected).status == 491
    left.agent.answer_reoffer(OUT, ANSWER, world.now, left.last(ReofferReceived).fork)
    world.run(0.1)
    assert right.last(ReofferAnswered) == ReofferAnswered(arrived, ANSWER)
    left.agent.reoffer(OUT, MORE, world.now)
    world.run(0.1)
    assert right.of(ReofferReceived)


def test_before_the_first_answer_no_update_leaves(world, pair, sip):
    """RFC 3311 §5.1: not while the offer of the INVITE is open."""
    left, right = pair
    left.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.1)
    right.agent.ring(right.last(IncomingCall).call, world.now)
    world.run(0.1)
    left.agent.reoffer(OUT, MORE, world.now)
    right.agent.reoffer(right.last(IncomingCall).call, MORE, world.now)
    assert left.agent.take_notifications() == [ReofferRejected(OUT, 491, "Request Pending")]
    world.run(0.1)
    assert right.last(ReofferRejected).status == 491


# --- in a call ------------------------------------------------------------------------------------


@pytest.fixture
def up(up, sip):
    """The same, and all that the PBX says has its Contact."""
    call, say = up
    contact = ("Contact", f"<sip:alice@{sip.PBX}>")
    return call, lambda method, cseq, *rows, **more: say(method, cseq, contact, *rows, **more)


def test_an_update_in_a_call_is_offered_and_answered(desk, pbx, up):
    """RFC 3311 §5.2: the answer is in the 2xx, which has our Contact."""
    call, say = up
    say("UPDATE", 2, body=MORE)
    assert desk.last(ReofferReceived) == ReofferReceived(call, MORE)
    desk.agent.answer_reoffer(call, ANSWER, desk.now)
    desk.world.run(0.02)
    answer = pbx.responses(200)[0]
    assert answer.body == ANSWER
    assert answer.headers.get("Contact").startswith("<sip:")


def test_an_empty_update_moves_the_target_and_asks_nobody(desk, pbx, sip, up):
    """RFC 3311 §5.2: a target refresh without an offer."""
    _, say = up
    say("UPDATE", 2, ("Contact", "<sip:alice@192.0.2.9:5099>"))  # a second Contact: refused
    assert pbx.responses(400)
    say("UPDATE", 3)
    assert pbx.responses(200)
    assert not desk.of(ReofferReceived)
    assert not desk.of(CallEnded)


def test_a_second_update_before_the_first_is_answered_is_500(desk, pbx, up):
    """RFC 3311 §5.2: with Retry-After."""
    _, say = up
    say("UPDATE", 2, body=MORE)
    say("UPDATE", 3, body=MORE)
    assert 0 <= int(pbx.responses(500)[0].headers.get("Retry-After")) <= 10
    assert len(desk.of(ReofferReceived)) == 1


def test_an_update_nobody_decides_about_is_504(world, desk, pbx, up):
    """RFC 3311 §5.2: where a person would have to be asked."""
    _, say = up
    say("UPDATE", 2, body=MORE)
    world.run(11.0)
    assert pbx.responses(504)
    assert not desk.of(CallEnded)


def test_an_update_into_our_reinvite_is_491(desk, pbx, up):
    """RFC 3311 §5.2: an offer of ours is open."""
    call, say = up
    desk.agent.reoffer(call, MORE, desk.now)
    desk.world.run(0.02)
    assert pbx.requests("INVITE")
    say("UPDATE", 2, body=MORE)
    assert pbx.responses(491)


def test_an_update_into_their_reinvite_is_500(desk, pbx, up):
    """RFC 3311 §5.2: an offer of theirs is open."""
    _, say = up
    say("INVITE", 2, body=MORE)
    say("UPDATE", 3, body=MORE)
    assert pbx.responses(500)


def test_a_reinvite_into_their_update_is_500(desk, pbx, up):
    """RFC 6337 §4.3, UAS-UsI."""
    _, say = up
    say("UPDATE", 2, body=MORE)
    say("INVITE", 3, body=MORE)
    assert pbx.responses(500)


def test_an_update_while_our_offer_waits_for_the_ack_is_500(desk, pbx, up):
    """RFC 6337 §4.3, UAS-IsU: our offer went out in the 2xx."""
    call, say = up
    say("INVITE", 2)
    desk.agent.answer_reoffer(call, MORE, desk.now)
    desk.world.run(0.02)
    say("UPDATE", 3, body=MORE)
    assert pbx.responses(500)
    say("ACK", 2, body=ANSWER)
    say("UPDATE", 4, body=MORE)
    assert desk.last(ReofferReceived).body == MORE


def test_what_an_update_requires_and_we_do_not_know_is_420(desk, pbx, up):
    """RFC 3261 §8.2.2.3."""
    _, say = up
    say("UPDATE", 2, ("Require", "warp"), body=MORE)
    assert pbx.responses(420)[0].headers.get("Unsupported") == "warp"


def test_a_foreign_body_in_an_update_is_415(desk, pbx, up):
    """RFC 3311 §5.2 with RFC 3261 §8.2.3."""
    _, say = up
    say("UPDATE", 2, ("Content-Type", "text/html"), body=b"<p>")
    assert pbx.responses(415)[0].headers.get("Accept") == "application/sdp"


def test_an_update_of_ours_for_a_dialog_they_forgot_ends_the_call(world, desk, pbx, sip, up):
    """RFC 3261 §12.2.1.2: 481 inside a dialog ends it."""
    call, say = up
    say("UPDATE", 2, ("Supported", "timer"), ("Session-Expires", "90;refresher=uas"),
        ("Allow", "INVITE, UPDATE, BYE"))  # fmt: skip
    pbx.reply = lambda m: [sip.answer_to(m, 481)] if getattr(m, "method", "") == "UPDATE" else []
    world.run(46.0)
    assert pbx.requests("UPDATE")
    assert desk.last(CallEnded) == CallEnded(call, by_us=False, cause=FailureCause.SESSION_LOST)
