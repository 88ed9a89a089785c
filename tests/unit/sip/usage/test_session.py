"""Calls that are up: hold, resume, glare, digits, the end (RFC 3261 §14, §15)."""

import pytest

from firmware.sip.core import ALLOW
from firmware.sip.errors import LocalError
from firmware.sip.flow import Transport
from firmware.sip.notifications import (
    CallConfirmed,
    CallEnded,
    CallRef,
    DialogSaved,
    FailureCause,
    IncomingCall,
    InfoDigit,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)

HOLD, HELD = b"v=0 hold", b"v=0 held"


def test_the_far_end_hangs_up(world, desk, pbx, up):
    call, say = up
    say("BYE", 2)
    assert pbx.responses(200)[0].headers.get("CSeq") == "2 BYE"
    assert desk.last(CallEnded) == CallEnded(call, by_us=False)
    assert desk.last(DialogSaved) == DialogSaved(call, None)
    say("BYE", 3)
    assert len(pbx.responses(481)) == 1
    world.run(100.0)
    assert len(desk.agent) == 0


def test_hold_by_the_far_end_is_offered_and_answered(desk, pbx, up):
    call, say = up
    say("INVITE", 2, body=HOLD)
    assert desk.of(ReofferReceived) == [ReofferReceived(call, HOLD)]
    assert pbx.responses(100)
    desk.agent.answer_reoffer(call, HELD, desk.now)
    desk.world.run(0.02)
    answer = pbx.responses(200)[0]
    assert answer.body == HELD
    assert "Contact" in answer.headers
    say("ACK", 2)
    assert desk.last(CallConfirmed) == CallConfirmed(call, b"")
    desk.world.run(40.0)
    assert not desk.of(CallEnded)


def test_a_rejected_reoffer_leaves_the_call_as_it_was(desk, pbx, up):
    call, say = up
    say("INVITE", 2, body=HOLD)
    desk.agent.reject_reoffer(call, 488, desk.now, '304 phone "Media type not available"')
    desk.world.run(0.02)
    refusal = pbx.responses(488)[0]
    assert refusal.headers.get("Warning") == '304 phone "Media type not available"'
    say("ACK", 2, branch="z9hG4bKINVITE2")
    say("INVITE", 3, body=HOLD)
    assert len(desk.of(ReofferReceived)) == 2
    assert not desk.of(CallEnded)


def test_a_reinvite_without_offer_gets_ours_and_the_ack_brings_the_answer(desk, pbx, up):
    call, say = up
    say("INVITE", 2)
    assert desk.last(ReofferReceived) == ReofferReceived(call, b"")
    desk.agent.answer_reoffer(call, HOLD, desk.now)
    desk.world.run(0.02)
    assert pbx.responses(200)[0].body == HOLD
    say("INVITE", 3, body=HOLD)
    assert pbx.responses(491), "an offer of ours is open"
    say("ACK", 2, body=HELD)
    assert desk.last(CallConfirmed) == CallConfirmed(call, HELD)


def test_a_second_reinvite_before_the_answer_is_500_with_retry_after(desk, pbx, up):
    _, say = up
    say("INVITE", 2, body=HOLD)
    say("INVITE", 3, body=HOLD)
    assert 0 <= int(pbx.responses(500)[0].headers.get("Retry-After")) <= 10
    assert len(desk.of(ReofferReceived)) == 1


def test_a_request_that_comes_out_of_order_is_500(desk, pbx, up):
    _, say = up
    say("OPTIONS", 5)
    say("INVITE", 4, body=HOLD)
    assert len(pbx.responses(200)) == 1
    assert len(pbx.responses(500)) == 1
    assert not desk.of(ReofferReceived)


def test_a_reinvite_nobody_decides_about_is_refused_in_the_end(world, pbx, up):
    _, say = up
    say("INVITE", 2, body=HOLD)
    world.run(33.0)
    assert pbx.responses(500)


