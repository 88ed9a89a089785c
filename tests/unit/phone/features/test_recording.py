"""Calls that are recorded: by rule, by wish, and never without a sign."""

import pytest

from firmware.base.values import replace
from firmware.config.schema import RecordingSettings
from firmware.media import messages as m
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.events import (
    EngineLost,
    RecordingChanged,
    RecordingTrouble,
    SettingsChanged,
)
from firmware.sip import notifications as n
from tests.support.desk import Desk, only, sdp, settings


def desk(calls="asked", **more):
    tree = settings(**more.pop("phone", {}))
    return Desk(replace(tree, recording=RecordingSettings(calls, **more)))


def recorded(made):
    """What the view says of each call."""
    return [call.recorded for call in made.view.calls]


def test_a_person_begins_and_ends_it():
    made = desk().talking()
    assert recorded(made) == [False]
    commands = made.send(a.Record())
    (file,) = only(commands, c.StartRecording)
    assert (file.call, file.who, file.outgoing, file.rate) == (made.front, "Ann", True, 8000)
    (order,) = only(commands, m.Record)
    assert (order.stream, order.rate) == (made.front_stream, 8000)
    kinds = [type(getattr(each, "order", each)) for each in commands]
    assert kinds.index(c.StartRecording) < kinds.index(m.Record)
    assert recorded(made) == [True]
    assert "recording_began" in made.heard.logged
    commands = made.send(a.Record())
    assert [type(getattr(each, "order", each)) for each in commands] == [
        m.StopRecord,
        c.EndRecording,
    ]
    assert recorded(made) == [False]


def test_wideband_is_recorded_as_such_and_keeps_its_rate():
    made = desk()
    made.lift()
    made.dials("201")
    made.way_found()
    made.far_end_answers(sdp(9))
    (file,) = only(made.send(a.Record(on=True)), c.StartRecording)
    assert file.rate == 16000
    made.send(n.ReofferReceived(made.front, sdp(0)))
    assert made.heard.files[made.front].rate == 16000


@pytest.mark.parametrize(
    ("agreed", "rate"), [((0,), 8000), ((0, 8), 8000), ((0, 9), 16000), ((8, 0, 9), 16000)]
)
def test_a_file_has_room_for_what_both_may_change_to_without_asking(agreed, rate):
    """RFC 3264 §5.1: of the formats agreed on either may use any, at any time."""
    made = desk()
    made.lift()
    made.dials("201")
    made.way_found()
    made.far_end_answers(sdp(*agreed))
    (file,) = only(made.send(a.Record(on=True)), c.StartRecording)
    assert file.rate == rate


def test_every_call_is_recorded_from_its_answer_if_that_is_the_rule():
    made = desk("always")
    made.lift()
    made.dials("201")
    made.way_found()
    made.far_end_rings(sdp(), status=183)
    assert made.heard.files == {}, "not what is heard before the answer"
    made.far_end_answers()
    assert list(made.heard.files) == [made.front]
    assert list(made.heard.recorded) == [made.front_stream]
    made.send(a.Record(on=False))
    assert made.heard.files == {}, "and a person may end it"
    assert recorded(made) == [False]


def test_the_tone_is_the_countrys_and_may_be_switched_off():
    tone = only(desk("always").talking().all, m.Record)[0].tone
    assert [(each.frequencies, each.seconds) for each in tone] == [((1400.0,), 0.5), ((), 14.5)]
    (order,) = only(desk("always", tone=False).talking().all, m.Record)
    assert order.tone == ()


def test_where_it_is_switched_off_nothing_is_recorded_and_a_person_hears_why():
    made = desk("never").talking()
    assert recorded(made) == [None]
    made.send(a.Record(on=True))
    assert (made.notice, made.heard.files) == ("recording_off", {})


