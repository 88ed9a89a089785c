"""The rules of RFC 6337 for who may offer when: its patterns, its figures, its glare rules by name.

The RFC prints flows, not descriptions: bodies here are only told apart.
"""

import re

import pytest

from firmware.sip.notifications import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallProgress,
    CallRef,
    IncomingCall,
    OfferWanted,
    ReofferAnswered,
    ReofferReceived,
)

OUT = CallRef("out")
REL = ("Require", "100rel")
OFFER, ANSWER, MORE = b"v=0 offer", b"v=0 answer", b"v=0 more"


@pytest.fixture
def bob(world, desk, pbx, sip):
    """Our desk is called by the PBX; gives (call, a way for the PBX to say more in the dialog)."""

    def ring(*rows):
        pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", *rows, body=OFFER), desk)
        world.run(0.02)
        call = desk.last(IncomingCall).call
        desk.agent.ring(call, world.now, b"v=0 early" if rows else b"")
        world.run(0.02)
        first = next(m for m in pbx.inbox if getattr(m, "status", 0) in (180, 183))
        tag = first.headers.get("To").split("tag=")[1]
        uri = re.search("<(.*)>", first.headers.get("Contact")).group(1)

        def say(method, cseq, *rows, body=b""):
            contact = ("Contact", f"<sip:alice@{sip.PBX}>")
            how = {"tag": tag, "branch": f"z9hG4bK{method}{cseq}", "cseq": cseq, "body": body}
            pbx.tell(sip.request(method, uri, contact, *rows, **how), desk)
            world.run(0.02)
            answers = [m for m in pbx.inbox if getattr(m, "status", 0) > 100]
            mine = [m for m in answers if m.headers.get("CSeq") == f"{cseq} {method}"]
            return mine[-1].status if mine else 0

        return call, say, first

    return ring


def prack(say, response, cseq=2, body=b""):
    row = f"{response.headers.get('RSeq')} {response.headers.get('CSeq')}"
    return say("PRACK", cseq, ("RAck", row), body=body)


def up(bob, desk):
    """A call that is up and where both know UPDATE; the next CSeq of the PBX is 3."""
    call, say, first = bob(("Supported", "100rel"), ("Allow", "INVITE, UPDATE, PRACK"))
    prack(say, first)
    desk.agent.accept(call, b"", desk.now)
    desk.world.run(0.02)
    say("ACK", 1)
    return call, say


def our_reinvite(bob, desk):
    call, say = up(bob, desk)
    desk.agent.reoffer(call, MORE, desk.now)
    desk.world.run(0.02)
    return say


def their_reinvite(bob, desk):
    _, say = up(bob, desk)
    say("INVITE", 3, body=MORE)
    return say


def our_offer_in_the_2xx(bob, desk):
    call, say = up(bob, desk)
    say("INVITE", 3)
    desk.agent.answer_reoffer(call, MORE, desk.now)
    desk.world.run(0.02)
    return say


def our_update(bob, desk):
    call, say, first = bob(("Supported", "100rel"), ("Allow", "INVITE, UPDATE, PRACK"))
    prack(say, first)
    desk.agent.reoffer(call, MORE, desk.now)
    desk.world.run(0.02)
    desk.agent.accept(call, b"", desk.now)
    desk.world.run(0.02)
    say("ACK", 1)
    return say


def their_update(bob, desk):
    _, say = up(bob, desk)
    say("UPDATE", 3, body=MORE)
    return say


def our_answer_in_a_1xx(bob, desk):
    del desk
    return bob(("Supported", "100rel"), ("Allow", "INVITE, UPDATE, PRACK"))[1]


RULES = {
    "UAS-IcI": (our_reinvite, "INVITE", 491),
    "UAS-IsI": (their_reinvite, "INVITE", 500),
    "UAS-UcU": (our_update, "UPDATE", 491),
    "UAS-UsU": (their_update, "UPDATE", 500),
    "UAS-UcI": (our_update, "INVITE", 491),
    "UAS-UsI": (their_update, "INVITE", 500),
    "UAS-IcU": (our_reinvite, "UPDATE", 491),
    "UAS-IsU": (our_offer_in_the_2xx, "UPDATE", 500),
    "UAS-IsU early": (our_answer_in_a_1xx, "UPDATE", 500),
}


