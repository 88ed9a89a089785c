"""A wish that cannot be met is answered with a sentence, on the screen and in the log."""

from typing import get_args

import pytest

from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.machine import WHY_NOT
from firmware.phone.view import Mode
from firmware.sip.notifications import CallRef
from hal.events import HookLifted
from tests.support.desk import Desk, only, settings


def in_emergency():
    desk = Desk()
    desk.lift()
    desk.press("911")
    desk.way_found()
    desk.far_end_answers()
    return desk


def test_only_wishes_are_refused():
    assert set(WHY_NOT) <= set(get_args(a.Action))
    assert Desk().phone.refusal(HookLifted(0.0)) is None


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (a.Redial(), "nothing_to_redial"),
        (a.Answer(), "no_call_rings"),
        (a.Answer(CallRef("in-9")), "no_call_rings"),
        (a.Hold(), "no_call_up"),
        (a.Resume(), "no_call_up"),
        (a.SendDtmf("1"), "no_call_up"),
        (a.Mute(), "no_call_to_mute"),
        (a.SelectPath(PathName.HANDSET), "path_on_hook"),
        (a.SelectPath(PathName.RINGER), "path_not_for_talk"),
    ],
    ids=str,
)
def test_at_rest(wish, said):
    desk = Desk()
    assert desk.phone.refusal(wish).text == said
    assert desk.send(wish) == [c.LogNotice(said, desk.view.notice.args)]
    assert (desk.mode, desk.notice) == (Mode.IDLE, said)
    desk.wait(5)
    assert desk.notice is None


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (a.Redial(), "call_in_the_way"),
        (a.Dial("*#600"), "call_in_the_way"),
        (a.Dial("201"), "emergency_nothing_else"),
        (a.Hold(), "emergency_no_hold"),
        (a.Answer(CallRef("in-1")), "emergency_no_hold"),
    ],
    ids=str,
)
def test_p10_in_an_emergency_call(wish, said):
    desk = in_emergency()
    desk.calls_us("in-1")
    assert desk.phone.refusal(wish).text == said


def test_a_number_dialled_in_an_emergency_call_is_refused_in_words():
    desk = in_emergency()
    assert not only(desk.send(a.Dial("201")), c.PlaceCall)
    assert (desk.mode, desk.notice) == (Mode.TALKING, "emergency_nothing_else")


def test_what_a_person_may_do_in_a_call_is_not_refused():
    desk = Desk().talking()
    for wish in (a.Hold(), a.Mute(), a.SendDtmf("1"), a.SelectPath(PathName.SPEAKER), a.Dial("7")):
        assert desk.phone.refusal(wish) is None


def test_the_path_in_use_may_always_be_put_down():
    desk = Desk(paths=(PathName.SPEAKER,), has_hook=False)
    desk.send(a.SelectPath(PathName.SPEAKER))
    assert desk.phone.refusal(a.SelectPath(PathName.SPEAKER)) is None


def test_why_a_call_failed_stays_in_sight():
    desk = Desk(settings(max_calls=1)).talking()
    desk.far_end_hangs_up()
    desk.send(a.Mute())
    assert (desk.mode, desk.notice) == (Mode.RELEASED, "call_ended")
    assert desk.heard.logged[-1] == "no_call_to_mute"


def test_a_refused_number_leaves_the_call_that_is_up_alone():
    desk = Desk(settings(max_calls=1)).talking()
    assert not only(desk.send(a.Dial("202")), c.Reoffer)
    assert not desk.view.front_call.held
