"""Calls we place, answered in every way a far end can think of (RFC 3261 §13.2, §9.1)."""

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.flow import Endpoint, Transport
from firmware.sip.message import Request
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallRef,
    CallTrying,
    DialogSaved,
    FailureCause,
    IncomingCall,
    OfferWanted,
    Party,
)

OUT = CallRef("out")
CONTACT = ("Contact", "<sip:bob@192.0.2.77:5070>")


class Script:
    """A far end that answers an INVITE with the given responses, and 200 to the rest."""

    def __init__(self, sip, pbx, *answers):
        self.sip, self.answers = sip, list(answers)
        pbx.reply = self.reply

    def reply(self, message):
        if not isinstance(message, Request):
            return []
        if message.method == "INVITE":
            return [make(message) for make in self.answers]
        return [] if message.method == "ACK" else [self.sip.answer_to(message, 200)]


@pytest.fixture
def place(world, desk, pbx, sip):
    """Place a call to 600; the far end answers with these (status, rows, tag)."""

    def place(*answers):
        makers = [
            lambda request, a=answer: sip.answer_to(request, a[0], *a[1], tag=a[2])
            for answer in answers
        ]
        Script(sip, pbx, *makers)
        desk.agent.invite(OUT, sip.LINE, "600", world.now)
        world.run(0.01)
        desk.agent.offer(OUT, sip.OFFER, world.now)
        world.run(0.1)
        return desk

    return place


def test_a_call_is_offered_with_our_own_address_and_sent(world, desk, pbx, sip, place):
    place((100, (), ""), (180, (), "bob"))
    invite = pbx.requests("INVITE")[0]
    call_id = invite.headers.get("Call-ID")
    assert desk.of(OfferWanted) == [OfferWanted(OUT, "192.0.2.1", call_id)]
    assert invite.uri == "sip:600@192.0.2.9"
    assert invite.body == sip.OFFER
    assert invite.headers.get("Content-Type") == "application/sdp"
    assert invite.headers.get("To") == "<sip:600@192.0.2.9>"
    assert desk.of(CallProgress) == [CallProgress(OUT, 180, "Said So", "bob")]


def test_a_100_is_a_sign_of_life_that_the_phone_hears_of(place):
    desk = place((100, (), ""))
    assert desk.of(CallTrying) == [CallTrying(OUT)]
    assert not desk.of(CallProgress)


def test_a_100_after_the_call_was_given_up_is_nobodys_business(world, desk, pbx, sip, place):
    place()
    desk.agent.end(OUT, world.now)
    pbx.tell(sip.answer_to(pbx.requests("INVITE")[0], 100), desk)
    world.run(0.1)
    assert not desk.of(CallTrying)


def test_the_answer_is_acknowledged_to_its_contact_through_the_route_set(world, desk, pbx, place):
    routes = [("Record-Route", "<sip:192.0.2.9;lr>"), ("Record-Route", "<sip:192.0.2.8;lr>")]
    edge, callee = type(pbx)(world, "192.0.2.8"), type(pbx)(world, "192.0.2.77", 5070)
    place((200, (CONTACT, *routes), "bob"))
    answered = desk.last(CallAnswered)
    assert (answered.fork, answered.remote) == ("bob", Party("", "600", "sip:600@192.0.2.9"))
    ack = edge.requests("ACK")[0]
    assert ack.uri == "sip:bob@192.0.2.77:5070"
    assert ack.headers.get("Route") == "<sip:192.0.2.8;lr>, <sip:192.0.2.9;lr>"
    assert ack.headers.get("CSeq") == "1 ACK"
    assert not pbx.requests("ACK")
    desk.agent.end(OUT, world.now)
    world.run(0.1)
    bye = edge.requests("BYE")[0]
    assert (bye.uri, bye.headers.get("CSeq")) == ("sip:bob@192.0.2.77:5070", "2 BYE")
    assert desk.last(CallEnded).by_us
    assert not callee.inbox


