"""RFC 4475: one verdict per message, written from what the RFC says of it.

ACCEPT means that a phone reads the message and goes on to its own business; a number is the
status that the RFC names, DISCARD is for responses, which cannot be answered.
"""

from pathlib import Path

import pytest

from firmware.sip.errors import ParseError
from firmware.sip.headers import contact_list, parse_name_addr, via_list
from firmware.sip.message import Message, Request, Response
from firmware.sip.parser import StreamFramer, parse, validate
from firmware.sip.uri import equivalent, parse_uri
from firmware.sip.writer import write

DATA = Path(__file__).parents[1] / "data" / "rfc4475"
ACCEPT = None
DISCARD = "discard"

VERDICTS = {
    # 3.1.1 valid
    "wsinv": ACCEPT,
    "intmeth": ACCEPT,  # the user agent answers 501
    "esc01": ACCEPT,
    "escnull": ACCEPT,
    "esc02": ACCEPT,  # the user agent answers 501
    "lwsdisp": ACCEPT,
    "longreq": ACCEPT,
    "dblreq": ACCEPT,  # what follows the first message is noise
    "semiuri": ACCEPT,
    "transports": ACCEPT,
    "mpart01": ACCEPT,
    "unreason": ACCEPT,
    "noreason": ACCEPT,
    # 3.1.2 invalid
    "badinv01": 400,
    "clerr": 400,
    "ncl": 400,
    "scalar02": 400,
    "scalarlg": DISCARD,
    "quotbal": 400,
    "ltgtruri": 400,
    "lwsruri": 400,
    "lwsstart": 400,
    "trws": 400,
    "escruri": 400,
    "baddate": ACCEPT,  # "shouldn't [reject] unless the Date were important"
    "regbadct": 400,
    "badaspec": 400,
    "baddn": 400,
    "badvers": 505,
    "mismatch01": 400,
    "mismatch02": 501,
    "bigcode": DISCARD,
    # 3.2 transaction layer
    "badbranch": 400,
    # 3.3 application layer
    "insuf": 400,
    "unkscm": 416,
    "novelsc": 416,
    "unksm2": ACCEPT,  # 400 is for a registrar; a phone serves no REGISTER
    "bext01": ACCEPT,  # the user agent answers 420
    "invut": ACCEPT,  # the user agent answers 415
    "regaut01": ACCEPT,
    "multi01": 400,
    "mcl01": 400,
    "bcast": DISCARD,
    "zeromf": ACCEPT,  # "as if the Max-Forwards value were still positive"
    "cparam01": ACCEPT,
    "cparam02": ACCEPT,
    "regescrt": ACCEPT,
    "sdp01": ACCEPT,  # the user agent answers 406
    # 3.4 backward compatibility
    "inv2543": ACCEPT,
}
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
