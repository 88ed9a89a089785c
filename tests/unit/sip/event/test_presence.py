"""Presence documents: PIDF, RPID, xpidf; ours."""

from pathlib import Path

import pytest

from firmware.sip.event.package import BodyError
from firmware.sip.event.presence import PACKAGE, Presence, PresenceReader, Tuple, write_presence
from firmware.sip.event.table import package
from firmware.sip.facts import Activity

FOLDER = Path(__file__).parents[3] / "data" / "rfc-presence"
PIDF = "application/pidf+xml"


def reachable(name, contact, note=""):
    return Tuple(name, available=True, contact=contact, note=note)


def read(body):
    if isinstance(body, str):
        body = body.encode()
    return PresenceReader().read(PIDF, body)


def pidf(inner):
    return f'<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:a@b">{inner}</presence>'


def test_the_first_document_of_rfc3863():
    """RFC 3863 §4.3.1."""
    found = read((FOLDER / "rfc3863-1.xml").read_bytes())
    assert found == Presence(
        "pres:someone@example.com",
        (
            reachable("bs35r9", "im:someone@mobilecarrier.net", "Don't Disturb Please!"),
            reachable("eg92n8", "mailto:someone@example.com"),
        ),
        note="I'll be in Tokyo next week",
    )
    assert found.available is True


def test_prefixes_are_only_prefixes():
    """RFC 3863 §4.3.2."""
    found = read((FOLDER / "rfc3863-2.xml").read_bytes())
    assert [each.contact for each in found.tuples] == [
        "tel:+09012345678",
        "im:someone@mobilecarrier.net",
    ]


def test_what_keeps_somebody():
    """RFC 4480 §3.2, the example of RFC 4480 §4."""
    found = read((FOLDER / "rfc4480-1.xml").read_bytes())
    assert found.activities == ("away",)
    assert found.note == "I'll be in Tokyo next week"


@pytest.mark.parametrize(
    ("inner", "activities"),
    [
        ("<person><activities><on-the-phone/><meeting/></activities></person>",
         ("on-the-phone", "meeting")),
        ("<tuple id='t'><activities><busy/></activities></tuple>", ("busy",)),
        ("<tuple><status><activities><activity>Busy</activity></activities></status></tuple>",
         ("busy",)),
        ("<person><activities><busy/><busy/><note>x</note></activities></person>", ("busy",)),
        ("<person><activities/></person>", ()),
    ],
)  # fmt: skip
def test_where_activities_were_put_over_the_years(inner, activities):
    """RFC 4480 §3.2."""
    assert read(pidf(inner)).activities == activities


@pytest.mark.parametrize(
    ("inner", "available"),
    [
        ("", None),
        ("<tuple id='t'/>", None),
        ("<tuple id='t'><status><basic>open</basic></status></tuple>", True),
        ("<tuple id='t'><status><basic> OPEN </basic></status></tuple>", True),
        ("<tuple id='t'><status><basic>closed</basic></status></tuple>", False),
        ("<tuple id='t'><status><basic>ajar</basic></status></tuple>", None),
        (2 * "<tuple><status><basic>{}</basic></status></tuple>", True),
    ],
)  # fmt: skip
def test_whether_somebody_can_be_reached(inner, available):
    """RFC 3863 §4.1.4."""
    assert read(pidf(inner.format("closed", "open"))).available is available


XPIDF = """<?xml version="1.0"?>
<!DOCTYPE presence PUBLIC "-//IETF//DTD RFCxxxx XPIDF 1.0//EN" "xpidf.dtd">
<presence><presentity uri="sip:102@pbx;method=SUBSCRIBE"/>
<atom id="a1"><address uri="sip:102@pbx;user=ip" priority="0.8">
<status status="{}"/><msnsubstatus substatus="{}"/></address></atom></presence>"""


@pytest.mark.parametrize(
    ("status", "substate", "available", "activities"),
    [
        ("open", "online", True, ()),
        ("inuse", "onthephone", True, ("on-the-phone",)),
        ("inuse", "", True, ("on-the-phone",)),
        ("open", "outtolunch", True, ("meal",)),
        ("closed", "", False, ()),
        ("ajar", "", None, ()),
    ],
)
def test_the_format_before_the_rfcs(status, substate, available, activities):
    found = read(XPIDF.format(status, substate))
    assert (found.entity, found.available, found.activities) == (
        "sip:102@pbx",
        available,
        activities,
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "presence",
        "<presence>",
        "<dialog-info/>",
        '<!DOCTYPE x [<!ENTITY a "b">]><presence>&a;</presence>',
        "<presence>" + "<tuple>" * 100 + "</tuple>" * 100 + "</presence>",
        pidf("<tuple id='t'/>" * 3000),
        pidf("x" * 70_000),
    ],
)
def test_a15_what_is_no_presence_document(body):
    with pytest.raises(BodyError):
        read(body)


def test_a23_what_somebody_writes_about_themselves_is_cut_and_cleaned():
    found = read(pidf(f"<note>a&#9;b{'x' * 500}</note>"))
    assert found.note.startswith("abx")
    assert len(found.note) == 128
    assert len(read(pidf("<tuple id='t'/>" * 500)).tuples) == 32


@pytest.mark.parametrize(
    ("activity", "available", "activities"),
    [
        (Activity.AVAILABLE, True, ()),
        (Activity.AWAY, True, ("away",)),
        (Activity.ON_THE_PHONE, True, ("on-the-phone",)),
        (Activity.DO_NOT_DISTURB, False, ("busy",)),
    ],
)
def test_what_we_say_of_ourselves_can_be_read(activity, available, activities):
    uri = 'sip:"<&>@pbx'
    found = read(write_presence(uri, uri, activity))
    assert (found.entity, found.tuples[0].contact) == (uri, uri)
    assert (found.available, found.activities) == (available, activities)


def test_the_package_is_in_the_table():
    assert package("presence") is PACKAGE
    assert PACKAGE.accept[0] == PIDF
