"""Which numbers cost extra, country by country."""

import time

import pytest

from firmware.phone.premium import PLANS, is_costly

COSTLY = {
    "AU": ["1900123456", "0061 190 0123456", "+61190 2123456"],
    "BR": ["0900123456", "0500 1234567", "0300123456"],
    "DE": ["0900 1234567", "00900 1234567", "01378 123456", "+49900 5123456", "0049900 1234567"],
    "ES": ["803123456", "0807123456", "+34806123456"],
    "FR": ["0899123456", "0 0892123456", "+33812345678"],
    "GB": ["0901 2345678", "90871 2345678", "+44 9812345678", "44 8445678901"],
    "ID": ["0809 1234567", "+628091234567"],
    "IN": ["1861123456789", "+911862123456789"],
    "IT": ["899123456", "892123", "16612 3456", "+39 0878 12345"],
    "JP": ["0990 123456", "010 44 9012345678"],
    "RU": ["8 809 1234567", "+7803 1234567", "810 979 123456789"],
    "US": ["900 2345678", "1 900 2345678", "9 1 900 2345678", "011 49 900 1234567"],
}
PLAIN = {
    "AU": ["000", "0291234567", "190", "1300123456"],
    "BR": ["1123456789", "0800123456", "300"],
    "DE": ["0891234567", "0906 123456", "900", "9001", "+49891234567", "0137712", "09061234567"],
    "ES": ["912345678", "803", "80312"],
    "FR": ["0123456789", "0800123456", "812"],
    "GB": [
        "02079460000",
        "9 02079460000",
        "00 91 22 12345678",
        "00 98 21 12345678",
        "999",
        "9123",
        "0800 1234567",
    ],
    "ID": ["0218350123", "809"],
    "IN": ["9812345678", "1861"],
    "IT": ["0892123456", "089 5123456", "3123456789", "892"],
    "JP": ["0312345678", "09012345678", "990"],
    "RU": ["84951234567", "+79123456789", "803"],
    "US": ["2125550123", "9 1 212 5550123", "900", "9001", "+19002", "911"],
}


def bare(text):
    return text.replace(" ", "")


def rows(table):
    return [(country, bare(number)) for country in table for number in table[country]]


@pytest.mark.parametrize(("country", "number"), rows(COSTLY))
def test_a19_a_premium_rate(country, number):
    assert is_costly(number, country)


@pytest.mark.parametrize(("country", "number"), rows(PLAIN))
def test_a19_an_ordinary_number(country, number):
    assert not is_costly(number, country)


def test_every_country_is_shown():
    assert PLANS.keys() == COSTLY.keys() == PLAIN.keys()


@pytest.mark.parametrize("country", [*PLANS, "CH", "uk", "CA"])
def test_a19_what_is_costly_from_anywhere(country):
    """ITU-T E.164.1: satellites and networks of no country, international premium rate."""
    for number in ("+979123456789", "+88213123456", "+870773123456", "00979123456789"):
        assert is_costly(number, country)
    assert not is_costly("+41441234567", country)
    assert is_costly("+449012345678", country)


@pytest.mark.parametrize(
    ("country", "number"),
    [
        ("AU", "190012345699"),
        ("DE", "0900123456799999"),
        ("DE", "90900123456799999"),
        ("DE", "+44901234567899"),
        ("ES", "80312345699"),
        ("GB", "0901234567899"),
        ("JP", "099012345699"),
        ("RU", "8809123456799"),
        ("US", "1900234567899"),
        ("US", "01149900123456799"),
    ],
)
def test_a19_digits_too_many_do_not_help(country, number):
    """Networks drop what comes behind a whole number."""
    assert is_costly(number, country)


def test_a19_a_number_as_long_as_a_message_costs_no_time():
    """P3, in the processor's time: how busy the machine is does not count."""
    took = []
    for _ in range(5):  # garbage of others may be collected in one of them
        began = time.thread_time()
        assert is_costly("+979" + "0" * 50_000, "DE")
        assert not is_costly("1" * 50_000 + "x", "DE")
        took.append(time.thread_time() - began)
    assert min(took) < 0.005
