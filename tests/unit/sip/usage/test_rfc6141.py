"""Re-INVITEs that take long: what has been carried out, what is undone, where the far end is.

RFC 6141 §3 (session state) and §4 (targets).
"""

import re

import pytest

from firmware.sip.notifications import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallRef,
    IncomingCall,
    OfferWanted,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)

OUT = CallRef("out")
REL = ("Require", "100rel")
THERE = "<sip:bob@192.0.2.9>"


@pytest.fixture
def ours(world, desk, pbx, sip):
    """A call of ours that is up, and a re-INVITE of ours: the way of the PBX to answer that."""
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(desk.last(OfferWanted).call, sip.OFFER, world.now)
    world.run(0.01)

    def says(status, *rows, body=b"", contact=THERE):
        invite = pbx.requests("INVITE")[-1]
        answer = sip.answer_to(invite, status, ("Contact", contact), *rows, tag="bob")
        if body:
            answer.headers.add("Content-Type", "application/sdp")
            answer.body = body
        pbx.tell(answer, desk)
        world.run(0.02)
        for prack in pbx.requests("PRACK"):
            pbx.tell(sip.answer_to(prack, 200), desk)
        world.run(0.02)

    says(200, body=sip.ANSWER)
    assert desk.of(CallAnswered)
    pbx.inbox.clear()

    def reinvite(sdp=b"v=0 changed"):
        desk.agent.reoffer(OUT, sdp, world.now)
        world.run(0.02)
        return says

    return reinvite


def target(desk, world, pbx, call=OUT):
    """Where our next request goes."""
    desk.agent.end(call, world.now)
    world.run(0.02)
    return pbx.requests("BYE")[0].uri


def test_an_answer_in_a_reliable_response_is_taken_at_once(world, desk, pbx, ours):
    """RFC 6141 §3.3, RFC 3262 §5: an exchange that is complete has been carried out."""
    says = ours()
    says(183, REL, ("RSeq", "5"), body=b"v=0 agreed")
    assert len(pbx.requests("PRACK")) == 1
    assert desk.last(ReofferAnswered).body == b"v=0 agreed"
    says(183, REL, ("RSeq", "5"), body=b"v=0 agreed")
    assert len(pbx.requests("PRACK")) == 1, "repeated"
    says(200, body=b"v=0 not read")
    assert len(desk.of(ReofferAnswered)) == 1
    assert pbx.requests("ACK")[0].body == b""


def test_what_was_taken_and_then_undone_is_told(world, desk, pbx, ours):
    """RFC 6141 §3.4: the phone shall offer again, to have the same at both ends."""
    says = ours()
    says(183, REL, ("RSeq", "5"), body=b"v=0 agreed")
    says(488)
    assert desk.last(ReofferRejected) == ReofferRejected(OUT, 488, "Said So", taken=True)
    ours(b"v=0 as before")
    assert pbx.requests("INVITE")[-1].body == b"v=0 as before"
    says(200, body=b"v=0 agreed again")
    assert desk.last(ReofferAnswered).body == b"v=0 agreed again"


def test_what_was_never_taken_stays_as_it_was(desk, ours):
    """RFC 6141 §3.1, figure 1."""
    ours()(488)
    assert desk.last(ReofferRejected) == ReofferRejected(OUT, 488, "Said So")


def test_figure_3_the_far_end_takes_a_part_back_by_update(world, desk, pbx, sip, ours):
    """RFC 6141 §3.1, figure 3: an UPDATE of theirs while our re-INVITE is under way."""
    says = ours()
    says(183, REL, ("RSeq", "1"), body=b"v=0 sdp4")
    invite = pbx.requests("INVITE")[-1]
    tag = re.search("tag=(.*)", invite.headers.get("From")).group(1)
    uri = re.search("<(.*)>", invite.headers.get("Contact")).group(1)
    update = sip.request("UPDATE", uri, tag=tag, cseq=7, body=b"v=0 sdp5")
    update.headers.set("From", "<sip:600@192.0.2.9>;tag=bob")
    update.headers.set("Call-ID", invite.headers.get("Call-ID"))
    pbx.tell(update, desk)
    world.run(0.02)
    assert desk.last(ReofferReceived) == ReofferReceived(OUT, b"v=0 sdp5")
    desk.agent.answer_reoffer(OUT, b"v=0 sdp6", world.now)
    world.run(0.02)
    assert pbx.responses(200)[-1].body == b"v=0 sdp6"
    says(200)
    assert pbx.requests("ACK")
    assert not desk.of(CallEnded)


def test_an_offer_in_a_reliable_response_is_answered_in_its_prack(world, desk, pbx, ours):
    """RFC 6337 §2.2, pattern 4 in a call that is up."""
    says = ours(b"")
    says(183, REL, ("RSeq", "1"), body=b"v=0 theirs")
    assert desk.last(ReofferReceived) == ReofferReceived(OUT, b"v=0 theirs")
    assert not pbx.requests("PRACK")
    desk.agent.answer_reoffer(OUT, b"v=0 ours", world.now)
    world.run(0.02)
    assert pbx.requests("PRACK")[0].body == b"v=0 ours"
    says(200, body=b"v=0 not read")
    assert pbx.requests("ACK")[0].body == b""
    assert len(desk.of(ReofferReceived)) == 1


