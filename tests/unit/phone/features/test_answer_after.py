"""Callers that want to be answered by the phone itself, at once or after some seconds (A20)."""

import pytest

from firmware.config.schema import LineSettings, Settings
from firmware.media import messages as m
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.view import Mode
from firmware.sip.facts import AnswerWish, CallFacts
from firmware.sip.notifications import CallRef
from tests.support.desk import Desk, only

IN1, IN2 = CallRef("in-1"), CallRef("in-2")
AFTER = CallFacts(answer=AnswerWish.AUTO, answer_after=5.0)


def desk(how="trusted", *, tone=True):
    line = LineSettings("100", "pbx", name="desk", auto_answer=how, auto_answer_tone=tone)
    return Desk(Settings(lines=(line,)))


def beeps(commands):
    return [each.name for each in only(commands, m.PlayTone)].count("beep")


def test_a20_it_rings_first_and_answers_with_a_tone():
    phone = desk()
    assert c.SayRinging(IN1) in phone.calls_us(facts=AFTER)
    assert phone.mode is Mode.RINGING
    assert not only(phone.wait(4.9), c.AcceptCall)
    done = phone.wait(0.2)
    assert only(done, c.AcceptCall)[0].by_itself
    assert (phone.mode, beeps(done)) == (Mode.TALKING, 1)
    assert phone.microphone is not None


@pytest.mark.parametrize("how", ["never", "always"])
def test_a20_only_where_trusted_callers_may(how):
    phone = desk(how)
    now = phone.calls_us(facts=AFTER)
    assert bool(only(now, c.AcceptCall)) is (how == "always")
    assert not only(phone.wait(20), c.AcceptCall)


def test_a20_it_never_breaks_into_a_conversation():
    phone = desk().talking()
    phone.calls_us(facts=AFTER)
    assert not only(phone.wait(20), c.AcceptCall)
    assert phone.mode is Mode.TALKING
    phone.send(a.HangUp())
    assert not only(phone.wait(20), c.AcceptCall), "its moment is over: it rings"


def test_whoever_is_faster_answers_once():
    phone = desk()
    phone.calls_us(facts=AFTER)
    assert not only(phone.lift(), c.AcceptCall)[0].by_itself
    assert not only(phone.wait(20), c.AcceptCall)


def test_who_gives_up_is_not_answered():
    phone = desk()
    phone.calls_us(facts=AFTER)
    phone.far_end_hangs_up(IN1)
    assert not only(phone.wait(20), c.AcceptCall)
    assert phone.mode is Mode.IDLE


def test_of_two_the_one_in_front_is_answered_and_the_other_goes_on_ringing():
    phone = desk()
    phone.calls_us(facts=AFTER)
    phone.calls_us("in-2", facts=AFTER)
    accepted = only(phone.wait(20), c.AcceptCall)
    assert [each.call for each in accepted] == [IN1]
    assert [call.ref for call in phone.phone.state.ringing] == [IN2]


@pytest.mark.parametrize(
    ("facts", "told"), [(CallFacts(answer=AnswerWish.AUTO), True), (CallFacts(), False)]
)
def test_only_who_asked_is_told_that_nobody_has_answered(facts, told):
    """RFC 5373 §5.1: not everybody shall learn whether somebody is there."""
    phone = desk("always")
    assert only(phone.calls_us(facts=facts), c.AcceptCall)[0].by_itself is told


def test_that_a_person_has_answered_is_never_told():
    """RFC 5373 §5.1."""
    phone = desk("never")
    phone.calls_us(facts=CallFacts(answer=AnswerWish.AUTO))
    assert not only(phone.lift(), c.AcceptCall)[0].by_itself
