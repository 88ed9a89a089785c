"""Calls we place: line, offer, progress, answer, failure, emergency."""

import pytest

from firmware.media import messages as m
from firmware.media.messages import PathName
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.phone.commands import CallOutcome
from firmware.phone.events import NetworkChanged
from firmware.phone.partings import NO_CODEC
from firmware.phone.view import CallState, Mode
from firmware.sip import notifications as n
from firmware.sip.notifications import FailureCause, LineName, Party
from tests.support.desk import ANN, LINE, SECOND_LINE, Desk, only, sdp, settings


def dialled(**more):
    desk = Desk(**more)
    desk.lift()
    desk.dials("201")
    return desk


def test_a_number_goes_out_on_the_default_line_when_no_more_digits_come():
    desk = Desk()
    desk.lift()
    assert not only(desk.press("201"), c.PlaceCall)
    assert not only(desk.wait(3.9), c.PlaceCall)
    placed = only(desk.wait(0.2), c.PlaceCall)
    assert [(x.line, x.target, x.emergency) for x in placed] == [(LINE, "201", False)]
    assert desk.view.front_call.state is CallState.CALLING
    assert not desk.view.front_call.ref.startswith("in-")


def test_the_offer_follows_when_the_way_is_known_and_early_media_is_awaited():
    desk = dialled()
    commands = desk.way_found("192.0.2.1")
    kinds = [type(x) for x in commands if not isinstance(x, c.SetLamp)]
    assert kinds[:2] == [c.ReserveMediaPort, c.SendOffer]
    offer = only(commands, c.SendOffer)[0].sdp.decode()
    assert "c=IN IP4 192.0.2.1" in offer
    assert "m=audio 40000 RTP/AVP" in offer
    opened = only(commands, m.OpenStream)[0]
    assert opened.route is m.Route.CARD
    assert {f.name for f in opened.expect} >= {"PCMU", "PCMA", "telephone-event"}
    assert desk.microphone is None, "nobody is there to talk to yet"


def test_another_address_family_gets_new_sockets_and_a_new_stream():
    desk = dialled()
    desk.way_found("192.0.2.1")
    first = desk.front_stream
    commands = desk.way_found("2001:db8::1")
    kinds = [type(getattr(x, "order", x)) for x in commands]
    order = [c.FreeMediaPort, c.ReserveMediaPort, c.SendOffer, m.OpenStream]
    assert [kind for kind in kinds if kind in {m.CloseStream, *order}] == [m.CloseStream, *order]
    assert desk.front_stream != first
    assert b"IN IP6 2001:db8::1" in only(commands, c.SendOffer)[0].sdp


def test_the_same_way_named_again_changes_nothing():
    desk = dialled()
    desk.way_found("192.0.2.1")
    assert desk.way_found("192.0.2.1") == []


def test_it_rings_there():
    desk = dialled()
    desk.way_found()
    desk.far_end_rings()
    assert desk.sounds == {"progress": PathName.HANDSET}
    assert desk.view.front_call.state is CallState.RINGING_THERE


def test_no_ringback_before_the_far_end_says_so():
    desk = dialled()
    desk.way_found()
    desk.far_end_rings(status=183)
    assert desk.sounds == {}
    assert desk.view.front_call.state is CallState.PROCEEDING


def test_ringback_does_not_cover_an_announcement():
    desk = dialled()
    desk.way_found()
    desk.far_end_rings()
    commands = desk.far_end_rings(sdp(0), status=183)
    desk.send(m.FirstHeard(desk.front_stream))
    assert desk.sounds == {}
    assert only(commands, m.ConfigureStream)[0].remote == ("10.0.0.9", 5000)


def test_ringback_comes_back_when_the_promised_early_media_does_not_arrive():
    desk = dialled()
    desk.way_found()
    desk.far_end_rings(sdp(0))
    assert "progress" in desk.sounds, "a description is no sound"
    desk.send(m.FirstHeard(desk.front_stream))
    assert desk.sounds == {}
    desk.send(m.HearingChanged(desk.front_stream, m.Silence.NO_PACKETS))
    assert "progress" in desk.sounds
    desk.send(m.HearingChanged(desk.front_stream, None))
    assert desk.sounds == {}


