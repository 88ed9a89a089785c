"""Calls that take another's place (RFC 3891), calls that want our offer first, words at the end."""

import pytest

from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.view import CallState, Mode
from firmware.sip import notifications as n
from firmware.sip.notifications import CallRef, Party
from tests.support.desk import Desk, only, sdp

BOB = Party("Bob", "202", "sip:202@pbx.example")


def test_the_call_in_front_goes_on_with_somebody_else():
    """RFC 3891 §3: answered without a ring, then the old one ends."""
    desk = Desk().talking_to_caller()
    commands = desk.calls_us("in-2", caller=BOB, replaces=CallRef("in-1"))
    kinds = [type(x) for x in commands if isinstance(x, c.AcceptCall | c.EndCall | c.SayRinging)]
    assert kinds == [c.AcceptCall, c.EndCall]
    assert only(commands, c.EndCall)[0].call == "in-1"
    desk.acknowledged("in-2")
    assert desk.front == "in-2"
    assert desk.mode is Mode.TALKING
    assert desk.view.front_call.state is CallState.TALKING
    assert desk.microphone is PathName.HANDSET
    assert [call.ref for call in desk.phone.state.calls] == ["in-2"]
    assert not desk.heard.tones


def test_a_call_that_nobody_answered_yet_is_picked_up():
    """RFC 3891 §3: the old one is cancelled."""
    desk = Desk()
    desk.lift()
    desk.dials("201")
    desk.way_found()
    desk.far_end_rings()
    old = desk.front
    commands = desk.calls_us("in-2", caller=BOB, replaces=old)
    assert only(commands, c.EndCall)[0].call == old
    desk.acknowledged("in-2")
    assert desk.mode is Mode.TALKING
    assert desk.front == "in-2"


def test_a_call_on_hold_in_the_background_stays_there():
    desk = Desk().talking_to_caller()
    desk.send(a.Hold())
    desk.holds_are_agreed()
    desk.calls_us("in-3")
    desk.send(a.Answer(CallRef("in-3")))
    desk.acknowledged("in-3")
    desk.calls_us("in-2", caller=BOB, replaces=CallRef("in-1"))
    assert desk.front == "in-3"
    commands = desk.acknowledged("in-2")
    assert b"a=sendonly" in only(commands, c.Reoffer)[0].sdp
    assert desk.phone.state.call(CallRef("in-2")).held


def test_one_we_cannot_speak_with_takes_nothing_away():
    """RFC 3891 §3: the matched call is left as it was."""
    desk = Desk().talking_to_caller()
    commands = desk.calls_us("in-2", body=sdp(18), replaces=CallRef("in-1"))
    assert only(commands, c.RejectCall)[0].status == 488
    assert not only(commands, c.EndCall)
    assert desk.front == "in-1"
    assert desk.mode is Mode.TALKING


def test_p10_nobody_replaces_a_call_for_help():
    desk = Desk()
    desk.lift()
    desk.dials("911")
    desk.way_found()
    desk.far_end_rings()
    desk.far_end_answers()
    commands = desk.calls_us("in-2", replaces=desk.front)
    assert only(commands, c.RejectCall)[0].status == 486
    assert not only(commands, c.EndCall)


def test_the_replaced_call_is_gone_meanwhile():
    desk = Desk().talking_to_caller()
    desk.far_end_hangs_up(CallRef("in-1"))
    commands = desk.calls_us("in-2", replaces=CallRef("in-1"))
    assert only(commands, c.RejectCall)[0].status == 603
    assert not desk.phone.state.calls


def test_a_caller_that_wants_our_offer_first_gets_it_with_the_ring():
    """RFC 3262 §5: 183 carries it, the PRACK its answer, and the 200 nothing more."""
    desk = Desk()
    commands = desk.calls_us(body=b"", ring_with_offer=True)
    assert b"m=audio" in only(commands, c.SayRinging)[0].sdp
    desk.send(n.ReofferAnswered(CallRef("in-1"), sdp(port=5600)))
    commands = desk.lift()
    assert only(commands, c.AcceptCall)[0].sdp == b""
    desk.acknowledged()
    assert desk.heard.configured[desk.front_stream].remote[1] == 5600


def test_a_refresh_by_the_stack_is_heard_and_asks_for_nothing():
    """RFC 4028 §7.4: the same description again; a far end that has moved is followed."""
    desk = Desk().talking()
    commands = desk.send(n.ReofferAnswered(desk.front, sdp(port=5800)))
    assert not only(commands, c.Reoffer)
    assert desk.heard.configured[desk.front_stream].remote[1] == 5800
    desk.send(n.ReofferAnswered(desk.front, b"rubbish"))
    assert desk.mode is Mode.TALKING


@pytest.mark.parametrize(
    ("phrase", "text"), [("", "call_ended"), ("line cut", "call_ended_because")]
)
def test_the_far_end_may_say_why_it_hangs_up(phrase, text):
    """RFC 3326 §2: its words are shown."""
    desk = Desk().talking()
    ref = desk.front
    desk.send(n.CallEnded(ref, by_us=False, phrase=phrase))
    assert desk.view.notice.text == text


def test_a_call_answered_elsewhere_is_not_missed():
    """RFC 3326 §2."""
    desk = Desk()
    desk.calls_us()
    ended = n.CallEnded(CallRef("in-1"), by_us=False, answered_elsewhere=True, phrase="elsewhere")
    desk.send(ended)
    assert desk.heard.records[-1].outcome is c.CallOutcome.ELSEWHERE
    assert desk.phone.state.missed == 0
