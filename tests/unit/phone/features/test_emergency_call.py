"""The emergency call stands above every other rule (RELIABILITY P10)."""

import pytest

from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.events import NetworkChanged, SettingsChanged
from firmware.phone.view import CallState, Mode
from firmware.sip import notifications as n
from firmware.sip.notifications import CallRef, FailureCause
from tests.support.desk import LINE, SECOND_LINE, Desk, only, sdp, settings


def test_it_goes_out_with_its_last_digit():
    desk = Desk()
    desk.lift()
    desk.press("91")
    placed = only(desk.press("1"), c.PlaceCall)
    assert [(x.target, x.emergency) for x in placed] == [("911", True)]


@pytest.mark.parametrize("down", ["not registered", "no network", "engine dead"])
def test_p10_it_goes_out_however_little_works(down):
    desk = Desk(registered=down != "not registered", engine=down != "engine dead")
    if down == "no network":
        desk.send(NetworkChanged(up=False))
    desk.lift()
    assert only(desk.press("911"), c.PlaceCall)[0].emergency


def test_every_line_is_tried_the_registered_ones_first():
    desk = Desk(settings(lines=("desk", "spare", "third")))
    desk.registration_fails(line=LINE)
    desk.lift()
    lines = [only(desk.press("911"), c.PlaceCall)[0].line]
    for status in (403, 503):
        failed = desk.call_fails(FailureCause.OTHER, status)
        lines += [x.line for x in only(failed, c.PlaceCall)]
    assert lines == ["spare", "third", "desk"]
    desk.call_fails(FailureCause.BUSY, 600)
    assert (desk.mode, desk.notice) == (Mode.RELEASED, "emergency_failed")
    assert len(desk.heard.records) == 1


def test_the_next_line_is_tried_when_there_is_no_sign_of_life():
    desk = Desk(settings(lines=("desk", "spare")))
    desk.lift()
    desk.press("911")
    commands = desk.wait(8)
    assert len(only(commands, c.EndCall)) == 1
    assert only(commands, c.PlaceCall)[0].line == SECOND_LINE
    desk.way_found()
    desk.far_end_rings()
    assert not only(desk.wait(60), c.EndCall), "it rings: nobody moves on"


def test_the_only_line_is_not_given_up():
    desk = Desk()
    desk.lift()
    desk.press("911")
    assert not only(desk.wait(30), c.EndCall)


def test_no_media_port_on_one_address_moves_on_to_the_next_line():
    desk = Desk(settings(lines=("desk", "spare")))
    desk.no_ports = True
    desk.lift()
    desk.press("911")
    commands = desk.way_found()
    assert only(commands, c.PlaceCall)[0].line == SECOND_LINE


def test_hanging_up_asks_for_a_second_press():
    desk = Desk()
    desk.lift()
    desk.press("911")
    assert not only(desk.send(a.HangUp()), c.EndCall)
    assert desk.notice == "emergency_hang_up_again"
    assert only(desk.send(a.HangUp()), c.EndCall)


def test_the_second_press_must_come_soon():
    desk = Desk()
    desk.lift()
    desk.press("911")
    desk.way_found()
    desk.far_end_answers()
    desk.send(a.HangUp())
    desk.wait(11)
    assert desk.notice is None
    assert not only(desk.send(a.HangUp()), c.EndCall)


def test_putting_the_handset_down_is_only_the_first_press():
    desk = Desk()
    desk.lift()
    desk.press("911")
    desk.way_found()
    desk.far_end_answers()
    assert not only(desk.put_down(), c.EndCall)
    assert desk.heard.talk.path is None
    assert desk.notice == "emergency_hang_up_again"
    desk.lift()
    assert desk.microphone is PathName.HANDSET
    assert only(desk.put_down(), c.EndCall)


def test_it_cannot_be_held():
    desk = Desk()
    desk.lift()
    desk.press("911")
    desk.way_found()
    desk.far_end_answers()
    assert not only(desk.send(a.Hold()), c.Reoffer)
    assert desk.notice == "emergency_no_hold"


def test_nobody_beeps_into_it_and_answering_does_not_displace_it():
    desk = Desk()
    desk.lift()
    desk.press("911")
    desk.way_found()
    desk.far_end_answers()
    front = desk.front
    desk.calls_us()
    assert desk.sounds == {}
    desk.send(a.Answer(CallRef("in-1")))
    assert desk.front == front