def test_a_withdrawn_reinvite_is_487_and_the_call_goes_on(desk, pbx, up):
    call, say = up
    say("INVITE", 2, body=HOLD)
    say("CANCEL", 2, branch="z9hG4bKINVITE2")
    assert pbx.responses(487)
    desk.agent.answer_reoffer(call, HELD, desk.now)
    desk.agent.reject_reoffer(call, 488, desk.now)
    desk.world.run(1.0)
    assert not desk.of(CallEnded)
    assert len(pbx.responses(200)) == 1  # to the CANCEL


def test_hanging_up_in_the_middle_of_their_reinvite_answers_it_487(desk, pbx, up):
    """RFC 3261 §15.1.2: pending requests get 487."""
    _, say = up
    say("INVITE", 2, body=HOLD)
    say("BYE", 3)
    assert pbx.responses(487)
    assert pbx.responses(200)


@pytest.mark.parametrize(
    ("rows", "body", "status"),
    [
        ((("Require", "precondition"),), HOLD, 420),
        ((("Content-Type", "text/plain"),), b"hi", 415),
    ],
)
def test_a_reinvite_we_cannot_serve_is_refused(desk, pbx, up, rows, body, status):
    _, say = up
    say("INVITE", 2, *rows, body=body)
    assert pbx.responses(status)
    assert not desk.of(ReofferReceived)


def test_the_far_end_moves(world, desk, pbx, sip, up):
    call, say = up
    moved = sip.Pbx(world, "192.0.2.88")
    say("INVITE", 2, ("Contact", "<sip:alice@192.0.2.88>"), body=HOLD)
    desk.agent.answer_reoffer(call, HELD, desk.now)
    world.run(0.02)
    say("ACK", 2)
    desk.agent.end(call, world.now)
    world.run(0.02)
    assert moved.requests("BYE")[0].uri == "sip:alice@192.0.2.88"


@pytest.mark.parametrize(
    ("kind", "body", "digit", "ms"),
    [
        ("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n", "5", 160),
        ("application/dtmf-relay", b"Signal= *\r\nDuration= 250\r\n", "*", 250),
        ("application/dtmf-relay", b"signal=11", "#", 160),
        ("application/dtmf-relay", b"Signal=d\nDuration=99999", "D", 8000),
        ("Application/DTMF; charset=x", b"7", "7", 160),
        ("application/dtmf", b"Signal=9\r\nDuration=100", "9", 100),
    ],
)
def test_a_digit_by_info(desk, pbx, up, kind, body, digit, ms):  # noqa: PLR0917
    """An INFO without a package is that of RFC 2976 §2.2."""
    call, say = up
    say("INFO", 2, ("Content-Type", kind), body=body)
    assert desk.of(InfoDigit) == [InfoDigit(call, digit, ms)]
    assert pbx.responses(200)


@pytest.mark.parametrize(
    ("rows", "body", "status"),
    [
        ((("Content-Type", "application/dtmf-relay"),), b"Signal=55", 400),
        ((("Content-Type", "application/dtmf-relay"),), b"\xff\xfe", 400),
        ((("Content-Type", "application/media_control+xml"),), b"<x/>", 415),
        ((("Info-Package", "foo"), ("Content-Type", "application/dtmf")), b"5", 469),
        ((("Require", "foo"),), b"", 420),
        ((), b"", 200),
    ],
)
def test_another_info_gets_its_right_answer(desk, pbx, up, rows, body, status):
    _, say = up
    say("INFO", 2, *rows, body=body)
    assert pbx.responses(status)
    assert not desk.of(InfoDigit)


@pytest.mark.parametrize(
    ("method", "status"),
    [("OPTIONS", 200), ("UPDATE", 200), ("PUBLISH", 405), ("DANCE", 501)],
)
def test_any_method_in_a_call_gets_its_right_answer(desk, pbx, up, method, status):
    _, say = up
    say(method, 2)
    answer = pbx.responses(status)[0]
    assert answer.headers.get("Allow") == ALLOW
    assert not desk.of(CallEnded)


