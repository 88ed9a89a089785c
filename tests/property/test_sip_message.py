"""Whatever we write we can read, and whatever arrives we survive."""

from functools import partial
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from firmware.sip.auth.digest import parse_challenges, parse_credentials
from firmware.sip.errors import ParseError
from firmware.sip.headers import (
    NameAddr,
    Via,
    contact_list,
    delta_seconds,
    parse_cseq,
    parse_name_addr,
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
from firmware.sip.message import Headers, Request, Response
from firmware.sip.parser import StreamFramer, parse, validate
from firmware.sip.uri import Uri, equivalent, parse_uri
from firmware.sip.writer import write

DATA = Path(__file__).parents[1] / "data"
CORPUS = sorted(path.read_bytes() for path in (DATA / "rfc4475").glob("*.dat"))

tokens = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=12)
names = st.sampled_from(
    ["Via", "From", "To", "Call-ID", "CSeq", "Contact", "Subject", "Route", "User-Agent"]
) | tokens.map("X-{}".format)
# Anything but what ends a row; octets that are no UTF-8 arrive as surrogate escapes.
texts = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=40) | st.binary(
    max_size=20
).map(lambda octets: octets.translate(None, b"\r\n\0").decode("utf-8", "surrogateescape"))
rows = st.lists(st.tuples(names, texts.map(lambda text: text.strip(" \t"))), max_size=12)
bodies = st.binary(max_size=200)
methods = st.sampled_from(["INVITE", "ACK", "BYE", "OPTIONS"]) | tokens
uris = st.text(st.characters(codec="utf-8", exclude_characters=" \r\n\0"), min_size=1, max_size=40)
anything = st.text(st.characters(codec="utf-8"), max_size=60) | st.text(
    ' \t,;:<>"\\=/@%[]?&()*019azSIP/2.0', max_size=60
)


def headers_for(items: list[tuple[str, str]], body: bytes) -> Headers:
    return Headers([*items, ("Content-Length", str(len(body)))])


@given(methods, uris, rows, bodies)
def test_a_request_comes_back_as_it_was_sent(method, uri, items, body):
    message = Request(method, uri, headers_for(items, body), body)
    assert parse(write(message)) == message


@given(st.integers(100, 699), texts, rows, bodies)
def test_a_response_comes_back_as_it_was_sent(status, phrase, items, body):
    message = Response(status, phrase, headers_for(items, body), body)
    assert parse(write(message)) == message


@given(st.lists(st.tuples(methods, rows, bodies), max_size=5), st.integers(1, 50))
def test_a_stream_of_messages_is_cut_where_they_were_joined(parts, size):
    sent = [
        write(Request(method, "sip:a@b", Headers(items), body)) for method, items, body in parts
    ]
    data = b"".join(sent)
    framer = StreamFramer()
    found = [
        piece for at in range(0, len(data), size) for piece in framer.feed(data[at : at + size])
    ]
    assert found == sent
    assert (framer.pending, framer.broken) == (0, None)


users = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
hosts = st.sampled_from(["pbx", "pbx.example.com", "192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"])
params = st.lists(st.tuples(users, st.none() | users), max_size=4).map(tuple)
sip_uris = st.builds(
    Uri,
    st.sampled_from(["sip", "sips"]),
    users,
    st.none() | users,
    hosts,
    st.none() | st.integers(0, 65535),
    params,
    st.lists(st.tuples(users, users), max_size=3).map(tuple),
)


@given(sip_uris)
def test_a_uri_comes_back_as_it_was_written(uri):
    again = parse_uri(str(uri))
    assert again == uri
    assert str(again) == str(uri)


@given(sip_uris)
def test_a_uri_is_equivalent_to_itself_unless_it_contradicts_itself(uri):
    keys = [name.lower() for name, _ in uri.params]
    if len(set(keys)) == len(keys):
        assert equivalent(uri, parse_uri(str(uri)))


