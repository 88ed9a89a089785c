"""Provisional answers that arrive for certain (RFC 3262), as caller and as callee."""

import pytest

from firmware.sip.notifications import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgress,
    CallRef,
    FailureCause,
    IncomingCall,
    OfferWanted,
    ReofferAnswered,
    ReofferReceived,
)

OUT = CallRef("out")
EARLY, ANSWER = b"v=0 early", b"v=0 answer"
CONTACT = ("Contact", "<sip:bob@192.0.2.9>")
REL = ("Require", "100rel")


@pytest.fixture
def called(world, desk, pbx, sip):
    """A call to the hand-made PBX, which so far said nothing; gives a way to let it answer."""

    def call(offer=b"v=0 offer"):
        desk.agent.invite(OUT, sip.LINE, "600", world.now)
        world.run(0.01)
        desk.agent.offer(desk.last(OfferWanted).call, offer, world.now)
        world.run(0.01)
        invite = pbx.requests("INVITE")[-1]

        def say(status, *rows, body=b"", tag="bob"):
            answer = sip.answer_to(invite, status, CONTACT, *rows, tag=tag)
            if body:
                answer.headers.add("Content-Type", "application/sdp")
                answer.body = body
            pbx.tell(answer, desk)
            world.run(0.01)

        return invite, say

    return call


def test_we_say_that_we_can(called):
    """RFC 3262 §4: Supported says so in every INVITE."""
    invite, _ = called()
    assert "100rel" in invite.headers.get("Supported")


def test_a_reliable_answer_is_acknowledged_and_stands(world, desk, pbx, sip, called):
    """RFC 3262 §4, §7.2: PRACK in the early dialog, with RSeq and CSeq; §5: its answer is final."""
    _, say = called()
    say(183, REL, ("RSeq", "776656"), body=EARLY)
    prack = pbx.requests("PRACK")[0]
    assert prack.headers.get("RAck") == "776656 1 INVITE"
    assert prack.headers.get("To").endswith("tag=bob")
    assert prack.uri == "sip:bob@192.0.2.9"
    assert prack.headers.get("CSeq") == "2 PRACK"
    assert desk.last(CallProgress) == CallProgress(OUT, 183, "Said So", "bob", EARLY, reliable=True)
    pbx.tell(sip.answer_to(prack, 200), desk)
    say(200, body=b"v=0 again")
    assert desk.last(CallAnswered).body == b"", "what was agreed stands"
    assert pbx.requests("ACK")[0].headers.get("CSeq") == "1 ACK"
    desk.agent.end(OUT, world.now)
    world.run(0.1)
    assert pbx.requests("BYE")[0].headers.get("CSeq") == "3 BYE"


def test_repeated_and_early_ones_are_not_processed(desk, pbx, called):
    """RFC 3262 §4: only the next number is acknowledged."""
    _, say = called()
    for number in (5, 5, 7, 6, 6, 7):
        say(180, REL, ("RSeq", str(number)))
    acknowledged = [each.headers.get("RAck").split()[0] for each in pbx.requests("PRACK")]
    assert list(dict.fromkeys(acknowledged)) == ["5", "6", "7"]
    assert len(desk.of(CallProgress)) == 3


@pytest.mark.parametrize("rseq", ["", "0", "x", "99999999999", "4294967296"])
def test_without_a_usable_number_it_is_an_ordinary_one(desk, pbx, called, rseq):
    """RFC 3262 §7.1: RSeq is 1 to 2^32 - 1."""
    _, say = called()
    say(180, REL, ("RSeq", rseq))
    assert not pbx.requests("PRACK")
    assert desk.last(CallProgress).status == 180


def test_the_option_means_nothing_in_100(desk, pbx, called):
    """RFC 3262 §4: 100 is never sent reliably."""
    _, say = called()
    say(100, REL, ("RSeq", "1"))
    assert not pbx.requests("PRACK")


def test_an_offer_in_it_is_answered_in_the_prack(world, desk, pbx, sip, called):
    """RFC 3262 §5: an INVITE without an offer, the offer in 183, the answer in PRACK."""
    _, say = called(b"")
    say(183, REL, ("RSeq", "1"), body=b"v=0 theirs")
    assert desk.last(ReofferReceived) == ReofferReceived(OUT, b"v=0 theirs", "bob")
    assert not pbx.requests("PRACK")
    desk.agent.answer_reoffer(OUT, ANSWER, world.now, "bob")
    world.run(0.01)
    prack = pbx.requests("PRACK")[0]
    assert prack.body == ANSWER
    pbx.tell(sip.answer_to(prack, 200), desk)
    say(200)
    assert desk.last(CallAnswered).body == b""


