"""What two ends remember of each other (RFC 3261 §12)."""

import pytest

from firmware.sip.dialog import from_arrival, from_bytes, from_response, tag_of, to_bytes
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.headers import parse_name_addr
from firmware.sip.message import Headers
from firmware.sip.transaction.keys import read_arrival
from firmware.sip.uri import parse_uri

FLOW = Flow(Transport.UDP, Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5060))


@pytest.fixture
def ours(sip):
    """The dialog of a call we placed, its 200 carrying these rows."""

    def dialog(*rows):
        invite = sip.request("INVITE", "sip:600@pbx.example", cseq=7)
        rows = rows or (("Contact", "<sip:600@192.0.2.77;transport=udp>"),)
        return from_response(invite, sip.answer_to(invite, 200, *rows, tag="far"), FLOW)

    return dialog


@pytest.fixture
def theirs(sip):
    """The dialog of a call that arrived."""

    def dialog(*rows):
        invite = sip.request("INVITE", "sip:101@192.0.2.1", *rows, cseq=7)
        return from_arrival(read_arrival(invite, FLOW), "near", parse_uri("sip:a@192.0.2.9"))

    return dialog


def test_as_caller(ours):
    """RFC 3261 §12.1.2: from the response to our INVITE."""
    dialog = ours()
    assert dialog.key == ("in", "alice", "far")
    bye = dialog.request("BYE", dialog.next_number())
    assert bye.uri == "sip:600@192.0.2.77;transport=udp"
    assert list(bye.headers) == [
        ("Max-Forwards", "70"),
        ("From", '"Alice" <sip:alice@pbx.example>;tag=alice'),
        ("To", "<sip:600@pbx.example>;tag=far"),
        ("Call-ID", "in"),
        ("CSeq", "8 BYE"),
    ]


def test_as_callee(theirs):
    """RFC 3261 §12.1.1: from the INVITE itself."""
    dialog = theirs()
    assert dialog.key == ("in", "near", "alice")
    bye = dialog.request("BYE", dialog.next_number())
    assert bye.headers.get("From") == "<sip:101@192.0.2.1>;tag=near"
    assert bye.headers.get("To") == '"Alice" <sip:alice@pbx.example>;tag=alice'
    assert bye.headers.get("CSeq") == "1 BYE"


ROUTES = (("Record-Route", "<sip:p1;lr>, <sip:p2;lr>"), ("Record-Route", "<sip:p3;lr;x=y>"))


def test_the_caller_goes_through_the_proxies_backwards_the_callee_forwards(ours, theirs):
    """RFC 3261 §12.1.1, §12.1.2, §12.2.1.1."""
    caller, callee = ours(*ROUTES), theirs(*ROUTES)
    route = "<sip:p3;lr;x=y>, <sip:p2;lr>, <sip:p1;lr>"
    assert caller.request("BYE", 8).headers.get("Route") == route
    assert str(caller.next_hop) == "sip:p3;lr;x=y"
    route = "<sip:p1;lr>, <sip:p2;lr>, <sip:p3;lr;x=y>"
    assert callee.request("BYE", 1).headers.get("Route") == route
    assert str(callee.next_hop) == "sip:p1;lr"


def test_a_strict_router_comes_first_as_request_uri(theirs):
    """RFC 3261 §12.2.1.1. RFC 3261 §16.12: what has no lr is one."""
    dialog = theirs(("Record-Route", "<sip:strict;method=INVITE;x=1?a=b>, <sip:p2;lr>"))
    bye = dialog.request("BYE", 1)
    assert bye.uri == "sip:strict;x=1"
    assert bye.headers.get("Route") == "<sip:p2;lr>, <sip:a@192.0.2.9>"
    assert dialog.next_hop.host == "strict"


def test_a_contact_with_headers_loses_them_in_the_request_uri(ours):
    dialog = ours(("Contact", "<sip:600@192.0.2.77;method=BYE?Subject=x>"))
    assert dialog.request("BYE", 8).uri == "sip:600@192.0.2.77"


@pytest.mark.parametrize("rubbish", ["*", "<tel:+49>", "<", "<sip:>"])
def test_a_contact_that_is_none_leaves_the_request_uri(ours, rubbish):
    assert str(ours(("Contact", rubbish)).remote_target) == "sip:600@pbx.example"


def test_a_record_route_that_cannot_be_read_is_none(ours):
    assert ours(("Record-Route", "sip:p1")).routes == ()


def test_requests_of_the_far_end_come_in_order(theirs):
    dialog = theirs()
    assert dialog.in_order(8)
    assert dialog.in_order(8)
    assert not dialog.in_order(7)
    assert dialog.in_order(100)


def test_as_caller_any_first_number_will_do(ours):
    dialog = ours()
    assert dialog.in_order(1)
    assert not dialog.in_order(0)


def test_a_target_refresh(ours):
    dialog = ours()
    dialog.refresh(Headers([("Contact", "<sip:new@192.0.2.88>")]))
    assert str(dialog.remote_target) == "sip:new@192.0.2.88"
    dialog.refresh(Headers([("Contact", "rubbish<")]))
    dialog.refresh(Headers())
    assert str(dialog.remote_target) == "sip:new@192.0.2.88"


@pytest.mark.parametrize("make", ["ours", "theirs"])
def test_a_dialog_can_be_kept(request, make):
    dialog = request.getfixturevalue(make)(*ROUTES)
    kept, line = from_bytes(to_bytes(dialog, "desk"))
    assert line == "desk"
    assert kept.request("BYE", 9) == dialog.request("BYE", 9)
    assert kept.flow == dialog.flow
    assert kept.key == dialog.key


@pytest.mark.parametrize(
    "damage",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"line":1}', lambda good: good[:-9],
     lambda good: good.replace(b'"udp"', b'"smoke"'),
     lambda good: good.replace(b"sip:a@", b"no uri")],
)  # fmt: skip
def test_a_damaged_copy_is_a_value_error(theirs, damage):
    good = to_bytes(theirs(), "desk")
    with pytest.raises(ValueError, match="damaged"):
        from_bytes(damage(good) if callable(damage) else damage)


def test_text_that_is_no_unicode_survives_being_kept(theirs):
    dialog = theirs()
    dialog.remote = "\udcff " + dialog.remote
    assert from_bytes(to_bytes(dialog, "desk"))[0].remote == dialog.remote


def test_a_row_without_a_tag_has_the_empty_one():
    assert tag_of("<sip:a@b>") == ""
    assert tag_of("rubbish<") == ""
    assert parse_name_addr("<sip:a@b>;tag=x").tag == tag_of("<sip:a@b>;tag=x")
