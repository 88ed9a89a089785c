"""The way to the registrar is kept open, and a dead one is noticed (RFC 5626 §4.4)."""

import pytest

from firmware.sip.flow import Transport
from firmware.sip.message import Request
from firmware.sip.notifications import RegistrationChanged, RegistrationState


@pytest.fixture
def over_tcp(world, sip):
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
    desk.line(sip.PBX, transport=Transport.TCP)
    desk.agent.register(sip.LINE, world.now)
    world.run(1.0)
    return desk, pbx


def test_a_datagram_flow_gets_a_crlf_every_25_seconds_or_so(registered):
    """RFC 5626 §4.4.2: at random between 24 and 29 seconds."""
    """After the first OPTIONS, which this server does not answer."""
    world, _, pbx = registered
    world.run(290.0)
    beats = [data for data in pbx.raw if data == b"\r\n"]
    assert 9 <= len(beats) <= 11
    assert len({each.headers.get("Call-ID") for each in pbx.requests("OPTIONS")}) == 1


@pytest.fixture
def answering(registered, sip):
    """The same with a server that answers OPTIONS."""
    world, desk, pbx = registered
    register = pbx.reply

    def reply(message):
        if isinstance(message, Request) and message.method == "OPTIONS":
            return [sip.answer_to(message, 404)]
        return register(message)

    pbx.reply = reply
    return world, desk, pbx


def test_a_server_that_answers_options_is_asked_every_25_seconds_or_so(answering):
    """RFC 3261 §11: any answer shows that it lives; nobody rings for it."""
    world, desk, pbx = answering
    world.run(290.0)
    assert 10 <= len(pbx.requests("OPTIONS")) <= 12
    assert {each.uri for each in pbx.requests("OPTIONS")} == {"sip:192.0.2.9"}
    assert len(pbx.requests("REGISTER")) == 1
    assert len(desk.agent) < 12


@pytest.mark.parametrize("away", [30.0, 100.0, 1000.0])
def test_f17_p04_a_server_that_is_back_has_us_again_within_a_minute(answering, away):
    """Over datagrams nothing breaks when it goes: only that it answers no more tells."""
    world, desk, pbx = answering
    world.run(40.0)
    world.silent.add(pbx.endpoint)
    world.run(away)
    world.silent.clear()
    pbx.inbox.clear()
    began = world.now
    world.until(lambda: pbx.requests("REGISTER"), 75)
    assert world.now - began < 60 * 1.25, "P4: a minute and the jitter"
    world.run(1.0)
    assert desk.last(RegistrationChanged).state is RegistrationState.REGISTERED


def test_a_single_lost_datagram_makes_nobody_doubt(answering):
    world, _, pbx = answering
    world.run(40.0)
    world.wire.loss = 0.3
    world.run(1500.0)
    assert len(pbx.requests("REGISTER")) < 6


def test_a_stream_is_pinged_at_once_and_every_two_minutes(world, over_tcp):
    """RFC 5626 §3.5, §4.4.1: a double CRLF, at random between 95 and 120 seconds."""
    sent = [entry for entry in world.log if entry[3] == b"\r\n\r\n"]
    assert len(sent) == 1
    world.run(600.0)
    sent = [entry for entry in world.log if entry[3] == b"\r\n\r\n"]
    assert 6 <= len(sent) <= 8
    assert len(over_tcp[1].requests("REGISTER")) == 1


def test_f25_a_server_that_stops_answering_pings_is_left_and_found_again(world, over_tcp):
    desk, pbx = over_tcp
    (before,) = desk.agent._core.streams
    world.silent.add(pbx.endpoint)
    world.run(131.0)
    assert before not in desk.agent._core.streams
    world.silent.clear()
    world.run(40.0)
    assert desk.last(RegistrationChanged).state is RegistrationState.REGISTERED
    assert len({flow.number for flow in pbx.flows}) == 2


def test_a_connection_on_which_nobody_answers_is_not_used_again(world, sip):
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
    desk.line(sip.PBX, transport=Transport.TCP)
    world.silent.add(pbx.endpoint)
    desk.agent.register(sip.LINE, world.now)
    world.run(30.0)
    (first,) = desk.agent._core.streams
    world.run(10.0)
    (second,) = desk.agent._core.streams
    assert first != second
    assert len(world._far) == 2
    world.silent.clear()
    world.run(32.0 + 60.0)
    assert desk.last(RegistrationChanged).state is RegistrationState.REGISTERED


def test_a_server_that_never_answered_pings_is_not_suspected(world, sip, monkeypatch):
    desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
    desk.line(sip.PBX, transport=Transport.TCP)
    deliver = world._deliver_stream
    monkeypatch.setattr(
        world,
        "_deliver_stream",
        lambda number, data: None if data == b"\r\n\r\n" else deliver(number, data),
    )
    desk.agent.register(sip.LINE, world.now)
    world.run(600.0)
    assert len(pbx.requests("REGISTER")) == 1


def test_nothing_is_kept_alive_after_the_line_has_gone(world, over_tcp):
    desk, _ = over_tcp
    desk.agent.set_lines((), world.now)
    world.run(130.0)
    assert len(desk.agent) == 0
    assert not world._far


def test_a_pong_from_nowhere_is_nothing(world, desk, pbx):
    pbx.tell(b"\r\n", desk)
    pbx.tell(b"\r\n\r\n", desk)
    pbx.tell(b"\x00\x00\x00\x00", desk)
    world.run(1.0)
    assert not pbx.raw
    assert len(desk.agent) == 0
