"""Whatever a sender writes into headers and bodies, the readers stay within their errors."""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.sip.errors import ParseError
from firmware.sip.event.composing import Composing, read_composing, write_composing
from firmware.sip.event.package import BodyError
from firmware.sip.event.presence import PresenceReader, write_presence
from firmware.sip.facts import Activity
from firmware.sip.headers import parse_name_addr
from firmware.sip.identity.date import seconds_of
from firmware.sip.identity.envelope import facts_of
from firmware.sip.identity.who import caller
from firmware.sip.message import Headers
from firmware.sip.multipart import MOST_PARTS, understood
from firmware.sip.tel import as_sip, as_tel, called_user
from firmware.sip.texting import read_parts, text_of
from firmware.sip.uri import Uri, equivalent, parse_uri
from firmware.sip.usage.info import read_digit

SENDER = parse_name_addr('"A" <sip:a@b>')
NAMES = (
    *("P-Asserted-Identity", "Remote-Party-ID", "Privacy", "History-Info", "Diversion"),
    *("Alert-Info", "Call-Info", "Answer-Mode", "Priv-Answer-Mode", "Priority", "Subject", "Date"),
)
PIECES = st.sampled_from(
    [
        *("<sip:1@p>", "<tel:+1-2>", '"B" ', "<", ">", '"', ",", ";", "=", "index=1", "index=1.1"),
        *("mp=1", "rc=1", "?Reason=SIP%3Bcause%3D486", ";cause=302", "reason=user-busy", "none"),
        *("id", "privacy=full", "<urn:alert:source:internal>", "info=intercom", "answer-after=0"),
        *(
            "Auto",
            ";require",
            "Manual",
            "emergency",
            "13 Nov 2010 23:29:00 GMT",
            "%",
            "\u00e9",
            " ",
        ),
    ]
)
VALUES = st.lists(PIECES, max_size=12).map("".join) | st.text(max_size=60)
ROWS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=8)
MARKS = st.lists(
    st.sampled_from(
        [b"--b", b"--b--", b"\r\n", b"\n", b"Content-Type: text/plain", b"\r\n\r\n", b"x", b"--c",
         b"Content-Type: multipart/mixed;boundary=c", b"Content-Disposition: x;handling=required"]
    ),
    max_size=40,
).map(b"".join)  # fmt: skip


@given(ROWS)
def test_whatever_an_invite_says_of_itself_it_is_read(rows):
    headers = Headers(rows)
    who = caller(headers, SENDER)
    facts, diverted_by = facts_of(headers, SENDER)
    for text in (who.name, who.user, who.uri, facts.subject, facts.software):
        assert text == "" or text.isprintable()
    assert facts.diversions >= 0
    assert diverted_by is None or facts.diversions


@given(MARKS | st.binary(max_size=400))
def test_parts_are_bounded_and_fail_in_one_way(body):
    headers = Headers([("Content-Type", "multipart/mixed;boundary=b")])
    with contextlib.suppress(ParseError):
        parts = understood(headers, body, ("text/plain",))
        assert len(parts) <= MOST_PARTS
        assert all(len(part.body) <= len(body) for part in parts)


@given(st.lists(st.binary(max_size=50).filter(lambda part: b"--b" not in part), max_size=10))
def test_what_was_put_into_parts_comes_out(bodies):
    head = b"Content-Type: text/plain\r\n\r\n"
    whole = b"".join(b"\r\n--b\r\n" + head + body for body in bodies) + b"\r\n--b--"
    headers = Headers([("Content-Type", "multipart/mixed;boundary=b")])
    found = [part.body for part in understood(headers, whole, ("text/plain",))] if bodies else []
    assert found == bodies


@given(
    st.sampled_from(["text/plain", "text/plain;charset=latin1", "message/cpim", "", ";", "a/b"]),
    st.binary(max_size=200),
)
def test_a_text_is_letters_or_refused(kind, body):
    headers = Headers([("Content-Type", kind)] if kind else [])
    with contextlib.suppress(ParseError):
        for part in read_parts(headers, body, ("text/plain",)):
            text = text_of(part)
            assert all(letter == "\n" or letter.isprintable() for letter in text)


@given(st.text(max_size=80) | st.none())
def test_a_date_is_a_moment_or_nothing(text):
    found = seconds_of(text)
    assert found is None or isinstance(found, float)


@given(st.sampled_from(["application/dtmf", "application/dtmf-relay", ""]), st.binary(max_size=80))
def test_a_digit_is_one_or_none(kind, body):
    found = read_digit(kind, body)
    assert found is None or (len(found[0]) == 1 and 1 <= found[1] <= 8000)


@given(st.binary(max_size=300))
def test_presence_and_composing_fail_in_one_way(body):
    for read in (lambda: PresenceReader().read("", body), lambda: read_composing(body)):
        with contextlib.suppress(BodyError):
            read()


@given(st.text(max_size=40), st.sampled_from(Activity))
def test_our_presence_can_always_be_read(uri, activity):
    found = PresenceReader().read("", write_presence(uri, uri, activity))
    assert found.available is (activity is not Activity.DO_NOT_DISTURB)


@given(st.booleans(), st.integers(60, 600))
def test_what_we_say_of_writing_can_be_read(active, refresh):
    said = Composing(active, float(refresh) if active else 120.0)
    assert read_composing(write_composing(said)) == said


NUMBERS = st.text("0123456789*#", min_size=1, max_size=15)
SERVER = Uri("sip", host="pbx.example")


@settings(max_examples=60)
@given(NUMBERS, st.lists(st.sampled_from(["isub=1", "postd=2", "ext=3", "x"]), unique=True))
def test_a_number_goes_to_an_address_and_back(number, params):
    tel = parse_uri(";".join([f"tel:+{number}", *params]))
    sip = as_sip(tel, SERVER)
    assert called_user(sip) == f"+{number}"
    back = as_tel(sip)
    assert back is not None
    assert equivalent(back, tel)
