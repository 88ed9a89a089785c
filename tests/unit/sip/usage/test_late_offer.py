"""Offers that cannot be refused, offers that wait for a PRACK: what goes out (RFC 6337 §2.2, §2.3).

Who may be asked what is in test_rfc6337; here are the messages.
"""

import re

import pytest

from firmware.sip.headers import parse_reason
from firmware.sip.invite.declining import declined
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallRef,
    FailureCause,
    OfferWanted,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)

OUT = CallRef("out")
REL = ("Require", "100rel")
VIDEO = (
    b"v=0\r\no=bob 7 7 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
    b"m=audio 4000/2 RTP/AVP 3 97\r\na=rtpmap:97 iLBC/8000\r\nm=video 4002 RTP/SAVP 31\r\n"
)
MEDIA = [b"m=audio 0 RTP/AVP 3 97", b"m=video 0 RTP/SAVP 31"]
NOT_ACCEPTABLE = FailureCause.NOT_ACCEPTABLE


def media(body):
    return [line for line in body.splitlines() if line.startswith(b"m=")]


@pytest.fixture
def ask(world, desk, pbx, sip):
    """Our call; gives the PBX's way to answer its INVITE. `sdp` empty: the PBX shall offer."""

    def place(sdp=b""):
        desk.agent.invite(OUT, sip.LINE, "600", world.now)
        world.run(0.01)
        desk.agent.offer(desk.last(OfferWanted).call, sdp, world.now)
        world.run(0.01)
        invite = pbx.requests("INVITE")[-1]

        def says(status, *rows, body=b"", tag="bob", contact="<sip:bob@192.0.2.9>"):
            answer = sip.answer_to(invite, status, ("Contact", contact), *rows, tag=tag)
            if body:
                answer.headers.add("Content-Type", "application/sdp")
                answer.body = body
            pbx.tell(answer, desk)
            world.run(0.02)

        return says

    return place


def test_an_offer_in_the_200_that_is_refused_is_answered_and_the_call_ended(world, desk, pbx, ask):
    """RFC 6337 §2.3, table 2 pattern 2; RFC 3264 §6: each medium of the offer, with port 0."""
    ask()(200, body=VIDEO)
    desk.agent.reject_reoffer(OUT, 488, world.now, "No codec in common")
    world.run(0.02)
    (ack,) = pbx.requests("ACK")
    assert media(ack.body) == MEDIA
    (bye,) = pbx.requests("BYE")
    why = parse_reason(bye.headers.get("Reason"))
    assert (why.protocol, why.cause, why.text) == ("SIP", 488, "No codec in common")
    assert pbx.inbox.index(ack) < pbx.inbox.index(bye)
    words = "No codec in common"
    ended = CallEnded(OUT, by_us=True, cause=NOT_ACCEPTABLE, status=488, phrase=words)
    assert desk.last(CallEnded) == ended


@pytest.mark.parametrize("how", ["hung up", "never decided"])
def test_an_offer_in_the_200_is_answered_whatever_becomes_of_the_call(world, desk, pbx, ask, how):
    """RFC 3261 §13.2.1: the ACK must carry the answer."""
    ask()(200, body=VIDEO)
    if how == "hung up":
        desk.agent.end(OUT, world.now)
    world.run(11.0)
    assert media(pbx.requests("ACK")[0].body) == MEDIA
    assert pbx.requests("BYE")


def test_an_offer_in_a_reliable_ring_that_is_refused(world, desk, pbx, sip, ask):
    """RFC 6337 §2.3, table 2 pattern 4: an answer in the PRACK, then the call is given up."""
    says = ask()
    says(183, REL, ("RSeq", "1"), body=VIDEO)
    (offer,) = desk.of(ReofferReceived)
    desk.agent.reject_reoffer(OUT, 488, world.now, "No codec in common", offer.fork)
    world.run(0.02)
    (prack,) = pbx.requests("PRACK")
    assert media(prack.body) == MEDIA
    (cancel,) = pbx.requests("CANCEL")
    assert parse_reason(cancel.headers.get("Reason")).cause == 488
    assert desk.last(CallEnded).cause is NOT_ACCEPTABLE
    says(487)
    world.run(150.0)
    assert len(desk.agent) == 0


def test_of_two_phones_only_the_one_that_offers_nonsense_is_left_out(world, desk, pbx, sip, ask):
    """RFC 3261 §15: a caller may end one early dialog; RFC 6228 says so to the phone."""
    says = ask()
    says(183, REL, ("RSeq", "1"), body=VIDEO, tag="bob")
    says(183, REL, ("RSeq", "9"), body=b"v=0 fine", tag="carol")
    desk.agent.reject_reoffer(OUT, 488, world.now, "", "bob")
    desk.agent.answer_reoffer(OUT, b"v=0 answer", world.now, "carol")
    world.run(0.02)
    assert not pbx.requests("CANCEL")
    (bye,) = pbx.requests("BYE")
    assert "tag=bob" in bye.headers.get("To")
    over = desk.last(CallProgress)
    assert (over.status, over.fork) == (199, "bob")
    says(183, REL, ("RSeq", "2"), tag="bob")
    assert desk.last(CallProgress) == over, "it is of no interest any more"
    says(200, tag="carol")
    assert desk.last(CallAnswered).fork == "carol"
    says(200, tag="bob")
    assert len(pbx.requests("BYE")) == 2, "an answer that crossed our BYE"
    assert not desk.of(CallEnded)