@pytest.mark.parametrize("rule", RULES)
def test_glare_as_callee(bob, desk, pbx, rule):
    """RFC 6337 §4.3, figures 10 to 19; RFC 3261 §14.2, RFC 3311 §5.2."""
    arrange, method, status = RULES[rule]
    say = arrange(bob, desk)
    before = len(desk.of(ReofferReceived))
    assert say(method, 9, body=b"v=0 crossing") == status
    assert len(desk.of(ReofferReceived)) == before
    if status == 500:
        assert 0 <= int(pbx.responses(500)[-1].headers.get("Retry-After")) <= 10
    assert not desk.of(CallEnded)


def test_figure_1(world, desk, pbx, sip):
    """RFC 6337 §3.1.1: only the reliable description is the answer; later ones are ignored."""
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(desk.last(OfferWanted).call, OFFER, world.now)
    world.run(0.01)
    invite = pbx.requests("INVITE")[0]

    def says(status, *rows, body=b""):
        contact = (("Contact", "<sip:bob@192.0.2.9>"), ("Allow", "INVITE, UPDATE"))
        answer = sip.answer_to(invite, status, *contact, *rows, tag="bob")
        answer.headers.add("Content-Type", "application/sdp")
        answer.body = body
        pbx.tell(answer, desk)
        world.run(0.01)
        for asked in pbx.requests("PRACK"):
            pbx.tell(sip.answer_to(asked, 200), desk)
        world.run(0.01)

    says(180, body=ANSWER)  # F2: a preview
    says(183, REL, ("RSeq", "1"))  # F3
    desk.agent.reoffer(OUT, MORE, world.now)
    world.run(0.01)
    assert not pbx.requests("UPDATE"), "no new offer before the answer"
    says(183, REL, ("RSeq", "2"), body=ANSWER)  # F6
    says(180, REL, ("RSeq", "3"), body=b"v=0 not read")  # F9
    heard = [(each.body, each.reliable) for each in desk.of(CallProgress)]
    assert heard == [(ANSWER, False), (b"", False), (ANSWER, True), (b"", False)]
    desk.agent.reoffer(OUT, MORE, world.now)
    world.run(0.01)
    assert pbx.requests("UPDATE")[0].body == MORE
    says(200, body=b"v=0 not read either")  # F12
    assert desk.last(CallAnswered).body == b""


