"""Writing messages, and refusing to be an injection."""

import pytest

from firmware.sip.errors import LocalError
from firmware.sip.message import Headers, Request, Response
from firmware.sip.writer import write


def test_a_request_is_written():
    message = Request("BYE", "sip:a@b", Headers([("Call-ID", "c"), ("X", "")]), b"hi")
    assert write(message) == (
        b"BYE sip:a@b SIP/2.0\r\nCall-ID: c\r\nX: \r\nContent-Length: 2\r\n\r\nhi"
    )


def test_a_response_is_written():
    assert write(Response(486, "Busy")) == b"SIP/2.0 486 Busy\r\nContent-Length: 0\r\n\r\n"


def test_the_length_is_put_right_in_its_place():
    headers = Headers([("content-length", "99"), ("X", "y"), ("Content-Length", "7")])
    message = Request("BYE", "sip:a@b", headers, b"body")
    assert write(message) == b"BYE sip:a@b SIP/2.0\r\nContent-Length: 4\r\nX: y\r\n\r\nbody"
    assert headers.get("Content-Length") == "99"


def test_octets_that_are_no_utf8_go_out_as_they_came_in():
    headers = Headers([("Subject", "M\udcfcller ü")])
    assert b"Subject: M\xfcller \xc3\xbc\r\n" in write(Response(200, "OK", headers))


@pytest.mark.parametrize("bad", ["\r\nX: y", "\n", "\r", "\0", "\\\\\0", "\ud800"])
def test_nothing_is_smuggled_in(bad):
    for message in (
        Request("BYE", "sip:a@b", Headers([("Subject", "a" + bad)])),
        Request("BYE", "sip:a@b", Headers([("Subject" + bad, "a")])),
        Request("BYE", "sip:a@b" + bad),
        Request("BYE" + bad, "sip:a@b"),
        Response(200, "OK" + bad),
    ):
        with pytest.raises(LocalError):
            write(message)


def test_a_nul_behind_a_backslash_may_go_back_where_it_came_from():
    assert b'"\\\0"' in write(Response(200, "OK", Headers([("X", '"\\\0"')])))


@pytest.mark.parametrize(
    "message",
    [
        Request("", "sip:a@b"),
        Request("B YE", "sip:a@b"),
        Request("BYE", ""),
        Request("BYE", "sip:a b"),
        Request("BYE", "sip:a@b", Headers([("", "x")])),
        Request("BYE", "sip:a@b", Headers([("X:", "x")])),
        Request("BYE", "sip:a@b", Headers([("Grün", "x")])),
        Response(99, "x"),
        Response(700, "x"),
    ],
)
def test_what_could_not_be_read_again_is_refused(message):
    with pytest.raises(LocalError):
        write(message)