def test_of_two_forks_the_last_that_spoke_is_heard_and_the_confirmed_one_wins():
    desk = dialled()
    desk.way_found()
    desk.far_end_rings(sdp(0, port=6000), fork="a", status=183)
    desk.far_end_rings(sdp(8, port=7000), fork="b", status=183)
    heard = desk.heard.configured[desk.front_stream]
    assert (heard.remote[1], heard.formats[0].name) == (7000, "PCMA")
    desk.far_end_answers(sdp(0, port=6000), fork="a")
    heard = desk.heard.configured[desk.front_stream]
    assert (heard.remote[1], heard.formats[0].name) == (6000, "PCMU")


def test_the_answer_opens_the_microphone():
    desk = dialled()
    desk.way_found()
    desk.far_end_rings()
    assert desk.microphone is None
    desk.far_end_answers(sdp(0, 101))
    assert desk.microphone is PathName.HANDSET
    assert desk.sounds == {}
    assert desk.mode is Mode.TALKING
    call = desk.view.front_call
    assert (call.name, call.codec, call.state) == ("Ann", "PCMU", CallState.TALKING)
    configured = desk.heard.configured[desk.front_stream]
    assert configured.direction is m.Direction.SENDRECV
    assert configured.dtmf.number == 101


def test_an_answer_without_a_body_stands_by_the_early_one():
    desk = dialled()
    desk.way_found()
    desk.far_end_rings(sdp(8), status=183)
    desk.far_end_answers(b"")
    assert desk.mode is Mode.TALKING
    assert desk.view.front_call.codec == "PCMA"


@pytest.mark.parametrize("body", [b"", b"v=0\r\n", sdp(18), sdp(port=0)])
def test_an_answer_nobody_can_speak_ends_the_call_with_the_reason(body):
    desk = dialled()
    desk.way_found()
    ref = desk.front
    commands = desk.far_end_answers(body)
    assert c.EndCall(ref, NO_CODEC) in commands
    assert desk.notice == "call_nothing_in_common"
    assert desk.mode is Mode.RELEASED
    assert desk.heard.streams == {}


@pytest.mark.parametrize(
    ("cause", "outcome"),
    [
        (FailureCause.BUSY, CallOutcome.REFUSED),
        (FailureCause.DECLINED, CallOutcome.REFUSED),
        (FailureCause.NOT_FOUND, CallOutcome.FAILED),
        (FailureCause.NO_ANSWER, CallOutcome.FAILED),
        (FailureCause.NAME_NOT_FOUND, CallOutcome.FAILED),
        (FailureCause.SERVER_ERROR, CallOutcome.FAILED),
    ],
)
def test_a_failed_call_says_why_on_the_screen_in_the_log_and_in_the_list(cause, outcome):
    desk = dialled()
    desk.call_fails(cause, 400)
    assert desk.mode is Mode.RELEASED
    text = f"call_{cause.value}"
    assert desk.notice == text
    assert desk.heard.logged[-1] == text
    record = desk.heard.records[-1]
    assert (record.outgoing, record.user, record.outcome, record.reason) == (
        True,
        "201",
        outcome,
        text,
    )


def test_busy_and_congestion_sound_different():
    busy, lost = dialled(), dialled()
    busy.call_fails(FailureCause.BUSY, 486)
    lost.call_fails(FailureCause.SERVER_ERROR, 500)
    busy_tone, congestion = busy.heard.tones["progress"], lost.heard.tones["progress"]
    assert busy_tone.segments[0].seconds == 0.5
    assert congestion.segments[0].seconds == 0.25


@pytest.mark.parametrize("country", ["US", "DE", "JP"])
def test_a_number_that_does_not_exist_is_answered_by_three_rising_tones(country):
    """ITU-T E.180 section 7: the special information tone, again and again."""
    desk = Desk(settings(country=country))
    desk.lift()
    desk.send(a.Dial("999"))
    desk.call_fails(FailureCause.NOT_FOUND, 404)
    tone = desk.heard.tones["progress"]
    assert [segment.frequencies for segment in tone.segments] == [(950,), (1400,), (1800,), ()]
    assert tone.repeat_from == 0
    desk.put_down()
    assert "progress" not in desk.heard.tones


