"""Structured headers: From, To, Contact, Via, CSeq, Reason, Warning and lists."""

import pytest

from firmware.sip.errors import ParseError
from firmware.sip.headers import (
    MOST_SECONDS,
    WILDCARD,
    CSeq,
    NameAddr,
    Reason,
    Via,
    Warning,  # noqa: A004 - the header
    contact_list,
    delta_seconds,
    param_text,
    parse_cseq,
    parse_name_addr,
    parse_params,
    parse_reason,
    parse_retry_after,
    parse_via,
    parse_warning,
    quote,
    readable,
    route_list,
    split_list,
    unquote,
    values,
    via_list,
)
from firmware.sip.message import Headers
from firmware.sip.uri import Uri, parse_uri

BOB = Uri("sip", "bob", host="biloxi.com")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sip:bob@biloxi.com", NameAddr("", BOB)),
        ("<sip:bob@biloxi.com>", NameAddr("", BOB)),
        ("Bob <sip:bob@biloxi.com>;tag=a6c85cf", NameAddr("Bob", BOB, (("tag", "a6c85cf"),))),
        ("Bob B. <sip:bob@biloxi.com>", NameAddr("Bob B.", BOB)),
        ("Bob<sip:bob@biloxi.com>", NameAddr("Bob", BOB)),
        ('"Bob"<sip:bob@biloxi.com>', NameAddr("Bob", BOB)),
        ('"B \\"o\\" b\\\\" <sip:bob@biloxi.com>', NameAddr('B "o" b\\', BOB)),
        ('"a, b; <c>" <sip:bob@biloxi.com>', NameAddr("a, b; <c>", BOB)),
        ('"" <sip:bob@biloxi.com>', NameAddr("", BOB)),
        ("sip:bob@biloxi.com;tag=1", NameAddr("", BOB, (("tag", "1"),))),
        ("sip:bob@biloxi.com ; tag = 1 ;x", NameAddr("", BOB, (("tag", "1"), ("x", None)))),
        (
            '<sip:bob@biloxi.com>;+sip.instance="<urn:uuid:1;2>";q=0.5',
            NameAddr("", BOB, (("+sip.instance", '"<urn:uuid:1;2>"'), ("q", "0.5"))),
        ),
        (
            "<sip:bob@biloxi.com;lr>",
            NameAddr("", Uri("sip", "bob", host="biloxi.com", params=(("lr", None),))),
        ),
        ("Боб <sip:bob@biloxi.com>", NameAddr("Боб", BOB)),
        ("tel:+1201", NameAddr("", Uri("tel", "+1201"))),
    ],
)
def test_a_name_and_address_are_read(text, expected):
    assert parse_name_addr(text) == expected
    assert parse_name_addr(str(expected)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        '"Bob <sip:bob@biloxi.com>',
        '"Bob" sip:bob@biloxi.com',
        "Bob, B <sip:bob@biloxi.com>",
        "<sip:bob@biloxi.com",
        "<>",
        "< sip:bob@biloxi.com >",
        "<sip:bob@biloxi.com>x",
        "<sip:bob@biloxi.com>;",
        "<sip:bob@biloxi.com>;;tag=1",
        '<sip:bob@biloxi.com>;x="',
        "sip:bob@biloxi.com?Route=x",
        "sip:a,b@biloxi.com",
        "<sip:bob@biloxi.com>" + ";x" * 200,
    ],
)
def test_what_is_no_name_and_address_is_refused(text):
    with pytest.raises(ParseError):
        parse_name_addr(text)


def test_the_caller_name_of_an_old_pbx_is_readable():
    text = b'"M\xfcller" <sip:m@b>'.decode("utf-8", "surrogateescape")
    assert parse_name_addr(text).name == "Müller"
    assert readable("\ud800") == "?"
    assert readable("Müller") == "Müller"


def test_parameters_are_found_without_case_and_quotes():
    contact = parse_name_addr('<sip:a@b>;Expires="60";x;TAG=t')
    assert (contact.param("expires"), contact.tag) == ("60", "t")
    assert (contact.has("x"), contact.param("x")) == (True, None)
    assert not contact.has("y")


