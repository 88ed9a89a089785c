"""XML that cannot be made to work hard (A15)."""

import time

import pytest

from firmware.sip.event import xml
from firmware.sip.event.package import BodyError
from firmware.sip.event.xml import escape, read_xml

BOMB = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><dialog-info>&c;</dialog-info>"""


def test_elements_have_names_without_namespace():
    root = read_xml(
        b'<?xml version="1.0"?><d:a xmlns:d="urn:x" d:k="1" l="2"> <d:b>x<i/>y</d:b><c/></d:a>', "a"
    )
    assert (root.name, root.space, root.get("k"), root.get("l"), root.get("m", "-")) == (
        ("a", "urn:x", "1", "2", "-")
    )
    assert root.said("b") == "xy"
    assert root.child("c").space == ""
    assert root.child("z") is None
    assert root.said("z") == ""


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://192.0.2.1/">]><a>&x;</a>',
        b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://192.0.2.1/"> %x;]><a/>',
        b"<a>&undefined;</a>",
        b"<a>" + b"<a>" * 30 + b"</a>" * 31,
        b"<a>" + b"<b/>" * 3000 + b"</a>",
        b"<a>" + b" " * 70_000 + b"</a>",
        b"<a " + b" ".join(b'a%d="1"' % n for n in range(9000)) + b"/>",
        b"",
        b"<a>",
        b"<a/><a/>",
        b"<b/>",
        b"\xff\xfe<\x00a\x00/\x00>\x00",
        b"<a>\x00</a>",
    ],
)
def test_a15_what_is_too_much_or_no_xml_is_refused(body):
    with pytest.raises(BodyError):
        read_xml(body, "a")


def test_a15_the_most_that_is_taken_costs_little():
    """P3: 5 ms on the build machine; ten times that is allowed here, where others work too."""
    dense = b"<a>" + b'<b c="d">e</b>' * (xml.MOST_ELEMENTS - 1) + b"</a>"
    took = []
    for _ in range(5):
        began = time.process_time()
        read_xml(dense, "a")
        took.append(time.process_time() - began)
    assert min(took) < 0.05


def test_the_encoding_that_is_claimed_is_not_believed():
    """No codec is loaded because a stranger names it."""
    assert read_xml(b'<?xml version="1.0" encoding="cp037"?><a>x</a>', "a").text == "x"
    assert read_xml(b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>', "a").text == "é"
    assert read_xml("<a>é</a>".encode(), "a").text == "é"


def test_what_is_written_can_be_read():
    text = "a<b>&\"c'\x00\x1b\ud800é😀\ufffe"
    written = escape(text)
    assert read_xml(f'<a b="{written}">{written}</a>'.encode(), "a").text == "a<b>&\"c'é😀"
    assert read_xml(f'<a b="{written}"/>'.encode(), "a").get("b") == "a<b>&\"c'é😀"
