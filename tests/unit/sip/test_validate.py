"""The rules every request and response must keep."""

import pytest

from firmware.sip.message import Headers, Message, Request, Response
from firmware.sip.parser import validate

ROWS = {
    "Via": "SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKx",
    "From": "<sip:pbx@192.0.2.2>;tag=1",
    "To": "<sip:desk@192.0.2.1>",
    "Call-ID": "c",
    "CSeq": "1 INVITE",
    "Contact": "<sip:pbx@192.0.2.2>",
}


def invite(uri: str = "sip:desk@192.0.2.1", method: str = "INVITE", **rows: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in rows.items()}
    return Request(method, uri, Headers({**ROWS, **named}.items()))


def answer(**rows: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in rows.items()}
    return Response(200, "OK", Headers({**ROWS, **named}.items()))


def without(message: Message, name: str) -> Message:
    message.headers.remove(name)
    return message


def test_a_good_invite_and_its_answer_pass():
    assert validate(invite()) is None
    assert validate(answer()) is None


@pytest.mark.parametrize("name", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_what_must_be_there_must_be_there(name):
    assert validate(without(invite(), name)) == 400
    assert validate(without(answer(), name)) == 400


@pytest.mark.parametrize("name", ["From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Type"])
def test_what_may_be_there_once_may_not_be_there_twice(name):
    message = invite(**{"Max-Forwards": "70", "Content-Type": "application/sdp"})
    message.headers.add(name, message.headers.get(name))
    assert validate(message) == 400


@pytest.mark.parametrize("name", ["Contact", "Max-Forwards"])
def test_what_old_elements_leave_out_may_be_missing(name):
    """RFC 3261 §8.1.1 wants Max-Forwards; RFC 2543 knew none."""
    assert validate(without(invite(), name)) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Via", ""),
        ("Via", "SIP/2.0/UDP a;;"),
        ("Via", "SIP/2.0/UDP a;branch=z9hG4bK"),
        ("From", "pbx"),
        ("From", '"pbx <sip:a@b>'),
        ("To", ""),
        ("Call-ID", ""),
        ("Call-ID", "two words"),
        ("CSeq", "1"),
        ("CSeq", "36893488147419103232 INVITE"),
        ("Contact", "*"),
        ("Contact", ""),
        ("Contact", "<sip:a@b>, <sip:c@d>"),
        ("Contact", "sip:a@b?x=y"),
        ("Contact", "<sip:a@b>" + ",<sip:a@b>" * 200),
        ("Route", "sip:p;lr"),
        ("Record-Route", "<sip:p;lr>,"),
    ],
)
def test_a_malformed_header_that_matters_is_400(name, value):
    assert validate(invite(**{name: value})) == 400


def test_the_method_of_the_cseq_must_be_that_of_the_request():
    assert validate(invite(CSeq="1 BYE")) == 400
    assert validate(invite(method="NEWMETHOD")) == 501
    assert validate(invite(method="NEWMETHOD", CSeq="1 NEWMETHOD")) is None


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("sips:desk@192.0.2.1", None),
        ("tel:+1201", None),
        ("mailto:a@b", 416),
        ("soap.beep://192.0.2.103:3002", 416),
        ("sip:desk@192.0.2.1?Subject=x", 400),
        ("desk", 400),
        ("sip:2001:db8::1", 400),
    ],
)
def test_the_request_uri_must_be_one_we_can_serve(uri, status):
    assert validate(invite(uri)) == status


def test_a_register_may_have_many_contacts_or_a_star():
    many = invite(method="REGISTER", CSeq="1 REGISTER", Contact="<sip:a@b>, <sip:c@d>")
    assert validate(many) is None
    assert validate(invite(method="REGISTER", CSeq="1 REGISTER", Contact="*")) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Via", "SIP/2.0/UDP a;branch=z9hG4bKx, SIP/2.0/UDP b;branch=z9hG4bKy"),
        ("CSeq", "9292394834772304023312 INVITE"),
        ("Contact", "<sip:"),
        ("Record-Route", "sip:x"),
        ("To", "x"),
    ],
)
def test_a_response_that_is_not_for_us_or_malformed_is_discarded(name, value):
    """RFC 3261 §8.1.3.3: more than one Via."""
    assert validate(answer(**{name: value})) is not None
