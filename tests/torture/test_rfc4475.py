"""RFC 4475: one verdict per message, written from what the RFC says of it.

ACCEPT means that a phone reads the message and goes on to its own business; a number is the
status that the RFC names, DISCARD is for responses, which cannot be answered. Beside it stands what
goes out on the wire when the phone's own server sends the message.
"""

from pathlib import Path
from typing import NamedTuple

import pytest

from firmware.sip.effects import Transmit
from firmware.sip.errors import ParseError
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.headers import contact_list, parse_name_addr, via_list
from firmware.sip.message import Message, Request, Response
from firmware.sip.notifications import IncomingCall
from firmware.sip.parser import StreamFramer, parse, validate
from firmware.sip.uri import equivalent, parse_uri
from firmware.sip.writer import write
from tests.support.sip_link import Desk, World

DATA = Path(__file__).parents[1] / "data" / "rfc4475"
ACCEPT = None
DISCARD = "discard"

RINGS = "rings"
NOTHING = "nothing"


class Verdict(NamedTuple):
    """The clause, what reading says of it, and what our phone answers a server it trusts."""

    clause: str
    reading: int | str | None
    answer: int | str


_TABLE = {
    # Valid messages
    "wsinv": Verdict("RFC 4475 §3.1.1.1", ACCEPT, 481),  # it has a To tag of nobody
    "intmeth": Verdict("RFC 4475 §3.1.1.2", ACCEPT, 501),
    "esc01": Verdict("RFC 4475 §3.1.1.3", ACCEPT, RINGS),
    "escnull": Verdict("RFC 4475 §3.1.1.4", ACCEPT, 405),  # a phone is no registrar
    "esc02": Verdict("RFC 4475 §3.1.1.5", ACCEPT, 501),
    "lwsdisp": Verdict("RFC 4475 §3.1.1.6", ACCEPT, 200),
    "longreq": Verdict("RFC 4475 §3.1.1.7", ACCEPT, RINGS),
    "dblreq": Verdict("RFC 4475 §3.1.1.8", ACCEPT, 405),  # what follows the first message is noise
    "semiuri": Verdict("RFC 4475 §3.1.1.9", ACCEPT, 200),
    "transports": Verdict("RFC 4475 §3.1.1.10", ACCEPT, 200),
    "mpart01": Verdict("RFC 4475 §3.1.1.11", ACCEPT, 200),
    "unreason": Verdict("RFC 4475 §3.1.1.12", ACCEPT, NOTHING),  # an answer to nothing of ours
    "noreason": Verdict("RFC 4475 §3.1.1.13", ACCEPT, NOTHING),  # as above
    # Invalid messages
    "badinv01": Verdict("RFC 4475 §3.1.2.1", 400, 400),
    "clerr": Verdict("RFC 4475 §3.1.2.2", 400, 400),
    "ncl": Verdict("RFC 4475 §3.1.2.3", 400, 400),
    "scalar02": Verdict("RFC 4475 §3.1.2.4", 400, 400),
    "scalarlg": Verdict("RFC 4475 §3.1.2.5", DISCARD, NOTHING),
    "quotbal": Verdict("RFC 4475 §3.1.2.6", 400, 400),
    "ltgtruri": Verdict("RFC 4475 §3.1.2.7", 400, 400),
    "lwsruri": Verdict("RFC 4475 §3.1.2.8", 400, 400),
    "lwsstart": Verdict("RFC 4475 §3.1.2.9", 400, 400),
    "trws": Verdict("RFC 4475 §3.1.2.10", 400, 400),
    "escruri": Verdict("RFC 4475 §3.1.2.11", 400, 400),
    "baddate": Verdict("RFC 4475 §3.1.2.12", ACCEPT, RINGS),  # the Date is important to nobody here
    "regbadct": Verdict("RFC 4475 §3.1.2.13", 400, 400),
    "badaspec": Verdict("RFC 4475 §3.1.2.14", 400, 400),
    "baddn": Verdict("RFC 4475 §3.1.2.15", 400, 400),
    "badvers": Verdict("RFC 4475 §3.1.2.16", 505, 505),  # RFC 3261 §21.5.6
    "mismatch01": Verdict("RFC 4475 §3.1.2.17", 400, 400),
    "mismatch02": Verdict("RFC 4475 §3.1.2.18", 501, 501),
    "bigcode": Verdict("RFC 4475 §3.1.2.19", DISCARD, NOTHING),
    # Transaction layer
    "badbranch": Verdict("RFC 4475 §3.2.1", 400, 400),
    # Application layer
    "insuf": Verdict("RFC 4475 §3.3.1", 400, 400),  # by Via and CSeq, which it has
    "unkscm": Verdict("RFC 4475 §3.3.2", 416, 416),
    "novelsc": Verdict("RFC 4475 §3.3.3", 416, 416),
    "unksm2": Verdict("RFC 4475 §3.3.4", ACCEPT, 405),  # 400 is for a registrar
    "bext01": Verdict("RFC 4475 §3.3.5", ACCEPT, 420),
    "invut": Verdict("RFC 4475 §3.3.6", ACCEPT, 415),
    "regaut01": Verdict("RFC 4475 §3.3.7", ACCEPT, 405),  # a phone is no registrar
    "multi01": Verdict("RFC 4475 §3.3.8", 400, 400),
    "mcl01": Verdict("RFC 4475 §3.3.9", 400, 400),
    "bcast": Verdict("RFC 4475 §3.3.10", DISCARD, NOTHING),
    "zeromf": Verdict("RFC 4475 §3.3.11", ACCEPT, 200),  # a phone is where a request ends
    "cparam01": Verdict("RFC 4475 §3.3.12", ACCEPT, 405),
    "cparam02": Verdict("RFC 4475 §3.3.13", ACCEPT, 405),
    "regescrt": Verdict("RFC 4475 §3.3.14", ACCEPT, 405),
    "sdp01": Verdict("RFC 4475 §3.3.15", ACCEPT, 406),  # RFC 3261 §20.1
    # Backward compatibility
    "inv2543": Verdict("RFC 4475 §3.4.1", ACCEPT, RINGS),
}
VERDICTS = {name: verdict.reading for name, verdict in _TABLE.items()}
ACCEPTED = [name for name, verdict in VERDICTS.items() if verdict is ACCEPT]


