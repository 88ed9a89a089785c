"""Sending a call elsewhere: by key, with and without talking to the target first."""

import pytest

from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.view import Mode, TransferStage
from firmware.sip import notifications as n
from firmware.sip.notifications import CallRef, FailureCause, Party
from tests.support.desk import Desk, only, settings

BOB = Party("Bob", "103", "sip:103@pbx.example")
KEY = a.Transfer()


@pytest.fixture
def desk():
    """Ann is on the line; gives (desk, her call)."""
    desk = Desk().talking()
    return desk, desk.front


def consults(desk, number="103", *, answered=True):
    """Press transfer, dial, and perhaps talk to the target; gives the call with it."""
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.dials(number)
    desk.way_found()
    desk.far_end_rings()
    if answered:
        desk.far_end_answers(remote=BOB)
    return desk.front


def sent(commands):
    """Who was sent where, with which call."""
    return [(x.call, x.target, x.consultation) for x in only(commands, c.TransferCall)]


def test_the_key_puts_the_far_end_on_hold_and_gives_dial_tone(desk):
    desk, ann = desk
    done = desk.send(KEY)
    assert [x.call for x in only(done, c.Reoffer)] == [ann]
    assert desk.mode is Mode.OFF_HOOK
    assert desk.sounds == {"progress": PathName.HANDSET}
    assert desk.microphone is None
    assert desk.view.transferee == ann


def test_blind_transfer(desk):
    """RFC 5359 §2.4: hold, number, key; our call ends when the target has answered."""
    desk, ann = desk
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.press("103")
    assert sent(desk.send(KEY)) == [(ann, "103", None)]
    assert (desk.mode, desk.front) == (Mode.TALKING, ann)
    assert desk.view.transfer.stage is TransferStage.ASKED
    desk.transfer_goes(ann, 100)
    assert desk.view.transfer.stage is TransferStage.WORKING
    desk.transfer_goes(ann, 180)
    assert desk.view.transfer.stage is TransferStage.RINGING
    done = desk.transfer_succeeds(ann)
    assert [x.call for x in only(done, c.EndCall)] == [ann]
    assert desk.notice == "transfer_done"
    assert (desk.mode, len(desk.phone)) == (Mode.OFF_HOOK, 0)
    desk.put_down()
    assert desk.mode is Mode.IDLE


def test_nobody_is_sent_before_the_hold_is_agreed(desk):
    """RFC 5589 §6.1: hold first; REFER and re-INVITE do not cross."""
    desk, ann = desk
    assert not sent(desk.send(a.Transfer("103")))
    assert desk.view.transfer.stage is TransferStage.HOLDING
    assert sent(desk.send(n.ReofferAnswered(ann, b""))) == [(ann, "103", None)]


def test_a_hold_that_is_refused_does_not_keep_the_transfer_back(desk):
    desk, ann = desk
    desk.send(a.Transfer("103"))
    assert sent(desk.send(n.ReofferRejected(ann, 488, ""))) == [(ann, "103", None)]


@pytest.mark.parametrize(
    ("cause", "status", "text"),
    [
        (FailureCause.BUSY, 486, "transfer_busy"),
        (FailureCause.NO_ANSWER, 408, "transfer_no_answer"),
        (FailureCause.NOT_FOUND, 404, "transfer_not_found"),
        (FailureCause.SERVER_ERROR, 500, "transfer_failed"),
    ],
)
def test_a_failure_returns_to_the_held_call_and_says_why(desk, cause, status, text):
    desk, ann = desk
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.press("103")
    desk.send(KEY)
    desk.transfer_fails(ann, cause, status)
    assert (desk.mode, desk.front, desk.notice) == (Mode.TALKING, ann, text)
    assert desk.view.front_call.held
    assert desk.microphone is None
    assert desk.view.transfer is None
    desk.send(a.Resume())
    assert desk.microphone is PathName.HANDSET


def test_a_far_end_that_cannot_be_transferred(desk):
    desk, ann = desk
    desk.send(a.Transfer("103"))
    desk.holds_are_agreed()
    desk.transfer_fails(ann, FailureCause.OTHER, 501, reached=False)
    assert desk.notice == "transfer_refused"


def test_attended_transfer_by_the_key(desk):
    desk, ann = desk
    bob = consults(desk)
    assert desk.microphone is PathName.HANDSET
    assert sent(desk.send(KEY)) == [(ann, "103", bob)]
    # The target's phone ends our call when the new one has taken its place.
    desk.far_end_hangs_up(bob)
    assert desk.front == ann
    desk.transfer_succeeds(ann)
    assert len(desk.phone) == 0
    assert desk.notice == "transfer_done"
    assert [x.outcome for x in desk.heard.records] == [c.CallOutcome.ANSWERED] * 2


