"""A line takes its registration back, whenever it is told to."""

from functools import partial

import pytest

from firmware.sip.flow import Transport
from firmware.sip.notifications import RegistrationChanged
from firmware.sip.notifications import RegistrationState as State

CHALLENGE = 'Digest realm="pbx", nonce="one", algorithm=MD5, qop="auth"'


def states(desk):
    return [change.state for change in desk.of(RegistrationChanged)]


def test_unregistering_removes_the_binding(registered):
    world, desk, pbx = registered
    desk.agent.unregister("desk", world.now)
    world.run(1.0)
    assert pbx.requests("REGISTER")[-1].headers.get("Expires") == "0"
    assert states(desk)[-1] is State.OFF
    world.run(100.0)
    assert len(desk.agent) == 0


def test_unregistering_while_registering_does_both_in_order(world, desk, pbx, sip):
    desk.agent.register(sip.LINE, world.now)
    world.run(0.003)
    desk.agent.unregister(sip.LINE, world.now)
    world.run(1.0)
    assert [each.headers.get("Expires") for each in pbx.requests("REGISTER")] == ["3600", "0"]
    assert states(desk) == [State.TRYING, State.OFF]


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
@pytest.mark.parametrize("verdicts", [(200,), (401, 200), (401, 401, 200), (500,), (423, 200)])
@pytest.mark.parametrize("lost", [0, 1])
def test_stopping_at_any_moment_of_registering_leaves_no_binding(sip, transport, verdicts, lost):
    """The phone goes as soon as its stack is settled: what did the registrar hear last?"""
    rows = {401: [("WWW-Authenticate", CHALLENGE)], 423: [("Min-Expires", "90")]}
    for millisecond in range(0, 45, 2):
        world = sip.World()
        desk, pbx = sip.Desk(world, "192.0.2.1"), sip.Pbx(world)
        desk.line(sip.PBX, password="secret", transport=transport, expires=60)
        pbx.verdicts = [
            partial(
                lambda pbx, status, request: pbx.verdict(request, status, *rows.get(status, ())),
                pbx,
                status,
            )
            for status in verdicts
        ]
        desk.agent.register(sip.LINE, world.now)
        world.run(millisecond / 1000)
        if lost and transport is Transport.UDP:
            world.silent.add(desk.endpoint)  # answers are lost for a while
            world.later(0.3, world.silent.clear)
        desk.agent.shut_down(world.now)
        world.until(lambda desk=desk: desk.agent.settled, 10)
        sent = [each.headers.get("Expires") for each in pbx.requests("REGISTER")]
        accepted = 200 in verdicts
        assert not sent or sent[-1] == "0" or not accepted, f"after {millisecond} ms: {sent}"


def test_registering_while_unregistering_ends_registered(registered):
    world, desk, pbx = registered
    desk.agent.unregister("desk", world.now)
    world.run(0.002)
    desk.agent.register("desk", world.now)
    world.run(1.0)
    assert pbx.requests("REGISTER")[-1].headers.get("Expires") == "3600"
    assert states(desk)[-1] is State.REGISTERED


def test_unregistering_before_anything_was_sent_sends_nothing(world, desk, pbx, sip):
    desk.agent.register(sip.LINE, world.now)
    desk.agent.unregister(sip.LINE, world.now)
    world.run(100.0)
    assert states(desk) == [State.TRYING, State.OFF]
    assert not pbx.inbox
    assert len(desk.agent) == 0


def test_unregistering_at_a_server_that_is_gone_ends_off(registered):
    world, desk, pbx = registered
    world.silent.add(pbx.endpoint)
    desk.agent.unregister("desk", world.now)
    world.run(40.0)
    assert states(desk)[-1] is State.OFF
    world.run(100.0)
    assert len(desk.agent) == 0


def test_changing_ones_mind_twice_at_a_silent_server(registered):
    world, desk, pbx = registered
    world.silent.add(pbx.endpoint)
    desk.agent.unregister("desk", world.now)
    desk.agent.register("desk", world.now)
    world.silent.clear()
    world.run(1.0)
    assert states(desk)[-1] is State.REGISTERED
