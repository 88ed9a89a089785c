"""Who may ring us: our server, our peers, and nobody else (A1 to A4, P7)."""

import pytest

from firmware.sip.agent import Account
from firmware.sip.flow import Endpoint, Target, Transport
from firmware.sip.notifications import FailureCause, IncomingCall, LineName, Stranger

URI = "sip:101@192.0.2.1"


@pytest.fixture
def stranger(world, sip):
    return sip.Pbx(world, "203.0.113.66")


def test_p07_a01_a02_a_stranger_hears_nothing_and_rings_nothing(world, desk, stranger, sip):
    for method in ("INVITE", "OPTIONS", "REGISTER", "BYE", "CANCEL", "DANCE"):
        stranger.tell(sip.request(method, URI, branch=f"z9hG4bK{method}"), desk)
        stranger.tell(sip.request(method, URI, branch=f"z9hG4bK2{method}", tag="x"), desk)
    stranger.tell(b"OPTIONS sip:101@x SIP/2.0\r\nVia: SIP/2.0/UDP x\r\n\r\n", desk)
    stranger.tell(b"rubbish", desk)
    world.run(10.0)
    assert not stranger.inbox
    assert not desk.of(IncomingCall)
    assert len(desk.agent) == 0
    said = desk.of(Stranger)
    assert said[0] == Stranger(stranger.endpoint, "INVITE", 1)
    assert len(said) == 1, "at most one a second"


def test_what_was_not_said_is_counted_in_the_next(world, desk, stranger, sip):
    for _ in range(3):
        stranger.tell(sip.request("OPTIONS", URI), desk)
    world.run(1.5)
    stranger.tell(sip.request("OPTIONS", URI), desk)
    world.run(0.1)
    assert [each.count for each in desk.of(Stranger)] == [1, 3]


def test_a13_a_stranger_on_a_connection_loses_it(world, desk, stranger, sip):
    flow = world.connect(stranger, Target(Transport.TCP, desk.endpoint, stranger.endpoint))
    stranger.say(sip.request("INVITE", URI), flow)
    world.run(0.1)
    assert not stranger.inbox
    assert flow.number not in world._far
    assert len(desk.agent) == 0


def test_a13_a_stranger_who_shouts_over_connections_keeps_none(world, desk, stranger, sip):
    flows = []
    for number in range(40):
        flow = world.connect(stranger, Target(Transport.TCP, desk.endpoint, stranger.endpoint))
        flows.append(flow)
        stranger.say(sip.request("INVITE", URI, branch=f"z9hG4bK{number}"), flow)
    world.run(0.1)
    assert not any(flow.number in world._far for flow in flows)


@pytest.mark.parametrize("answerable", [True, False], ids=["sender in front", "sender behind"])
@pytest.mark.parametrize("what", ["Vias", "rows"])
def test_a14_over_a_stream_too_much_is_answered_or_hung_up_on(
    world, desk, pbx, sip, what, answerable
):
    vias = "Via: SIP/2.0/TCP x;branch=z9hG4bKx\r\n" * (200 if answerable else 500)
    flood = vias if what == "Vias" else "a: b\r\n" * 10_000
    sender = "From: <sip:a@b>;tag=1\r\nTo: <sip:101@b>\r\nCall-ID: big\r\nCSeq: 1 OPTIONS\r\n"
    rows = sender + flood if answerable else flood + sender
    heard = []
    pbx.receive = lambda data, _flow: heard.append(data)  # we could not read so long an answer
    flow = world.connect(pbx, Target(Transport.TCP, desk.endpoint, pbx.endpoint))
    pbx.say(
        f"OPTIONS {URI} SIP/2.0\r\nVia: SIP/2.0/TCP {sip.PBX};branch=z9hG4bKbig\r\n"
        f"{rows}Content-Length: 0\r\n\r\n".encode(),
        flow,
    )
    world.run(0.1)
    assert [data[:11] for data in heard] == ([b"SIP/2.0 400"] if answerable else [])
    assert (flow.number in world._far) == answerable


