"""Which numbers are emergencies."""

import pytest

from firmware.config.schema import PhoneSettings
from firmware.phone.emergency import EMERGENCY_NUMBERS, EmergencyNumbers, number_of


def numbers(country="US", **settings):
    return EmergencyNumbers.of(PhoneSettings(country=country, **settings))


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("US", "911"),
        ("us", "911"),
        ("GB", "999"),
        ("UK", "112"),
        ("DE", "110"),
        ("FR", "15"),
        ("AU", "000"),
        ("JP", "119"),
        ("BR", "190"),
        ("XX", "112"),
        ("XX", "911"),
    ],
)
def test_the_country_names_its_numbers(country, number):
    assert numbers(country).matches(number)


def test_every_country_has_numbers_of_digits_only():
    for country, listed in EMERGENCY_NUMBERS.items():
        assert listed, country
        assert all(number.isdecimal() for number in listed), country


@pytest.mark.parametrize("near", ["91", "9111", "19", "", "911#", "sip:9110@pbx", "0911"])
def test_only_the_complete_number_matches(near):
    assert not numbers().matches(near)


@pytest.mark.parametrize(
    "written",
    [
        "911",
        " 9-1-1 ",
        "(911)",
        "sip:911@pbx.example",
        "sips:911@pbx;transport=tls",
        "tel:911",
        "TEL:9-1-1;phone-context=+1",
        "urn:service:sos",
        "URN:service:sos.fire",
    ],
)
def test_however_it_is_written(written):
    """RFC 5031: urn:service:sos."""
    assert numbers().matches(written)


def test_the_settings_add_and_take_away():
    mine = numbers("US", emergency=("7777", "9-8-8"), not_emergency=("911",))
    assert mine.matches("7777")
    assert mine.matches("988")
    assert not mine.matches("911")
    assert mine.removed == ("911",)


def test_taking_away_what_was_not_there_is_no_removal():
    assert numbers("US", not_emergency=("112",)).removed == ()


def test_a_number_that_begins_a_longer_one_may_grow():
    assert numbers("FR", emergency=("1122",)).may_grow("112")
    assert not numbers("US").may_grow("911")
    assert numbers("US").may_grow("9")


@pytest.mark.parametrize(
    ("target", "number"),
    [
        ("sip:201@pbx:5070", "201"),
        ("+1 (555) 010-99", "+155501099"),
        ("*#600", "*#600"),
        ("sip:ann@example.org;x=1", "ann"),
        ("ann lee", "ann lee"),
    ],
)
def test_what_a_person_would_say_was_dialled(target, number):
    assert number_of(target) == number
