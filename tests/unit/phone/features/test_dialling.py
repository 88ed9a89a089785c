"""Digits before a call."""

import pytest

from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.view import Mode
from firmware.sip.notifications import FailureCause
from tests.support.desk import Desk, only, settings


def test_lifting_gives_dial_tone_and_the_first_digit_ends_it():
    desk = Desk()
    desk.lift()
    assert (desk.mode, desk.sounds) == (Mode.OFF_HOOK, {"progress": PathName.HANDSET})
    assert desk.microphone is None
    desk.press("2")
    assert (desk.mode, desk.sounds, desk.view.digits) == (Mode.DIALLING, {}, "2")


def test_each_key_is_heard_once_as_its_pair_of_tones():
    desk = Desk()
    desk.lift()
    key = only(desk.press("5"), m.PlayTone)[0]
    assert key.segments[0].frequencies == (770.0, 1336.0)
    assert key.repeat_from == -1
    assert key.path is PathName.HANDSET


def test_the_clock_starts_again_with_each_digit():
    desk = Desk()
    desk.lift()
    for digit in "2345":
        assert not only(desk.press(digit) + desk.wait(3.5), c.PlaceCall)
    assert only(desk.wait(1), c.PlaceCall)[0].target == "2345"


def test_dial_now_and_pound_do_not_wait():
    now, pound = Desk(), Desk()
    for desk in (now, pound):
        desk.lift()
        desk.press("201")
    assert only(now.send(a.DialNow()), c.PlaceCall)[0].target == "201"
    assert only(pound.press("#"), c.PlaceCall)[0].target == "201"


def test_pound_belongs_to_a_code():
    desk = Desk()
    desk.lift()
    assert not only(desk.press("*21#"), c.PlaceCall)
    assert only(desk.wait(4), c.PlaceCall)[0].target == "*21#"


def test_backspace_takes_digits_back_until_there_is_dial_tone():
    desk = Desk()
    desk.lift()
    desk.press("20")
    desk.send(a.Backspace())
    assert desk.view.digits == "2"
    desk.send(a.Backspace())
    assert (desk.mode, desk.sounds) == (Mode.OFF_HOOK, {"progress": PathName.HANDSET})


def test_on_hook_digits_wait_for_the_handset():
    desk = Desk()
    desk.press("201")
    assert (desk.mode, desk.view.digits) == (Mode.DIALLING, "201")
    assert desk.heard.talk.path is None
    assert not only(desk.wait(10), c.PlaceCall)
    assert only(desk.lift(), c.PlaceCall)[0].target == "201"
    assert desk.heard.talk.path is PathName.HANDSET


def test_on_hook_digits_and_the_speaker_key():
    desk = Desk()
    desk.press("201")
    assert only(desk.send(a.SelectPath(PathName.SPEAKER)), c.PlaceCall)


def test_on_hook_digits_are_forgotten_after_a_while():
    desk = Desk()
    desk.press("201")
    desk.wait(21)
    assert (desk.mode, desk.view.digits) == (Mode.IDLE, "")


def test_redial():
    desk = Desk()
    desk.lift()
    desk.dials("201")
    desk.call_fails(FailureCause.BUSY)
    desk.put_down()
    assert only(desk.send(a.Redial()), c.PlaceCall)[0].target == "201"


def test_without_a_last_number_redial_does_nothing():
    desk = Desk()
    assert not only(desk.send(a.Redial()), c.PlaceCall)
    assert desk.notice == "nothing_to_redial"


def test_an_unregistered_phone_tells_after_a_second_why_there_is_no_dial_tone():
    desk = Desk(registered=False)
    desk.registration_fails(FailureCause.WRONG_PASSWORD)
    desk.lift()
    assert desk.sounds == {}
    desk.wait(1.0)
    assert desk.sounds == {"progress": PathName.HANDSET}
    assert desk.heard.tones["progress"].segments[0].seconds == 0.25
    assert desk.notice == "line_wrong_password"


def test_dial_tone_comes_as_soon_as_the_line_does():
    desk = Desk(registered=False)
    desk.lift()
    desk.wait(1.5)
    assert desk.notice == "line_trying"
    desk.registers()
    assert desk.heard.tones["progress"].segments[0].seconds == 0.0
    assert desk.notice is None


def test_dial_tone_goes_when_the_line_does():
    desk = Desk()
    desk.lift()
    desk.registration_fails(FailureCause.NO_ANSWER)
    assert desk.sounds == {}
    desk.wait(1.5)
    assert desk.notice == "line_no_answer"


def test_a_number_on_an_unregistered_phone_gets_the_reason():
    desk = Desk(registered=False)
    desk.registration_fails(FailureCause.FORBIDDEN)
    desk.lift()
    assert not only(desk.dials("201"), c.PlaceCall)
    assert (desk.mode, desk.notice) == (Mode.RELEASED, "line_forbidden")


def test_a_longer_declared_number_makes_the_emergency_number_wait_for_the_clock():
    desk = Desk(settings(emergency=("9112",)))
    desk.lift()
    assert not only(desk.press("911"), c.PlaceCall)
    placed = only(desk.wait(4), c.PlaceCall)
    assert [(x.target, x.emergency) for x in placed] == [("911", True)]


def test_an_emergency_number_typed_on_hook_opens_the_loudspeaker():
    desk = Desk()
    assert only(desk.press("911"), c.PlaceCall)[0].emergency
    assert desk.heard.talk.path is PathName.SPEAKER


def test_typed_while_it_rings_only_an_emergency_number_counts():
    desk = Desk()
    desk.calls_us()
    desk.press("201")
    assert desk.mode is Mode.RINGING
    assert only(desk.press("911"), c.PlaceCall)[0].emergency


@pytest.mark.parametrize("junk", ["", "12", "x", " "])
def test_what_is_no_digit_is_not_collected(junk):
    desk = Desk()
    desk.lift()
    desk.send(a.Digit(junk))
    assert desk.mode is Mode.OFF_HOOK
