"""Reading whole messages."""

import pytest

from firmware.sip.errors import ParseError
from firmware.sip.message import COMPACT_FORMS, Headers, Request, Response
from firmware.sip.parser import (
    MOST_COMMAS,
    MOST_IN_ROW,
    MOST_OCTETS,
    MOST_ROWS,
    MOST_SEMICOLONS,
    MOST_VIAS,
    parse,
)

OPTIONS = (
    b"OPTIONS sip:desk@192.0.2.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx\r\n"
    b"From: <sip:pbx@192.0.2.2>;tag=1\r\n"
    b"To: <sip:desk@192.0.2.1>\r\n"
    b"Call-ID: c\r\n"
    b"CSeq: 1 OPTIONS\r\n"
)


def refused(data: bytes) -> ParseError:
    with pytest.raises(ParseError) as caught:
        parse(data)
    return caught.value


def test_a_request_is_read():
    assert parse(OPTIONS + b"\r\n") == Request(
        "OPTIONS",
        "sip:desk@192.0.2.1",
        Headers(
            [
                ("Via", "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx"),
                ("From", "<sip:pbx@192.0.2.2>;tag=1"),
                ("To", "<sip:desk@192.0.2.1>"),
                ("Call-ID", "c"),
                ("CSeq", "1 OPTIONS"),
            ]
        ),
    )


def test_a_response_is_read():
    data = b"SIP/2.0 486 Busy Here\r\nl: 2\r\n\r\nhi"
    assert parse(data) == Response(486, "Busy Here", Headers([("Content-Length", "2")]), b"hi")


@pytest.mark.parametrize(
    "line", [b"SIP/2.0 200 ", b"SIP/2.0 200", b"sip/2.0 200 ", b"Sip/2.0 200 "]
)
def test_a_phrase_may_be_missing(line):
    assert parse(line + b"\r\n\r\n") == Response(200, "")


@pytest.mark.parametrize(("short", "long"), COMPACT_FORMS.items())
def test_compact_forms_become_long(short, long):
    """RFC 3261 §7.3.3."""
    value = "0" if long == "Content-Length" else "x"
    for name in (short, short.upper(), long, long.lower(), long.upper(), f"{long} \t"):
        data = f"SIP/2.0 200 OK\r\n{name}:{value}\r\n\r\n".encode()
        assert list(parse(data).headers) == [(long, value)]


def test_an_unknown_header_keeps_its_name_and_value():
    data = b"SIP/2.0 200 OK\r\nX-oDD%: \t a:b;;,\xff\xc3\xbc \r\nempty:\r\n\r\n"
    assert list(parse(data).headers) == [("X-oDD%", "a:b;;,\udcffü"), ("empty", "")]


def test_folded_rows_become_one_line():
    data = b"SIP/2.0 200 OK\r\nSubject : one\r\n two\r\n\t \tthree\r\n \r\nTo:\r\n x\r\n\r\n"
    assert list(parse(data).headers) == [("Subject", "one two three"), ("To", "x")]


def test_line_breaks_before_the_start_line_are_skipped():
    """RFC 3261 §7.5."""
    assert parse(b"\r\n\r\n\r\n" + OPTIONS + b"\r\n") == parse(OPTIONS + b"\r\n")


def test_without_a_length_the_body_is_all_the_rest():
    assert parse(OPTIONS + b"\r\nall the rest\r\n\r\n").body == b"all the rest\r\n\r\n"


def test_what_follows_the_body_is_dropped():
    assert parse(OPTIONS + b"l: 3\r\n\r\nbodynoise").body == b"bod"


def test_a_length_may_be_said_twice_if_it_is_the_same():
    assert parse(OPTIONS + b"l: 3\r\nContent-Length: 3\r\n\r\nbody").body == b"bod"


@pytest.mark.parametrize(
    "length", [b"-1", b"five", b"", b"4, 4", b"+4", b"0x4", b"4.0", b"99999999999999999999", b"5"]
)
def test_a_length_that_is_wrong_is_refused(length):
    assert refused(OPTIONS + b"Content-Length: " + length + b"\r\n\r\nbody").status == 400


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"OPTIONS",
        b"OPTIONS sip:a@b",
        b"OPTIONS sip:a@b HTTP/1.1",
        b"OPTIONS sip:a@b SIP/two",
        b"OPTIONS  SIP/2.0",
        b" OPTIONS sip:a@b SIP/2.0",
        b"OPT<ONS sip:a@b SIP/2.0",
        b"OPTIONS sip:a@b  SIP/2.0",
        b"SIP/2.0 99 OK",
        b"SIP/2.0 099 OK",
        b"SIP/2.0 700 OK",
        b"SIP/2.0 2000 OK",
        b"SIP/2.0 OK",
        b"SIP/2.0",
        b"GET / HTTP/1.1",
        b"\x16\x03\x01\x02\x00",
    ],
)
def test_a_start_line_that_is_none_is_refused(line):
    assert refused(line + OPTIONS[OPTIONS.index(b"\r\n") :] + b"\r\n").status == 400