def test_a_whole_number_dials_at_once_hands_free():
    desk = Desk()
    commands = desk.send(a.Dial("sip:ann@example.org"))
    assert only(commands, c.PlaceCall)[0].target == "sip:ann@example.org"
    assert desk.heard.talk.path is PathName.SPEAKER


def test_a_named_line_is_used():
    desk = Desk(settings(lines=("desk", "spare")))
    assert only(desk.send(a.Dial("201", SECOND_LINE)), c.PlaceCall)[0].line == SECOND_LINE


def test_the_next_line_serves_when_the_first_is_not_registered():
    desk = Desk(settings(lines=("desk", "spare")))
    desk.registration_fails()
    assert only(desk.send(a.Dial("201")), c.PlaceCall)[0].line == SECOND_LINE


@pytest.mark.parametrize(
    ("target", "line", "text"),
    [
        ("two words", None, "call_not_dialable"),
        ("", None, "nothing_dialled"),
        ("201", LineName("nosuch"), "call_no_such_line"),
    ],
)
def test_what_cannot_be_dialled_is_said(target, line, text):
    desk = Desk()
    assert not only(desk.send(a.Dial(target, line)), c.PlaceCall)
    assert (desk.mode, desk.notice) == (Mode.RELEASED, text)


def test_a_line_that_is_down_says_why():
    desk = Desk()
    desk.registration_fails(FailureCause.NAME_NOT_FOUND, where="pbx.example by UDP")
    assert not only(desk.send(a.Dial("201")), c.PlaceCall)
    assert desk.notice == "line_name_not_found"
    assert dict(desk.view.notice.args)["where"] == "pbx.example by UDP"
    assert dict(desk.view.notice.args)["position"] == "1"


def test_without_a_line_nothing_can_be_dialled():
    desk = Desk(settings(lines=()))
    desk.send(a.Dial("201"))
    assert desk.notice == "line_none"


def test_without_a_network_nothing_is_tried():
    desk = Desk()
    desk.send(NetworkChanged(up=False))
    assert not only(desk.send(a.Dial("201")), c.PlaceCall)
    assert desk.notice == "network_down"


def test_max_calls_holds_for_calls_we_place():
    desk = Desk(settings(max_calls=1)).talking()
    assert not only(desk.send(a.Dial("202")), c.PlaceCall)
    assert desk.notice == "call_too_many"
    assert desk.mode is Mode.TALKING


def test_a_second_call_puts_the_first_on_hold():
    desk = Desk().talking()
    first = desk.front
    commands = desk.send(a.Dial("202"))
    assert b"a=sendonly" in only(commands, c.Reoffer)[0].sdp
    assert desk.front != first
    assert next(x for x in desk.view.calls if x.ref == first).held


def test_a_call_answered_in_the_background_is_put_on_hold():
    desk = dialled()
    desk.way_found()
    first = desk.front
    desk.send(a.Dial("202"))
    desk.heard.calls[first] = "up"
    commands = desk.send(n.CallAnswered(first, "a", sdp(), ANN))
    assert [x.call for x in only(commands, c.Reoffer)] == [first]
    assert desk.microphone is None
    assert desk.mode is Mode.CALLING


def test_the_name_found_there_does_not_replace_the_number_dialled():
    desk = dialled()
    desk.way_found()
    desk.far_end_answers(remote=Party("Reception", "9900", "sip:9900@pbx"))
    call = desk.view.front_call
    assert (call.name, call.user) == ("Reception", "201")


def test_what_was_dialled_is_kept_for_redial_as_it_was_typed():
    desk = Desk()
    desk.send(a.Dial("sip:ann@example.org"))
    desk.call_fails(FailureCause.BUSY)
    assert desk.heard.records[-1].redial == "sip:ann@example.org"
    assert only(desk.send(a.Redial()), c.PlaceCall)[0].target == "sip:ann@example.org"
