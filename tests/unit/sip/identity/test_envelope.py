"""What an INVITE says about itself."""

import pytest

from firmware.sip.facts import AnswerWish, CallFacts, DiversionReason, RingKind
from firmware.sip.headers import parse_name_addr
from firmware.sip.identity.date import seconds_of
from firmware.sip.identity.envelope import facts_of
from firmware.sip.message import Headers
from firmware.sip.notifications import Party

SENDER = parse_name_addr('"A" <sip:a@b>')


def test_a_plain_call_says_nothing():
    assert facts_of(Headers(), SENDER) == (CallFacts(), None)


def test_all_there_is_to_know():
    headers = Headers(
        [
            ("Alert-Info", "<urn:alert:source:external>"),
            ("Answer-Mode", "Auto;require"),
            ("Diversion", '"Bob" <sip:102@pbx>;reason=user-busy'),
            ("Subject", "Lunch"),
            ("Priority", "Urgent"),
            ("Organization", "Widgets"),
            ("User-Agent", "thing/1"),
            ("Call-Info", "<https://x/y.png>;purpose=icon"),
            ("Date", "Sat, 13 Nov 2010 23:29:00 GMT"),
        ]
    )
    facts = CallFacts(
        ring=RingKind.EXTERNAL,
        answer=AnswerWish.AUTO,
        answer_required=True,
        diversion=DiversionReason.BUSY,
        diversions=1,
        subject="Lunch",
        priority="urgent",
        organization="Widgets",
        software="thing/1",
        icon="https://x/y.png",
        sent_at=1289690940.0,
    )
    assert facts_of(headers, SENDER) == (facts, Party("Bob", "102", "sip:102@pbx"))


def test_a23_what_a_caller_writes_is_cut_and_cleaned():
    facts, _ = facts_of(Headers([("Subject", "a\x1b[2J" + "x" * 5000)]), SENDER)
    assert facts.subject.startswith("a[2Jx")
    assert len(facts.subject) == 128


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Sat, 13 Nov 2010 23:29:00 GMT", 1289690940.0),
        ("13 Nov 2010 23:29 UTC", 1289690940.0),
        ("Saturday, 13-Nov-2010 23:29:00 GMT", 1289690940.0),
        ("Sun, 14 Nov 2010 00:29:00 +0100", 1289690940.0),
        ("Sat, 13 Nov 2010 18:29:00 -0500", 1289690940.0),
        ("Sat, 13 Nov 2010 23:29:60 GMT", 1289690999.0),
        ("Fri, 01 Jan 2010 16:00:00 EST", 1262361600.0),
        ("31 Feb 2010 10:00:00 GMT", None),
        ("Sat, 13 Foo 2010 23:29:00 GMT", None),
        ("13 Nov 2010 23:29 +9999", None),
        ("yesterday", None),
        ("1" * 5000, None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_is_read_tolerantly(date, seconds):
    """RFC 3261 §20.17."""
    assert seconds_of(date) == seconds
