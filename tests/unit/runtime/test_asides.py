import logging

import pytest

from firmware.media.messages import EngineLog, StreamReport
from firmware.phone.actions import Digit
from firmware.runtime.asides import aside
from firmware.sip.flow import Endpoint
from firmware.sip.notifications import (
    CallEnded,
    CallRef,
    DialogSaved,
    FailureCause,
    IncomingCall,
    LineName,
    OfferWanted,
    Party,
    RegistrationChanged,
    RegistrationState,
    Stranger,
)

CALL, LINE = CallRef("c1"), LineName("101@pbx")


def a_report(stream=7, *, final=False, sent=50):
    return StreamReport(
        stream, sent, 48, 2, 0, 0, 2, 1.234, 60.0, 10.0, 0, -20.0, -21.0, "PCMU", None, 1, final
    )


def test_the_newest_figures_of_a_call_are_kept_until_its_stream_ends(house):
    house.streams[7] = CALL
    aside(house, a_report(sent=50))
    aside(house, a_report(sent=100))
    assert house.reports[CALL].sent == 100
    aside(house, a_report(sent=120, final=True))
    assert house.reports == {}
    assert house.streams == {}
    assert house.finished.sent == 120


def test_a_report_of_a_stream_that_nobody_knows_is_passed_over(house):
    aside(house, a_report(9))
    assert house.reports == {}


def test_ten_thousand_streams_leave_nothing_behind(house):
    for stream in range(10_000):
        house.streams[stream] = CallRef(f"c{stream}")
        aside(house, a_report(stream))
        aside(house, a_report(stream, final=True))
    assert (house.reports, house.streams) == ({}, {})


@pytest.mark.parametrize("snapshot", [b'{"call_id":"abc","cseq":1}', None])
def test_f46_dialogs_are_mirrored_until_they_end(house, snapshot):
    aside(house, DialogSaved(CALL, snapshot))
    assert house.keeper.asked == [("keep_dialog", CALL, snapshot)]


def test_the_ladder_finds_the_last_hundred_calls_by_their_name(house):
    for number in range(300):
        aside(house, OfferWanted(CallRef(f"out-{number}"), "192.0.2.1", f"id-{number}"))
    caller = Party("Ann", "204", "sip:204@pbx")
    call = IncomingCall(CallRef("in-1"), LINE, caller, "100", b"", "192.0.2.1", call_id="theirs")
    aside(house, call)
    assert len(house.last_calls) == 100
    assert house.last_calls.find("out-299").call_id == "id-299"
    assert house.last_calls.find("theirs").call == "in-1"
    assert house.last_calls.find("out-1") is None


def test_the_ladder_knows_how_a_call_ended_that_had_no_message(house):
    house.last_calls.dialled(CALL, "sip:carol@nowhere.example")
    ended = CallEnded(CALL, by_us=False, cause=FailureCause.NAME_NOT_FOUND)
    aside(house, ended)
    note = house.last_calls.newest
    assert (note.dialled, note.call_id, note.ended) == ("sip:carol@nowhere.example", "", ended)


@pytest.mark.parametrize(("level", "number"), [("warning", logging.WARNING), ("odd", logging.INFO)])
def test_what_the_audio_process_says_is_logged_for_it(house, caplog, level, number):
    caplog.set_level(logging.DEBUG)
    aside(house, EngineLog(level, "the card is slow"))
    assert caplog.record_tuples == [("firmware.media", number, "the card is slow")]


def test_a_line_is_logged_when_its_state_changes_and_not_for_each_refresh(house, caplog):
    caplog.set_level(logging.INFO)
    good = RegistrationChanged(
        LINE, RegistrationState.REGISTERED, where="pbx by UDP", expires_in=60
    )
    bad = RegistrationChanged(
        LINE, RegistrationState.FAILED, FailureCause.FORBIDDEN, 403, "Forbidden", "pbx by UDP"
    )
    for change in (good, good, bad, bad, good):
        aside(house, change)
    assert len(caplog.messages) == 3
    assert all("101@pbx" in line and "pbx by UDP" in line for line in caplog.messages)
    assert ["403" in line for line in caplog.messages] == [False, True, False]


def test_strangers_are_logged(house, caplog):
    caplog.set_level(logging.INFO)
    aside(house, Stranger(Endpoint("192.0.2.66", 5060), "INVITE", 3))
    [line] = caplog.messages
    assert all(word in line for word in ("3", "INVITE", "192.0.2.66:5060"))


def test_other_inputs_are_no_business_of_the_runtime(house):
    aside(house, Digit("1"))
    assert house.keeper.asked == []
