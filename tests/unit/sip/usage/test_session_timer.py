"""Session timers (RFC 4028): who refreshes, how, and what ends when nobody does."""

import re

import pytest

from firmware.sip.notifications import CallEnded, CallRef, FailureCause, IncomingCall, OfferWanted

OUT = CallRef("out")
CONTACT = ("Contact", "<sip:600@192.0.2.9>")
ALLOW = ("Allow", "INVITE, ACK, BYE, CANCEL, UPDATE")


def timed(desk, sip, seconds):
    """A line whose calls ask for a session timer."""
    desk.line(sip.PBX, password="secret", session_expires=seconds)


@pytest.fixture
def placed(world, desk, pbx, sip):
    """Place a call; the PBX gives the answers one after the other. Returns its INVITEs."""

    def place(*answers):
        left = list(answers)

        def reply(message):
            method = getattr(message, "method", "")
            if method == "INVITE" and left:
                status, rows = left.pop(0)
                return [sip.answer_to(message, status, CONTACT, *rows)]
            if method in ("UPDATE", "BYE"):
                return [sip.answer_to(message, 200, CONTACT)]
            return []

        pbx.reply = reply
        desk.agent.invite(OUT, sip.LINE, "600", world.now)
        world.run(0.01)
        desk.agent.offer(desk.last(OfferWanted).call, sip.OFFER, world.now)
        world.run(0.05)
        return pbx.requests("INVITE")

    return place


def test_the_request_says_what_we_want(desk, pbx, sip, placed):
    """RFC 4028 §7.1: Supported always, Session-Expires without refresher."""
    timed(desk, sip, 1800)
    invite = placed((180, ()))[0]
    assert "timer" in invite.headers.get("Supported")
    assert invite.headers.get("Session-Expires") == "1800"
    assert "Min-SE" not in invite.headers


def test_without_a_wish_there_is_only_supported(placed):
    """RFC 4028 §7.1."""
    headers = placed((180, ()))[0].headers
    assert "timer" in headers.get("Supported")
    assert "Session-Expires" not in headers


def test_too_short_for_a_proxy_is_asked_again_with_its_minimum(desk, sip, placed):
    """RFC 4028 §7.3, §7.4: same Call-ID and From, next CSeq, Min-SE and at least as long."""
    timed(desk, sip, 90)
    first, second = placed((422, (("Min-SE", "600"),)), (180, ()))
    assert second.headers.get("Min-SE") == "600"
    assert second.headers.get("Session-Expires") == "600"
    assert second.headers.get("Call-ID") == first.headers.get("Call-ID")
    assert second.headers.get("From") == first.headers.get("From")
    assert second.headers.get("CSeq") == "2 INVITE"


@pytest.mark.parametrize("least", ["90", "x", "999999999"])
def test_a_422_that_makes_no_sense_is_a_refusal(desk, sip, placed, least):
    """RFC 4028 §7.3: a minimum that we kept, or that nobody can mean."""
    timed(desk, sip, 90)
    assert len(placed((422, (("Min-SE", least),)))) == 1
    assert desk.last(CallEnded).status == 422


def test_422_for_ever_ends(desk, sip, placed):
    timed(desk, sip, 90)
    answers = [(422, (("Min-SE", str(least)),)) for least in (100, 200, 300, 400, 500)]
    assert len(placed(*answers)) == 4
    assert desk.last(CallEnded).status == 422


REFRESHER = (("Require", "timer"), ("Session-Expires", "100;refresher=uac"), ALLOW)


def test_we_refresh_by_update_at_half_of_it(world, desk, pbx, sip, placed):
    """RFC 4028 §7.2, §7.4: UPDATE without an offer where the far end knows it."""
    timed(desk, sip, 1800)
    placed((200, REFRESHER))
    world.run(49.0)
    assert not pbx.requests("UPDATE")
    world.run(1.5)
    update = pbx.requests("UPDATE")[0]
    assert update.body == b""
    assert update.headers.get("Session-Expires") == "100;refresher=uac"
    world.run(200.0)
    assert len(pbx.requests("UPDATE")) >= 4
    assert not desk.of(CallEnded)


