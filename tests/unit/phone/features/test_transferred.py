"""Being sent elsewhere, and having somebody sent to us."""

import pytest

from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.features.transferred import MOST_TIMES
from firmware.phone.view import Mode
from firmware.sip.notifications import CallRef, FailureCause, Party
from tests.support.desk import ANN, Desk, only, sdp, settings

BOB = Party("", "103", "sip:103@pbx.example")


@pytest.fixture
def desk():
    """Ann is on the line; gives (desk, her call)."""
    desk = Desk().talking()
    return desk, desk.front


def follows(desk, ann):
    """Ann sends us to 103; gives the new call."""
    desk.sends_us(ann, BOB)
    (followed,) = desk.heard.followed
    return followed.call


def test_we_call_whom_we_are_sent_to(desk):
    """RFC 5589 §6.1, the transferee; the old call ends when its far end says so."""
    desk, ann = desk
    new = follows(desk, ann)
    assert (desk.mode, desk.front, desk.notice) == (Mode.CALLING, new, "transferred_to")
    assert desk.microphone is None
    desk.way_found()
    desk.far_end_rings()
    desk.far_end_answers(remote=BOB)
    assert (desk.mode, desk.front, desk.microphone) == (Mode.TALKING, new, PathName.HANDSET)
    desk.far_end_hangs_up(ann)
    assert [call.ref for call in desk.view.calls] == [new]
    assert desk.front == new


def test_a_far_end_that_does_not_hang_up_is_left(desk):
    desk, ann = desk
    follows(desk, ann)
    desk.way_found()
    desk.far_end_answers(remote=BOB)
    done = desk.wait(11)
    assert [x.call for x in only(done, c.EndCall)] == [ann]


def test_a_target_that_is_busy_leads_back(desk):
    desk, ann = desk
    follows(desk, ann)
    desk.way_found()
    desk.call_fails(FailureCause.BUSY, 486)
    assert (desk.front, desk.notice) == (ann, "call_busy")
    assert desk.microphone is PathName.HANDSET


def test_the_old_call_may_end_at_once(desk):
    desk, ann = desk
    new = follows(desk, ann)
    desk.far_end_hangs_up(ann)
    assert desk.front == new
    desk.way_found()
    desk.call_fails(FailureCause.BUSY, 486)
    assert (desk.mode, desk.notice) == (Mode.RELEASED, "call_busy")


@pytest.mark.parametrize("how", ["hook", "key"])
def test_whoever_hangs_up_on_the_way_leaves_both(desk, how):
    desk, ann = desk
    new = follows(desk, ann)
    done = desk.put_down() if how == "hook" else desk.send(a.HangUp())
    assert {x.call for x in only(done, c.EndCall)} == {ann, new}
    assert len(desk.phone) == 0


def test_a_muted_microphone_stays_muted(desk):
    """A20: nobody is heard again because somebody else sent the call on."""
    desk, ann = desk
    desk.send(a.Mute())
    follows(desk, ann)
    desk.way_found()
    desk.far_end_answers(remote=BOB)
    assert desk.heard.muted


def test_a_held_call_that_is_sent_on_stays_on_hold(desk):
    desk, ann = desk
    desk.send(a.Hold())
    desk.holds_are_agreed()
    follows(desk, ann)
    desk.way_found()
    desk.far_end_answers(remote=BOB)
    assert desk.view.front_call.held
    assert desk.microphone is None


def test_a19_nobody_is_sent_to_an_emergency_number(desk):
    desk, ann = desk
    desk.sends_us(ann, Party("", "911", "sip:911@pbx.example"))
    assert [x.status for x in desk.heard.refused] == [403]


@pytest.mark.parametrize("number", ["09001234567", "0900-123 45 67", "1900"])
def test_a19_nobody_is_sent_to_a_costly_number(number):
    desk = Desk(settings(never_sent_to=("0900*", "1900"))).talking()
    desk.sends_us(desk.front, Party("", number, f"sip:{number}@pbx.example"))
    assert [x.status for x in desk.heard.refused] == [403]
    assert not desk.heard.followed


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("112", "sent_to_emergency"),
        ("+499001234567", "sent_to_costly"),
        ("*21*0123456#", "sent_to_code"),
    ],
)
def test_a19_the_screen_says_why_nobody_was_called(number, text):
    """A19: without a pattern in the settings, by the country's own table."""
    desk = Desk(settings(country="DE")).talking()
    ann = desk.front
    desk.sends_us(ann, Party("", number, f"sip:{number}@pbx.example"))
    assert [x.status for x in desk.heard.refused] == [403]
    assert desk.notice == text
    assert dict(desk.view.notice.args)["number"] == number
    assert desk.front == ann


