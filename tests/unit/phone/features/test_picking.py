"""Pickup of a call that rings at somebody we watch."""

import pytest

from firmware.config.schema import LineSettings, Settings
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.view import Mode
from firmware.sip.event.dialog_info import DialogEntry, DialogInfo, Participant, Phase
from firmware.sip.notifications import CallRef, EventReceived, SubscriptionProgress
from firmware.ui.softkeys import soft_keys
from tests.support.desk import LINE, Desk, only
from tests.unit.phone.features.test_watching import BLF, goes

ANN = Participant("sip:201@pbx", "Ann", "sip:ann@192.0.2.7")


def a_desk(**more):
    line = LineSettings(user="100", server="pbx", name="desk", watch=("102",), **more)
    desk = Desk(Settings(lines=(line,)))
    goes(desk, SubscriptionProgress.ACTIVE)
    return desk


def rings(desk, phase=Phase.EARLY, *, initiator=False, remote=ANN, call_id="abc@x", **more):
    tags = more.get("tags", ("theirs", "anns"))
    entry = DialogEntry("d1", phase, initiator, call_id, *tags, Participant("sip:102@pbx"), remote)
    return desk.send(EventReceived(BLF, LINE, "dialog", DialogInfo("sip:102@pbx", (entry,))))


def placed(commands):
    [call] = only(commands, c.PlaceCall)
    return call


def test_the_caller_is_called_in_the_place_of_the_call_that_rings():
    """RFC 5359 §2.16, RFC 3891 §3: the tags as the caller sees them, only while it rings."""
    desk = a_desk()
    rings(desk)
    call = placed(desk.send(a.PickUp("102")))
    assert call.target == "sip:201@pbx"
    assert str(call.replaces) == "abc@x;to-tag=anns;from-tag=theirs;early-only"
    assert desk.mode is Mode.CALLING
    assert (desk.view.front_call.name, desk.view.front_call.user) == ("Ann", "201")


def test_a_caller_from_elsewhere_is_called_where_they_are():
    desk = a_desk()
    rings(desk, remote=Participant("sip:0301234@gateway", "Ann", "sip:ann@192.0.2.7"))
    assert placed(desk.send(a.PickUp())).target == "sip:ann@192.0.2.7"
    rings(desk, remote=Participant("", "Ann", "sip:ann@192.0.2.7"))
    assert placed(desk.send(a.PickUp())).target == "sip:ann@192.0.2.7"


def test_without_a_name_it_is_the_one_that_rings():
    desk = a_desk()
    rings(desk)
    assert placed(desk.send(a.PickUp())).replaces is not None


def test_a_code_of_the_pbx_stands_above():
    desk = a_desk(pickup="*8")
    rings(desk, tags=("", ""))
    call = placed(desk.send(a.PickUp("102")))
    assert (call.target, call.replaces) == ("*8102", None)


def test_a_conversation_waits_meanwhile():
    desk = a_desk().talking_to_caller()
    rings(desk)
    assert placed(desk.send(a.PickUp())).replaces is not None
    assert [call.held for call in desk.view.calls if call.ref == CallRef("in-1")] == [True]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"phase": Phase.CONFIRMED}, "pickup_nobody_rings"),
        ({"phase": Phase.EARLY, "initiator": True}, "pickup_nobody_rings"),
        ({"tags": ("", "")}, "pickup_unknown"),
        ({"phase": Phase.TRYING}, "pickup_unknown"),
        ({"remote": Participant()}, "pickup_unknown"),
        ({"remote": Participant("sip:911@pbx")}, "sent_to_emergency"),
        ({"remote": Participant("sip:19005551234@pbx", "", "sip:x@y")}, "sent_to_costly"),
        ({"remote": Participant("sip:201@far", "", "sip:19005551234@y")}, "sent_to_costly"),
        ({"remote": Participant("sip:201@far", "", "sip:911@pbx")}, "sent_to_emergency"),
        ({"remote": Participant("", "", "911")}, "pickup_unknown"),
        ({"remote": Participant("", "", "tel:911")}, "pickup_unknown"),
        ({"tags": ("a;early-only", "b")}, "pickup_unknown"),
        ({"tags": ("a\r\nX: y", "b")}, "pickup_unknown"),
        ({"call_id": "abc;x=y"}, "pickup_unknown"),
        ({"call_id": "abc\r\nX: y"}, "pickup_unknown"),
    ],
)
def test_what_cannot_be_picked_up_is_said(more, why):
    """A19: a document may name no number that only a person may choose."""
    desk = a_desk()
    rings(desk, **more)
    assert desk.phone.refusal(a.PickUp("102")).text == why
    assert only(desk.send(a.PickUp("102")), c.PlaceCall) == []


def test_whose_watch_is_lost_does_not_ring_any_more():
    desk = a_desk()
    rings(desk)
    goes(desk, SubscriptionProgress.WAITING)
    assert desk.phone.refusal(a.PickUp()).text == "pickup_nobody_rings"


def test_nobody_else_is_meant():
    desk = a_desk()
    rings(desk)
    assert desk.phone.refusal(a.PickUp("103")).text == "pickup_nobody_rings"


def test_the_soft_key_is_there_while_somebodys_phone_rings():
    desk = a_desk()
    assert soft_keys(desk.view)[1] is None
    rings(desk)
    assert soft_keys(desk.view)[1].action == a.PickUp()
    rings(desk, Phase.CONFIRMED)
    assert soft_keys(desk.view)[1] is None