@given(texts, sip_uris, st.lists(st.tuples(tokens, st.none() | tokens), max_size=4).map(tuple))
def test_a_name_and_address_come_back(name, uri, pairs):
    address = NameAddr(readable(name), uri, pairs)
    assert parse_name_addr(str(address)) == address


@given(
    tokens.map(str.upper),
    hosts,
    st.none() | st.integers(0, 65535),
    st.lists(st.tuples(tokens, st.none() | tokens), max_size=4).map(tuple),
)
def test_a_via_comes_back(transport, host, port, pairs):
    via = Via(transport, host, port, pairs)
    assert parse_via(str(via)) == via


@given(texts)
def test_quoting_and_unquoting_undo_each_other(text):
    assert unquote(quote(text)) == text


@given(texts)
def test_readable_text_can_be_shown_and_stored(text):
    assert readable(text).encode().decode() == readable(text)


READERS = [
    parse_uri,
    parse_name_addr,
    parse_via,
    parse_cseq,
    parse_reason,
    parse_warning,
    parse_retry_after,
    delta_seconds,
    split_list,
]


@given(anything)
def test_p01_no_text_makes_a_reader_do_anything_but_refuse(text):
    for reader in READERS:
        survive(partial(reader, text))
    parse_challenges([text, "Digest " + text])
    parse_credentials("Digest " + text)


def survive(read) -> None:
    try:
        read()
    except ParseError as error:
        answerable(error)


def answerable(error: ParseError) -> None:
    assert 400 <= error.status < 600
    if error.partial is not None:
        write(Response(error.status, error.phrase, error.partial.headers))


def receive(data: bytes) -> None:
    """What a phone does with what arrives, as far as this layer goes."""
    message = parse(data)
    assert write(parse(write(message))) == write(message)
    headers = message.headers
    if validate(message) is None:
        answer_from(headers)
    for name in ("Contact", "Accept", "Reason"):
        survive(partial(values, headers, name))
    parse_challenges(headers.all("WWW-Authenticate"))


def answer_from(headers: Headers) -> None:
    """Whatever was read from a valid message can be put into one of ours."""
    rows = [("Via", str(via.with_param("received", "::1"))) for via in via_list(headers)]
    rows.append(("To", str(parse_name_addr(headers.get("To")).with_param("tag", "x"))))
    rows.append(("From", str(parse_name_addr(headers.get("From")))))
    rows.append(("CSeq", str(parse_cseq(headers.get("CSeq")))))
    rows += [("Record-Route", str(route)) for route in route_list(headers, "Record-Route")]
    for contact in contact_list(headers):
        rows.append(("Contact", str(contact)))
        write(Request("BYE", str(contact.uri)))
    again = parse(write(Response(200, "OK", Headers(rows)))).headers
    assert parse_name_addr(again.get("To")).tag == "x"
    assert parse_name_addr(again.get("From")) == parse_name_addr(headers.get("From"))


@st.composite
def mutants(draw):
    data = bytearray(draw(st.sampled_from(CORPUS)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(data)))
        end = at + draw(st.integers(0, 8))
        piece = draw(
            st.binary(max_size=4)
            | st.sampled_from(
                [b"\r\n", b"\r\n\r\n", b"\r\n ", b'"', b"<", b">", b";", b",", b"\\", b"%", b":"]
            )
            | st.just(bytes(data[at : at + 40]) * 2)
        )
        data[at:end] = piece
    return bytes(data)


@settings(max_examples=400)
@given(mutants())
@example(b"")
@example(b"\r\n\r\n")
@example(b"SIP/2.0 200 OK\r\n\r\n")
def test_p01_no_damage_to_a_message_harms_us(data):
    survive(partial(receive, data))
    framer = StreamFramer()
    for at in range(0, len(data), 7):
        framer.feed(data[at : at + 7])


@given(st.binary(max_size=300))
def test_p01_no_noise_harms_us(data):
    survive(partial(receive, data))
    framer = StreamFramer()
    framer.feed(data)
    framer.feed(data)
