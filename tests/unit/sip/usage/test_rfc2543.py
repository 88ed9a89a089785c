"""Calls with an element of RFC 2543: no branch, no tags, no Contact, strict routes.

RFC 3261 §12.1.1, §12.2.1.1 (dialogs without tags), §17.2.3 (transactions without a branch).
"""

import pytest

from firmware.sip.message import Headers, Request
from firmware.sip.notifications import (
    CallAnswered,
    CallConfirmed,
    CallEnded,
    CallRef,
    FailureCause,
    IncomingCall,
    OfferWanted,
)

OUT = CallRef("out")
FROM, TO = "<sip:old@192.0.2.9>", "<sip:101@192.0.2.1>"


@pytest.fixture
def old(world, desk, pbx):
    """A far end of the last century; gives its way to say something in its call."""
    pbx.reply = lambda _: []

    def say(method, cseq=1, *rows, to=TO, uri="sip:101@192.0.2.1", body=b"", branch=""):
        via = f"SIP/2.0/UDP 192.0.2.9{f';branch={branch}' if branch else ''}"
        head = [("Via", via), ("From", FROM), ("To", to), ("Call-ID", "old@192.0.2.9")]
        headers = Headers([*head, ("CSeq", f"{cseq} {method}"), *rows])
        if body:
            headers.add("Content-Type", "application/sdp")
        pbx.tell(Request(method, uri, headers, body), desk)
        world.run(0.02)

    return say


def statuses(pbx):
    return [each.status for each in pbx.inbox if hasattr(each, "status")]


def tagged(pbx):
    """The To of our answer."""
    return pbx.inbox[-1].headers.get("To")


@pytest.mark.parametrize("branch", ["", "1"])
def test_a_whole_call_from_its_invite_to_its_bye(world, desk, pbx, sip, old, branch):
    old("INVITE", body=sip.OFFER, branch=branch)
    old("INVITE", body=sip.OFFER, branch=branch)
    assert statuses(pbx) == [100, 100], "the second one repeats the first"
    (arrived,) = desk.of(IncomingCall)
    desk.agent.ring(arrived.call, world.now)
    desk.agent.accept(arrived.call, sip.ANSWER, world.now)
    world.run(0.02)
    assert statuses(pbx)[2:] == [180, 200]
    assert ";tag=" in tagged(pbx)
    old("ACK", to=tagged(pbx), branch=branch)
    assert desk.of(CallConfirmed)
    to = tagged(pbx)
    world.run(5.0)
    assert statuses(pbx)[2:] == [180, 200], "acknowledged: it is not repeated"
    old("BYE", 2, to=to, branch=branch)
    assert statuses(pbx)[-1] == 200
    assert desk.last(CallEnded) == CallEnded(arrived.call, by_us=False)
    world.run(100.0)
    assert len(desk.agent) == 0


def test_our_requests_go_where_its_from_says_by_its_strict_route(world, desk, pbx, sip, old):
    """RFC 3261 §12.1.1: a missing tag is the empty one; §12.2.1.1: and none is written."""
    route = ("Record-Route", "<sip:101@192.0.2.9;maddr=192.0.2.9>")
    old("INVITE", 1, route, body=sip.OFFER)
    call = desk.last(IncomingCall).call
    desk.agent.accept(call, sip.ANSWER, world.now)
    world.run(0.02)
    old("ACK", to=tagged(pbx))
    desk.agent.end(call, world.now)
    world.run(0.02)
    (bye,) = pbx.requests("BYE")
    assert bye.headers.get("To") == FROM
    assert bye.uri.startswith("sip:101@192.0.2.9")
    assert bye.headers.get("Route") == "<sip:old@192.0.2.9>"
    pbx.tell(sip.answer_to(bye, 200), desk)
    world.run(100.0)
    assert len(desk.agent) == 0


def test_a_cancel_finds_its_invite_by_the_old_fields(world, desk, pbx, sip, old):
    """RFC 3261 §17.2.3, §9.2."""
    old("INVITE", body=sip.OFFER)
    desk.agent.ring(desk.last(IncomingCall).call, world.now)
    old("CANCEL")
    assert sorted(statuses(pbx)) == [100, 180, 200, 487]
    assert desk.last(CallEnded).cause is FailureCause.CANCELLED
    old("ACK", to=tagged(pbx))
    world.run(100.0)
    assert len(desk.agent) == 0


def test_a_refusal_is_acknowledged_by_the_old_fields(world, desk, pbx, sip, old):
    """RFC 3261 §17.2.3."""
    old("INVITE", body=sip.OFFER)
    desk.agent.reject(desk.last(IncomingCall).call, 486, world.now)
    world.run(0.02)
    old("ACK", to=tagged(pbx))
    world.run(3.0)
    assert statuses(pbx).count(486) == 1, "acknowledged: it is not repeated"


def test_an_element_of_today_must_have_a_contact(world, desk, pbx, sip):
    """RFC 3261 §8.1.1.8."""
    invite = sip.request("INVITE", "sip:101@192.0.2.1", body=sip.OFFER)
    invite.headers.remove("Contact")
    pbx.tell(invite, desk)
    world.run(0.02)
    assert pbx.responses(400)


def test_an_old_callee_answers_without_tag_and_contact(world, desk, pbx, sip):
    """RFC 3261 §12.1.2: the empty tag; the request's own target."""
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(desk.last(OfferWanted).call, sip.OFFER, world.now)
    world.run(0.01)
    (invite,) = pbx.requests("INVITE")
    answer = sip.answer_to(invite, 200)
    answer.headers.set("To", invite.headers.get("To"))
    answer.body = sip.ANSWER
    pbx.tell(answer, desk)
    world.run(0.02)
    assert desk.of(CallAnswered)
    (ack,) = pbx.requests("ACK")
    assert (ack.headers.get("To"), ack.uri) == (invite.headers.get("To"), invite.uri)
    bye = sip.request("BYE", "sip:101@192.0.2.1", tag="x", cseq=9)
    bye.headers.set("From", invite.headers.get("To"))
    bye.headers.set("To", invite.headers.get("From"))
    bye.headers.set("Call-ID", invite.headers.get("Call-ID"))
    pbx.tell(bye, desk)
    world.run(0.02)
    assert desk.last(CallEnded) == CallEnded(OUT, by_us=False)
    world.run(100.0)
    assert len(desk.agent) == 0