def test_we_refresh_by_reinvite_where_there_is_no_update(world, desk, pbx, sip, placed):
    """RFC 4028 §7.4: with the description as it was."""
    timed(desk, sip, 1800)
    without = (REFRESHER[1], ("Allow", "INVITE, ACK, BYE"))
    placed((200, without), (200, without), (200, without))
    world.run(50.5)
    again = pbx.requests("INVITE")[1]
    assert again.body == sip.OFFER
    assert again.headers.get("Session-Expires") == "100;refresher=uac"
    world.run(90.0)
    assert not desk.of(CallEnded)


def test_f24_the_far_end_does_not_refresh_and_the_call_ends(world, desk, pbx, sip, placed):
    """RFC 4028 §10: BYE before the end, by the lesser of 32 s and a third."""
    timed(desk, sip, 1800)
    placed((200, (("Session-Expires", "120;refresher=uas"), ALLOW)))
    world.run(87.0)
    assert not desk.of(CallEnded)
    world.run(2.0)
    assert desk.last(CallEnded).cause is FailureCause.SESSION_LOST
    assert pbx.requests("BYE")[0].headers.get("Reason").startswith("SIP;cause=408")
    world.run(100.0)
    assert len(desk.agent) == 0


def test_a_far_end_without_timers_is_refreshed_for_our_own_benefit(world, pbx, desk, sip, placed):
    """RFC 4028 §7.2: as if it had answered with refresher=uac."""
    timed(desk, sip, 200)
    placed((200, (ALLOW,)))
    world.run(101.0)
    assert pbx.requests("UPDATE")


def test_a_far_end_that_turns_it_off_is_left_alone(world, desk, pbx, sip, placed):
    """RFC 4028 §7.2: a 2xx without Session-Expires from one that knows timers."""
    timed(desk, sip, 200)
    placed((200, (ALLOW, ("Supported", "timer"))))
    world.run(900.0)
    assert not pbx.requests("UPDATE")
    assert not desk.of(CallEnded)


def test_a_refresh_that_nobody_answers_ends_the_call(world, desk, pbx, sip, placed):
    """RFC 4028 §10: time-out means BYE."""
    timed(desk, sip, 1800)
    placed((200, REFRESHER))
    pbx.reply = lambda _: []
    world.run(85.0)
    assert desk.last(CallEnded).cause is FailureCause.SESSION_LOST
    assert pbx.requests("BYE")


def test_a_refresh_may_be_asked_to_be_longer(world, desk, pbx, sip, placed):
    """RFC 4028 §7.4: 422 in the call; from then on with Min-SE."""
    timed(desk, sip, 1800)
    placed((200, REFRESHER))
    answers = [422, 200]

    def reply(message):
        if getattr(message, "method", "") != "UPDATE":
            return []
        rows = (("Min-SE", "300"),) if answers[0] == 422 else (
            ("Session-Expires", "300;refresher=uac"),)  # fmt: skip
        return [sip.answer_to(message, answers.pop(0), CONTACT, *rows)]

    pbx.reply = reply
    world.run(51.0)
    assert [u.headers.get("Min-SE") for u in pbx.requests("UPDATE")] == [None, "300"]
    assert pbx.requests("UPDATE")[1].headers.get("Session-Expires") == "300;refresher=uac"
    world.run(100.0)
    assert len(pbx.requests("UPDATE")) == 2
    assert not desk.of(CallEnded)


# --- as callee ------------------------------------------------------------------------------------

ABLE = ("Supported", "timer")


@pytest.fixture
def answered(world, desk, pbx, sip):
    """Answer an INVITE with these headers; returns the 200 and a way to say more."""

    def answer(*rows):
        pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", *rows, ALLOW, body=sip.OFFER), desk)
        world.run(0.02)
        desk.agent.accept(desk.last(IncomingCall).call, sip.ANSWER, world.now)
        world.run(0.02)
        final = pbx.responses(200)[0]
        tag = final.headers.get("To").split("tag=")[1]
        uri = re.search("<(.*)>", final.headers.get("Contact")).group(1)

        def say(method, cseq, *rows):
            how = {"tag": tag, "cseq": cseq, "branch": f"z9hG4bK{method}{cseq}"}
            contact = ("Contact", f"<sip:alice@{sip.PBX}>")
            pbx.tell(sip.request(method, uri, contact, *rows, **how), desk)
            world.run(0.02)

        say("ACK", 1)
        return final.headers, say

    return answer