def test_without_a_route_set_ack_and_bye_go_straight_to_the_contact(world, desk, pbx, place):
    callee = type(pbx)(world, "192.0.2.77", 5070)
    place((200, (CONTACT,), "bob"))
    assert callee.requests("ACK")
    desk.agent.end(OUT, world.now)
    world.run(0.1)
    assert callee.requests("BYE")
    assert not pbx.requests("BYE")


def test_a_strict_router_gets_its_own_address_as_the_request_uri(world, desk, pbx, place):
    place((200, (CONTACT, ("Record-Route", "<sip:192.0.2.9:5060>")), "bob"))
    ack = pbx.requests("ACK")[0]
    assert ack.uri == "sip:192.0.2.9:5060"
    assert ack.headers.get("Route") == "<sip:bob@192.0.2.77:5070>"


def test_a_repeated_200_is_acknowledged_again(world, desk, pbx, sip, place):
    place((200, (("Contact", "<sip:bob@192.0.2.9>"),), "bob"))
    first = pbx.requests("INVITE")[0]
    again = sip.answer_to(first, 200, ("Contact", "<sip:bob@192.0.2.9>"), tag="bob")
    pbx.tell(again, desk)
    world.run(0.1)
    acks = pbx.requests("ACK")
    assert len(acks) == 2
    assert acks[0] == acks[1]
    assert len(desk.of(CallAnswered)) == 1


def test_f22_a_second_answer_of_a_fork_gets_ack_and_bye(world, desk, pbx, place):
    contact = ("Contact", "<sip:b@192.0.2.9>")
    place((180, (), "one"), (180, (), "two"), (200, (contact,), "two"), (200, (contact,), "one"))
    assert [progress.fork for progress in desk.of(CallProgress)] == ["one", "two"]
    assert [answered.fork for answered in desk.of(CallAnswered)] == ["two"]
    assert len(pbx.requests("ACK")) == 2
    byes = pbx.requests("BYE")
    assert [bye.headers.get("To") for bye in byes] == ["<sip:600@192.0.2.9>;tag=one"]
    assert not desk.of(CallEnded)


def test_f22_a_183_without_a_tag_is_progress(place):
    desk = place((183, (), ""))
    assert desk.last(CallProgress).fork == ""


def test_f22_a_200_without_a_tag_or_contact_makes_a_call_all_the_same(world, desk, pbx, sip):
    def bare(request):
        answer = sip.answer_to(request, 200)
        answer.headers.set("To", request.headers.get("To"))
        return answer

    Script(sip, pbx, bare)
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(OUT, b"", world.now)
    world.run(0.1)
    assert desk.last(CallAnswered).fork == ""
    desk.agent.end(OUT, world.now)
    world.run(0.1)
    assert pbx.requests("BYE")[0].uri == "sip:600@192.0.2.9"


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (302, FailureCause.MOVED),
        (380, FailureCause.MOVED),
        (403, FailureCause.FORBIDDEN),
        (404, FailureCause.NOT_FOUND),
        (408, FailureCause.NO_ANSWER),
        (480, FailureCause.NO_ANSWER),
        (484, FailureCause.INCOMPLETE),
        (485, FailureCause.AMBIGUOUS),
        (486, FailureCause.BUSY),
        (488, FailureCause.NOT_ACCEPTABLE),
        (500, FailureCause.SERVER_ERROR),
        (599, FailureCause.SERVER_ERROR),
        (600, FailureCause.BUSY),
        (603, FailureCause.DECLINED),
        (607, FailureCause.UNWANTED),
        (699, FailureCause.OTHER),
    ],
)
def test_a_refusal_is_acknowledged_and_has_a_cause(world, pbx, place, status, cause):
    """RFC 3261 §17.1.1.3, §21; RFC 8197 §3: 607 is no plain refusal."""
    desk = place((status, (), "bob"))
    assert desk.of(CallEnded) == [
        CallEnded(OUT, by_us=False, cause=cause, status=status, phrase="Said So")
    ]
    assert len(pbx.requests("ACK")) == 1
    world.run(100.0)
    assert len(desk.agent) == 0


