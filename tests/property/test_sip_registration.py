"""Whatever a registrar, a network or a thief writes, registration and digest take it calmly."""

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.base.tokens import Tokens
from firmware.sip.account import AkaKeys
from firmware.sip.auth.agreement import agree
from firmware.sip.auth.aka import Card
from firmware.sip.auth.digest import (
    Algorithm,
    Challenge,
    Qop,
    answer,
    parse_challenges,
    parse_credentials,
    parse_info,
    server_info,
    server_proves,
    verify,
)
from firmware.sip.core import AgentSettings, Core
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.message import Headers, Response
from firmware.sip.notifications import FailureCause
from firmware.sip.reach.stun_ping import StunPing
from firmware.sip.registering.grant import read_grant
from firmware.sip.registering.pace import flow_wait, wait_after

CONTACT = "sip:me@192.0.2.1:5060;ob"
PIECES = st.sampled_from(
    ["<sip:me@192.0.2.1:5060;ob>", "<sip:me@9.9.9.9>", ";expires=", ";pub-gruu=", '"', ",", ";",
     "=", "sip:a@b;gr", "<sips:x;lr>", "outbound", "60", "-1", "keep", "SIP/2.0/UDP h;keep=5",
     "\\", "%", "digest;q=0.1", "tls", "Digest ", 'realm="r"', 'nonce="n"', "qop=auth",
     "rspauth=", "<", ">"]
)  # fmt: skip
TEXT = st.one_of(st.lists(PIECES, max_size=12).map("".join), st.text(max_size=60))
NAMES = st.sampled_from(
    ["Contact", "Expires", "Service-Route", "Require", "Via", "Flow-Timer", "Security-Server"]
)
WORDS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=20)
PASSWORDS = [each for each in Algorithm if not each.aka]
FLOW = Flow(Transport.UDP, Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.9", 5060))


@given(st.lists(st.tuples(NAMES, TEXT), max_size=6), st.integers(0, 2**32))
def test_a_200_is_read_or_not_but_never_fails(rows, asked):
    grant = read_grant(Response(200, "OK", Headers(rows)), CONTACT, asked)
    assert grant.seconds >= 0
    assert 0 <= grant.beat <= 7200
    assert all(not character.isspace() for character in grant.gruu + grant.temp_gruu)


@given(st.lists(TEXT, max_size=4))
def test_a_list_of_mechanisms_is_read_or_not_but_never_fails(rows):
    response = Response(494, "", Headers([("Security-Server", row) for row in rows]))
    found = agree(response)
    if found is not None:
        assert found.chosen in found.offered
        assert found.by_tls is not found.by_digest


@given(TEXT, TEXT)
def test_digest_rows_are_read_or_not_but_never_fail(one, other):
    parse_challenges([one, other])
    parse_credentials(one)
    server_proves(parse_info(one), other, "user", "password", b"")
    verify(f"Digest {one}", "REGISTER", b"", lambda *_: "password", ["user"])


@given(
    st.sampled_from(PASSWORDS),
    st.sampled_from([None, *Qop]),
    WORDS.filter(bool),
    WORDS,
    st.binary(max_size=50),
    st.booleans(),
)
@settings(max_examples=200)
def test_who_knows_the_password_is_known_and_so_is_the_server(
    algorithm, qop, user, password, body, hashed
):
    challenge = Challenge("realm", "nonce", algorithm, qop, userhash=hashed)
    row = answer(challenge, user, password, "MESSAGE", "sip:a@b", body, "c", 1)
    claim = verify(row, "MESSAGE", body, lambda *_: password, [user])
    assert claim is not None
    assert verify(row, "MESSAGE", body, lambda *_: password + "x", [user]) is None
    assert verify(row, "INVITE", body, lambda *_: password, [user]) is None
    info = parse_info(server_info(claim, password, b"answer"))
    assert server_proves(info, row, user, password, b"answer")
    assert not server_proves(info, row, user, password + "x", b"answer")


@given(st.binary(max_size=80), st.sampled_from([1, 2]))
def test_a_card_never_fails_and_never_answers_a_network_that_does_not_know_it(nonce, version):
    card = Card(AkaKeys(b"k" * 16, opc=b"o" * 16))
    assert card.answer(base64.b64encode(nonce).decode(), version, "md5") is None


@given(st.binary(max_size=60), st.binary(max_size=40))
def test_no_stun_message_raises(head, tail):
    core = Core(AgentSettings(), Tokens(b"0123456789abcdef"))
    ping = StunPing(core, FLOW, lambda *_: None, None)
    ping.start(0.0)
    own = core.effects[0].data[8:20]
    for data in (head, b"\x01\x01" + head[:2] + b"\x21\x12\xa4\x42" + own + tail):
        ping.answered(data.ljust(20, b"\0"), 1.0)


@given(st.sampled_from(FailureCause), st.integers(0, 10**6), st.floats(0, 0.999), st.booleans())
def test_no_wait_is_too_short_or_for_ever(cause, failures, lot, others):
    assert 4.0 <= wait_after(cause, failures, lot) <= 1200.0
    assert 15.0 <= flow_wait(failures, lot, others=others) <= 1800.0
