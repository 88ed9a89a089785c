"""Who calls, who sent the call on, how it rings and who may be answered without a hand."""

import pytest

from firmware.config.schema import LineSettings, Settings
from firmware.phone import commands as c
from firmware.phone.view import Mode
from firmware.sip import notifications as n
from firmware.sip.facts import AnswerWish, CallFacts, RingKind
from firmware.sip.notifications import CallRef, Party
from tests.support.desk import Desk, only

BOB = Party("Bob", "102", "sip:102@pbx")
JANE = Party("Jane", "205", "sip:205@pbx")


def trusted(how="trusted"):
    return Desk(Settings(lines=(LineSettings("100", "pbx", name="desk", auto_answer=how),)))


def connected(desk, party, ref=None):
    return desk.send(n.ConnectedParty(ref or desk.front, party))


def test_a_call_that_was_sent_on_names_who_sent_it():
    desk = Desk()
    desk.calls_us(diverted_by=BOB, facts=CallFacts(subject="Lunch"))
    call = desk.view.front_call
    assert (call.name, call.diverted_by, call.subject) == ("Ann", "Bob", "Lunch")


def test_one_sent_on_by_a_number_without_a_name():
    desk = Desk()
    desk.calls_us(diverted_by=Party("", "102", "sip:102@pbx"))
    assert desk.view.front_call.diverted_by == "102"


@pytest.mark.parametrize(
    ("kind", "bell"),
    [
        (RingKind.USUAL, (2.0, 4.0)),
        (RingKind.EXTERNAL, (2.0, 4.0)),
        (RingKind.INTERNAL, (0.4, 0.2, 0.4, 3.0)),
        (RingKind.PRIORITY, (0.5, 0.5)),
        (RingKind.SHORT, (0.4, 9.6)),
        (RingKind.NONE, ()),
    ],
)
def test_each_kind_of_call_has_its_ring(kind, bell):
    desk = Desk()
    desk.calls_us(facts=CallFacts(ring=kind))
    assert desk.heard.bell == bell
    assert ("ring" in desk.sounds) is bool(bell)
    assert desk.heard.lamps["ring"].value == "fast"  # it is seen in any case
    desk.put_down()


def test_who_really_answered_is_shown():
    """RFC 4916 §1: the person who dialled a group hears from one of its people."""
    desk = Desk().talking()
    connected(desk, JANE)
    assert (desk.view.front_call.name, desk.view.front_call.user) == ("Jane", "205")


def test_the_same_person_without_a_name_keeps_the_name():
    desk = Desk().talking()
    connected(desk, JANE)
    connected(desk, Party("", "205", "sip:205@pbx"))
    assert desk.view.front_call.name == "Jane"


def test_the_call_list_names_who_answered():
    desk = Desk().talking()
    connected(desk, JANE)
    desk.put_down()
    desk.wait(2)
    assert desk.heard.records[-1].name == "Jane"


def test_a_call_that_is_over_changes_no_more():
    desk = Desk()
    assert connected(desk, JANE, CallRef("gone")) == []


def test_the_number_of_an_emergency_call_stays_on_the_screen():
    desk = Desk()
    desk.lift()
    desk.press("911")
    before = desk.view.front_call
    connected(desk, JANE)
    assert desk.view.front_call == before


class TestAnswerMode:
    """RFC 5373 §4.5.1, attack A20."""

    @pytest.mark.parametrize("wish", [AnswerWish.AUTO, AnswerWish.PRIVILEGED])
    def test_a20_a_trusted_line_answers_who_asks(self, wish):
        desk = trusted()
        commands = desk.calls_us(facts=CallFacts(answer=wish))
        assert only(commands, c.AcceptCall)
        assert desk.mode is Mode.TALKING

    def test_a20_by_default_nobody_opens_the_microphone_from_afar(self):
        desk = trusted(LineSettings("100", "pbx").auto_answer)
        for number, wish in enumerate(AnswerWish):
            commands = desk.calls_us(f"in-{number}", facts=CallFacts(answer=wish))
            assert not only(commands, c.AcceptCall)
        assert desk.microphone is None

    def test_a_person_is_asked_where_the_caller_wants_a_person(self):
        desk = trusted("always")
        assert not only(desk.calls_us(facts=CallFacts(answer=AnswerWish.MANUAL)), c.AcceptCall)
        assert desk.mode is Mode.RINGING

    @pytest.mark.parametrize("how", ["never", "trusted"])
    def test_who_must_be_answered_at_once_or_not_at_all_is_refused(self, how):
        desk = trusted(how)
        if how == "trusted":
            desk.talking()
        facts = CallFacts(answer=AnswerWish.AUTO, answer_required=True)
        commands = desk.calls_us(facts=facts)
        assert only(commands, c.RejectCall)[0].status == 403
        assert desk.heard.records[-1].outcome.value == "missed"

    def test_who_wants_to_be_answered_after_seconds_rings_first(self):
        desk = trusted()
        desk.calls_us(facts=CallFacts(answer=AnswerWish.AUTO, answer_after=5.0))
        assert desk.mode is Mode.RINGING