def test_the_answer_to_the_offer_in_a_reinvite_goes_on_with_our_origin():
    """RFC 3264 §8: the same origin, the next version."""
    ours = b"v=0\r\no=phone 5 12 IN IP4 192.0.2.1\r\ns=-\r\n"
    assert b"o=phone 5 13 IN IP4 192.0.2.1\r\n" in declined(VIDEO, ours)
    assert declined(VIDEO).startswith(b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\n")


@pytest.mark.parametrize("offer", [b"", b"v=0 nonsense", b"m=\r\n", b"m=audio x RTP/AVP 0"])
def test_what_is_no_description_gets_no_answer(offer):
    assert declined(offer) == b""


def test_a_thousand_media_are_not_answered_one_by_one():
    """A14: 500 m-lines."""
    assert declined(b"m=audio 1 RTP/AVP 0\r\n" * 1000) == b""


class TestOurOfferInThePrack:
    """RFC 6337 §2.2, pattern 5, where the far end knows no UPDATE."""

    @pytest.fixture
    def rings(self, world, desk, ask):
        """It has rung, and we want to offer something else; its answer comes in the next one."""
        says = ask(b"v=0 first")
        says(180)
        desk.agent.reoffer(OUT, b"v=0 second", world.now)
        assert not desk.of(ReofferRejected)
        return says

    def verdict(self, world, desk, pbx, sip, status, body=b""):
        answer = sip.answer_to(pbx.requests("PRACK")[-1], status)
        answer.body = body
        pbx.tell(answer, desk)
        world.run(0.02)

    def test_it_goes_with_the_prack_of_the_answer(self, world, desk, pbx, sip, rings):
        """RFC 3262 §5."""
        rings(183, REL, ("RSeq", "1"), body=b"v=0 answer")
        (prack,) = pbx.requests("PRACK")
        assert prack.body == b"v=0 second"
        assert prack.headers.get("Content-Type") == "application/sdp"
        self.verdict(world, desk, pbx, sip, 200, b"v=0 second answer")
        assert desk.last(ReofferAnswered).body == b"v=0 second answer"
        rings(200)
        assert desk.last(CallAnswered).body == b""

    def test_a_refused_one_is_followed_by_a_prack_without(self, world, desk, pbx, sip, rings):
        """RFC 6337 §2.3: 488 has acknowledged nothing."""
        rings(183, REL, ("RSeq", "1"), body=b"v=0 answer")
        self.verdict(world, desk, pbx, sip, 488)
        assert desk.last(ReofferRejected).status == 488
        first, second = pbx.requests("PRACK")
        assert second.body == b""
        assert second.headers.get("RAck") == first.headers.get("RAck")
        self.verdict(world, desk, pbx, sip, 200)
        assert len(pbx.requests("PRACK")) == 2

    def test_without_a_reliable_answer_the_phone_hears_that_it_must_try_again(self, desk, rings):
        rings(200, body=b"v=0 answer")
        assert desk.last(ReofferRejected).status == 491
        assert desk.last(CallAnswered).body == b"v=0 answer"

    def test_a_far_end_that_turns_out_to_know_update_gets_one(self, world, desk, pbx, sip, rings):
        """RFC 3311 §5.1."""
        rings(183, REL, ("RSeq", "1"), ("Allow", "INVITE, UPDATE"), body=b"v=0 answer")
        assert pbx.requests("PRACK")[0].body == b""
        assert not pbx.requests("UPDATE")
        self.verdict(world, desk, pbx, sip, 200)
        assert pbx.requests("UPDATE")[0].body == b"v=0 second"

    def test_an_update_of_theirs_that_crosses_it(self, world, desk, pbx, sip, rings):
        """RFC 3311 §5.2: one offer at a time."""
        rings(183, REL, ("RSeq", "1"), body=b"v=0 answer")
        invite = pbx.requests("INVITE")[0]
        ours = re.search("tag=(.*)", invite.headers.get("From")).group(1)
        uri = re.search("<(.*)>", invite.headers.get("Contact")).group(1)
        crossing = sip.request("UPDATE", uri, tag=ours, cseq=7, body=b"v=0 theirs")
        crossing.headers.set("From", "<sip:600@192.0.2.9>;tag=bob")
        crossing.headers.set("Call-ID", invite.headers.get("Call-ID"))
        pbx.tell(crossing, desk)
        world.run(0.02)
        assert pbx.responses(491)


def test_a_prack_whose_offer_we_refuse_may_come_again_without(world, desk, pbx, sip):
    """RFC 6337 §2.3, table 2 pattern 5."""
    supported = ("Supported", "100rel")
    pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", supported, body=b"v=0 offer"), desk)
    world.run(0.02)
    call = desk.heard[-1].call
    desk.agent.ring(call, world.now, b"v=0 early")
    world.run(0.02)
    first = pbx.responses(183)[0]
    tag = first.headers.get("To").split("tag=")[1]
    uri = re.search("<(.*)>", first.headers.get("Contact")).group(1)
    rack = ("RAck", f"{first.headers.get('RSeq')} {first.headers.get('CSeq')}")

    def prack(cseq, body=b""):
        how = {"tag": tag, "branch": f"z9hG4bKp{cseq}", "cseq": cseq, "body": body}
        pbx.tell(sip.request("PRACK", uri, rack, **how), desk)
        world.run(0.02)

    prack(2, b"v=0 more")
    desk.agent.reject_reoffer(call, 488, world.now)
    world.run(0.02)
    assert pbx.responses(488)
    prack(3)
    assert pbx.responses(200)[-1].headers.get("CSeq") == "3 PRACK"
    prack(4)
    assert pbx.responses(481)[-1].headers.get("CSeq") == "4 PRACK"