def test_f21_a_bad_response_over_a_stream_is_dropped_and_the_stream_stays(world, desk, pbx, sip):
    flow = world.connect(pbx, Target(Transport.TCP, desk.endpoint, pbx.endpoint))
    pbx.say(b"SIP/2.0 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n", flow)
    world.run(0.1)
    assert flow.number in world._far


@pytest.mark.parametrize(
    ("user", "rings"),
    [
        ("101", True),
        ("+4930555", True),
        ("4930777", False),
        ("102", False),
        ("", False),
        ("10", False),
    ],
)
def test_a03_the_server_reaches_us_by_user_contact_and_numbers(world, desk, pbx, sip, user, rings):
    desk.line(sip.PBX, numbers=("+49*5", "0305??"))
    pbx.tell(sip.request("INVITE", f"sip:{user}@anything" if user else "sip:anything"), desk)
    world.run(0.1)
    assert bool(desk.of(IncomingCall)) == rings
    assert bool(pbx.responses(404)) != rings


def test_a_line_may_take_any_user(world, desk, pbx, sip):
    desk.line(sip.PBX, accept_any_user=True)
    pbx.tell(sip.request("INVITE", "sip:whoever@anything"), desk)
    world.run(0.1)
    assert desk.of(IncomingCall)


def test_a_did_as_a_tel_uri_reaches_its_line(world, desk, pbx, sip):
    desk.line(sip.PBX, numbers=("+4930555",))
    pbx.tell(sip.request("INVITE", "tel:+4930555"), desk)
    world.run(0.1)
    assert desk.last(IncomingCall).called_user == "+4930555"


def test_a04_the_contact_user_cannot_be_guessed_and_is_kept(registered):
    world, desk, pbx = registered
    user = pbx.contact().split(":")[1].split("@")[0]
    assert len(user) >= 16
    desk.agent.network_changed(world.now)
    world.run(2.0)
    assert f"sip:{user}@" in pbx.contact()


@pytest.mark.parametrize(
    "peer", ["203.0.113.66", "203.0.113.0/24", "[2001:db8::66]", "gate.example"]
)
def test_peers_are_trusted(world, sip, peer):
    world.names["gate.example"] = [(Transport.UDP, Endpoint("203.0.113.66", 5060))]
    six = peer.startswith("[")
    desk = sip.Desk(world, "2001:db8::1" if six else "192.0.2.1")
    gate = sip.Pbx(world, "2001:db8::66" if six else "203.0.113.66")
    desk.line(sip.PBX, peers=(peer,))
    world.run(0.1)
    gate.tell(sip.request("INVITE", URI), desk)
    world.run(0.1)
    assert desk.of(IncomingCall)


def test_a_peer_whose_name_moves_is_followed_and_one_that_cannot_be_found_stays(world, desk, sip):
    old, new = sip.Pbx(world, "203.0.113.66"), sip.Pbx(world, "203.0.113.77")
    world.names["gate.example"] = [(Transport.UDP, old.endpoint)]
    desk.line(sip.PBX, peers=("gate.example",))
    world.run(1.0)
    world.names["gate.example"] = FailureCause.NAME_NOT_FOUND
    world.run(400.0)
    old.tell(sip.request("OPTIONS", URI), desk)
    world.run(1.0)
    assert old.responses(200)
    world.names["gate.example"] = [(Transport.UDP, new.endpoint)]
    world.run(400.0)
    old.tell(sip.request("OPTIONS", URI, branch="z9hG4bK2", call_id="2"), desk)
    new.tell(sip.request("OPTIONS", URI, branch="z9hG4bK3", call_id="3"), desk)
    world.run(1.0)
    assert len(old.responses(200)) == 1
    assert new.responses(200)