PATTERNS = {
    # Table 1: name, how the first or the next exchange is made
    "1": "INVITE offer, 2xx answer",
    "2": "2xx offer, ACK answer",
    "3": "INVITE offer, 1xx-rel answer",
    "4": "1xx-rel offer, PRACK answer",
    "5": "PRACK offer, 2xx-PRACK answer",
    "6": "UPDATE offer, 2xx-UPDATE answer",
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_pattern_between_two_desks(world, pair, sip, pattern):
    """RFC 6337 §2.2, table 1; we begin 5 only where UPDATE is not known (test_late_offer)."""
    left, right = pair
    late = pattern in ("2", "4")
    left.script = lambda heard: (
        left.agent.offer(OUT, b"" if late else OFFER, world.now)
        if isinstance(heard, OfferWanted)
        else None
    )
    rows = (REL,) if pattern in ("3", "4", "6") else ()
    left.agent.invite(OUT, sip.LINE, "600", world.now, headers=rows)
    world.run(0.05)
    call = right.last(IncomingCall).call
    if rows:
        right.agent.ring(call, world.now, b"v=0 first")
        world.run(0.05)
    if pattern == "4":
        fork = left.last(ReofferReceived).fork
        left.agent.answer_reoffer(OUT, ANSWER, world.now, fork)
        world.run(0.05)
        assert right.last(ReofferAnswered).body == ANSWER
    if pattern == "6":
        left.agent.reoffer(OUT, MORE, world.now)
        world.run(0.05)
        right.agent.answer_reoffer(call, ANSWER, world.now)
        world.run(0.05)
        assert left.last(ReofferAnswered).body == ANSWER
    right.agent.accept(call, b"v=0 last", world.now)
    world.run(0.05)
    if pattern == "2":
        assert left.last(ReofferReceived).body == b"v=0 last"
        left.agent.answer_reoffer(OUT, ANSWER, world.now)
        world.run(0.05)
    agreed = left.last(CallAnswered).body
    assert agreed == (b"v=0 last" if pattern in ("1", "5") else b"")
    left.agent.end(OUT, world.now)
    world.run(150.0)
    assert len(left.agent) == len(right.agent) == 0


CROSSED = {"1": (MORE, ""), "2": (b"", "asked")}


@pytest.mark.parametrize("pattern", CROSSED)
@pytest.mark.parametrize("side", ["caller", "callee"])
def test_the_patterns_of_a_call_that_is_up(talking, pattern, side):
    """RFC 6337 §2.2, table 1, column "Est": 3, 4 and 6 are in test_rfc6141 and test_update."""
    world, left, right, out, arrived = talking
    sdp, asked = CROSSED[pattern]
    offerer, answerer = ((left, out), (right, arrived))[:: 1 if side == "caller" else -1]
    offerer[0].agent.reoffer(offerer[1], sdp, world.now)
    world.run(0.05)
    assert answerer[0].last(ReofferReceived).body == sdp
    answerer[0].agent.answer_reoffer(answerer[1], ANSWER, world.now)
    world.run(0.05)
    if asked:
        assert offerer[0].last(ReofferReceived).body == ANSWER
        offerer[0].agent.answer_reoffer(offerer[1], b"v=0 in the ACK", world.now)
        world.run(0.05)
        assert answerer[0].last(CallConfirmed).body == b"v=0 in the ACK"
    else:
        assert offerer[0].last(ReofferAnswered).body == ANSWER


REFUSALS = {
    # Table 2: how an offer is refused, by what it came in
    "1": ("INVITE", 488),
    "6": ("UPDATE", 488),
}


@pytest.mark.parametrize("pattern", REFUSALS)
def test_the_offers_that_can_be_refused(bob, desk, pbx, pattern):
    """RFC 6337 §2.3, table 2; patterns 2, 4 and 5 are in test_late_offer."""
    method, status = REFUSALS[pattern]
    call, say = up(bob, desk)
    say(method, 3, body=MORE)
    desk.agent.reject_reoffer(call, status, desk.now, "no codec in common")
    desk.world.run(0.02)
    refusal = pbx.responses(status)[0]
    assert refusal.headers.get("CSeq") == f"3 {method}"
    assert refusal.headers.get("Warning") == '399 phone "no codec in common"'
    assert not desk.of(CallEnded)


def test_figure_2(world, desk, pbx, sip):
    """RFC 6337 §3.1.2: without an offer of ours the first reliable response has theirs."""
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(desk.last(OfferWanted).call, b"", world.now)
    world.run(0.01)
    invite = pbx.requests("INVITE")[0]

    def says(status, *rows, body=b""):
        answer = sip.answer_to(invite, status, ("Contact", "<sip:bob@192.0.2.9>"), *rows, tag="bob")
        answer.headers.add("Content-Type", "application/sdp")
        answer.body = body
        pbx.tell(answer, desk)
        world.run(0.01)

    says(180)  # F2
    says(183, REL, ("RSeq", "1"), body=OFFER)  # F3
    assert desk.last(ReofferReceived) == ReofferReceived(OUT, OFFER, "bob")
    assert not pbx.requests("PRACK"), "it must hold the answer"
    desk.agent.answer_reoffer(OUT, ANSWER, world.now, "bob")
    world.run(0.01)
    assert pbx.requests("PRACK")[0].body == ANSWER  # F4
    pbx.tell(sip.answer_to(pbx.requests("PRACK")[0], 200), desk)  # F5
    says(180, REL, ("RSeq", "2"), body=b"v=0 not read")  # F6
    assert pbx.requests("PRACK")[1].body == b""  # F7
    says(200, body=b"v=0 not read either")  # F9
    assert desk.last(CallAnswered).body == b""
    assert pbx.requests("ACK")[0].body == b""  # F10
    assert len(desk.of(ReofferReceived)) == 1
