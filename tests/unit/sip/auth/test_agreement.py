"""Servers that insist on an agreement about security (RFC 3329)."""

import pytest

from firmware.sip.auth.agreement import agree
from firmware.sip.auth.digest import parse_credentials
from firmware.sip.flow import Transport
from firmware.sip.message import Headers, Request, Response
from firmware.sip.notifications import CallEnded, CallRef, RegistrationChanged
from firmware.sip.notifications import RegistrationState as State

LIST = "ipsec-ike;q=0.3, tls;q=0.1, digest;q=0.2"
CHALLENGE = 'Digest realm="pbx", nonce="one", algorithm=SHA-256, qop="auth"'


WANTS_TLS = "tls;q=0.9, digest;q=0.1"


def insisting(pbx, status=494, offered=LIST, *rows):
    rows = rows or (("Proxy-Authenticate", CHALLENGE),)
    asks = (("Security-Server", offered), ("Require", "sec-agree"), *rows)
    return lambda request: pbx.verdict(request, status, *asks)


@pytest.mark.parametrize("status", [494, 421])
def test_f18_494_is_answered_with_what_we_have_in_common(world, desk, pbx, sip, status):
    """RFC 3329 §2.3.1, §2.3.2: the server's whole list comes back, and we say what we can."""
    pbx.verdicts = [insisting(pbx, status)]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert desk.last(RegistrationChanged).state is State.REGISTERED
    headers = pbx.requests("REGISTER")[1].headers
    assert headers.all("Security-Client") == ["tls", "digest"]
    rows = headers.all("Security-Verify")
    assert rows[:2] == ["ipsec-ike;q=0.3", "tls;q=0.1"]
    assert headers.get("Require") == headers.get("Proxy-Require") == "sec-agree"
    assert "Proxy-Authorization" in headers


def test_the_list_is_protected_by_our_password(world, desk, pbx, sip):
    """RFC 3329 §2.4, §2.2: d-ver is a digest over the server's list."""
    from firmware.sip.auth.digest import list_proof  # noqa: PLC0415 - only this test recomputes it

    pbx.verdicts = [insisting(pbx)]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    request = pbx.requests("REGISTER")[1]
    row = request.headers.get("Proxy-Authorization")
    right = list_proof(row, "REGISTER", "101", "secret", b"", LIST)
    assert f'd-ver="{right}"' in request.headers.all("Security-Verify")[2]
    assert right not in ("", parse_credentials(row).response)
    wrong = list_proof(row, "REGISTER", "101", "secret", b"", LIST.replace("tls;q=0.1, ", ""))
    assert wrong != right


def test_later_requests_carry_it_too(world, desk, pbx, sip):
    pbx.verdicts = [insisting(pbx)]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    headers = pbx.requests("REGISTER")[2].headers
    assert len(headers.all("Security-Verify")) == 3
    assert len(headers.all("Require")) == 1


def test_f18_494_with_nothing_in_common_is_a_failure(world, desk, pbx, sip):
    pbx.verdicts = [insisting(pbx, 494, "ipsec-ike;q=0.3, ipsec-man;q=0.2")]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    failed = desk.last(RegistrationChanged)
    assert (failed.state, failed.status) == (State.FAILED, 494)
    assert len(pbx.requests("REGISTER")) == 1


def test_a_server_that_is_never_content_is_left_alone(world, desk, pbx, sip):
    pbx.verdicts = [insisting(pbx)] * 50
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert len(pbx.requests("REGISTER")) == 3
    assert desk.last(RegistrationChanged).status == 494


def test_over_tls_tls_is_what_we_do(world, sip):
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world, port=5061)
    desk.line(f"{sip.PBX}:5061", transport=Transport.TLS, password="secret")
    pbx.verdicts = [insisting(pbx, 494, WANTS_TLS, ("Warning", '399 x "y"'))]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    headers = pbx.requests("REGISTER")[1].headers
    assert headers.all("Security-Client") == ["tls", "digest"]
    assert not any("d-ver" in row for row in headers.all("Security-Verify"))
    assert desk.last(RegistrationChanged).state is State.REGISTERED