def test_a19_an_emergency_call_is_not_led_away():
    desk = Desk()
    desk.lift()
    desk.press("911")
    desk.way_found()
    desk.far_end_answers()
    desk.sends_us(desk.front, BOB)
    assert [x.status for x in desk.heard.refused] == [403]


def test_a19_one_transfer_at_a_time(desk):
    """Who wants to make us dial again and again waits for each call."""
    desk, ann = desk
    new = follows(desk, ann)
    desk.sends_us(ann, BOB, "transfer-2")
    assert [x.status for x in desk.heard.refused] == [491]
    desk.sends_us(CallRef("nobody"), BOB, "transfer-3")
    assert [x.status for x in desk.heard.refused] == [491, 481]
    assert new


def replaces(desk, old, **more):
    """Somebody takes the place of a call of ours."""
    return desk.calls_us("in-9", caller=BOB, replaces=old, **more)


def test_somebody_is_sent_to_us(desk):
    """RFC 3891 §3: the new call is answered at once, the old one ends; no bell rings."""
    desk, ann = desk
    done = replaces(desk, ann)
    assert [x.call for x in only(done, c.AcceptCall)] == ["in-9"]
    assert [x.call for x in only(done, c.EndCall)] == [ann]
    assert not only(done, c.SayRinging)
    assert (desk.mode, desk.front, desk.notice) == (Mode.TALKING, "in-9", "call_replaced")
    assert desk.microphone is PathName.HANDSET
    desk.acknowledged("in-9")


def test_a20_somebody_sent_to_us_does_not_hear_a_muted_room(desk):
    desk, ann = desk
    desk.send(a.Mute())
    replaces(desk, ann)
    assert desk.front == "in-9"
    assert desk.heard.muted


def test_a_call_that_does_not_fit_changes_nothing(desk):
    """RFC 3891 §3: an error response, and the matched dialog is left unchanged."""
    desk, ann = desk
    done = replaces(desk, ann, body=sdp(77))
    assert [x.status for x in only(done, c.RejectCall)] == [488]
    assert (desk.mode, desk.front) == (Mode.TALKING, ann)


def test_a_held_call_is_replaced_by_a_held_call(desk):
    desk, ann = desk
    desk.send(a.Hold())
    desk.holds_are_agreed()
    replaces(desk, ann)
    assert desk.view.front_call.held
    assert desk.microphone is None


def test_a_call_that_has_just_ended_is_not_replaced(desk):
    """RFC 3891 §3: 603, and no bell."""
    desk, ann = desk
    desk.far_end_hangs_up(ann)
    done = replaces(desk, ann)
    assert [x.status for x in only(done, c.RejectCall)] == [603]
    assert not desk.heard.bell


def test_our_own_call_that_still_rings_is_replaced():
    """RFC 3891 §3: an early dialog of ours is cancelled."""
    desk = Desk()
    desk.lift()
    desk.dials("201")
    desk.way_found()
    desk.far_end_rings()
    calling = desk.front
    done = replaces(desk, calling)
    assert [x.call for x in only(done, c.EndCall)] == [calling]
    assert (desk.mode, desk.front) == (Mode.TALKING, "in-9")


def test_p11_a_closed_microphone_is_not_opened_from_outside(desk):
    """The call on hold with the handset down is replaced: nothing opens."""
    desk, ann = desk
    desk.send(a.Hold())
    desk.holds_are_agreed()
    desk.put_down()
    replaces(desk, ann)
    assert desk.heard.talk.path is None
    assert ANN


def test_a19_who_is_sent_round_in_circles_stays(desk):
    """Two far ends that send the phone to each other: ten calls, and no more."""
    desk, here = desk
    for round_ in range(MOST_TIMES):
        desk.sends_us(here, BOB, f"transfer-{round_}")
        here = desk.heard.followed[-1].call
        desk.way_found()
        desk.far_end_answers(remote=BOB)
        desk.wait(11)
    desk.sends_us(here, BOB, "one too many")
    assert [x.status for x in desk.heard.refused] == [482]
    assert desk.front == here
