"""Which way the keys of a call go: with the audio, or by INFO."""

import pytest

from firmware.config.schema import LineSettings, Settings
from firmware.media.messages import DigitHeard, SendDigits
from firmware.phone import actions as a
from firmware.phone import commands as c
from firmware.sip import notifications as n
from tests.support.desk import Desk, only, sdp

WITH_EVENTS, WITHOUT = sdp(0, 101), sdp(0)


def talking(how, body):
    line = LineSettings("100", "pbx", name="desk", dtmf=how)
    desk = Desk(Settings(lines=(line,)))
    desk.lift()
    desk.dials("201")
    desk.way_found()
    desk.far_end_rings()
    desk.far_end_answers(body)
    return desk


def sent(commands):
    """The way each digit went."""
    info = [("info", command.digit) for command in only(commands, c.SendInfoDigit)]
    return info + [("audio", order.digits) for order in only(commands, SendDigits)]


@pytest.mark.parametrize(
    ("how", "body", "expected"),
    [
        ("auto", WITH_EVENTS, [("audio", "5")]),
        ("auto", WITHOUT, [("info", "5")]),
        ("rtp", WITH_EVENTS, [("audio", "5")]),
        ("rtp", WITHOUT, [("audio", "5")]),
        ("info", WITH_EVENTS, [("info", "5")]),
        ("info", WITHOUT, [("info", "5")]),
        ("inband", WITHOUT, [("audio", "5")]),
        ("inband", WITH_EVENTS, [("audio", "5")]),
    ],
)
def test_the_setting_and_what_the_far_end_offers_decide(how, body, expected):
    desk = talking(how, body)
    assert sent(desk.press("5")) == expected
    assert sent(desk.send(a.SendDtmf("5"))) == expected


def test_a_row_of_digits_goes_one_by_one():
    desk = talking("info", WITHOUT)
    commands = desk.send(a.SendDtmf("1x2#"))
    assert sent(commands) == [("info", "1"), ("info", "2"), ("info", "#")]


def test_a_far_end_that_takes_no_info_gets_them_with_the_audio_from_then_on():
    desk = talking("auto", WITHOUT)
    desk.press("1")
    commands = desk.send(n.DigitsRefused(desk.front, "12"))
    assert sent(commands) == [("audio", "12")]
    assert sent(desk.press("3")) == [("audio", "3")]


def test_where_only_info_is_wanted_the_person_sees_that_nothing_came_of_it():
    desk = talking("info", WITHOUT)
    commands = desk.send(n.DigitsRefused(desk.front, "12"))
    assert sent(commands) == []
    assert desk.view.notice.text == "digits_refused"


def test_a_refusal_for_a_call_that_is_over_is_nothing():
    desk = Desk()
    assert desk.send(n.DigitsRefused("gone", "1")) == []


@pytest.mark.parametrize(("how", "agreed"), [("auto", True), ("rtp", True), ("inband", False)])
def test_a_line_that_wants_tones_agrees_on_no_events(how, agreed):
    media = talking(how, WITH_EVENTS).phone.state.front_call.negotiation.media
    assert (media.dtmf is not None) == agreed


def test_a_tone_that_was_heard_is_a_digit_of_the_far_end():
    desk = talking("inband", WITHOUT)
    desk.send(DigitHeard(desk.phone.state.front_call.stream, "7", 80))
    assert desk.phone.state.front_call.digits == "7"


def test_a_far_end_that_sends_info_and_the_tone_pressed_one_key():
    desk = talking("auto", WITHOUT)
    desk.send(n.InfoDigit(desk.front, "7", 100))
    desk.send(DigitHeard(desk.phone.state.front_call.stream, "7", 80))
    assert desk.phone.state.front_call.digits == "7"
    events = talking("auto", WITH_EVENTS)
    events.send(n.InfoDigit(events.front, "7", 100))
    events.send(DigitHeard(events.phone.state.front_call.stream, "8", 80))
    assert events.phone.state.front_call.digits == "78"


@pytest.mark.parametrize(
    ("how", "body", "expected"),
    [
        ("auto", WITH_EVENTS, [("audio", "!")]),
        ("auto", WITHOUT, []),
        ("info", WITH_EVENTS, []),
        ("inband", WITH_EVENTS, []),
    ],
)
def test_a_flash_goes_only_as_an_event(how, body, expected):
    assert sent(talking(how, body).send(a.SendDtmf("!"))) == expected


@pytest.mark.parametrize("wanted", [True, False])
def test_a08_a_line_says_whether_the_far_end_is_followed_to_where_it_speaks_from(wanted):
    line = LineSettings("100", "pbx", name="desk", symmetric_rtp=wanted)
    desk = Desk(Settings(lines=(line,))).talking()
    assert desk.heard.configured[desk.front_stream].symmetric is wanted