def octets(name: str) -> bytes:
    data = (DATA / f"{name}.dat").read_bytes()
    return data if b"\r\n\r\n" in data else data + b"\r\n"


def read(name: str) -> Message:
    return parse(octets(name))


def request(name: str) -> Request:
    message = read(name)
    assert isinstance(message, Request)
    return message


def verdict_on(data: bytes) -> int | str | None:
    try:
        message = parse(data)
    except ParseError as error:
        return DISCARD if data.startswith(b"SIP/") else error.status
    status = validate(message)
    return DISCARD if status is not None and isinstance(message, Response) else status


def test_every_message_has_a_verdict():
    assert {path.stem for path in DATA.glob("*.dat")} == set(VERDICTS)


@pytest.mark.parametrize("name", VERDICTS)
def test_each_message_gets_its_verdict(name):
    assert verdict_on(octets(name)) == VERDICTS[name]


@pytest.mark.parametrize("name", _TABLE)
def test_each_message_is_answered_as_the_table_says(name):
    desk = Desk(World(), "192.0.2.1")
    desk.line("192.0.2.66", register=False, accept_any_user=True)
    server = Flow(Transport.UDP, desk.endpoint, Endpoint("192.0.2.66", 5060))
    desk.agent.receive(octets(name), server, desk.now)
    effects = desk.agent.take_effects()
    sent = [parse(effect.data) for effect in effects if isinstance(effect, Transmit)]
    heard = desk.agent.take_notifications()
    expected = _TABLE[name].answer
    if expected == NOTHING:
        assert sent == []
    elif expected == RINGS:
        assert [answer.status for answer in sent] == [100]
        assert any(isinstance(each, IncomingCall) for each in heard)
    else:
        assert [answer.status for answer in sent] == [expected]
        asked = parse(octets(name)) if VERDICTS[name] is ACCEPT else None
        for row in ("Call-ID", "CSeq", "From"):
            assert asked is None or sent[0].headers.get(row) == asked.headers.get(row)


@pytest.mark.parametrize(
    "name", ["baddn", "badvers", "clerr", "lwsruri", "lwsstart", "mcl01", "ncl", "trws"]
)
def test_what_could_not_be_read_can_still_be_answered(name):
    data = (DATA / f"{name}.dat").read_bytes()
    with pytest.raises(ParseError) as caught:
        parse(data)
    partial = caught.value.partial
    assert {row for row, _ in partial.headers} == {"Via", "From", "To", "Call-ID", "CSeq"}
    assert partial.method == data.split()[0].decode()


def test_a_response_that_could_not_be_read_is_not_answered():
    with pytest.raises(ParseError) as caught:
        parse(octets("bigcode"))
    assert caught.value.partial is None


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_was_read_can_be_written_and_read_again(name):
    once = write(read(name))
    assert write(parse(once)) == once


@pytest.mark.parametrize("name", [name for name in ACCEPTED if name != "inv2543"])
def test_a_stream_is_cut_at_the_same_place_however_it_dribbles(name):
    data = octets(name)
    framer = StreamFramer()
    found = [piece for octet in data for piece in framer.feed(bytes([octet]))]
    assert found[0] == data[: len(found[0])]
    assert write(parse(found[0])) == write(parse(data))