MOVES = {
    # RFC 6141 §4.7: what is reliable moves the target, what may be lost does not
    "2xx": ([(200, ())], True),
    "unreliable": ([(183, ()), (488, ())], False),
    "reliable, then refused": ([(183, (REL, ("RSeq", "1"))), (488, ())], True),
    "refused": ([(488, ())], False),
}


@pytest.mark.parametrize("how", MOVES)
def test_a_response_that_moves_the_target(world, desk, pbx, ours, how):
    """RFC 6141 §4.4, §4.7: targets are not undone by a refusal."""
    answers, moved = MOVES[how]
    says = ours()
    for status, rows in answers:
        says(status, *rows, contact="<sip:elsewhere@192.0.2.9>")
    expected = "sip:elsewhere@192.0.2.9" if moved else "sip:bob@192.0.2.9"
    assert target(desk, world, pbx) == expected


@pytest.mark.parametrize(("rows", "moved"), [((), False), ((REL, ("RSeq", "2")), True)])
def test_an_early_dialog_moves_by_reliable_responses_only(world, desk, pbx, sip, rows, moved):
    """RFC 6141 §4.9."""
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(desk.last(OfferWanted).call, sip.OFFER, world.now)
    world.run(0.01)
    invite = pbx.requests("INVITE")[0]
    first = (REL, ("RSeq", "1"), ("Allow", "UPDATE"), ("Contact", "<sip:bob@192.0.2.9>"))
    early = sip.answer_to(invite, 183, *first, tag="bob")
    early.headers.add("Content-Type", "application/sdp")
    early.body = sip.ANSWER
    second = sip.answer_to(invite, 180, *rows, ("Contact", "<sip:elsewhere@192.0.2.9>"), tag="bob")
    for answer in (early, second):
        pbx.tell(answer, desk)
        world.run(0.02)
        pbx.tell(sip.answer_to(pbx.requests("PRACK")[-1], 200), desk)
        world.run(0.02)
    desk.agent.reoffer(OUT, b"v=0 more", world.now)
    world.run(0.02)
    expected = "sip:elsewhere@192.0.2.9" if moved else "sip:bob@192.0.2.9"
    assert pbx.requests("UPDATE")[0].uri == expected


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [("accept", "sip:newest@192.0.2.9"), ("refuse", "sip:newest@192.0.2.9")],
)
def test_an_update_within_a_reinvite_has_the_last_word_on_the_target(
    world, desk, pbx, sip, verdict, expected
):
    """RFC 6141 §4.6, §4.8: the newer request wins, though the older is answered later."""
    pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", body=sip.OFFER), desk)
    world.run(0.02)
    call = desk.last(IncomingCall).call
    desk.agent.accept(call, sip.ANSWER, world.now)
    world.run(0.02)
    answer = pbx.responses(200)[0]
    tag = answer.headers.get("To").split("tag=")[1]
    uri = re.search("<(.*)>", answer.headers.get("Contact")).group(1)

    def say(method, cseq, contact, body=b""):
        rows = (("Contact", f"<sip:{contact}@192.0.2.9>"),)
        how = {"tag": tag, "branch": f"z9hG4bK{method}{cseq}", "cseq": cseq, "body": body}
        pbx.tell(sip.request(method, uri, *rows, **how), desk)
        world.run(0.02)

    say("ACK", 1, "alice")
    assert desk.of(CallConfirmed)
    say("INVITE", 2, "older", b"v=0 asks somebody")
    say("UPDATE", 3, "newest")
    if verdict == "accept":
        desk.agent.answer_reoffer(call, b"v=0 yes", world.now)
    else:
        desk.agent.reject_reoffer(call, 488, world.now)
    world.run(0.02)
    say("ACK", 2, "older")
    assert target(desk, world, pbx, call) == expected


def test_a_reinvite_of_theirs_meets_ours_also_after_its_answer(world, desk, pbx, sip, ours):
    """RFC 3261 §14.2: ours is in progress until its final answer."""
    ours()(183, REL, ("RSeq", "1"), body=b"v=0 agreed")
    invite = pbx.requests("INVITE")[-1]
    tag = re.search("tag=(.*)", invite.headers.get("From")).group(1)
    uri = re.search("<(.*)>", invite.headers.get("Contact")).group(1)
    theirs = sip.request("INVITE", uri, tag=tag, cseq=7, body=b"v=0 theirs")
    theirs.headers.set("From", "<sip:600@192.0.2.9>;tag=bob")
    theirs.headers.set("Call-ID", invite.headers.get("Call-ID"))
    pbx.tell(theirs, desk)
    world.run(0.02)
    assert pbx.responses(491)
