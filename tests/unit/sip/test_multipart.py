"""Bodies of several parts."""

from pathlib import Path

import pytest

from firmware.sip.bodies import sdp_of
from firmware.sip.errors import ParseError
from firmware.sip.message import Headers
from firmware.sip.multipart import MOST_PARTS, understood
from firmware.sip.notifications import CallAnswered, IncomingCall
from firmware.sip.parser import parse

SDP = "application/sdp"
TORTURE = Path(__file__).parents[2] / "data" / "rfc4475"


def part(kind, body="", *rows):
    head = "".join(f"{row}\r\n" for row in (f"Content-Type: {kind}", *rows))
    return f"{head}\r\n{body}"


def multipart(*parts, kind="mixed", boundary="b", before="", after=""):
    rows = Headers([("Content-Type", f'Multipart/{kind} ; boundary="{boundary}"')])
    body = before + "".join(f"\r\n--{boundary}\r\n{each}" for each in parts)
    return rows, f"{body}\r\n--{boundary}--\r\n{after}".encode()


def nested(depth):
    inner = part(SDP, "v=0")
    for level in range(depth):
        headers, body = multipart(inner, boundary=f"b{level}")
        inner = part(headers.get("Content-Type"), body.decode())
    return multipart(inner)


def bodies(headers, body, known=(SDP,)):
    return [each.body for each in understood(headers, body, known)]


def test_the_session_description_among_other_things():
    """RFC 5621 §4.2: a phone must find it."""
    rows, body = multipart(part("application/pidf+xml", "<x/>"), part(SDP, "v=0\r\no=x\r\n"))
    assert bodies(rows, body) == [b"v=0\r\no=x\r\n"]


def test_what_stands_before_and_after_is_for_nobody():
    """RFC 2046 §5.1.1."""
    rows, body = multipart(part(SDP, "v=0"), before="This is MIME", after="the end\r\n--b\r\nx")
    assert bodies(rows, body) == [b"v=0"]


def test_of_alternatives_the_last_known_is_the_best():
    """RFC 2046 §5.1.4, RFC 5621 §6.3."""
    parts = part("text/plain", "plain"), part(SDP, "v=1"), part(SDP, "v=2"), part("text/html", "h")
    assert bodies(*multipart(*parts, kind="alternative")) == [b"v=2"]
    assert bodies(*multipart(part("text/html", "h"), kind="alternative")) == []


def test_parts_within_parts():
    assert bodies(*nested(2)) == [b"v=0"]


def test_an_unknown_kind_of_multipart_is_as_mixed():
    """RFC 5621 §4.2."""
    assert bodies(*multipart(part(SDP, "v=0"), kind="related")) == [b"v=0"]
    assert bodies(*multipart(part(SDP, "v=0"), kind="x-new")) == [b"v=0"]


def test_a_body_that_is_no_multipart_is_one_part():
    rows = Headers([("Content-Type", "application/SDP; charset=utf-8")])
    found = understood(rows, b"v=0", (SDP,))
    assert [(each.body, each.params) for each in found] == [(b"v=0", {"charset": "utf-8"})]
    assert understood(Headers(), b"v=0", (SDP,)) == ()


def test_a_part_has_a_name_for_those_who_refer_to_it():
    """RFC 2392."""
    rows, body = multipart(part(SDP, "v=0", "Content-ID: <audio@pbx>"))
    assert understood(rows, body, (SDP,))[0].content_id == "audio@pbx"


def test_a_part_that_must_be_understood_and_is_not():
    """RFC 5621 §8.4. RFC 3261 §20.11: handling."""
    needed = "Content-Disposition: render; handling = Required"
    rows, body = multipart(part(SDP, "v=0"), part("application/isup", "x", needed))
    with pytest.raises(ParseError) as refused:
        understood(rows, body, (SDP,))
    assert refused.value.status == 415


def test_a_part_that_says_nothing_of_it_is_passed_over():
    assert bodies(*multipart(part(SDP, "v=0"), part("application/isup", "x"))) == [b"v=0"]


def test_a_part_in_an_encoding_for_mail_is_not_read():
    rows, body = multipart(part(SDP, "dj0w", "Content-Transfer-Encoding: base64"))
    assert bodies(rows, body) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"\r\n\r\nhello\r\n--b--", [b"hello"]),
        (b"\r\nhello\r\n--b--", [b"hello"]),
        (b"\n\nhello\n--b--", [b"hello"]),
        (b"\r\nContent-Type: text/plain\r\n\r\nno end", [b"no end"]),
        (b"  \r\nContent-Type:\r\n text/plain\r\n\r\nfolded\r\n--b--", [b"folded"]),
        (b"", [b""]),
    ],
)
def test_what_gateways_make_of_it(text, found):
    """RFC 2046 §5.1: a part without a type is plain text."""
    rows, _ = multipart()
    assert bodies(rows, b"--b" + text, ("text/plain",)) == found