def test_f22_a_request_with_a_wrong_tag_is_not_of_this_call(desk, pbx, sip, up):
    pbx.tell(sip.request("BYE", "sip:101@192.0.2.1", tag="wrong", cseq=2), desk)
    desk.world.run(0.02)
    assert pbx.responses(481)
    assert not desk.of(CallEnded)


# --- between two of ours ------------------------------------------------------------------------


def test_our_hold_is_answered(talking):
    world, left, right, out, arrived = talking
    left.agent.reoffer(out, HOLD, world.now)
    world.run(0.1)
    assert right.of(ReofferReceived) == [ReofferReceived(arrived, HOLD)]
    right.agent.answer_reoffer(arrived, HELD, world.now)
    world.run(0.1)
    assert left.of(ReofferAnswered) == [ReofferAnswered(out, HELD)]
    assert right.of(CallConfirmed)[-1] == CallConfirmed(arrived, b"")


def test_our_hold_is_refused_and_nothing_changes(talking):
    """RFC 3261 §14.1, RFC 6141 §3.3: an error answer changes nothing."""
    world, left, right, out, arrived = talking
    left.agent.reoffer(out, HOLD, world.now)
    world.run(0.1)
    right.agent.reject_reoffer(arrived, 488, world.now)
    world.run(0.1)
    assert left.of(ReofferRejected) == [ReofferRejected(out, 488, "Not Acceptable Here")]
    left.agent.reoffer(out, HOLD, world.now)
    world.run(0.1)
    assert len(right.of(ReofferReceived)) == 2


def test_f22_both_hold_at_once_and_both_succeed_after_a_while(talking):
    world, left, right, out, arrived = talking
    left.agent.reoffer(out, b"left", world.now)
    right.agent.reoffer(arrived, b"right", world.now)

    def answers(desk, call):
        old = desk.script

        def script(heard):
            old(heard)
            if isinstance(heard, ReofferReceived):
                desk.agent.answer_reoffer(call, b"to " + heard.body, world.now)

        desk.script = script

    answers(left, out)
    answers(right, arrived)
    world.run(2.05)
    assert right.of(ReofferAnswered) == [ReofferAnswered(arrived, b"to right")]
    # The caller waits longer (RFC 3261 §14.1), and what it offered is out of date by now.
    assert left.of(ReofferRejected) == [ReofferRejected(out, 491, "Request Pending")]
    left.agent.reoffer(out, b"left", world.now)
    world.run(1.0)
    assert left.of(ReofferAnswered) == [ReofferAnswered(out, b"to left")]
    refused = [data for _, _, _, data in world.log if data.startswith(b"SIP/2.0 491")]
    assert len(refused) == 2


def test_a_second_offer_while_one_is_open_is_refused_at_once(talking):
    world, left, _, out, _ = talking
    left.agent.reoffer(out, HOLD, world.now)
    left.agent.reoffer(out, HELD, world.now)
    world.run(0.001)
    assert left.of(ReofferRejected) == [ReofferRejected(out, 491, "Request Pending")]


def test_an_offer_before_the_ack_waits_for_it(pair, world, sip):
    left, right = pair
    out = CallRef("out")
    left.agent.invite(out, sip.LINE, "600", world.now)
    world.run(0.1)
    arrived = right.last(IncomingCall).call
    right.agent.accept(arrived, sip.ANSWER, world.now)
    right.agent.reoffer(arrived, HOLD, world.now)
    world.run(0.1)
    assert left.of(ReofferReceived) == [ReofferReceived(out, HOLD)]


def test_a_far_end_that_has_forgotten_the_call_ends_it(talking):
    world, left, right, out, _ = talking
    right.agent._core.dialogs.clear()
    left.agent.reoffer(out, HOLD, world.now)
    world.run(0.1)
    assert left.last(CallEnded) == CallEnded(out, by_us=False, cause=FailureCause.SESSION_LOST)


def test_a_far_end_that_is_silent_to_a_reinvite_ends_it(talking):
    world, left, right, out, _ = talking
    world.silent.add(right.endpoint)
    left.agent.reoffer(out, HOLD, world.now)
    world.run(33.0)
    assert left.last(CallEnded).cause is FailureCause.SESSION_LOST
    world.run(100.0)
    assert len(left.agent) == 0


