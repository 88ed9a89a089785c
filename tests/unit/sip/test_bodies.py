"""The envelope of a body, and how it is shown."""

import pytest

from firmware.sip.bodies import content_type, party, refusal, sdp_of, warning_rows
from firmware.sip.headers import parse_name_addr
from firmware.sip.message import Headers
from firmware.sip.notifications import Party

OPTIONAL = (("Content-Type", "text/plain"), ("Content-Disposition", "x; Handling=Optional"))


@pytest.mark.parametrize(
    ("rows", "body", "sdp"),
    [
        ((), b"", b""),
        ((("Content-Type", "text/plain"),), b"", b""),
        ((("Content-Type", "application/sdp"),), b"v=0", b"v=0"),
        ((("Content-Type", "Application/SDP ; charset=x"),), b"v=0", b"v=0"),
        ((("Content-Type", "text/plain"),), b"hi", None),
        (OPTIONAL, b"hi", b""),
    ],
)
def test_where_the_session_description_is(sip, rows, body, sdp):
    assert sdp_of(sip.request("INVITE", "sip:a@b", *rows, body=body)) == sdp


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((), None),
        ((("Require", ""),), None),
        ((("Require", "path"),), None),
        ((("Require", "path, 100rel"),), (420, (("Unsupported", "100rel"),))),
        ((("Content-Encoding", "Identity"),), None),
        ((("Content-Encoding", "gzip"),), (415, (("Accept-Encoding", "identity"),))),
        ((("Content-Encoding", "gzip"), ("Content-Disposition", "x;handling=optional")), None),
    ],
)
def test_what_is_refused(sip, rows, expected):
    """RFC 3261 §20.11: the encoding of what may be ignored matters to nobody."""
    assert refusal(sip.request("INVITE", "sip:a@b", *rows), ("path",)) == expected


def test_a_warning_is_a_sentence_or_whole():
    """RFC 3261 §20.43."""
    assert warning_rows("") == ()
    assert warning_rows('no "codec"') == (("Warning", '399 phone "no \\"codec\\""'),)
    assert warning_rows('304 phone "x"') == (("Warning", '304 phone "x"'),)


def test_a23_controls_in_a_name_are_not_shown():
    bad = parse_name_addr('"a\\\x00b\\\x1b[2J" <sip:x%0d%0ay@z>')
    assert party(bad) == Party("ab[2J", "xy", "sip:x%0d%0ay@z")


def test_octets_that_are_no_text_are_shown_all_the_same():
    assert party(parse_name_addr("<sip:caf%E9@b>")).user.startswith("caf")


def test_a_type_without_header_is_empty():
    assert content_type(Headers()) == ""
