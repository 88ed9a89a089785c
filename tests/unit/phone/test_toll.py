"""A19: the one rule for numbers that somebody else came up with."""

import pytest

from firmware.config.schema import PhoneSettings
from firmware.phone.toll import Toll
from firmware.sip.names import Barrier


def toll(**how):
    return Toll.of(PhoneSettings(**{"country": "DE"} | how))


@pytest.mark.parametrize(
    "target",
    [
        "112",
        "1 1 2",
        "sip:110@pbx.example",
        "tel:112;phone-context=pbx.example",
        "112;user=phone",
        "urn:service:sos.police",
    ],
)
def test_a19_an_emergency_number_is_only_dialled_by_people(target):
    assert toll().barrier(target) is Barrier.EMERGENCY
    assert toll(may_be_sent_to=("*",)).barrier(target) is Barrier.EMERGENCY
    assert toll().barrier(target, dialled=target) is Barrier.EMERGENCY


@pytest.mark.parametrize(
    "target",
    [
        "09001234567",
        "0900-1/234.567",
        "sip:+499001234567@pbx.example;user=phone",
        "9001234567;phone-context=+49",
        "tel:9001234567;phone-context=+49",
        "0900_1234567",
        "0900\u00a01234567",
        "0900\x001234567",
        "\uff10\uff19\uff10\uff101234567",
        "~0900,1234567",
    ],
)
def test_a19_a_costly_number(target):
    """RFC 3966 §5.1.1, §5.1.5: however it is written."""
    assert toll().barrier(target) is Barrier.COSTLY


def test_a19_what_the_settings_bar_and_allow():
    """The list of what may be goes before all but emergencies."""
    home = toll(never_sent_to=("*",), may_be_sent_to=("1??", "bob"))
    assert home.barrier("201") is Barrier.COSTLY
    assert home.barrier("101") is None
    assert home.barrier("sip:bob@pbx.example") is None
    assert toll(may_be_sent_to=("0900*",)).barrier("09001234567") is None
    assert toll(never_sent_to=("0112",)).barrier("0112") is Barrier.COSTLY


@pytest.mark.parametrize("target", ["*21*0123456#", "#31#0123", "*720123456", "**61"])
def test_a19_a_code_that_forwards_every_call_of_ours(target):
    assert toll().barrier(target) is Barrier.CODE


@pytest.mark.parametrize("target", ["*98", "*98201", "#3", "201", "carol", "sip:carol@pbx", ""])
def test_mailboxes_parked_calls_and_people(target):
    assert toll().barrier(target) is None


def test_a_number_that_a_person_has_dialled_is_no_news():
    assert toll().barrier("+49 900 1234567", dialled="+499001234567") is None
    assert toll().barrier("09001234567", dialled="201") is Barrier.COSTLY
