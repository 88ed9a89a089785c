"""A refused call that says when to try again, and the offer to do so when it is time."""

import pytest

from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.texts import how_long
from firmware.phone.view import Mode
from firmware.sip import notifications as n
from firmware.sip.names import FailureCause
from firmware.ui.text import Texts
from tests.support.desk import Desk, only

TEXTS = Texts.load()


def refused(status, cause, after=0, phrase="No"):
    desk = Desk()
    desk.send(a.Dial("201"))
    desk.way_found()
    ended = n.CallEnded(desk.front, False, cause, status, phrase, retry_after=after)  # noqa: FBT003 - by the far end
    desk.heard.calls.pop(desk.front)
    desk.send(ended)
    return desk


def said(desk):
    notice = desk.view.notice
    return TEXTS.say(notice.text, **dict(notice.args))


@pytest.mark.parametrize(
    ("status", "cause", "after", "words"),
    [
        (486, FailureCause.BUSY, 120, "201 is busy: try again in 2 min"),
        (480, FailureCause.NO_ANSWER, 45, "201 does not answer: try again in 45 s"),
        (503, FailureCause.SERVER_ERROR, 300, "The server is overloaded: try again in 5 min"),
        (603, FailureCause.DECLINED, 7200, "201 declined: try again in 2 h"),
        (404, FailureCause.NOT_FOUND, 60, "The call failed (404): try again in 60 s"),
        (503, FailureCause.SERVER_ERROR, 0, "The server is overloaded or down (503)"),
        (380, FailureCause.MOVED, 0, "201 is reached by another service only"),
        (607, FailureCause.UNWANTED, 0, "201 does not want calls from you"),
        (608, FailureCause.DECLINED, 0, "A filter on the way refused the call"),
        (433, FailureCause.ANONYMITY, 0, "201 takes no calls from callers who hide"),
        (499, FailureCause.OTHER, 0, "201 refused the call: 499 No"),
        (699, FailureCause.OTHER, 0, "No phone of 201 takes the call: 699 No"),
    ],
)
def test_why_it_was_refused_and_when_to_try_again(status, cause, after, words):
    """RFC 3261 §20.33, §21.5.4."""
    assert said(refused(status, cause, after)) == words


def test_when_it_is_time_redial_is_offered_and_calls():
    desk = refused(486, FailureCause.BUSY, 120)
    desk.put_down()
    desk.wait(119)
    assert (desk.mode, desk.view.notice) == (Mode.IDLE, None)
    desk.wait(2)
    assert said(desk) == "201 may be called again: press Redial"
    (placed,) = only(desk.send(a.Redial()), c.PlaceCall)
    assert placed.target == "201"


@pytest.mark.parametrize("meanwhile", ["dials", "talks"])
def test_whoever_has_moved_on_is_not_reminded(meanwhile):
    desk = refused(486, FailureCause.BUSY, 120)
    desk.put_down()
    desk.calls_us() if meanwhile == "talks" else desk.send(a.Dial("202"))
    if meanwhile == "talks":
        desk.lift()
    desk.wait(121)
    assert desk.view.notice is None or desk.view.notice.text != "call_worth_trying"


def test_tomorrow_is_too_far():
    desk = refused(486, FailureCause.BUSY, 86_400)
    desk.put_down()
    desk.wait(86_500)
    assert desk.view.notice is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 s"), (99, "99 s"), (100, "2 min"), (5999, "100 min"), (6000, "2 h")],
)
def test_a_time_in_one_unit(seconds, words):
    assert how_long(seconds) == words