@pytest.mark.parametrize("name", ["ncl", "mcl01", "inv2543"])
def test_a_stream_whose_length_cannot_be_told_is_broken(name):
    framer = StreamFramer()
    (head,) = framer.feed(octets(name))
    assert head.endswith(b"\r\n\r\n")
    assert framer.broken
    assert framer.feed(b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n") == []


def test_a_stream_waits_for_a_body_that_is_longer_than_what_came():
    framer = StreamFramer()
    assert framer.feed(octets("clerr")) == []
    assert framer.pending == len(octets("clerr"))
    assert framer.broken is None


def test_wsinv_reads_through_folds_and_blanks():
    message = request("wsinv")
    assert message.uri == "sip:vivekg@chair-dnrc.example.com;unknownparam"
    assert parse_name_addr(message.headers.get("To")).tag == "1918181833n"
    caller = parse_name_addr(message.headers.get("From"))
    assert (caller.name, caller.tag) == ('J Rosenberg \\"', "98asjd8")
    assert message.headers.get("Subject") == ""
    assert message.headers.get("NewFangledHeader") == "newfangled value continued newfangled value"
    assert message.headers.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert [(via.transport, via.host, via.branch) for via in via_list(message.headers)] == [
        ("UDP", "192.0.2.2", "390skdjuw"),
        ("TCP", "spindle.example.com", "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", "z9hG4bK30239"),
    ]
    (contact,) = contact_list(message.headers)
    assert contact.name == 'Quoted string ""'
    assert (contact.param("newparam"), contact.param("q")) == ("newvalue", "0.33")
    assert contact.has("secondparam")


def test_intmeth_keeps_every_odd_character():
    message = request("intmeth")
    assert message.method == "!interesting-Method0123456789_*+`.%indeed'~"
    uri = parse_uri(message.uri)
    assert uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert uri.host == "example.com"
    assert parse_name_addr(message.headers.get("To")).name == "BEL:\x07 NUL:\x00 DEL:\x7f"
    caller = parse_name_addr(message.headers.get("From"))
    assert caller.name == "token1~` token2'+_ token3*%!.-"
    assert caller.tag == "_token~1'+`*%!-."
    assert caller.param("fromparam''~+*_!.-%") == "работающий"
    assert message.headers.get("Call-ID") == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert message.headers.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"


def test_esc01_decodes_escapes_once():
    message = request("esc01")
    uri = parse_uri(message.uri)
    assert (uri.user, uri.host) == ("sips:user@example.com", "example.net")
    callee = parse_name_addr(message.headers.get("To")).uri
    assert equivalent(callee, parse_uri("sip:user@example.com"))
    assert parse_name_addr(message.headers.get("From")).uri.user == "I have spaces"
    (contact,) = contact_list(message.headers)
    assert contact.uri.user == "caller"
    assert contact.uri.params == (("lr", None), ("name", "value%41"))
    assert str(contact.uri) == "sip:cal%6Cer@host5.example.net;%6C%72;n%61me=v%61lue%25%34%31"


def test_escnull_has_two_contacts_that_differ():
    one, two = (contact.uri for contact in contact_list(request("escnull").headers))
    assert (one.user, two.user) == ("\0", "\0\0")
    assert not equivalent(one, two)


def test_esc02_takes_no_percent_sign_for_an_escape():
    message = request("esc02")
    assert message.method == "RE%47IST%45R"
    assert parse_name_addr(message.headers.get("To")).name == "%Z%45"
    assert len(contact_list(message.headers)) == 2
    assert message.headers.get("C%6Fntact") == "<sip:alias2@host2.example.com>"


def test_lwsdisp_needs_no_blank_before_the_bracket():
    assert parse_name_addr(request("lwsdisp").headers.get("From")).name == "caller"


def test_longreq_has_34_vias_without_branch_and_one_with():
    vias = via_list(request("longreq").headers)
    assert [via.host for via in vias[:-1]] == [f"sip{n}.example.com" for n in range(33, 0, -1)]
    assert vias[-1].received == "192.0.2.5"
    assert len(vias[-1].branch) == len("verybranchvalue") + 50 * len("long")


def test_dblreq_is_one_register():
    assert request("dblreq").method == "REGISTER"
    assert request("dblreq").body == b""


def test_semiuri_has_a_semicolon_in_its_user():
    assert parse_uri(request("semiuri").uri).user == "user;par=u@example.net"


def test_transports_may_be_unknown():
    vias = via_list(request("transports").headers)
    assert [via.transport for via in vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]


def test_mpart01_has_a_body_with_nulls():
    assert len(request("mpart01").body) == 553
    assert b"\0" in request("mpart01").body


def test_unreason_says_it_in_russian():
    message = read("unreason")
    assert isinstance(message, Response)
    assert message.phrase == "= 2**3 * 5**2 но сто девяносто девять - простое"


def test_noreason_has_no_phrase():
    assert read("noreason") == Response(100, "", read("noreason").headers)


def test_cparam01_is_a_contact_parameter_and_cparam02_one_of_the_uri():
    (contact,) = contact_list(request("cparam01").headers)
    assert (contact.has("unknownparam"), contact.uri.has("unknownparam")) == (True, False)
    (contact,) = contact_list(request("cparam02").headers)
    assert (contact.has("unknownparam"), contact.uri.has("unknownparam")) == (False, True)


def test_regescrt_has_a_header_in_its_contact():
    (contact,) = contact_list(request("regescrt").headers)
    assert contact.uri.headers == (("Route", "<sip:sip.example.com>"),)


def test_inv2543_has_no_tag_and_all_the_rest_is_body():
    message = request("inv2543")
    assert parse_name_addr(message.headers.get("From")).tag is None
    assert message.body.startswith(b"v=0\r\n")
    assert message.body.endswith(b"RTP/AVP 0\r\n")
