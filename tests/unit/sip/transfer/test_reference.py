"""The headers and the body that REFER brought (RFC 3515, RFC 3420, RFC 4538)."""

import pytest

from firmware.sip.transfer.reference import (
    Fragment,
    parse_target_dialog,
    read_fragment,
    refer_to,
    write_fragment,
)
from firmware.sip.uri import parse_uri


@pytest.mark.parametrize(
    ("body", "fragment"),
    [
        (b"SIP/2.0 200 OK\r\n", Fragment(200, "OK")),
        (b"SIP/2.0 180 Ringing\r\nContact: <sip:x>\r\n\r\n", Fragment(180, "Ringing")),
        (b"SIP/2.0 486\r\n", Fragment(486, "")),
        (b"\r\n SIP/2.0 603 Decline\x07\n", Fragment(603, "Decline")),
        (b"SIP/2.0 99 Low", None),
        (b"SIP/2.0 700 High", None),
        (b"INVITE sip:a@b SIP/2.0\r\n", None),
        (b"", None),
        (b"\xff\xfe", None),
    ],
)
def test_the_status_line_of_a_fragment(body, fragment):
    """RFC 3420 §2, RFC 3515 §2.4.5."""
    assert read_fragment(body) == fragment


def test_a_fragment_of_ours_can_be_read():
    """RFC 3515 §5."""
    kind, body = write_fragment(486, "Busy Here")
    assert kind == "message/sipfrag;version=2.0"
    assert read_fragment(body) == Fragment(486, "Busy Here")


def test_a_reference_is_written_in_brackets():
    """RFC 8217 §4."""
    assert refer_to(parse_uri("sip:103@pbx;transport=tcp")) == "<sip:103@pbx;transport=tcp>"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a@b;local-tag=1;remote-tag=2", ("a@b", "1", "2")),
        ("a;remote-tag=2;local-tag=1", ("a", "1", "2")),
        ("a;local-tag=1", None),
        ("a", None),
        ("", None),
        (";;", None),
    ],
)
def test_the_dialog_that_a_request_names(text, key):
    """RFC 4538 §3: local and remote as the receiver sees them; §4: both must be there."""
    assert parse_target_dialog(text) == key