def test_an_offer_in_it_cannot_be_refused(world, desk, pbx, called):
    """RFC 6337 §2.3: the PRACK goes out all the same; the call is for the phone to end."""
    _, say = called(b"")
    say(183, REL, ("RSeq", "1"), body=b"v=0 theirs")
    desk.agent.reject_reoffer(OUT, 488, world.now, fork="bob")
    world.run(0.01)
    assert pbx.requests("PRACK")[0].body == b""
    desk.agent.end(OUT, world.now)
    world.run(0.01)
    assert pbx.requests("CANCEL")


def test_an_unreliable_one_to_an_empty_invite_offers_nothing(desk, pbx, called):
    """RFC 3261 §13.2.1: the offer is in the first reliable answer."""
    _, say = called(b"")
    say(183, body=b"v=0 theirs")
    assert desk.last(CallProgress).body == b""
    assert not desk.of(ReofferReceived)
    say(200, body=b"v=0 offer of theirs")
    assert desk.last(ReofferReceived) == ReofferReceived(OUT, b"v=0 offer of theirs")
    assert not pbx.requests("ACK"), "it carries our answer"
    desk.agent.answer_reoffer(OUT, ANSWER, desk.now)
    desk.world.run(0.01)
    assert pbx.requests("ACK")[0].body == ANSWER
    say(200, body=b"v=0 offer of theirs")
    assert [ack.body for ack in pbx.requests("ACK")] == [ANSWER, ANSWER]


def test_an_offer_in_the_200_that_nobody_wants_ends_the_call(world, desk, pbx, called):
    """RFC 3261 §13.2.2.4: it cannot be refused: ACK, then BYE."""
    _, say = called(b"")
    say(200, body=b"v=0 theirs")
    desk.agent.reject_reoffer(OUT, 488, world.now)
    world.run(0.01)
    assert pbx.requests("ACK")
    assert pbx.requests("BYE")
    assert desk.of(CallEnded)


# --- as callee ------------------------------------------------------------------------------------


@pytest.fixture
def invited(world, desk, pbx, sip):
    """An INVITE from the PBX; gives the call and a way to say more in its dialog."""

    def invite(*rows, body=b"v=0 offer"):
        pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", *rows, body=body), desk)
        world.run(0.01)
        call = desk.last(IncomingCall).call

        def say(method, cseq, *rows, body=b""):
            row = next(m for m in pbx.inbox if ";tag=" in (m.headers.get("To") or ""))
            tag = row.headers.get("To").split("tag=")[1]
            how = {"tag": tag, "cseq": cseq, "branch": f"z9hG4bK{method}{cseq}", "body": body}
            pbx.tell(sip.request(method, "sip:101@192.0.2.1", *rows, **how), desk)
            world.run(0.01)

        return call, say

    return invite


def rack(response):
    """The RAck for one of our responses."""
    return ("RAck", f"{response.headers.get('RSeq')} {response.headers.get('CSeq')}")


def test_a_caller_that_insists_hears_of_the_bell_for_certain(world, desk, pbx, invited):
    """RFC 3262 §3: repeated after T1, 2·T1, … until its PRACK."""
    call, say = invited(REL)
    desk.agent.ring(call, world.now)
    world.run(1.6)
    rings = pbx.responses(180)
    assert len(rings) == 3
    assert len({ring.headers.get("RSeq") for ring in rings}) == 1
    assert rings[0].headers.get("Require") == "100rel"
    say("PRACK", 2, rack(rings[0]))
    assert pbx.responses(200)[0].headers.get("CSeq") == "2 PRACK"
    world.run(10.0)
    assert len(pbx.responses(180)) == 3
    desk.agent.accept(call, ANSWER, world.now)
    world.run(0.01)
    assert pbx.responses(200)[1].body == ANSWER


def test_a_caller_that_only_can_is_told_so_without_ado(world, desk, pbx, invited):
    call, _ = invited(("Supported", "100rel"))
    desk.agent.ring(call, world.now)
    world.run(5.0)
    assert len(pbx.responses(180)) == 1
    assert "RSeq" not in pbx.responses(180)[0].headers


@pytest.mark.parametrize("row", ["", "1 1 INVITE", "{0} 2 INVITE", "{0} 1 BYE", "x y z", "{0} 1"])
def test_a_prack_for_nothing_is_481(world, desk, pbx, invited, row):
    """RFC 3262 §3: it must match RSeq, CSeq number and method."""
    call, say = invited(REL)
    desk.agent.ring(call, world.now)
    world.run(0.01)
    say("PRACK", 2, ("RAck", row.format(pbx.responses(180)[0].headers.get("RSeq"))))
    assert pbx.responses(481)