def test_a_tag_is_put_on_or_exchanged():
    callee = parse_name_addr("<sip:a@b>")
    assert str(callee.with_param("tag", "1")) == "<sip:a@b>;tag=1"
    assert str(callee.with_param("tag", "1").with_param("tag", "2")) == "<sip:a@b>;tag=2"


@pytest.mark.parametrize(
    ("text", "via"),
    [
        ("SIP/2.0/UDP pbx", Via("UDP", "pbx")),
        (
            "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx;rport",
            Via("UDP", "192.0.2.1", 5060, (("branch", "z9hG4bKx"), ("rport", None))),
        ),
        (
            "sip / 2.0 / tcp [2001:DB8::1] : 5070 ; ttl = 3",
            Via("TCP", "2001:db8::1", 5070, (("ttl", "3"),)),
        ),
        ("SIP/2.0/UNKNOWN\tpbx", Via("UNKNOWN", "pbx")),
    ],
)
def test_a_via_is_read(text, via):
    """RFC 3261 §20.42."""
    assert parse_via(text) == via
    assert parse_via(str(via)) == via


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/2.0/UDP ",
        "SIP/3.0/UDP pbx",
        "HTTP/2.0/UDP pbx",
        "SIP/2.0/UDP pbx;",
        "SIP/2.0/UDP pbx;;branch=x",
        "SIP/2.0/UDP pbx x",
        "SIP/2.0/UDP ;branch=x",
        "SIP/2.0/UDP 2001:db8::1",
    ],
)
def test_what_is_no_via_is_refused(text):
    with pytest.raises(ParseError):
        parse_via(text)


def test_a_via_tells_where_the_answer_goes():
    """RFC 3581 §3: an empty rport asks for it."""
    via = parse_via("SIP/2.0/UDP pbx;received=[2001:db8::9];rport=1024;branch=b")
    assert (via.received, via.rport, via.wants_rport, via.branch) == (
        "2001:db8::9",
        1024,
        True,
        "b",
    )
    asked = parse_via("SIP/2.0/UDP pbx;rport")
    assert (asked.received, asked.rport, asked.wants_rport, asked.branch) == (
        None,
        None,
        True,
        None,
    )
    filled = asked.with_param("rport", "5070").with_param("received", "192.0.2.9")
    assert str(filled) == "SIP/2.0/UDP pbx;rport=5070;received=192.0.2.9"


@pytest.mark.parametrize("text", ["70000", "x", "-1", '""', "5060 ", "١"])
def test_an_rport_that_is_no_port_counts_as_none(text):
    assert Via("UDP", "pbx", params=(("rport", text),)).rport is None


@pytest.mark.parametrize(
    ("text", "cseq"),
    [
        ("1 INVITE", CSeq(1, "INVITE")),
        ("0009  \t INVITE ", CSeq(9, "INVITE")),
        ("4294967295 x", CSeq(4294967295, "x")),
        ("0" * 5000 + "7 BYE", CSeq(7, "BYE")),
    ],
)
def test_a_cseq_is_read(text, cseq):
    """RFC 3261 §20.16."""
    assert parse_cseq(text) == cseq
    assert parse_cseq(str(cseq)) == cseq


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "INVITE",
        "-1 INVITE",
        "1 IN VITE",
        "1 <",
        "4294967296 A",
        "9" * 8000 + " A",
        "١ A",
        "² A",
    ],
)
def test_what_is_no_cseq_is_refused(text):
    with pytest.raises(ParseError):
        parse_cseq(text)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("a", ["a"]),
        (" a , b\t", ["a", "b"]),
        ('"a,b" <sip:x>, <sip:c,d>;e="f,g"', ['"a,b" <sip:x>', '<sip:c,d>;e="f,g"']),
        ('"\\",", b', ['"\\","', "b"]),
    ],
)
def test_a_list_is_cut_at_commas_outside_quotes_and_brackets(row, expected):
    assert split_list(row) == expected


@pytest.mark.parametrize("row", ["", " ", "a,", ",a", "a,,b", 'a,"b', "a,<b", '<a>,,"b"'])
def test_a_list_with_holes_or_open_quotes_is_refused(row):
    with pytest.raises(ParseError):
        split_list(row)