def test_503_with_no_other_server_is_the_answer(world, pbx, place):
    desk = place((503, (), "bob"))
    world.run(0.1)
    assert desk.last(CallEnded).status == 503


def test_f16_503_moves_on_to_the_next_server(world, desk, pbx, sip):
    other = sip.Pbx(world, "192.0.2.10")
    world.names["pbx.example"] = [
        (Transport.UDP, pbx.endpoint),
        (Transport.UDP, other.endpoint),
    ]
    desk.line("pbx.example")
    Script(sip, pbx, lambda request: sip.answer_to(request, 503))
    Script(sip, other, lambda request: sip.answer_to(request, 180))
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.1)
    assert len(desk.of(OfferWanted)) == 1, "same family: the same offer will do"
    first, second = pbx.requests("INVITE")[0], other.requests("INVITE")[0]
    assert first.headers.get("Call-ID") == second.headers.get("Call-ID")
    assert (first.headers.get("CSeq"), second.headers.get("CSeq")) == ("1 INVITE", "2 INVITE")
    assert desk.of(CallProgress)


def test_f54_moving_on_to_the_other_family_asks_for_another_offer(world, desk, sip):
    six = sip.Pbx(world, "2001:db8::9")
    world.names["pbx.example"] = [
        (Transport.UDP, Endpoint("192.0.2.66", 5060)),
        (Transport.UDP, six.endpoint),
    ]
    desk.also_at("2001:db8::1")
    desk.line("pbx.example")
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(33.0)
    assert [wanted.local for wanted in desk.of(OfferWanted)] == ["192.0.2.1", "2001:db8::1"]
    desk.agent.offer(OUT, b"v=0 six", world.now)
    world.run(0.1)
    assert six.requests("INVITE")[0].body == b"v=0 six"
    assert "@[2001:db8::1]:5060>" in six.requests("INVITE")[0].headers.get("Contact")


def test_nobody_answers(world, desk, sip):
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(40.0)
    assert desk.of(CallEnded) == [
        CallEnded(OUT, by_us=False, cause=FailureCause.NO_ANSWER, phrase="no answer")
    ]
    assert len(desk.agent) == 0


def test_a_far_end_that_only_ever_tries_is_given_up(world, pbx, place):
    desk = place((100, (), ""))
    world.run(301.0)
    assert desk.last(CallEnded).cause is FailureCause.NO_ANSWER
    assert pbx.requests("CANCEL")
    world.run(100.0)
    assert len(desk.agent) == 0


def test_hanging_up_before_the_offer_sends_nothing(world, desk, pbx, sip):
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    desk.agent.end(OUT, world.now)
    world.run(1.0)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(1.0)
    assert desk.of(CallEnded) == [CallEnded(OUT, by_us=True, cause=FailureCause.CANCELLED)]
    assert not pbx.inbox
    assert len(desk.agent) == 0


def test_hanging_up_while_it_rings_cancels(world, pbx, place):
    desk = place((180, (), "bob"))
    desk.agent.end(OUT, world.now)
    world.run(0.1)
    cancel, invite = pbx.requests("CANCEL")[0], pbx.requests("INVITE")[0]
    assert cancel.headers.get("Via") == invite.headers.get("Via")
    assert cancel.headers.get("CSeq") == "1 CANCEL"
    assert desk.last(CallEnded) == CallEnded(OUT, by_us=True, cause=FailureCause.CANCELLED)


def test_a_cancel_waits_for_the_first_provisional_answer(world, desk, pbx, sip, place):
    place()
    desk.agent.end(OUT, world.now)
    world.run(0.3)
    assert not pbx.requests("CANCEL")
    invite = pbx.requests("INVITE")[0]
    pbx.tell(sip.answer_to(invite, 100), desk)
    world.run(0.1)
    assert len(pbx.requests("CANCEL")) == 1
    pbx.tell(sip.answer_to(invite, 487), desk)
    world.run(100.0)
    assert pbx.requests("ACK")
    assert len(desk.agent) == 0
    assert len(desk.of(CallEnded)) == 1