@pytest.fixture
def guarded(world, desk, pbx, sip):
    """A server that takes datagrams only to say that it wants TLS."""

    def make(offered=WANTS_TLS, port=""):
        desk.line(sip.PBX + port, password="secret")
        register = pbx.reply

        def reply(message):
            secure = pbx.flows[-1].transport is Transport.TLS
            if not isinstance(message, Request) or secure:
                return register(message)
            return [insisting(pbx, 494, offered)(message)]

        pbx.reply = reply
        desk.agent.register(sip.LINE, world.now)
        world.run(1.0)
        return [
            (flow.transport, message) for flow, message in zip(pbx.flows, pbx.inbox, strict=True)
        ]

    return make


@pytest.mark.parametrize("offered", [WANTS_TLS, "tls", "ipsec-ike;q=0.9, tls;q=0.2"])
def test_a_server_that_wants_tls_gets_it(desk, guarded, offered):
    """RFC 3329 §2.3.1: the mechanism is begun, the list comes back over it."""
    (plain, _), (secure, again) = guarded(offered)
    assert (plain, secure) == (Transport.UDP, Transport.TLS)
    assert again.headers.all("Security-Verify") == offered.split(", ")
    assert desk.last(RegistrationChanged).state is State.REGISTERED


def test_a_server_that_wants_tls_gets_it_at_its_port_for_tls(world, desk, guarded):
    """5060 was written for datagrams."""
    guarded(port=":5060")
    asked = []
    lookup = world.lookup
    world.lookup = lambda effect: asked.append(effect) or lookup(effect)
    desk.agent.network_changed(world.now, frozenset({"192.0.2.1"}))
    desk.agent.register("desk", world.now)
    world.run(1.0)
    desk.agent.invite(CallRef("out"), "desk", "600", world.now)
    world.run(0.1)
    assert all((each.transport, each.port) == (Transport.TLS, None) for each in asked)


def test_what_comes_later_goes_over_tls_as_well(world, desk, pbx, sip, guarded):
    guarded()
    pbx.inbox.clear()
    pbx.flows.clear()
    desk.agent.register(sip.LINE, world.now)
    call = CallRef("out")
    desk.agent.invite(call, sip.LINE, "600", world.now)
    world.run(0.1)
    desk.agent.offer(call, sip.OFFER, world.now)
    world.run(0.1)
    assert {message.method for message in pbx.inbox} >= {"REGISTER", "INVITE"}
    assert {flow.transport for flow in pbx.flows} == {Transport.TLS}


def test_f26_where_tls_was_agreed_upon_and_cannot_be_had_nothing_goes_in_the_clear(
    world, desk, pbx, sip
):
    desk.line(sip.PBX, password="secret")
    pbx.verdicts = [insisting(pbx, 494, WANTS_TLS)] * 50
    world.refusing.add(pbx.endpoint)
    desk.agent.register(sip.LINE, world.now)
    world.run(300.0)
    assert len(pbx.requests("REGISTER")) == 1
    assert desk.last(RegistrationChanged).state is State.FAILED


def test_a06_a_stranger_who_insists_is_told_nothing(world, desk, sip):
    """A call to somebody else's server: neither what we can do nor a digest is for it."""
    stranger = sip.Pbx(world, "192.0.2.77")
    stranger.reply = lambda message: (
        [insisting(stranger)(message)] if getattr(message, "method", "") == "INVITE" else []
    )
    call = CallRef("out")
    desk.agent.invite(call, sip.LINE, "sip:600@192.0.2.77", world.now)
    world.run(0.1)
    desk.agent.offer(call, sip.OFFER, world.now)
    world.run(1.0)
    assert desk.last(CallEnded).status == 494
    assert len(stranger.requests("INVITE")) == 1


@pytest.mark.parametrize(
    ("row", "chosen"),
    [
        ("digest;q=0.1, tls;q=0.5", "tls"),
        ("digest;q=0.5, tls;q=0.1", "digest"),
        ("DIGEST ; q=0.1", "digest"),
        ("digest", "digest"),
        ("digest;q=much", "digest"),
        ("tls", "tls"),
        ("", None),
        ('digest;d-alg="x', None),
        (";;;", None),
    ],
)
def test_a_list_is_read_leniently(row, chosen):
    response = Response(494, "", Headers([("Security-Server", row)]))
    found = agree(response)
    assert (found and found.chosen.name) == chosen
