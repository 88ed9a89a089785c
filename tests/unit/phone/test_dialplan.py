"""What a string of digits is so far."""

import pytest

from firmware.config.schema import LineSettings, PhoneSettings, Settings
from firmware.phone.dialplan import DialPlan, Verdict, dialable


def plan(country="US", users=("100",), **phone):
    lines = tuple(LineSettings(user, "pbx", name=user) for user in users)
    return DialPlan.of(Settings(phone=PhoneSettings(country=country, **phone), lines=lines))


@pytest.mark.parametrize(
    ("digits", "verdict"),
    [
        ("9", Verdict.MORE),
        ("91", Verdict.MORE),
        ("911", Verdict.EMERGENCY),
        ("201", Verdict.MORE),
        ("201#", Verdict.DIAL),
        ("911#", Verdict.EMERGENCY),
        ("#", Verdict.MORE),
        ("*21#", Verdict.MORE),
        ("#31#", Verdict.MORE),
        ("*#600", Verdict.AUDIO_TEST),
        ("*#60", Verdict.MORE),
    ],
)
def test_after_each_digit(digits, verdict):
    assert plan().judge(digits) is verdict


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        ("9", Verdict.DIAL),
        ("911", Verdict.EMERGENCY),
        ("sip:911@pbx", Verdict.EMERGENCY),
        ("sip:ann@pbx", Verdict.DIAL),
        ("*#600", Verdict.AUDIO_TEST),
    ],
)
def test_when_nothing_more_will_follow(target, verdict):
    assert plan().judge_whole(target) is verdict


def test_a_longer_emergency_number_makes_the_shorter_wait():
    assert plan("US", emergency=("9112",)).judge("911") is Verdict.MORE
    assert plan("US", emergency=("9112",)).judge_whole("911") is Verdict.EMERGENCY


def test_a_declared_extension_makes_the_emergency_number_wait():
    assert plan(users=("9115",)).judge("911") is Verdict.MORE


def test_a_pattern_of_numbers_is_no_extension():
    line = LineSettings("100", "pbx", name="x", numbers=("911*",))
    assert DialPlan.of(Settings(lines=(line,))).judge("911") is Verdict.EMERGENCY


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        (" 201 ", "201"),
        ("0 30-12(34)", "0301234"),
        ("sip:ann@example.org", "sip:ann@example.org"),
        ("ann@example.org", "sip:ann@example.org"),
        ("tel:+1-201-555-0123", "tel:+1-201-555-0123"),
        ("http://example.org", ""),
        ("sip:", ""),
        ("sip:ann@[::1", ""),
        ("@", ""),
        ("+1 (201) 555", "+1201555"),
        ("+49(30)398.33-401", "+493039833401"),
        ("sips:ann@example.org", "sips:ann@example.org"),
        ("ann", "ann"),
        ("", ""),
        ("sip:ann\r\nX: y", ""),
        ("two words", ""),
        ("a\x00b", ""),
    ],
)
def test_what_goes_out(typed, sent):
    """RFC 4504 §2.20, §3.6.1: numbers and addresses, with whatever people write between digits."""
    assert dialable(typed) == sent