def test_attended_transfer_by_putting_the_handset_down(desk):
    desk, ann = desk
    bob = consults(desk)
    assert sent(desk.put_down()) == [(ann, "103", bob)]
    assert desk.microphone is None
    assert set(desk.heard.calls) == {ann, bob}
    done = desk.transfer_succeeds(ann)
    assert {x.call for x in only(done, c.EndCall)} == {ann, bob}
    assert desk.mode is Mode.IDLE


def test_putting_the_handset_down_while_the_target_rings(desk):
    """RFC 5589 §7.6: semi-attended; our own call ends, the other party is sent there."""
    desk, ann = desk
    bob = consults(desk, answered=False)
    done = desk.put_down()
    assert [x.call for x in only(done, c.EndCall)] == [bob]
    assert sent(done) == [(ann, "103", None)]


def test_the_key_while_the_target_rings(desk):
    desk, ann = desk
    bob = consults(desk, answered=False)
    done = desk.send(KEY)
    assert [x.call for x in only(done, c.EndCall)] == [bob]
    assert sent(done) == [(ann, "103", None)]
    assert desk.front == ann


def test_by_rule_the_handset_ends_the_consultation_only():
    desk = Desk(settings(transfer_on_hang_up=False)).talking()
    ann = desk.front
    bob = consults(desk)
    done = desk.put_down()
    assert not sent(done)
    assert [x.call for x in only(done, c.EndCall)] == [bob]
    assert desk.front == ann
    assert desk.view.front_call.held


def test_the_end_key_returns_to_whoever_waits(desk):
    desk, ann = desk
    bob = consults(desk)
    done = desk.send(a.HangUp())
    assert [x.call for x in only(done, c.EndCall)] == [bob]
    assert not sent(done)
    assert (desk.front, desk.microphone, desk.view.transferee) == (ann, None, None)


def test_a_busy_target_returns_to_whoever_waits(desk):
    desk, ann = desk
    desk.send(KEY)
    desk.dials("103")
    desk.way_found()
    desk.call_fails(FailureCause.BUSY, 486)
    assert (desk.front, desk.notice) == (ann, "call_busy")
    assert desk.view.transferee is None


def test_two_calls_swap(desk):
    desk, ann = desk
    bob = consults(desk)
    desk.send(a.Resume(ann))
    desk.holds_are_agreed()
    assert desk.front == ann
    held = {call.ref: call.held for call in desk.view.calls}
    assert held == {ann: False, bob: True}
    assert sent(desk.send(KEY)) == []
    desk.holds_are_agreed()
    assert list(desk.heard.transfers) == [ann]


@pytest.mark.parametrize("leave", [a.HangUp(), a.Dismiss(), KEY])
def test_changing_ones_mind_returns_to_the_held_call(desk, leave):
    desk, ann = desk
    desk.send(KEY)
    desk.send(leave)
    assert (desk.mode, desk.front, desk.microphone) == (Mode.TALKING, ann, None)
    assert desk.view.transferee is None


def test_the_handset_down_before_a_number_keeps_the_call_on_hold(desk):
    desk, ann = desk
    desk.send(KEY)
    desk.put_down()
    assert desk.front == ann
    assert desk.view.front_call.held


def test_nothing_dialled_returns_to_the_held_call(desk):
    desk, ann = desk
    desk.send(KEY)
    desk.wait(20)
    assert (desk.front, desk.mode) == (ann, Mode.TALKING)


def test_a_wrong_number_returns_to_the_held_call(desk):
    desk, ann = desk
    desk.send(KEY)
    desk.dials("103")
    desk.call_fails(FailureCause.NO_NETWORK)
    assert desk.front == ann


def test_whoever_waits_may_hang_up_while_the_target_is_dialled(desk):
    desk, ann = desk
    desk.send(KEY)
    desk.press("10")
    desk.far_end_hangs_up(ann)
    assert desk.mode is Mode.DIALLING
    assert desk.view.transferee is None
    desk.dials("3")
    assert desk.mode is Mode.CALLING


def test_the_transferred_party_may_hang_up_early(desk):
    """Some far ends do not wait for our BYE: they have agreed, so it counts as done."""
    desk, ann = desk
    desk.send(a.Transfer("103"))
    desk.holds_are_agreed()
    desk.transfer_goes(ann, 100)
    done = desk.far_end_hangs_up(ann)
    assert desk.notice == "transfer_done"
    assert not only(done, c.EndCall)
    assert desk.transfer_succeeds(ann) == []


