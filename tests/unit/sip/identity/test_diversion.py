"""Who sent a call on to us."""

import pytest

from firmware.sip.facts import DiversionReason as Why
from firmware.sip.identity.diversion import Diversion, diversion_of
from firmware.sip.message import Headers
from firmware.sip.notifications import Party

BOB = Party("Bob", "102", "sip:102@pbx")


def of(name, *rows):
    return diversion_of(Headers([(name, row) for row in rows]))


def test_a_call_that_came_straight_was_not_sent_on():
    assert diversion_of(Headers()) is None
    assert of("History-Info", "<sip:101@pbx>;index=1") is None


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ('"Bob" <sip:102@pbx>;reason=user-busy', Diversion(BOB, Why.BUSY)),
        ('"Bob" <sip:102@pbx>;reason=No-Answer;counter=2', Diversion(BOB, Why.NO_ANSWER, 2)),
        ('"Bob" <sip:102@pbx>', Diversion(BOB)),
        ('"Bob" <sip:102@pbx>;reason="weather";counter=x', Diversion(BOB)),
        ('"Bob" <sip:102@pbx>;privacy=full', Diversion(None)),
        ('"Bob" <sip:102@pbx>, <sip:103@pbx>;counter=3', Diversion(BOB, times=4)),
    ],
)
def test_diversion_names_the_last_who_sent_it_on_first(row, expected):
    """RFC 5806: whoever sends a call on puts itself on top."""
    assert of("Diversion", row) == expected


def test_a_diversion_that_cannot_be_read_is_none():
    assert of("Diversion", "<<>>") is None


def test_history_marks_another_person_with_mp():
    """RFC 7044 §10.4: mp names the entry that the call was for before."""
    found = of(
        "History-Info",
        '"Bob" <sip:102@pbx>;index=1',
        "<sip:102@192.0.2.3?Reason=SIP%3Bcause%3D486>;index=1.1;rc=1",
        "<sip:101@pbx>;index=1.2;mp=1, <sip:101@192.0.2.7>;index=1.2.1;rc=1.2",
    )
    assert found == Diversion(BOB)


def test_the_cause_in_the_new_address_says_why():
    """RFC 4458 §2.2."""
    found = of(
        "History-Info", '"Bob" <sip:102@pbx>;index=1', "<sip:101@pbx;cause=302>;index=1.1;mp=1"
    )
    assert found == Diversion(BOB, Why.UNCONDITIONAL)


def test_older_servers_say_only_why_the_former_was_not_reached():
    """RFC 7044 §10.2: a Reason in the URI of the entry that did not succeed. As in RFC 4244."""
    entries = (
        "<sip:7@pbx>;index=1",
        '"Bob" <sip:102@pbx?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%22>;index=1.1',
        "<sip:101@pbx>;index=1.2",
    )
    assert of("History-Info", ", ".join(entries)) == Diversion(BOB, Why.BUSY)


def test_another_phone_of_the_same_person_is_no_diversion():
    """RFC 7044 §10.4: rc."""
    entries = (
        "<sip:101@pbx>;index=1",
        "<sip:101@192.0.2.3?Reason=SIP%3Bcause%3D408>;index=1.1;rc=1",
        "<sip:101@192.0.2.4>;index=1.2;rc=1",
    )
    assert of("History-Info", *entries) is None


@pytest.mark.parametrize(
    ("uri", "privacy"),
    [("sip:102@pbx?Privacy=history", None), ("sip:102@pbx", "history"), ("sip:102@pbx", "header")],
)
def test_who_does_not_want_to_be_in_the_history_is_not_shown(uri, privacy):
    """RFC 7044 §10.1.1."""
    headers = Headers(
        [("History-Info", f"<{uri}>;index=1"), ("History-Info", "<sip:1@p>;index=1.1;mp=1")]
    )
    if privacy:
        headers.add("Privacy", privacy)
    assert diversion_of(headers) == Diversion(None)


@pytest.mark.parametrize(
    "row",
    [
        "<sip:1@p>;index=",
        "<sip:1@p>;index=1.x;mp=1",
        "<sip:1@p>;index=1.1;mp=7",
        "<sip:1@p;cause=abc>;index=1.1",
        "<sip:1@p?Reason=%3B>;index=1, <sip:2@p>;index=2",
        "<sip:1@p>;index=" + ".".join("1" * 60),
        "<sip:1@p>;index=99999999",
    ],
)
def test_a_history_that_makes_no_sense_is_survived(row):
    """RFC 7044 §10.3."""
    found = of("History-Info", row)
    assert found is None or found.by is None