def test_every_address_of_the_server_may_call(world, desk, sip):
    """RFC 4504 §2.11: a name that leads to several machines means all of them."""
    one, other = sip.Pbx(world, "203.0.113.66"), sip.Pbx(world, "203.0.113.77")
    world.names["pbx.example"] = [(Transport.UDP, one.endpoint), (Transport.UDP, other.endpoint)]
    desk.line("pbx.example")
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    for number, server in enumerate((one, other)):
        call = {
            "branch": f"z9hG4bK{number}",
            "call_id": str(number),
            "sender": server.endpoint.host,
        }
        server.tell(sip.request("INVITE", URI, **call), desk)
        world.run(0.1)
    assert len(desk.of(IncomingCall)) == 2


def test_the_server_of_a_line_without_registration_is_looked_up_and_trusted(world, desk, pbx, sip):
    world.names["pbx.example"] = [(Transport.UDP, pbx.endpoint)]
    desk.line("pbx.example", register=False)
    world.run(0.1)
    pbx.tell(sip.request("INVITE", URI), desk)
    world.run(0.1)
    assert desk.of(IncomingCall)


def test_of_two_lines_the_one_that_trusts_the_caller_rings(world, desk, pbx, sip):
    other = sip.Pbx(world, "192.0.2.10")
    accounts = (
        Account(LineName("a"), "101", "192.0.2.10"),
        Account(LineName("b"), "101", sip.PBX),
    )
    desk.agent.set_lines(accounts, world.now)
    pbx.tell(sip.request("INVITE", URI), desk)
    other.tell(
        sip.request("INVITE", URI, branch="z9hG4bKo", call_id="o", sender="192.0.2.10"), desk
    )
    world.run(0.1)
    assert [each.line for each in desk.of(IncomingCall)] == ["b", "a"]


def test_our_own_connection_to_the_registrar_carries_calls_for_anybody(world, sip):
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
    desk.line(sip.PBX, transport=Transport.TCP)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    pbx.say(sip.request("INVITE", "sip:whoever@x"), pbx.flows[-1])
    world.run(0.1)
    assert desk.of(IncomingCall)


def test_a11_p02_a_flood_of_strangers_costs_little_and_our_server_still_reaches_us(
    world, desk, pbx, stranger, sip
):
    for number in range(5000):
        stranger.tell(sip.request("INVITE", URI, branch=f"z9hG4bK{number}"), desk)
    parsed = len(desk.agent)
    pbx.tell(sip.request("INVITE", URI), desk)
    world.run(0.5)
    assert desk.of(IncomingCall)
    assert parsed == 0
    world.run(2.0)
    stranger.tell(sip.request("INVITE", URI, branch="z9hG4bKlater"), desk)
    world.run(0.1)
    assert desk.last(Stranger).count > 4000


def test_a11_a_flood_from_ten_thousand_addresses_is_bounded_too(world, desk, sip):
    from_everywhere = sip.request("OPTIONS", URI)
    for number in range(10_000):
        host = f"203.0.{number // 250}.{number % 250}"
        node = sip.Stranger(world, host)
        node.tell(from_everywhere, desk)
    world.run(0.5)
    assert len(desk.agent._screening._counts) <= 400
    assert len(desk.agent._screening._cache) <= 1024


def test_a_reload_with_other_peers_trusts_them_and_still_the_server(
    world, desk, pbx, stranger, sip
):
    world.names["pbx.example"] = [(Transport.UDP, pbx.endpoint)]
    desk.line("pbx.example", register=False)
    world.run(0.1)

    desk.line("pbx.example", register=False, peers=("203.0.113.0/24",))
    for number, caller in enumerate((stranger, pbx)):
        host = caller.endpoint.host
        branch, call_id = f"z9hG4bKp{number}", f"p{number}"
        caller.tell(sip.request("INVITE", URI, branch=branch, call_id=call_id, sender=host), desk)
    world.run(0.05)
    assert len(desk.of(IncomingCall)) == 2

    desk.line("pbx.example", register=False)
    stranger.tell(sip.request("INVITE", URI, branch="z9hG4bKq", call_id="q"), desk)
    world.run(0.05)
    assert len(desk.of(IncomingCall)) == 2