def test_a_party_that_never_agreed_has_simply_hung_up(desk):
    desk, ann = desk
    desk.send(a.Transfer("103"))
    desk.holds_are_agreed()
    desk.far_end_hangs_up(ann)
    assert desk.notice == "call_ended"


def test_an_attended_transfer_that_fails_leaves_both_calls(desk):
    desk, ann = desk
    bob = consults(desk)
    desk.send(KEY)
    desk.transfer_fails(ann, FailureCause.NOT_FOUND, 404)
    assert (desk.front, desk.microphone) == (bob, PathName.HANDSET)
    assert desk.view.transferee == ann
    assert sent(desk.send(KEY)) == [(ann, "103", bob)]


def test_an_attended_transfer_that_fails_with_the_handset_down_holds_both(desk):
    desk, ann = desk
    bob = consults(desk)
    desk.put_down()
    desk.transfer_fails(ann, FailureCause.NOT_FOUND, 404)
    assert {call.ref: call.held for call in desk.view.calls} == {ann: True, bob: True}
    assert desk.microphone is None
    assert desk.notice == "transfer_not_found"


def test_the_end_key_does_not_break_a_transfer_under_way(desk):
    """Transfer, then the end key at once: what many people do."""
    desk, ann = desk
    bob = consults(desk)
    desk.send(KEY)
    done = desk.send(a.HangUp())
    assert not only(done, c.EndCall)
    assert desk.microphone is None
    desk.transfer_succeeds(ann)
    assert len(desk.phone) == 0
    assert bob


def test_complaint_25_attended_transfer_wrong(desk):
    """The two calls that end are the two that were joined; a third one goes on."""
    desk, ann = desk
    desk.send(a.Hold())
    desk.holds_are_agreed()
    desk.calls_us("in-7", caller=Party("Cid", "104", "sip:104@pbx"))
    desk.send(a.Answer())
    desk.acknowledged("in-7")
    cid = CallRef("in-7")
    bob = consults(desk)
    desk.send(KEY)
    assert list(desk.heard.transfers) == [cid]
    assert desk.heard.transfers[cid].consultation == bob
    done = desk.transfer_succeeds(cid)
    assert {x.call for x in only(done, c.EndCall)} == {cid, bob}
    assert [call.ref for call in desk.view.calls] == [ann]


def test_f51_three_incoming_calls_hold_and_transfer(desk):
    desk, ann = desk
    for number in range(3):
        desk.calls_us(f"in-{number}")
    desk.send(KEY)
    desk.holds_are_agreed()
    desk.press("103")
    desk.send(KEY)
    assert list(desk.heard.transfers) == [ann]
    desk.transfer_succeeds(ann)
    assert desk.mode is Mode.RINGING
    desk.send(a.Answer())
    assert desk.mode is Mode.TALKING
    assert [call.state.value for call in desk.view.calls].count("ringing_here") == 2


def test_a_plain_second_call_is_not_joined_by_hanging_up(desk):
    """Hold, dial, hang up: nobody asked for a transfer."""
    desk, ann = desk
    desk.send(a.Dial("103"))
    desk.way_found()
    desk.far_end_answers(remote=BOB)
    done = desk.put_down()
    assert not sent(done)
    assert desk.front == ann


def test_two_calls_are_joined_by_pressing_the_key_twice(desk):
    desk, ann = desk
    desk.send(a.Dial("103"))
    desk.way_found()
    desk.far_end_answers(remote=BOB)
    bob = desk.front
    desk.send(KEY, KEY)
    desk.holds_are_agreed()
    assert list(desk.heard.transfers) == [bob]
    assert desk.heard.transfers[bob].consultation == ann


def test_emergency_is_neither_transferred_nor_a_target(desk):
    desk, ann = desk
    assert desk.phone.refusal(a.Transfer("911")).text == "transfer_emergency"
    desk.send(a.Dial("911"))
    assert desk.phone.refusal(a.Transfer("103", desk.front)).text in (
        "no_call_up",
        "emergency_no_hold",
    )
    assert ann


def test_what_cannot_be_transferred_says_so():
    desk = Desk()
    assert desk.phone.refusal(KEY).text == "no_call_up"
    desk.talking()
    assert desk.phone.refusal(a.Transfer("...")).text == "call_not_dialable"
    assert desk.phone.refusal(a.Transfer(to=CallRef("nobody"))).text == "transfer_only_answered"
    desk.send(a.Transfer("103"))
    assert desk.phone.refusal(KEY).text == "transfer_under_way"


def test_emergency_dialled_instead_of_a_target(desk):
    desk, ann = desk
    desk.send(KEY)
    desk.press("911")
    assert desk.view.front_call.emergency
    assert desk.view.transferee is None
    assert ann