@pytest.mark.parametrize(
    ("ours", "rows", "granted", "requires"),
    [
        # RFC 4028 §9, table 2
        (0, (("Session-Expires", "300"),), "300;refresher=uas", False),
        (0, (("Session-Expires", "300"), ABLE), "300;refresher=uac", True),
        (0, (("Session-Expires", "300;refresher=uac"), ABLE), "300;refresher=uac", True),
        (0, (("Session-Expires", "300;refresher=uas"), ABLE), "300;refresher=uas", True),
        (0, (("x", "300;refresher=uas"), ABLE), None, False),
        (0, (ABLE,), None, False),
        (400, (ABLE,), "400;refresher=uas", True),
        (400, (), "400;refresher=uas", False),
        (400, (("Session-Expires", "300"), ABLE), "300;refresher=uac", True),
        (400, (("Session-Expires", "900"), ABLE), "400;refresher=uac", True),
        (400, (("Session-Expires", "900"), ("Min-SE", "600"), ABLE), "600;refresher=uac", True),
        (400, (("Min-SE", "600"), ABLE), "600;refresher=uas", True),
        (0, (("Session-Expires", "5"),), None, False),
        (0, (("Session-Expires", "soon"), ABLE), None, False),
    ],
)
def test_what_is_granted(desk, sip, answered, ours, rows, granted, requires):  # noqa: PLR0917
    """RFC 4028 §9: never longer than asked, never shorter than Min-SE."""
    timed(desk, sip, ours)
    headers, _ = answered(*(("Session-Expires" if n == "x" else n, v) for n, v in rows if n != "x"))
    assert headers.get("Session-Expires") == granted
    assert (headers.get("Require") == "timer") is requires


def test_less_than_the_minimum_is_422(world, desk, pbx, sip):
    """RFC 4028 §5, §9: with our Min-SE, which is never below 90."""
    rows = (("Session-Expires", "60"), ABLE)
    pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", *rows, body=sip.OFFER), desk)
    world.run(0.02)
    assert pbx.responses(422)[0].headers.get("Min-SE") == "90"
    assert not desk.of(IncomingCall)


def test_a_refresh_by_the_far_end_keeps_the_call(world, desk, pbx, answered):
    """RFC 4028 §9: each 2xx begins the interval anew; the roles stay."""
    _, say = answered(("Session-Expires", "90;refresher=uac"), ABLE)
    for cseq in range(2, 6):
        world.run(50.0)
        say("UPDATE", cseq, ("Session-Expires", "90;refresher=uac"), ABLE)
    assert pbx.responses(200)[-1].headers.get("Session-Expires") == "90;refresher=uac"
    assert not desk.of(CallEnded)
    world.run(70.0)
    assert desk.last(CallEnded).cause is FailureCause.SESSION_LOST


def test_as_callee_we_may_be_the_one_who_refreshes(world, desk, pbx, sip, answered):
    """RFC 4028 §9: refresher=uas; as the sender of the refresh we are its uac (§7.4)."""
    answered(("Session-Expires", "90;refresher=uas"), ABLE)
    pbx.reply = lambda m: (
        [sip.answer_to(m, 200, CONTACT, ("Session-Expires", "90;refresher=uac"))]
        if getattr(m, "method", "") == "UPDATE"
        else []
    )
    world.run(300.0)
    assert len(pbx.requests("UPDATE")) == 6
    assert pbx.requests("UPDATE")[0].headers.get("Session-Expires") == "90;refresher=uac"
    assert not desk.of(CallEnded)


def test_two_desks_of_ours_talk_for_hours(world, pair, sip):
    """Both roles at once, with a lossy wire."""
    left, right = pair
    world.wire.loss = 0.2
    left.line("192.0.2.2", register=False, accept_any_user=True, session_expires=90)
    right.line("192.0.2.1", register=False, accept_any_user=True, session_expires=120)
    left.agent.invite(OUT, sip.LINE, "600", world.now)
    world.until(lambda: bool(right.of(IncomingCall)))
    right.agent.accept(right.last(IncomingCall).call, sip.ANSWER, world.now)
    world.run(3 * 3600.0)
    assert not left.of(CallEnded)
    assert not right.of(CallEnded)
    left.agent.end(OUT, world.now)
    world.run(200.0)
    assert len(left.agent) == len(right.agent) == 0
