"""One call of ours, several phones that ring for it (RFC 3261 §13.2.2, RFC 6228)."""

import pytest

from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallRef,
    OfferWanted,
    ReofferReceived,
)

OUT = CallRef("out")
REL = ("Require", "100rel")


@pytest.fixture
def called(world, desk, pbx, sip):
    """A call that the PBX has sent to several phones; gives a way to let each say something."""
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(desk.last(OfferWanted).call, sip.OFFER, world.now)
    world.run(0.01)
    invite = pbx.requests("INVITE")[0]
    pbx.reply = lambda m: (
        [sip.answer_to(m, 200)] if getattr(m, "method", "") in ("PRACK", "BYE", "CANCEL") else []
    )

    def say(tag, status, *rows, body=b""):
        contact = ("Contact", f"<sip:{tag}@192.0.2.9>")
        answer = sip.answer_to(invite, status, contact, *rows, tag=tag)
        if body:
            answer.headers.add("Content-Type", "application/sdp")
            answer.body = body
        pbx.tell(answer, desk)
        world.run(0.01)

    def ask(tag, method, cseq, body=b""):
        ours = invite.headers.get("From").split("tag=")[1]
        how = {"tag": ours, "cseq": cseq, "call_id": invite.headers.get("Call-ID"), "body": body}
        message = sip.request(method, "sip:101@192.0.2.1", ("Contact", f"<sip:{tag}@192.0.2.9>"),
                              branch=f"z9hG4bK{tag}{cseq}", **how)  # fmt: skip
        message.headers.set("From", f"<sip:600@192.0.2.9>;tag={tag}")
        pbx.tell(message, desk)
        world.run(0.01)

    return say, ask


def test_each_has_numbers_and_media_of_its_own(desk, pbx, called):
    """RFC 3262 §4: RSeq is counted per dialog; RFC 3261 §12.1: so is CSeq."""
    say, _ = called
    say("a", 183, REL, ("RSeq", "10"), body=b"v=0 a")
    say("b", 183, REL, ("RSeq", "77"), body=b"v=0 b")
    say("a", 180, REL, ("RSeq", "11"))
    racks = [(m.uri, m.headers.get("RAck"), m.headers.get("CSeq")) for m in pbx.requests("PRACK")]
    assert racks == [
        ("sip:a@192.0.2.9", "10 1 INVITE", "2 PRACK"),
        ("sip:b@192.0.2.9", "77 1 INVITE", "2 PRACK"),
        ("sip:a@192.0.2.9", "11 1 INVITE", "3 PRACK"),
    ]
    assert [(p.fork, p.body) for p in desk.of(CallProgress)] == [
        ("a", b"v=0 a"),
        ("b", b"v=0 b"),
        ("a", b""),
    ]


def test_the_one_that_answers_is_the_call_and_the_others_are_gone(world, desk, pbx, called):
    """RFC 3261 §13.2.2.4: early dialogs that do not answer are over."""
    say, ask = called
    say("a", 180)
    say("b", 180)
    say("b", 200, body=b"v=0 b")
    assert desk.last(CallAnswered).fork == "b"
    ask("a", "UPDATE", 5, b"v=0 late")
    assert pbx.responses(481)
    assert not desk.of(ReofferReceived)


def test_a_second_answer_is_ended_with_the_reason(world, desk, pbx, called):
    """RFC 3261 §13.2.2.4 and RFC 3326 §2: ACK and BYE for each further 2xx."""
    say, _ = called
    say("a", 200, body=b"v=0 a")
    say("b", 200, body=b"v=0 b")
    assert [ack.uri for ack in pbx.requests("ACK")] == ["sip:a@192.0.2.9", "sip:b@192.0.2.9"]
    assert pbx.requests("BYE")[0].uri == "sip:b@192.0.2.9"
    assert "cause=200" in pbx.requests("BYE")[0].headers.get("Reason")
    assert len(desk.of(CallAnswered)) == 1
    assert not desk.of(CallEnded)


def test_one_of_them_changes_its_media_before_it_answers(world, desk, pbx, called):
    """RFC 3311 §5.2: an offer of one early dialog is no business of the others."""
    say, ask = called
    say("a", 183, REL, ("RSeq", "1"), body=b"v=0 a")
    say("b", 183, REL, ("RSeq", "1"), body=b"v=0 b")
    ask("a", "UPDATE", 1, b"v=0 a2")
    ask("b", "UPDATE", 1, b"v=0 b2")
    assert desk.of(ReofferReceived) == [
        ReofferReceived(OUT, b"v=0 a2", "a"),
        ReofferReceived(OUT, b"v=0 b2", "b"),
    ]
    desk.agent.answer_reoffer(OUT, b"v=0 to b", world.now, "b")
    desk.agent.reject_reoffer(OUT, 488, world.now, fork="a")
    world.run(0.01)
    assert pbx.responses(200)[-1].body == b"v=0 to b"
    assert pbx.responses(488)


def test_199_ends_one_of_them(desk, pbx, called):
    """RFC 6228 §4: it will not answer; the call goes on with the others."""
    say, ask = called
    say("a", 180)
    say("a", 199)
    assert desk.last(CallProgress).status == 199
    ask("a", "OPTIONS", 9)
    assert pbx.responses(481)
    say("b", 200, body=b"v=0 b")
    assert desk.last(CallAnswered).fork == "b"


def test_requests_in_an_early_dialog(desk, pbx, called):
    """RFC 3261 §12.2.2, §14.2: in order; our INVITE is still in progress."""
    say, ask = called
    say("a", 180)
    ask("a", "OPTIONS", 5)
    ask("a", "OPTIONS", 4)
    ask("a", "INVITE", 6, b"v=0")
    ask("a", "PRACK", 7)
    ask("a", "BYE", 8)
    statuses = [m.status for m in pbx.inbox if getattr(m, "status", 0) > 100]
    assert statuses == [200, 500, 491, 481, 200]
    assert not desk.of(CallEnded)


def test_when_the_call_is_given_up_every_fork_is_over(world, desk, pbx, called):
    say, ask = called
    for tag in "abcdefghijklmnopqrstuvwxyz":
        say(tag, 180)
    desk.agent.end(OUT, world.now)
    world.run(0.05)
    assert len(pbx.requests("CANCEL")) == 1
    ask("a", "UPDATE", 1, b"v=0")
    assert pbx.responses(481)
    say("c", 487)
    world.run(100.0)
    assert len(desk.agent) == 0


def test_after_a_refusal_no_fork_is_left(world, desk, called):
    say, _ = called
    say("a", 180)
    say("b", 183, body=b"v=0")
    say("a", 486)
    assert desk.of(CallEnded)
    world.run(100.0)
    assert len(desk.agent) == 0