@pytest.mark.parametrize("rule", ["asked", "always"])
def test_an_emergency_call_is_never_recorded(rule):
    made = desk(rule)
    made.lift()
    made.press("911")
    made.way_found()
    made.far_end_answers()
    assert recorded(made) == [None]
    made.send(a.Record(on=True))
    assert (made.notice, made.heard.files) == ("recording_no_emergency", {})


@pytest.mark.parametrize(
    ("wish", "said"), [(a.Record(), "no_call_up"), (a.Record(on=False), "no_call_up")]
)
def test_without_a_call_there_is_nothing_to_record(wish, said):
    made = desk()
    made.send(wish)
    assert made.notice == said


def test_what_is_not_recorded_cannot_be_ended():
    made = desk().talking()
    made.send(a.Record(on=False))
    assert made.notice == "recording_none"


def test_the_end_of_the_call_ends_it_whoever_hangs_up():
    for end in (Desk.put_down, Desk.far_end_hangs_up):
        made = desk("always").talking()
        end(made)
        assert (made.heard.files, made.heard.recorded) == ({}, {})


def test_p12_an_engine_that_is_started_again_goes_on_in_the_same_file():
    made = desk("always").talking()
    file = made.heard.files[made.front]
    made.send(EngineLost())
    commands = made.engine_ready()
    assert only(commands, m.Record)[0].stream == made.front_stream
    assert only(commands, c.StartRecording) == only(commands, c.EndRecording) == []
    assert made.heard.files == {made.front: file}


def test_a_call_that_moves_is_recorded_on_its_new_stream_into_the_same_file():
    made = desk("always").talking()
    before = made.front_stream
    commands = made.send(n.AddressChanged(made.front, "192.0.2.7"))
    assert only(commands, c.EndRecording) == []
    assert list(made.heard.recorded) == [made.front_stream] != [before]


def test_on_hold_it_goes_on():
    made = desk("always").talking()
    made.send(a.Hold())
    made.holds_are_agreed()
    assert list(made.heard.files) == [made.front]
    assert recorded(made) == [True]


def test_in_a_conference_every_call_is_recorded_and_ended_with_one_press():
    made = desk().talking()
    made.send(a.Hold())
    made.holds_are_agreed()
    made.calls_us("in-1")
    made.send(a.Answer(n.CallRef("in-1")))
    made.acknowledged("in-1")
    made.send(a.Join(on=True))
    made.holds_are_agreed()
    made.send(a.Record())
    assert recorded(made) == [True, True]
    assert len(made.heard.files) == len(made.heard.recorded) == 2
    made.far_end_hangs_up(n.CallRef("in-1"))
    assert recorded(made) == [True], "who stays is recorded on"
    made.send(a.Record())
    assert made.heard.files == {}


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (RecordingTrouble.FULL, "recording_full"),
        (RecordingTrouble.LONGEST, "recording_longest"),
        (RecordingTrouble.FAILED, "recording_failed"),
    ],
)
def test_f05_a_recording_that_ends_by_itself_says_so_and_takes_its_mark_away(trouble, said):
    made = desk("always").talking()
    made.send(RecordingChanged(made.front, trouble, "no room"))
    assert made.notice == said
    assert recorded(made) == [False]
    assert made.heard.files == {}
    made.send(RecordingChanged(made.front, trouble, "no room"))
    made.wait(5)
    assert made.notice is None


def test_a_hole_is_said_and_the_recording_goes_on():
    made = desk("always").talking()
    made.send(RecordingChanged(made.front, RecordingTrouble.HOLE))
    assert made.notice == "recording_hole"
    assert recorded(made) == [True]


def test_switching_it_off_ends_what_is_recorded():
    made = desk("always").talking()
    made.send(SettingsChanged(replace(made.settings, recording=RecordingSettings("never"))))
    assert (made.heard.files, recorded(made)) == ({}, [None])
    made.send(SettingsChanged(replace(made.settings, recording=RecordingSettings("asked"))))
    assert recorded(made) == [False]
