"""Many requests from one who is trusted, or who writes a trusted address on his datagrams."""

import functools

import pytest

from firmware.sip.flow import Flow, Transport
from firmware.sip.notifications import IncomingCall, Stranger
from firmware.sip.writer import write

URI = "sip:101@192.0.2.1"


def flood(registered, sip, method, count, *, seconds=1.0):
    """`count` new requests with the registrar's address on them, evenly over `seconds`."""
    world, desk, pbx = registered
    flow = Flow(Transport.UDP, desk.endpoint, pbx.endpoint)
    for number in range(count):
        request = sip.request(
            method, URI, branch=f"z9hG4bKf{method}{number}", call_id=f"{method}{number}"
        )
        arrive = functools.partial(desk.receive, write(request), flow)
        world.later(seconds * number / count, arrive)
    world.run(seconds + 0.1)


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "NOTIFY", "FOO"])
def test_a11_a_flood_with_our_servers_address_is_bounded_and_passes(world, registered, sip, method):
    """RFC 3261 §21.5.4: beyond the bound 503 without anything kept."""
    _, desk, pbx = registered
    desk.agent._core.transactions._most_servers = 500
    quiet = len(desk.agent)
    flood(registered, sip, method, 3000, seconds=3.0)
    transactions = desk.agent._core.transactions
    assert len(transactions._servers) <= 500
    assert len(desk.of(IncomingCall)) <= desk.agent._core.settings.most_calls
    assert len(pbx.responses(503)) > 1000
    for arrived in desk.of(IncomingCall):
        desk.agent.end(arrived.call, world.now)
    world.run(400.0)
    assert len(desk.agent) <= quiet
    pbx.tell(sip.request("INVITE", URI, branch="z9hG4bKafter", call_id="after"), desk)
    world.run(0.1)
    assert desk.last(IncomingCall).call_id == "after"


def test_a11_calls_beyond_the_limit_hear_busy(registered, sip):
    _, desk, pbx = registered
    flood(registered, sip, "INVITE", 1000)
    most = desk.agent._core.settings.most_calls
    assert len(desk.of(IncomingCall)) == most
    assert len(desk.agent._core.calls) == most
    assert len({each.headers.get("Call-ID") for each in pbx.responses(486)}) == 1000 - most


def test_a12_nothing_is_larger_than_what_a_stranger_sent(world, desk, sip):
    """A stranger gets no answer at all, so nobody can be flooded in his name."""
    stranger = sip.Stranger(world, "203.0.113.7")
    before = len(world.log)
    for method in ("INVITE", "OPTIONS", "REGISTER", "SUBSCRIBE", "BYE", "ACK", "CANCEL", "FOO"):
        request = sip.request(method, URI, branch=f"z9hG4bK{method}", sender="203.0.113.7")
        stranger.tell(request, desk)
    for garbage in (
        b"x" * 2000,
        b"OPTIONS sip:x SIP/2.0\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
        b"\0",
    ):
        stranger.tell(garbage, desk)
    world.run(60.0)
    sent = [entry for entry in world.log[before:] if entry[1] == str(desk.endpoint)]
    assert sent == []


def test_a23_strangers_fill_no_log(world, desk, sip):
    """One line a second says how many there were."""
    stranger = sip.Stranger(world, "203.0.113.7")
    for number in range(10_000):
        request = sip.request("OPTIONS", URI, branch=f"z9hG4bK{number}", sender="203.0.113.7")
        data = write(request)
        world.later(number / 1000, lambda data=data: stranger.tell(data, desk))
    world.run(11.0)
    told = desk.of(Stranger)
    assert len(told) <= 12
    assert sum(each.count for each in told) > 9000


def test_a23_what_a_stranger_or_a_server_writes_is_one_line_of_text(world, desk, pbx, sip):
    """Controls and escapes end before the log: a phrase and a method are words."""
    stranger = sip.Stranger(world, "203.0.113.7")
    request = write(sip.request("OPTIONS", URI, sender="203.0.113.7"))
    for method in (b"OPT\x1b[2J", b"X\nY", b"A" * 5000):
        stranger.tell(request.replace(b"OPTIONS", method), desk)
        world.run(1.1)
    for told in desk.of(Stranger):
        assert told.method.isprintable()
        assert len(told.method) <= 64
    pbx.verdicts = [lambda sent: sip.answer_to(sent, 403)]
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    assert all(each.phrase.isprintable() for each in desk.heard if hasattr(each, "phrase"))