def test_a_far_end_that_never_decides_ends_it(up, desk, pbx, world, sip):
    call, _ = up
    pbx.reply = lambda message: (
        [sip.answer_to(message, 100)] if getattr(message, "method", "") == "INVITE" else []
    )
    desk.agent.reoffer(call, HOLD, world.now)
    world.run(65.0)
    assert desk.last(CallEnded).cause is FailureCause.SESSION_LOST


def test_a_reinvite_that_was_only_tried_is_forgotten_after_hanging_up(up, desk, pbx, world, sip):
    call, _ = up
    pbx.reply = lambda message: (
        [sip.answer_to(message, 100)] if getattr(message, "method", "") == "INVITE" else []
    )
    desk.agent.reoffer(call, HOLD, world.now)
    world.run(1.0)
    desk.agent.end(call, world.now)
    world.run(100.0)
    assert len(desk.agent) == 0


def test_our_digit_by_info(talking):
    world, left, right, out, arrived = talking
    left.agent.info_digit(out, "#", 120, world.now)
    world.run(0.1)
    assert right.of(InfoDigit) == [InfoDigit(arrived, "#", 120)]
    with pytest.raises(LocalError, match="no keypad digit"):
        left.agent.info_digit(out, "x", 120, world.now)
    with pytest.raises(LocalError, match="refuses nothing"):
        left.agent.reject_reoffer(out, 200, world.now)


def test_both_hang_up_at_once(talking):
    """RFC 3261 §15.1.1: a BYE ends the call whatever is answered."""
    world, left, right, out, arrived = talking
    left.agent.end(out, world.now)
    right.agent.end(arrived, world.now)
    world.run(100.0)
    assert left.of(CallEnded) == [CallEnded(out, by_us=True)]
    assert right.of(CallEnded) == [CallEnded(arrived, by_us=True)]
    assert len(left.agent) == len(right.agent) == 0


@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_a_whole_call_over_both_transports_and_families(world, sip, six, transport):
    hosts = ("2001:db8::1", "2001:db8::2") if six else ("192.0.2.1", "192.0.2.2")
    left, right = (sip.Desk(world, host) for host in hosts)
    for desk, far in ((left, hosts[1]), (right, hosts[0])):
        server = f"[{far}]" if six else far
        desk.line(server, register=False, accept_any_user=True, transport=transport)
    out = CallRef("out")
    left.agent.invite(out, sip.LINE, "600", world.now)
    world.run(0.1)
    left.agent.offer(out, sip.OFFER, world.now)
    world.run(0.1)
    arrived = right.last(IncomingCall).call
    right.agent.accept(arrived, sip.ANSWER, world.now)
    world.run(0.1)
    assert right.of(CallConfirmed)
    right.agent.end(arrived, world.now)
    world.run(0.1)
    assert left.last(CallEnded) == CallEnded(out, by_us=False)
    world.run(100.0)
    streams = 1 if transport.reliable else 0
    assert [len(left.agent), len(right.agent)] == [streams, streams]


def test_f25_a_call_over_tcp_survives_its_connection(world, sip):
    left, right = (sip.Desk(world, f"192.0.2.{n}") for n in (1, 2))
    left.line("192.0.2.2", register=False, accept_any_user=True, transport=Transport.TCP)
    right.line("192.0.2.1", register=False, accept_any_user=True, transport=Transport.TCP)
    out = CallRef("out")
    left.agent.invite(out, sip.LINE, "600", world.now)
    world.run(0.1)
    left.agent.offer(out, sip.OFFER, world.now)
    world.run(0.1)
    right.agent.accept(right.last(IncomingCall).call, sip.ANSWER, world.now)
    world.run(0.1)
    ((flow, _),) = left.agent._core.streams.values()
    world.close(flow)
    world.run(0.1)
    left.agent.end(out, world.now)
    world.run(0.1)
    assert right.of(CallEnded)
