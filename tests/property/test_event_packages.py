"""Whatever octets a notification carries: a document or `BodyError`, quickly, and texts as such."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware.sip.errors import ParseError
from firmware.sip.event.dialog_info import (
    DialogEntry,
    DialogInfo,
    DialogReader,
    Participant,
    Phase,
    write_dialogs,
)
from firmware.sip.event.message_summary import SummaryReader
from firmware.sip.event.package import (
    BodyError,
    Document,
    GapError,
    parse_event,
    parse_subscription_state,
)
from firmware.sip.event.resource_list import as_list
from firmware.sip.event.table import PACKAGES, package
from firmware.sip.event.xml import escape, read_xml

PRINTED = sorted((Path(__file__).parents[1] / "data" / "rfc-events").glob("*.xml"))
SEEDS = [path.read_bytes() for path in PRINTED]
SEEDS.append(b"Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n")


def read_all(bodies, reader, kind):
    for body in bodies:
        with contextlib.suppress(BodyError, GapError):
            assert isinstance(reader.read(kind, body), Document)


@st.composite
def bent(draw):
    """A printed document with a few octets changed, cut or doubled."""
    octets = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(octets)))
        piece = draw(st.sampled_from([b"<", b">", b"&", b'"', b"/", b"\0", b"]]>", b"<!--", b"9"]))
        end = place + draw(st.integers(0, 8))
        octets[place:end] = piece
    return bytes(octets)


@pytest.mark.parametrize("name", sorted(PACKAGES))
@given(bodies=st.lists(st.binary(max_size=300) | bent(), max_size=4), kind=st.text(max_size=40))
def test_p01_any_octets_in_any_package(name, bodies, kind):
    found = package(name)
    read_all(bodies, found.reader(), kind)
    read_all(bodies, found.reader(), found.accept[0])


@given(bodies=st.lists(bent(), max_size=3), mark=st.sampled_from(["b", "b1", ""]))
def test_p01_any_octets_in_a_list(bodies, mark):
    whole = b"".join(b"--b\r\nContent-Type: application/rlmi+xml\r\n\r\n" + each for each in bodies)
    reader = as_list(package("dialog")).reader()
    kind = f"multipart/related;boundary={mark}"
    read_all([whole, whole + b"\r\n--b--", whole], reader, kind)


@given(text=st.text(max_size=80))
def test_headers_of_events_are_read_or_refused(text):
    for read in (parse_event, parse_subscription_state):
        with contextlib.suppress(ParseError):
            assert read(str(read(text))) == read(text)


@given(text=st.text())
def test_what_is_escaped_is_read_again_but_for_what_xml_cannot_say(text):
    read = read_xml(f'<a b="{escape(text)}"/>'.encode(), "a").get("b")
    kept = [c for c in text if c.isprintable()]
    assert [c for c in read if c.isprintable()] == kept


words = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=9)
people = st.builds(Participant, words, words, words, st.booleans())
entries = st.builds(
    DialogEntry,
    words,
    st.sampled_from([phase for phase in Phase if phase is not Phase.TERMINATED]),
    st.sampled_from([True, False, None]),
    words,
    words,
    words,
    people,
    people,
)


@given(entity=words, dialogs=st.lists(entries, max_size=5, unique_by=lambda each: each.id))
def test_our_dialogs_are_read_as_they_were_written(entity, dialogs):
    body = write_dialogs(entity, dialogs, 0)
    assert DialogReader().read("", body) == DialogInfo(entity, tuple(dialogs))


@given(body=st.binary(max_size=400))
def test_a_summary_says_yes_or_no(body):
    with contextlib.suppress(BodyError):
        assert SummaryReader().read("", b"Messages-Waiting: yes\r\n" + body).waiting in (
            True,
            False,
        )
