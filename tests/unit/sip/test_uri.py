"""URIs: RFC 3261 §19.1, RFC 3966, RFC 5954."""

from itertools import combinations

import pytest

from firmware.base.values import replace
from firmware.sip.errors import ParseError
from firmware.sip.uri import Uri, bracketed, equivalent, host_port, parse_uri


@pytest.mark.parametrize(
    ("text", "uri"),
    [
        ("sip:alice@atlanta.com", Uri("sip", "alice", host="atlanta.com")),
        (
            "sip:alice:secretword@atlanta.com;transport=tcp",
            Uri("sip", "alice", "secretword", "atlanta.com", params=(("transport", "tcp"),)),
        ),
        (
            "sips:alice@atlanta.com?subject=project%20x&priority=urgent",
            Uri(
                "sips",
                "alice",
                host="atlanta.com",
                headers=(("subject", "project x"), ("priority", "urgent")),
            ),
        ),
        (
            "sip:+1-212-555-1212:1234@gateway.com;user=phone",
            Uri("sip", "+1-212-555-1212", "1234", "gateway.com", params=(("user", "phone"),)),
        ),
        ("sips:1212@gateway.com", Uri("sips", "1212", host="gateway.com")),
        ("sip:alice@192.0.2.4", Uri("sip", "alice", host="192.0.2.4")),
        (
            "sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com",
            Uri(
                "sip",
                host="atlanta.com",
                params=(("method", "REGISTER"),),
                headers=(("to", "alice@atlanta.com"),),
            ),
        ),
        ("sip:alice;day=tuesday@atlanta.com", Uri("sip", "alice;day=tuesday", host="atlanta.com")),
        (
            "sip:a@[2001:DB8::10]:5070;lr",
            Uri("sip", "a", host="2001:db8::10", port=5070, params=(("lr", None),)),
        ),
        ("SIP:*97@pbx:5080", Uri("sip", "*97", host="pbx", port=5080)),
        (
            "tel:+1-201-555-0123;phone-context=x.com",
            Uri("tel", "+12015550123", params=(("phone-context", "x.com"),)),
        ),
        ("urn:service:sos", Uri("urn", "service:sos")),
    ],
)
def test_a_uri_is_read_into_its_parts_and_written_as_it_came(text, uri):
    read = parse_uri(text)
    assert read == uri
    assert str(read) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip",
        "sip:",
        "alice@atlanta.com",
        "1sip:a@b",
        "sip:@b",
        "sip:a@",
        "sip:a@b@c",
        "sip:a@b:port",
        "sip:a@b:70000",
        "sip:a@b:",
        "sip:a b@c",
        "sip:a@b\r\nX: y",
        "sip:a\0@b",
        "sip:a@b;",
        "sip:a@b;;lr",
        "sip:a@b;=x",
        "sip:a%4@b",
        "sip:a%zz@b",
        "sip:a@b?x",
        "sip:a@b?=y",
        "sip:a@2001:db8::10",
        "sip:a@[2001:db8::1::2]",
        "sip:a@[]",
        "sip:a@[192.0.2.1]",
        "sip:a@[::1",
        "<sip:a@b>",
        '"sip:a@b"',
        "sip:a@b" + ";x" * 200,
        "sip:a@b?" + "&x=y" * 200,
    ],
)
def test_what_is_no_uri_is_refused(text):
    with pytest.raises(ParseError) as caught:
        parse_uri(text)
    assert caught.value.status == 400


def test_a_uri_made_here_has_its_special_characters_escaped():
    uri = Uri("sip", "me & you@home", "p:w", "2001:db8::1", 5060, (("x", "a;b"), ("lr", None)))
    assert str(uri) == "sip:me%20&%20you%40home:p%3Aw@[2001:db8::1]:5060;x=a%3Bb;lr"
    assert parse_uri(str(uri)) == uri


def test_a_changed_uri_is_composed_anew():
    uri = parse_uri("sip:%61lice@old.example;%6Cr")
    assert str(uri) == "sip:%61lice@old.example;%6Cr"
    assert str(replace(uri, host="new.example")) == "sip:alice@new.example;lr"


def test_headers_in_a_uri_are_escaped():
    uri = Uri("sip", host="pbx", headers=(("Route", "<sip:a@b;lr>"), ("Subject", "a b")))
    assert str(uri) == "sip:pbx?Route=%3Csip:a%40b%3Blr%3E&Subject=a%20b"
    assert parse_uri(str(uri)) == uri


