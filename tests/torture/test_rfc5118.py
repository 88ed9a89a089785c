"""RFC 5118: one verdict per message, written from what the RFC says of it."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from firmware.sip.effects import Transmit
from firmware.sip.errors import ParseError
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.headers import parse_name_addr, via_list
from firmware.sip.message import Request
from firmware.sip.notifications import IncomingCall
from firmware.sip.parser import parse, validate
from firmware.sip.uri import parse_uri
from firmware.sip.writer import write
from tests.support.sip_link import Desk, World

DATA = Path(__file__).parents[1] / "data" / "rfc5118"
ACCEPT = None

RINGS = "rings"


class Verdict(NamedTuple):
    """The clause, what reading says of it, and what our phone answers a server it trusts."""

    clause: str
    reading: int | None
    answer: int | str


# A phone is no registrar (405) and knows no such dialog (481).
_TABLE = {
    "ipv6-good": Verdict("RFC 5118 §4.1", ACCEPT, 405),
    "ipv6-bad": Verdict("RFC 5118 §4.2", 400, 400),  # no brackets
    "port-ambiguous": Verdict("RFC 5118 §4.3", ACCEPT, 405),  # all of it is the address
    "port-unambiguous": Verdict("RFC 5118 §4.4", ACCEPT, 405),
    "via-received-param-with-delim": Verdict("RFC 5118 §4.5", ACCEPT, 481),  # with brackets
    "via-received-param-no-delim": Verdict("RFC 5118 §4.5", ACCEPT, 200),  # and without
    "ipv6-in-sdp": Verdict("RFC 5118 §4.6", ACCEPT, RINGS),
    "mult-ip-in-header": Verdict("RFC 5118 §4.7", ACCEPT, 481),
    "mult-ip-in-sdp": Verdict("RFC 5118 §4.8", ACCEPT, RINGS),
    "ipv4-mapped-ipv6": Verdict("RFC 5118 §4.9", ACCEPT, RINGS),
    "ipv6-bug-abnf-3-colons": Verdict("RFC 5118 §4.10", ACCEPT, 200),  # must be tolerated
    "ipv6-correct-abnf-2-colons": Verdict("RFC 5118 §4.10", ACCEPT, 200),
}
VERDICTS = {name: verdict.reading for name, verdict in _TABLE.items()}


def octets(name: str) -> bytes:
    """The message with CRLF, an empty line after its headers and the length of its body."""
    head, _, body = (DATA / name).read_bytes().partition(b"\n\n")
    body = body.replace(b"\n", b"\r\n")
    head = head.rstrip(b"\n").replace(b"\n", b"\r\n")
    head = re.sub(rb"Content-Length: \d+", b"Content-Length: %d" % len(body), head)
    return head + b"\r\n\r\n" + body


def request(name: str) -> Request:
    message = parse(octets(name))
    assert isinstance(message, Request)
    return message


def test_every_message_has_a_verdict():
    assert {path.name for path in DATA.iterdir() if path.suffix != ".md"} == {
        *VERDICTS,
        ".gitattributes",
    }


@pytest.mark.parametrize("name", VERDICTS)
def test_each_message_gets_its_verdict(name):
    assert validate(request(name)) == VERDICTS[name]


@pytest.mark.parametrize("name", _TABLE)
def test_each_message_is_answered_as_the_table_says(name):
    desk = Desk(World(), "2001:db8::1")
    desk.line("[2001:db8::2]", register=False, accept_any_user=True)
    server = Flow(Transport.UDP, desk.endpoint, Endpoint("2001:db8::2", 5060))
    desk.agent.receive(octets(name), server, desk.now)
    effects = desk.agent.take_effects()
    sent = [parse(effect.data).status for effect in effects if isinstance(effect, Transmit)]
    heard = desk.agent.take_notifications()
    expected = _TABLE[name].answer
    assert sent == [100 if expected == RINGS else expected]
    assert any(isinstance(each, IncomingCall) for each in heard) is (expected == RINGS)


@pytest.mark.parametrize("name", VERDICTS)
def test_what_was_read_is_written_as_it_was(name):
    assert write(request(name)) == octets(name)


@pytest.mark.parametrize(
    ("name", "host", "port"),
    [
        ("ipv6-good", "2001:db8::10", None),
        ("port-ambiguous", "2001:db8::10:5070", None),
        ("port-unambiguous", "2001:db8::10", 5070),
        ("ipv6-bug-abnf-3-colons", "2001:db8::192.0.2.1", None),
        ("ipv6-correct-abnf-2-colons", "2001:db8::192.0.2.1", None),
    ],
)
def test_the_brackets_tell_address_from_port(name, host, port):
    uri = parse_uri(request(name).uri)
    assert (uri.host, uri.port) == (host, port)


@pytest.mark.parametrize("delim", ["no", "with"])
def test_received_is_read_with_brackets_and_without(delim):
    (via,) = via_list(request(f"via-received-param-{delim}-delim").headers)
    assert via.received == "2001:db8::9:255"


def test_both_families_stand_in_one_message():
    vias = via_list(request("mult-ip-in-header").headers)
    assert [(via.host, via.port, via.received) for via in vias] == [
        ("2001:db8::9:1", 6050, None),
        ("192.0.2.1", None, None),
        ("2001:db8::9:255", None, "192.0.2.200"),
    ]


def test_a_mapped_address_is_kept_as_it_is_written():
    message = request("ipv4-mapped-ipv6")
    assert parse_name_addr(message.headers.get("Contact")).uri.host == "::ffff:192.0.2.2"
    assert via_list(message.headers)[0].port == 19823


def test_an_address_without_brackets_is_no_host():
    with pytest.raises(ParseError):
        parse_uri("sip:2001:db8::10")
