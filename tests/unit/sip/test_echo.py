"""What cannot be read is still answered, with the sender's own rows."""

import pytest

from firmware.sip.echo import echo
from firmware.sip.effects import CloseFlow, Transmit
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.message import Headers, Request
from firmware.sip.parser import parse
from tests.support.sip_link import Desk, World

ROWS = [
    ("Via", "SIP/7.0/UDP a;branch=1"),
    ("Via", "SIP/2.0/UDP b"),
    ("From", '"open <sip:a@b>;tag=1'),
    ("To", "<sip:a@b"),
    ("Call-ID", "c"),
    ("CSeq", "99999999999 OPTIONS"),
    ("Subject", "nobody's business"),
]


def request(*rows: tuple[str, str], method: str = "OPTIONS") -> Request:
    return Request(method, "sip:a@b", Headers(rows or ROWS))


def test_the_rows_come_back_as_they_were_and_no_others():
    """RFC 3261 §8.2.6.2: Via, From, To, Call-ID and CSeq of the request; To gets a tag."""
    answer = parse(echo(request(), 400, "Bad Request", "mine"))
    assert list(answer.headers) == [
        *ROWS[:3],
        ("To", "<sip:a@b;tag=mine"),
        *ROWS[4:6],
        ("Content-Length", "0"),
    ]


def test_a_tag_that_is_there_stays():
    rows = [("To", "<sip:a@b;TAG=x") if name == "To" else (name, value) for name, value in ROWS]
    answer = parse(echo(request(*rows), 400, "Bad Request", "mine"))
    assert answer.headers.get("To") == "<sip:a@b;TAG=x"


@pytest.mark.parametrize("name", ["Via", "CSeq"])
def test_without_one_of_them_there_is_no_answer(name):
    assert echo(request(*(row for row in ROWS if row[0] != name)), 400, "", "t") is None


@pytest.mark.parametrize("name", ["From", "To", "Call-ID"])
def test_who_leaves_out_another_one_is_told_so(name):
    """RFC 4475 §3.3.1."""
    answer = echo(request(*(row for row in ROWS if row[0] != name)), 400, "Bad Request", "t")
    assert answer.startswith(b"SIP/2.0 400 Bad Request\r\n")
    assert f"\r\n{name}:".encode() not in answer


def test_an_ack_nothing_and_what_cannot_be_written_have_no_answer():
    assert echo(request(method="ACK"), 400, "", "t") is None
    assert echo(None, 400, "", "t") is None
    rows = [(name, "\0" if name == "Call-ID" else value) for name, value in ROWS]
    assert echo(request(*rows), 400, "", "t") is None


BENT = (
    b"OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/7.0/UDP x\r\nFrom: <sip:a@b>;tag=1\r\n"
    b"To: <sip:a@b>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n"
)


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_a_friend_is_told_what_was_wrong_where_it_came_from(transport):
    """RFC 3261 §21.4.1."""
    desk = Desk(World(), "192.0.2.1")
    desk.line("192.0.2.9", register=False)
    flow = Flow(transport, desk.endpoint, Endpoint("192.0.2.9", 41000), int(transport.reliable))
    desk.agent.receive(BENT, flow, desk.now)
    (answer,) = desk.agent.take_effects()
    assert isinstance(answer, Transmit)
    assert (answer.flow, parse(answer.data).status) == (flow, 400)
    assert len(answer.data) <= len(BENT) + 60


def test_a01_a_stranger_is_told_nothing():
    desk = Desk(World(), "192.0.2.1")
    desk.line("192.0.2.9", register=False)
    flow = Flow(Transport.UDP, desk.endpoint, Endpoint("203.0.113.5", 5060))
    desk.agent.receive(BENT, flow, desk.now)
    assert not [e for e in desk.agent.take_effects() if isinstance(e, Transmit | CloseFlow)]