def test_a_call_back_is_never_turned_away_for_half_an_hour():
    desk = Desk(settings(max_calls=1))
    desk.lift()
    desk.press("911")
    desk.way_found()
    desk.far_end_answers()
    desk.far_end_hangs_up()
    desk.put_down()
    desk.calls_us("in-1")
    assert not only(desk.calls_us("in-2"), c.RejectCall)
    desk.wait(1801)
    assert not only(desk.calls_us("in-3"), c.RejectCall), "nobody is here any more"
    assert only(desk.calls_us("in-4"), c.RejectCall)


def test_what_is_merely_being_dialled_gives_way():
    desk = Desk()
    desk.send(a.Dial("201"))
    first = desk.front
    assert c.EndCall(first) in desk.send(a.Dial("911"))


def test_dialling_it_again_is_no_second_call():
    desk = Desk()
    desk.send(a.Dial("911"))
    assert not only(desk.send(a.Dial("911")), c.PlaceCall)


def test_while_it_is_up_nothing_else_is_dialled():
    desk = Desk()
    desk.send(a.Dial("911"))
    assert not only(desk.send(a.Dial("201")), c.PlaceCall)


def test_it_is_not_kept_for_redial():
    desk = Desk()
    desk.lift()
    desk.press("911")
    desk.call_fails(FailureCause.OTHER, 403)
    assert not only(desk.send(a.Redial()), c.PlaceCall)
    assert desk.heard.records[-1].redial == ""


def test_the_urn_of_emergencies_dials_the_countrys_number():
    desk = Desk()
    placed = only(desk.send(a.Dial("urn:service:sos.police")), c.PlaceCall)
    assert [(x.target, x.emergency) for x in placed] == [("911", True)]


def test_without_any_line_it_says_so():
    desk = Desk(settings(lines=()))
    desk.lift()
    desk.press("911")
    assert desk.notice == "emergency_failed"


def dialled(*lines):
    """911 has just gone out by the first of these lines."""
    desk = Desk(settings(lines=lines))
    desk.lift()
    desk.press("911")
    desk.way_found()
    return desk


def placed(commands):
    return [x.line for x in only(commands, c.PlaceCall)]


class TestALineAtWork:
    """A gateway says 100 at once and often needs 8 to 15 seconds until it rings there."""

    def test_p10_a_line_that_said_100_is_not_left_for_a_dead_one(self):
        desk = dialled("desk", "spare")
        desk.wait(0.1)
        desk.line_is_at_work()
        assert not only(desk.wait(11.9), c.EndCall)
        desk.far_end_rings()
        assert not only(desk.wait(120), c.EndCall)
        desk.far_end_answers()
        assert (desk.mode, desk.view.front_call.line) == (Mode.TALKING, LINE)

    def test_a_line_that_never_comes_to_ringing_is_left_after_a_minute(self):
        desk = dialled("desk", "spare")
        desk.line_is_at_work()
        assert placed(desk.wait(59)) == []
        assert placed(desk.wait(2)) == [SECOND_LINE]

    def test_a_line_that_says_100_over_and_over_does_not_hold_it_for_ever(self):
        desk = dialled("desk", "spare")
        moved = []
        for _ in range(7):
            desk.line_is_at_work()
            moved += placed(desk.wait(10))
        assert moved == [SECOND_LINE]

    def test_a_100_of_a_line_that_was_left_is_nobodys_business(self):
        desk = dialled("desk", "spare")
        left = desk.front
        desk.wait(8)
        desk.send(n.CallTrying(left))
        assert placed(desk.wait(9)) == [LINE]

    def test_a_100_of_an_ordinary_call_changes_nothing_one_could_hear(self):
        desk = Desk()
        desk.send(a.Dial("201"))
        desk.way_found()
        desk.line_is_at_work()
        assert desk.sounds == {}
        assert desk.view.front_call.state is CallState.PROCEEDING


