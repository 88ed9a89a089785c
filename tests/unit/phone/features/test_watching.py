"""Message waiting and other people's calls, from the settings to lamp, tone and status."""

import pytest

from firmware.base.values import replace
from firmware.config.schema import LineSettings, Settings
from firmware.dsp.cadence import ToneKind, cadence
from firmware.phone import actions as a
from firmware.phone.events import SettingsChanged
from firmware.phone.view import Busyness, Mode
from firmware.sip.event.dialog_info import DialogEntry, DialogInfo, Phase
from firmware.sip.event.message_summary import Counts, MessageSummary
from firmware.sip.event.package import Document
from firmware.sip.event.reg import RegInfo
from firmware.sip.notifications import (
    EventReceived,
    LineName,
    SubscriptionChanged,
    SubscriptionProgress,
)
from hal.ports import LampPattern
from tests.support.desk import LINE, SECOND_LINE, Desk

BOX, BLF = "mwi desk", "calls desk 102"
WAITING = MessageSummary(waiting=True, account="sip:vm@pbx", voice=Counts(2, 1))
EMPTY = MessageSummary(waiting=False, account="sip:vm@pbx", voice=Counts(0, 1))


def tree(**more):
    return Settings(
        lines=(
            LineSettings(user="100", server="pbx", name="desk", **more),
            LineSettings(user="101", server="pbx", name="spare"),
        )
    )


@pytest.fixture
def desk():
    return Desk(tree(mwi=True, watch=("102",)))


def told(desk, document, ref=BOX, line=LINE, package="message-summary"):
    return desk.send(EventReceived(ref, line, package, document))


def goes(desk, progress, ref=BLF):
    return desk.send(SubscriptionChanged(ref, LINE, "dialog", progress))


def calls(desk, *dialogs):
    return told(desk, DialogInfo("sip:102@pbx", dialogs), BLF, package="dialog")


def test_what_the_settings_ask_for_is_watched_as_soon_as_the_line_stands():
    desk = Desk(tree(mwi=True, watch=("102", "sip:x@y")), registered=False)
    assert desk.heard.watches == {}
    desk.registers()
    desk.registers()
    assert [(w.package, w.target) for w in desk.heard.watches.values()] == [
        ("message-summary", ""),
        ("dialog", "102"),
        ("dialog", "sip:x@y"),
    ]


@pytest.mark.parametrize("registers", [True, False])
def test_the_registrar_tells_of_the_registration_where_that_is_asked_for(registers):
    """RFC 3680 §4.1: what there is to do about it, the SIP stack does."""
    desk = Desk(tree(watch_registration=True, register=registers))
    packages = [watch.package for watch in desk.heard.watches.values()]
    assert packages == (["reg"] if registers else [])
    if registers:
        told(desk, RegInfo(()), "reg desk", package="reg")
    assert desk.view.watched == ()


def test_a_plain_phone_watches_nothing():
    assert Desk(tree()).heard.watches == {}


def test_a_changed_setting_begins_and_ends_subscriptions(desk):
    desk.send(SettingsChanged(tree(watch=("103",))))
    assert list(desk.heard.watches) == ["calls desk 103"]
    desk.send(SettingsChanged(tree()))
    assert desk.heard.watches == {}


def test_what_a_server_ended_for_good_is_begun_anew_with_the_next_registration(desk):
    desk.heard.watches.clear()
    goes(desk, SubscriptionProgress.ENDED, BOX)
    assert desk.heard.watches == {}
    desk.registers()
    assert list(desk.heard.watches) == [BOX]


def test_a_stopped_phone_begins_nothing():
    desk = Desk(tree(mwi=True), registered=False)
    desk.stop()
    desk.registers()
    assert desk.heard.watches == {}


def test_messages_light_the_lamp_and_stand_in_the_view(desk):
    assert desk.view.lines[0].messages_waiting is None
    told(desk, WAITING)
    line = desk.view.lines[0]
    assert (line.messages_waiting, line.new_messages) == (True, 2)
    assert desk.heard.lamps["message"] is LampPattern.SLOW_BLINK
    told(desk, EMPTY)
    assert desk.view.lines[0].messages_waiting is False
    assert desk.heard.lamps["message"] is LampPattern.OFF


def test_they_may_be_told_unasked_and_without_counts():
    desk = Desk(tree())
    told(desk, MessageSummary(waiting=True), ref="", line=SECOND_LINE)
    assert desk.view.lines[1].messages_waiting
    assert desk.view.lines[1].new_messages == 0