def test_f22_an_answer_that_crosses_the_cancel_is_acknowledged_and_ended(
    world, desk, pbx, sip, place
):
    place((180, (), "bob"))
    desk.agent.end(OUT, world.now)
    world.run(0.1)
    invite = pbx.requests("INVITE")[0]
    answer = sip.answer_to(invite, 200, ("Contact", "<sip:bob@192.0.2.9>"), tag="bob")
    pbx.tell(answer, desk)
    world.run(0.1)
    assert pbx.requests("ACK")
    assert pbx.requests("BYE")
    assert not desk.of(CallAnswered)
    world.run(100.0)
    assert len(desk.agent) == 0


def test_a_cancelled_invite_that_stays_silent_is_forgotten(world, pbx, place):
    desk = place((180, (), "bob"))
    desk.agent.end(OUT, world.now)
    world.silent.add(pbx.endpoint)
    pbx.reply = lambda _: []
    world.run(100.0)
    assert len(desk.agent) == 0


def test_a_late_180_after_the_answer_changes_nothing(world, desk, pbx, sip, place):
    place((200, (("Contact", "<sip:bob@192.0.2.9>"),), "bob"))
    heard = len(desk.heard)
    pbx.tell(sip.answer_to(pbx.requests("INVITE")[0], 180, tag="bob"), desk)
    world.run(0.1)
    assert len(desk.heard) == heard


def test_a_challenged_invite_is_sent_again_and_its_ack_has_the_same_credentials(
    world, desk, pbx, sip
):
    asks = ("Proxy-Authenticate", 'Digest realm="pbx", nonce="n", algorithm=SHA-256, qop="auth"')

    def reply(message):
        if message.method == "INVITE":
            if "Proxy-Authorization" in message.headers:
                contact = ("Contact", "<sip:bob@192.0.2.9>")
                return [sip.answer_to(message, 200, contact)]
            return [sip.answer_to(message, 407, asks)]
        return []

    pbx.reply = reply
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.1)
    first, second = pbx.requests("INVITE")
    assert second.headers.get("CSeq") == "2 INVITE"
    assert second.body == sip.OFFER
    assert first.headers.get("Via") != second.headers.get("Via")
    refused, confirmed = pbx.requests("ACK")
    assert refused.headers.get("CSeq") == "1 ACK"
    assert confirmed.headers.get("CSeq") == "2 ACK"
    given = second.headers.get("Proxy-Authorization")
    assert confirmed.headers.get("Proxy-Authorization") == given


def test_a06_a_stranger_who_challenges_gets_no_digest(world, desk, sip):
    other = sip.Pbx(world, "203.0.113.5")
    asks = ("WWW-Authenticate", 'Digest realm="pbx", nonce="n"')
    Script(sip, other, lambda request: sip.answer_to(request, 401, asks))
    desk.agent.invite(OUT, sip.LINE, "sip:bob@203.0.113.5", world.now)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.1)
    assert len(other.requests("INVITE")) == 1
    assert desk.last(CallEnded).cause is FailureCause.WRONG_PASSWORD


def test_a06_credentials_for_our_server_are_not_shown_to_others(world, desk, pbx, sip):
    asks = ("WWW-Authenticate", 'Digest realm="pbx", nonce="n"')
    pbx.verdicts = [lambda request: pbx.verdict(request, 401, asks)]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    other = sip.Pbx(world, "203.0.113.5")
    for call, target in (("in house", "600"), ("outside", "sip:bob@203.0.113.5")):
        desk.agent.invite(CallRef(call), sip.LINE, target, world.now)
        world.run(0.01)
        desk.agent.offer(CallRef(call), sip.OFFER, world.now)
        world.run(0.1)
    assert "Authorization" in pbx.requests("INVITE")[0].headers
    assert "Authorization" not in other.requests("INVITE")[0].headers