class TestRoundAndRound:
    """It goes on until somebody answers, everybody has refused, or the person hangs up."""

    def test_after_the_last_line_it_begins_again_with_the_first(self):
        desk = dialled("desk", "spare")
        assert placed(desk.wait(40)) == [SECOND_LINE, LINE, SECOND_LINE, LINE, SECOND_LINE]
        assert len(desk.heard.calls) == 1

    def test_a_line_that_refused_is_not_asked_again(self):
        desk = dialled("desk", "spare", "third")
        assert placed(desk.call_fails(FailureCause.FORBIDDEN, 403)) == [SECOND_LINE]
        assert placed(desk.wait(24)) == ["third", SECOND_LINE, "third"]

    def test_the_last_that_is_left_may_take_its_time(self):
        desk = dialled("desk", "spare")
        desk.call_fails(FailureCause.FORBIDDEN, 403)
        assert placed(desk.wait(31)) == []
        assert placed(desk.call_fails(FailureCause.NO_ANSWER)) == [SECOND_LINE]

    def test_what_fails_at_once_is_tried_again_after_a_pause(self):
        desk = dialled("desk", "spare")
        assert placed(desk.call_fails(FailureCause.NO_NETWORK)) == [SECOND_LINE]
        assert placed(desk.call_fails(FailureCause.NO_NETWORK)) == []
        assert (desk.mode, desk.notice) == (Mode.CALLING, "emergency_again")
        assert desk.heard.calls == {}
        assert placed(desk.wait(4)) == [LINE]
        assert desk.notice == "emergency_trying"

    def test_without_a_network_it_is_tried_fifteen_times_a_minute_at_most(self):
        desk = dialled("desk")
        tries = 0
        for _ in range(60):
            if desk.heard.calls:
                desk.call_fails(FailureCause.NO_NETWORK)
            tries += len(placed(desk.wait(1)))
        assert 10 <= tries <= 15

    def test_dialling_it_again_in_the_pause_ends_the_pause(self):
        desk = dialled("desk")
        desk.call_fails(FailureCause.NO_NETWORK)
        assert placed(desk.send(a.Dial("911"))) == [LINE]
        assert len(desk.phone) == 1

    def test_hanging_up_in_the_pause_ends_it_without_a_word_to_the_stack(self):
        desk = dialled("desk")
        desk.call_fails(FailureCause.NO_NETWORK)
        desk.send(a.HangUp())
        assert not only(desk.send(a.HangUp()), c.EndCall)
        assert (len(desk.phone), desk.mode) == (0, Mode.OFF_HOOK)
        assert placed(desk.wait(30)) == []

    def test_the_program_stops_in_the_pause(self):
        desk = dialled("desk")
        desk.call_fails(FailureCause.NO_NETWORK)
        assert not only(desk.stop(), c.EndCall)
        assert len(desk.phone) == 0

    def test_a_line_taken_out_of_the_settings_is_not_tried_again(self):
        desk = dialled("desk", "spare")
        desk.send(SettingsChanged(settings(lines=("spare",))))
        assert placed(desk.wait(8)) == [SECOND_LINE]
        assert placed(desk.wait(30)) == []

    def test_an_answer_nobody_can_speak_moves_on(self):
        desk = dialled("desk", "spare")
        assert placed(desk.far_end_answers(sdp(18))) == [SECOND_LINE]
        assert placed(desk.call_fails(FailureCause.NO_ANSWER)) == [], "nor is it asked again"
        assert placed(desk.wait(4)) == [SECOND_LINE]

    def test_the_question_of_the_hang_up_stays_through_all_of_it(self):
        desk = dialled("desk")
        desk.send(a.HangUp())
        desk.call_fails(FailureCause.NO_NETWORK)
        assert desk.notice == "emergency_hang_up_again"
        assert placed(desk.wait(4)) == [LINE]
        assert desk.notice == "emergency_hang_up_again"
        assert only(desk.send(a.HangUp()), c.EndCall)


class TestMediaPorts:
    """The last port may be taken by a call of our own."""

    def test_p10_it_asks_for_any_port_there_is(self):
        desk = Desk()
        desk.send(a.Dial("911"))
        asked = only(desk.way_found(), c.ReserveMediaPort)
        assert [x.emergency for x in asked] == [True]

    def test_an_ordinary_call_keeps_to_the_range(self):
        desk = Desk()
        desk.send(a.Dial("201"))
        assert [x.emergency for x in only(desk.way_found(), c.ReserveMediaPort)] == [False]

    def test_p10_a_call_on_hold_gives_way_if_even_that_fails(self):
        desk = Desk().talking()
        held = desk.front
        desk.send(a.Dial("911"))
        desk.no_ports = 1
        commands = desk.way_found()
        assert c.EndCall(held) in commands
        assert len(only(commands, c.ReserveMediaPort)) == 2
        assert only(commands, c.SendOffer)
        assert [call.emergency for call in desk.view.calls] == [True]

    def test_when_nothing_is_left_to_give_way_it_is_tried_again(self):
        desk = Desk()
        desk.no_ports = True
        desk.send(a.Dial("911"))
        assert placed(desk.way_found()) == []
        assert desk.notice == "emergency_again"
        desk.no_ports = False
        assert placed(desk.wait(4)) == [LINE]
        assert only(desk.way_found(), c.SendOffer)


def test_why_a_call_failed_behind_another_is_logged_once():
    desk = Desk().talking()
    desk.send(a.Dial("202"))
    desk.no_ports = True
    desk.way_found()
    assert desk.notice == "call_no_port"
    assert desk.heard.logged.count("call_no_port") == 1