def test_octets_that_are_no_utf8_become_readable():
    assert parse_uri("sip:%FF@b").user == "\ufffd"
    assert parse_uri("sip:m%C3%BCller@b").user == "müller"


def test_a_uri_tells_what_people_ask_of_it():
    uri = parse_uri("sips:a@b;Transport=TCP;lr;maddr=192.0.2.1")
    assert (uri.is_sip, uri.secure, uri.loose, uri.transport) == (True, True, True, "tcp")
    assert uri.param("maddr") == "192.0.2.1"
    assert (uri.has("lr"), uri.param("lr"), uri.has("x"), uri.param("x")) == (
        True,
        None,
        False,
        None,
    )
    assert parse_uri("sip:b").transport is None
    assert not parse_uri("tel:1").is_sip


# The sets of RFC 3261 §19.1.4.
SAME = [
    ["sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"],
    ["sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"],
    ["sip:carol@chicago.com", "sip:carol@chicago.com;security=on"],
    [
        "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
        "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
    ],
    [
        "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
        "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
    ],
    ["sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0:0::1]"],
    ["sip:a@[::ffff:192.0.2.1]", "sip:a@[::FFFF:c000:201]"],
    ["tel:+1201", "TEL:+1201"],
    # RFC 3966 §4 and the examples of RFC 3261 §19.1.6.
    ["tel:+358-555-1234567;postd=pp22", "tel:+3585551234567;POSTD=PP22"],
    ["tel:+358-555-1234567;postd=pp22;isub=1411", "tel:+358.555.1234567;isub=1411;postd=pp22"],
    ["tel:7042;phone-context=Example.com", "tel:7042;phone-context=example.COM"],
    ["tel:7042;phone-context=+1-914-555", "tel:7042;phone-context=+1(914)555"],
    ["tel:%2A21%23", "tel:*21#"],
    ["urn:service:sos", "urn:service:sos"],
]
DIFFERENT = [
    ["SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"],
    ["sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"],
    ["sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"],
    ["sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"],
    ["sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"],
    ["sip:a@b", "sips:a@b"],
    ["sip:a@b", "sip:a:x@b"],
    ["sip:a@b", "sip:b"],
    ["sip:a@b", "sip:a@b;maddr=192.0.2.1"],
    ["sip:a@b", "sip:a@b;user=ip"],
    ["sip:a@b", "sip:a@b;ttl=1"],
    ["sip:a@b", "sip:a@b;method=INVITE"],
    ["tel:+1201", "tel:+1202"],
    ["tel:+1201", "tel:1201"],
    ["tel:+1201", "tel:+1201;ext=7"],
    ["tel:7042;phone-context=a.example", "tel:7042;phone-context=b.example"],
    ["sip:a@192.0.2.1", "sip:a@192.0.2.2"],
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_uris_that_mean_the_same(one, other):
    assert equivalent(parse_uri(one), parse_uri(other))
    assert equivalent(parse_uri(other), parse_uri(one))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_uris_that_do_not(one, other):
    assert not equivalent(parse_uri(one), parse_uri(other))
    assert not equivalent(parse_uri(other), parse_uri(one))


def test_every_uri_is_equivalent_to_itself():
    texts = {text for row in SAME + DIFFERENT for text in row}
    assert all(equivalent(parse_uri(text), parse_uri(text)) for text in texts)
    assert sum(equivalent(*map(parse_uri, pair)) for pair in combinations(texts, 2)) >= len(SAME)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pbx", ("pbx", None)),
        ("pbx.example.com:5070", ("pbx.example.com", 5070)),
        ("192.0.2.1:5060", ("192.0.2.1", 5060)),
        ("[::1]", ("::1", None)),
        ("[::1]:5061", ("::1", 5061)),
        ("[2001:db8:::192.0.2.1]:1", ("2001:db8::192.0.2.1", 1)),
    ],
)
def test_host_and_port_are_told_apart(text, expected):
    assert host_port(text) == expected


@pytest.mark.parametrize("text", ["", "::1", "a:b", "a:", "[::1]x", "ä", "a b", "a:65536"])
def test_what_is_no_host_is_refused(text):
    with pytest.raises(ParseError):
        host_port(text)


def test_an_ipv6_address_gets_its_brackets():
    assert (bracketed("::1"), bracketed("pbx")) == ("[::1]", "pbx")