@pytest.mark.parametrize("text", ["", "a", 'say "hi"', "back\\slash", "ünï", "\\", '"', "\0"])
def test_quoting_and_unquoting_undo_each_other(text):
    assert unquote(quote(text)) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [("a1", "a1"), ("a=b/c", "a=b/c"), ("a;b", '"a;b"'), ("a b", '"a b"'), ("\0", '"\\\0"')],
)
def test_a_value_is_quoted_where_it_would_end_too_early(text, written):
    assert param_text(text) == written
    assert unquote(written) == text


def test_text_without_quotes_stays():
    assert (unquote("a"), unquote('"'), unquote('"a')) == ("a", '"', '"a')


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), (" 3600 ", 3600), ("4294967296", MOST_SECONDS), ("1" + "0" * 100, MOST_SECONDS)],
)
def test_seconds_are_capped(text, seconds):
    """RFC 3261 §25.1: delta-seconds."""
    assert delta_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1.5", "five", "0x10", "１"])
def test_what_is_no_number_of_seconds_is_refused(text):
    with pytest.raises(ParseError):
        delta_seconds(text)


def test_retry_after_may_have_a_comment_and_parameters():
    """RFC 3261 §20.33."""
    assert parse_retry_after("18000;duration=3600") == 18000
    assert parse_retry_after("120 (I'm in a meeting)") == 120
    assert parse_retry_after("949302838503028349304023988") == MOST_SECONDS


def test_a_reason_is_read_and_written():
    reason = Reason("SIP", 200, "Call completed elsewhere")
    text = 'SIP;cause=200;text="Call completed elsewhere"'
    assert parse_reason('SIP ;cause=200 ;text="Call completed elsewhere"') == reason
    assert str(reason) == text
    assert parse_reason("Q.850") == Reason("Q.850")
    assert str(Reason("Q.850")) == "Q.850"


@pytest.mark.parametrize("text", ["", "SIP cause=1", "SIP;cause=x", "SIP;;", ";cause=1"])
def test_what_is_no_reason_is_refused(text):
    with pytest.raises(ParseError):
        parse_reason(text)


def test_a_warning_is_read_and_written():
    """RFC 3261 §20.43."""
    text = '304 isi.edu:5060 "Incompatible \\"bandwidth\\""'
    warning = Warning(304, "isi.edu:5060", 'Incompatible "bandwidth"')
    assert parse_warning(text) == warning
    assert str(warning) == text


@pytest.mark.parametrize("text", ["", "1812 overture", '1812 overture "x"', "304 a b", '3x4 a "b"'])
def test_what_is_no_warning_is_refused(text):
    with pytest.raises(ParseError):
        parse_warning(text)


def test_lists_run_over_rows():
    headers = Headers(
        [
            ("Via", "SIP/2.0/UDP a;branch=1, SIP/2.0/TCP b;branch=2"),
            ("Via", "SIP/2.0/TLS c;branch=3"),
            ("Contact", "<sip:a@b>, sip:c@d;q=1"),
            ("Route", "<sip:p1;lr>,<sip:p2;lr>"),
            ("Route", "<sip:p3>"),
            ("Supported", "100rel, timer"),
            ("Supported", ""),
        ]
    )
    assert [via.branch for via in via_list(headers)] == ["1", "2", "3"]
    assert [contact.uri for contact in contact_list(headers)] == [
        parse_uri("sip:a@b"),
        parse_uri("sip:c@d"),
    ]
    assert [route.uri.loose for route in route_list(headers, "Route")] == [True, True, False]
    assert values(headers, "Supported") == ["100rel", "timer"]


def test_contact_may_be_a_star():
    assert contact_list(Headers([("Contact", "*")])) == [WILDCARD]
    with pytest.raises(ParseError):
        contact_list(Headers([("Contact", "*"), ("Contact", "<sip:a@b>")]))


def test_a_route_needs_brackets():
    """RFC 3261 §20.34."""
    with pytest.raises(ParseError):
        route_list(Headers([("Route", "sip:p1;lr")]), "Route")


def test_parameters_need_a_semicolon_before_them():
    assert parse_params("  ") == ()
    with pytest.raises(ParseError):
        parse_params("a=b")