@pytest.mark.parametrize(
    ("rows", "body"),
    [
        ("multipart/mixed", b"--b\r\n\r\nx\r\n--b--"),
        ("multipart/mixed;boundary=", b"x"),
        ("multipart/mixed;boundary=" + "b" * 71, b"x"),
        ("multipart/mixed;boundary=b", b"nothing"),
        ("multipart/mixed;;", b"x"),
        ('multipart/mixed;boundary="b', b"x"),
    ],
)
def test_what_is_no_multipart_at_all(rows, body):
    with pytest.raises(ParseError):
        understood(Headers([("Content-Type", rows)]), body, (SDP,))


class TestBounds:
    def test_a14_too_many_parts(self):
        rows, body = multipart(*[part(SDP, "v=0")] * MOST_PARTS)
        with pytest.raises(ParseError) as refused:
            understood(rows, body, (SDP,))
        assert refused.value.status == 413

    def test_a15_parts_within_parts_without_end(self):
        with pytest.raises(ParseError) as refused:
            bodies(*nested(6))
        assert refused.value.status == 413

    def test_a14_headers_without_end(self):
        with pytest.raises(ParseError):
            bodies(*multipart(part(SDP, "v=0", *["X: y"] * 40)))
        with pytest.raises(ParseError):
            bodies(*multipart("X" * 5000))

    def test_a15_a_whole_datagram_of_marks_costs_little(self):
        rows = Headers([("Content-Type", "multipart/mixed;boundary=b")])
        with pytest.raises(ParseError):
            understood(rows, b"\r\n--b" * 13_000, (SDP,))
        with pytest.raises(ParseError):
            understood(rows, b"\r\n-" * 20_000, (SDP,))


def test_the_torture_message_of_two_parts():
    """RFC 4475 §3.1.1.11: text and a signature of any octets."""
    message = parse((TORTURE / "mpart01.dat").read_bytes())
    found = understood(message.headers, message.body, ("text/plain", "application/octet-stream"))
    assert [each.media_type for each in found] == ["text/plain", "application/octet-stream"]
    assert found[0].body == b"Hello"
    assert len(found[1].body) == 342


# --- in a call ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((part("application/pidf+xml", "<x/>"), part(SDP, "v=0")), b"v=0"),
        ((part("application/pidf+xml", "<x/>"),), None),
        ((part(SDP, "v=0"), part("x/y", "", "Content-Disposition: x;handling=required")), None),
    ],
)
def test_where_the_session_description_is(sip, parts, expected):
    rows, body = multipart(*parts)
    assert sdp_of(sip.request("INVITE", "sip:a@b", *rows, body=body)) == expected


def test_a_call_whose_offer_comes_with_a_location_rings(world, desk, pbx, sip):
    rows, body = multipart(part("application/pidf+xml", "<x/>"), part(SDP, sip.OFFER.decode()))
    pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", *rows, body=body), desk)
    world.run(0.1)
    assert desk.last(IncomingCall).offer == sip.OFFER


def test_a_call_with_a_part_that_no_phone_knows_is_415(world, desk, pbx, sip):
    rows, body = multipart(part("x/y", "", "Content-Disposition: signal;handling=required"))
    pbx.tell(sip.request("INVITE", "sip:101@192.0.2.1", *rows, body=body), desk)
    world.run(0.1)
    assert pbx.responses(415)[0].headers.get("Accept") == SDP


def test_an_answer_may_come_in_parts_too(world, desk, pbx, sip):
    """RFC 5621 §4.2."""
    rows, body = multipart(part(SDP, sip.ANSWER.decode()), part("application/pidf+xml", "<x/>"))

    def reply(message):
        if getattr(message, "method", "") != "INVITE":
            return []
        answer = sip.answer_to(message, 200, ("Contact", "<sip:600@192.0.2.9>"), *rows)
        answer.body = body
        return [answer]

    pbx.reply = reply
    desk.agent.invite("out", sip.LINE, "600", world.now)
    world.run(0.1)
    desk.agent.offer("out", sip.OFFER, world.now)
    world.run(0.1)
    assert desk.last(CallAnswered).body == sip.ANSWER