def test_the_dial_tone_stutters_while_messages_wait(desk):
    told(desk, WAITING)
    desk.lift()
    stutter, dial = cadence("US", ToneKind.STUTTER), cadence("US", ToneKind.DIAL)
    assert len(stutter[0]) != len(dial[0])
    assert len(desk.heard.tones["progress"].segments) == len(stutter[0])
    told(desk, EMPTY)
    assert len(desk.heard.tones["progress"].segments) == len(dial[0])


def test_messages_outlive_a_change_of_settings(desk):
    told(desk, WAITING)
    desk.send(SettingsChanged(replace(tree(mwi=True), phone=replace(tree().phone, country="DE"))))
    assert desk.view.lines[0].messages_waiting


@pytest.mark.parametrize(
    ("more", "document", "number"),
    [
        ({"voicemail": "*97"}, WAITING, "*97"),
        ({}, WAITING, "sip:vm@pbx"),
        ({"voicemail": "*97"}, None, "*97"),
    ],
)
def test_the_messages_key_dials_the_mailbox(more, document, number):
    desk = Desk(tree(**more))
    if document:
        told(desk, document)
    desk.send(a.CallMailbox())
    assert desk.mode is Mode.CALLING
    assert desk.phone.state.front_call.remote.user in (number, "vm")
    assert desk.phone.state.last_dialled == number


@pytest.mark.parametrize("account", ["sip:9002345678@pbx", "sip:911@pbx", "tel:+979123456789"])
def test_a19_a_server_cannot_name_a_costly_mailbox(account):
    """A19, A21: whoever can write a NOTIFY does not choose what a key dials."""
    desk = Desk(tree())
    told(desk, MessageSummary(waiting=True, account=account))
    assert desk.phone.refusal(a.CallMailbox()).text == "mailbox_barred"
    desk.send(a.CallMailbox())
    assert desk.mode is Mode.IDLE
    assert desk.notice == "mailbox_barred"


def test_the_messages_key_takes_the_line_that_has_messages():
    desk = Desk(tree(voicemail="*97"))
    told(desk, MessageSummary(waiting=True, account="sip:vm2@pbx"), "", SECOND_LINE)
    desk.send(a.CallMailbox())
    assert desk.phone.state.front_call.line == SECOND_LINE


def test_without_a_number_the_messages_key_says_so(desk):
    assert desk.phone.refusal(a.CallMailbox()).text == "mailbox_unknown"
    desk.send(a.CallMailbox())
    assert desk.mode is Mode.IDLE
    desk.talking()
    assert desk.phone.refusal(a.CallMailbox()).text == "call_in_the_way"


@pytest.mark.parametrize(
    ("dialogs", "state"),
    [
        ((), Busyness.IDLE),
        ((DialogEntry("1", Phase.EARLY, initiator=False),), Busyness.RINGING),
        ((DialogEntry("1", Phase.EARLY),), Busyness.RINGING),
        ((DialogEntry("1", Phase.TRYING, initiator=True),), Busyness.BUSY),
        ((DialogEntry("1", Phase.CONFIRMED, initiator=False),), Busyness.BUSY),
        ((DialogEntry("1", Phase.EARLY), DialogEntry("2", Phase.CONFIRMED)), Busyness.BUSY),
    ],
)
def test_other_peoples_calls(desk, dialogs, state):
    assert [(w.target, w.state) for w in desk.view.watched] == [("102", Busyness.UNKNOWN)]
    calls(desk, *dialogs)
    assert [(w.target, w.state) for w in desk.view.watched] == [("102", state)]


def test_what_is_not_told_any_more_is_not_known(desk):
    calls(desk)
    goes(desk, SubscriptionProgress.ACTIVE)
    assert desk.view.watched[0].state is Busyness.IDLE
    goes(desk, SubscriptionProgress.WAITING)
    assert desk.view.watched[0].state is Busyness.UNKNOWN


def test_who_is_notified_without_a_document_has_no_calls(desk):
    goes(desk, SubscriptionProgress.TRYING)
    assert desk.view.watched[0].state is Busyness.UNKNOWN
    goes(desk, SubscriptionProgress.ACTIVE)
    assert desk.view.watched[0].state is Busyness.IDLE


def test_documents_of_others_are_passed_over(desk):
    before = desk.view
    told(desk, Document(), "somebody's", package="presence")
    told(desk, Document(), BLF, package="dialog")
    goes(desk, SubscriptionProgress.WAITING, "somebody's")
    told(desk, WAITING, line=LineName("nobody"))
    assert desk.view == before