def test_nobody_acknowledges_and_the_call_is_given_up(world, desk, pbx, invited):
    """RFC 3262 §3: 64·T1 without PRACK is a 5xx."""
    call, _ = invited(REL)
    desk.agent.ring(call, world.now)
    world.run(33.0)
    assert pbx.responses(504)
    assert desk.last(CallEnded).cause is FailureCause.NO_ACK
    world.run(100.0)
    assert len(desk.agent) == 0


def test_an_answer_in_it_holds_the_200_back(world, desk, pbx, invited):
    """RFC 3262 §3, §5: no 2xx before the PRACK of what was agreed; then it says it once only."""
    call, say = invited(("Supported", "100rel"))
    desk.agent.ring(call, world.now, EARLY)
    desk.agent.accept(call, ANSWER, world.now)
    world.run(0.2)
    assert pbx.responses(183)[0].body == EARLY
    assert not pbx.responses(200)
    say("PRACK", 2, rack(pbx.responses(183)[0]))
    final = next(each for each in pbx.responses(200) if "INVITE" in each.headers.get("CSeq"))
    assert final.body == b""
    say("ACK", 1)
    assert desk.last(CallConfirmed) == CallConfirmed(call)


def test_the_next_one_waits_for_the_prack_of_the_first(world, desk, pbx, invited):
    """RFC 3262 §3: never a second one while the first is not acknowledged; RSeq grows by one."""
    call, say = invited(REL)
    desk.agent.ring(call, world.now)
    desk.agent.ring(call, world.now, EARLY)
    world.run(0.1)
    assert not pbx.responses(183)
    first = pbx.responses(180)[0]
    say("PRACK", 2, rack(first))
    second = pbx.responses(183)[0]
    assert int(second.headers.get("RSeq")) == int(first.headers.get("RSeq")) + 1


def test_our_offer_goes_into_it_if_the_caller_made_none(world, desk, pbx, invited):
    """RFC 3262 §5: and the answer comes with the PRACK."""
    call, say = invited(REL, body=b"")
    assert desk.last(IncomingCall).ring_with_offer
    desk.agent.ring(call, world.now)
    world.run(0.1)
    assert not pbx.responses(180), "the first one must carry the offer"
    desk.agent.ring(call, world.now, b"v=0 ours")
    world.run(0.1)
    say("PRACK", 2, rack(pbx.responses(183)[0]), body=ANSWER)
    assert desk.last(ReofferAnswered) == ReofferAnswered(call, ANSWER)
    desk.agent.accept(call, b"", world.now)
    world.run(0.1)
    assert pbx.responses(200)[1].body == b""


def test_an_offer_in_the_prack_is_answered_in_its_200(world, desk, pbx, invited):
    """RFC 3262 §5."""
    call, say = invited(("Supported", "100rel"))
    desk.agent.ring(call, world.now, EARLY)
    world.run(0.01)
    say("PRACK", 2, rack(pbx.responses(183)[0]), body=b"v=0 second")
    assert desk.last(ReofferReceived) == ReofferReceived(call, b"v=0 second")
    assert not pbx.responses(200)
    desk.agent.answer_reoffer(call, b"v=0 second answer", world.now)
    world.run(0.01)
    assert pbx.responses(200)[0].body == b"v=0 second answer"


def test_a_prack_after_the_refusal_is_still_answered(world, desk, pbx, invited):
    """RFC 3262 §3: a final response ends the repeating, not the answering."""
    call, say = invited(REL)
    desk.agent.ring(call, world.now)
    desk.agent.reject(call, 486, world.now)
    world.run(1.0)
    assert len(pbx.responses(180)) == 1
    say("PRACK", 2, rack(pbx.responses(180)[0]))
    assert pbx.responses(200)
    world.run(100.0)
    assert len(desk.agent) == 0


def test_both_of_ours_over_a_wire_that_loses(world, pair, sip):
    """A reliable ring of a desk of ours is heard by another one, whatever is lost."""
    left, right = pair
    world.wire.loss = 0.4
    out = CallRef("reliable")
    left.agent.invite(out, sip.LINE, "600", world.now, headers=(REL,))
    world.until(lambda: bool(right.of(IncomingCall)))
    call = right.last(IncomingCall).call
    right.agent.ring(call, world.now, EARLY)
    world.until(lambda: any(each.body == EARLY for each in left.of(CallProgress)))
    right.agent.accept(call, ANSWER, world.now)
    world.until(lambda: bool(right.of(CallConfirmed)))
    assert left.last(CallAnswered).body == b""
    left.agent.end(out, world.now)
    world.wire.loss = 0.0
    world.run(200.0)
    assert len(left.agent) == len(right.agent) == 0