@pytest.mark.parametrize("version", [b"SIP/7.0", b"SIP/1.0", b"sip/2.1"])
def test_another_version_is_505(version):
    error = refused(OPTIONS.replace(b"SIP/2.0\r\n", version + b"\r\n", 1) + b"\r\n")
    assert (error.status, error.phrase) == (505, "Version Not Supported")
    assert error.partial.headers.get("Call-ID") == "c"


@pytest.mark.parametrize(
    "row",
    [
        b"no colon",
        b"nocolon",
        b"Via",
        b": no name",
        b"two words: x",
        b"n\xc3\xa4me: x",
        b"\xe2\x84\xaa: x",
        b"X: a\rb",
        b"X: a\nb",
        b"X: a\0b",
        b"X: a\\\\\0b",
        b"X: " + b"x" * MOST_IN_ROW,
    ],
)
def test_a_row_that_is_none_is_refused_and_answered(row):
    error = refused(OPTIONS + row + b"\r\n\r\n")
    assert error.status == 400
    assert error.partial == parse(OPTIONS + b"\r\n")


def test_a_quoted_nul_is_let_in():
    """RFC 3261 §25.1: a quoted-pair may be any octet below 128 but CR and LF."""
    assert parse(b'SIP/2.0 200 OK\r\nTo: "\\\0"\r\n\r\n').headers.get("To") == '"\\\0"'


def test_headers_without_an_empty_line_are_refused():
    assert refused(OPTIONS).partial == parse(OPTIONS + b"\r\n")


@pytest.mark.parametrize("data", [b"", b"\r\n", b"\r\n\r\n", b"\0" * 100, b"\xff" * 3000])
def test_nothing_and_noise_have_nobody_to_answer(data):
    assert refused(data).partial is None


def test_without_a_via_there_is_nobody_to_answer():
    assert refused(b"OPTIONS sip:a@b SIP/2.0\r\nFrom: x\r\nbad\r\n\r\n").partial is None


def test_a14_a_message_too_long_is_513():
    error = refused(OPTIONS + b"\r\n" + b"x" * MOST_OCTETS)
    assert (error.status, error.partial) == (513, parse(OPTIONS + b"\r\n"))


def test_a14_too_many_rows_are_refused():
    rows = MOST_ROWS - 5
    assert len(parse(OPTIONS + b"X: y\r\n" * rows + b"\r\n").headers) == MOST_ROWS
    assert refused(OPTIONS + b"X: y\r\n" * (rows + 1) + b"\r\n").status == 400


def test_a14_too_many_vias_are_refused():
    more = b"Via: SIP/2.0/UDP a, SIP/2.0/UDP b, SIP/2.0/UDP c\r\n"
    assert parse(OPTIONS + more * ((MOST_VIAS - 1) // 3) + b"\r\n")
    assert refused(OPTIONS + more * (MOST_VIAS // 3 + 1) + b"\r\n").status == 400


def test_what_cannot_be_answered_with_is_left_out_of_the_partial():
    error = refused(OPTIONS.replace(b"Call-ID: c", b"Call-ID: c\rx") + b"\r\n")
    assert [name for name, _ in error.partial.headers] == ["Via", "From", "To", "CSeq"]


def test_a14_more_values_than_any_list_has_are_refused():
    row = b"Supported: " + b"a," * 100 + b"b\r\n"
    rows, rest = divmod(MOST_COMMAS, 100)
    enough = row * rows + b"X: " + b"," * rest + b"\r\n"
    assert len(parse(OPTIONS + enough + b"\r\n").headers) == 5 + rows + 1
    error = refused(OPTIONS + enough + b"Y: ,\r\n\r\n")
    assert (error.status, error.partial is None) == (400, False)


def test_a14_more_parameters_than_any_message_has_are_refused():
    row = b"Route: <sip:a@b>" + b";a" * 100 + b"\r\n"
    assert parse(OPTIONS + row * (MOST_SEMICOLONS // 101) + b"\r\n")
    assert refused(OPTIONS + row * (MOST_SEMICOLONS // 100 + 1) + b"\r\n").status == 400