@pytest.mark.parametrize("status", [403, 404, None], ids=["403", "404", "no answer"])
def test_f17_a_call_that_fails_has_the_registration_looked_at_at_once(registered, sip, status):
    world, desk, pbx = registered
    register = pbx.reply

    def forgetful(message):
        if isinstance(message, Request) and message.method == "INVITE":
            return [sip.answer_to(message, status)] if status else []
        return register(message)

    pbx.reply = forgetful
    seen = []
    for number in range(3):
        call = CallRef(f"c{number}")
        desk.agent.invite(call, sip.LINE, "600", world.now)
        world.run(0.01)
        desk.agent.offer(call, sip.OFFER, world.now)
        world.until(lambda count=number + 1: len(desk.of(CallEnded)) == count, 40)
        world.run(0.1)
        seen.append(len(pbx.requests("REGISTER")) - 1)
    if status:
        assert seen == [1, 1, 1], "looked at, but not for every call"
    else:
        assert seen == [1, 2, 3], "half a minute lies between them"


def test_f25_a_ringing_call_ends_when_its_connection_does(world, sip):
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
    desk.line(sip.PBX, transport=Transport.TCP)
    Script(sip, pbx, lambda request: sip.answer_to(request, 180))
    desk.agent.invite(OUT, sip.LINE, "600", world.now)
    world.run(0.01)
    desk.agent.offer(OUT, sip.OFFER, world.now)
    world.run(0.1)
    world.close(pbx.flows[-1])
    world.run(0.1)
    assert desk.last(CallEnded).cause is FailureCause.SESSION_LOST
    world.run(100.0)
    assert len(desk.agent) == 0


def test_misuse_is_an_error(world, desk, sip, place):
    with pytest.raises(LocalError, match="no line"):
        desk.agent.invite(OUT, "nobody", "600", world.now)
    with pytest.raises(LocalError, match="cannot call"):
        desk.agent.invite(OUT, sip.LINE, "", world.now)
    with pytest.raises(LocalError, match="cannot call"):
        desk.agent.invite(OUT, sip.LINE, "6 0", world.now)
    with pytest.raises(LocalError, match="not yours"):
        desk.agent.invite(CallRef("in-1"), sip.LINE, "600", world.now)
    place((180, (), "bob"))
    with pytest.raises(LocalError, match="already"):
        desk.agent.invite(OUT, sip.LINE, "600", world.now)
    with pytest.raises(LocalError, match="no offer"):
        desk.agent.offer(OUT, b"", world.now)
    for verb in (desk.agent.ring, desk.agent.accept):
        with pytest.raises(LocalError):
            verb(OUT, *((b"",) if verb == desk.agent.accept else ()), world.now)


def test_a_dialog_is_saved_while_it_lives(world, desk, place):
    place((200, (("Contact", "<sip:bob@192.0.2.9>"),), "bob"))
    assert desk.last(DialogSaved).snapshot is not None
    desk.agent.end(OUT, world.now)
    world.run(0.1)
    assert desk.last(DialogSaved) == DialogSaved(OUT, None)
    assert isinstance(desk.heard[-1], CallEnded)


def test_an_intent_for_a_call_that_has_ended_is_nothing(world, desk, sip):
    agent, now = desk.agent, world.now
    agent.offer(OUT, b"", now)
    agent.ring(OUT, now)
    agent.accept(OUT, b"", now)
    agent.reject(OUT, 486, now)
    agent.end(OUT, now)
    agent.reoffer(OUT, b"", now)
    agent.answer_reoffer(OUT, b"", now)
    agent.reject_reoffer(OUT, 488, now)
    agent.info_digit(OUT, "1", 100, now)
    assert not desk.of(IncomingCall)
    assert len(agent) == 0
