"""The agent as a whole: an earlier life, a clean stop, its own mistakes, and noise."""

import random

import pytest

from firmware.sip.agent import Account
from firmware.sip.effects import CloseFlow
from firmware.sip.errors import LocalError
from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.notifications import CallEnded, CallRef, DialogSaved, FailureCause, IncomingCall
from firmware.sip.writer import write
from tests.support.sip_link import bent


def test_f46_p12_a_call_of_an_earlier_life_is_ended_with_bye(talking, sip):
    world, left, right, _, arrived = talking
    snapshot = left.last(DialogSaved).snapshot
    world.desks.remove(left)
    reborn = sip.Desk(world, "192.0.2.1", seed=b"another life another seed")
    reborn.agent.end_orphan(snapshot, world.now)
    world.run(0.1)
    assert right.last(CallEnded) == CallEnded(arrived, by_us=False)
    world.run(60.0)
    assert len(reborn.agent) == 0


def test_a_damaged_memory_of_an_earlier_life_is_passed_over(desk, world):
    desk.agent.end_orphan(b"rubbish", world.now)
    assert desk.agent.take_effects() == []


def test_a_clean_stop_ends_calls_and_registration(registered, sip):
    world, desk, pbx = registered
    desk.agent.invite(CallRef("out"), sip.LINE, "600", world.now)
    pbx.tell(sip.request("INVITE", "sip:101@x", body=sip.OFFER), desk)
    world.run(0.02)
    desk.agent.shut_down(world.now)
    assert not desk.agent.settled
    world.run(1.0)
    assert desk.agent.settled
    assert pbx.responses(480)
    assert pbx.requests("REGISTER")[-1].headers.get("Expires") == "0"
    assert len(desk.of(CallEnded)) == 2
    world.run(100.0)
    assert len(desk.agent) == 0


def test_lines_have_different_names(desk, world):
    twin = Account("a", "1", "192.0.2.9")
    with pytest.raises(LocalError, match="one name"):
        desk.agent.set_lines((twin, twin), world.now)


def test_an_answer_nobody_waits_for_is_nothing(desk, world):
    flow = Flow(Transport.TCP, Endpoint("192.0.2.1", 4), Endpoint("192.0.2.9", 5060), 77)
    agent = desk.agent
    agent.target_resolved(99, (), world.now)
    agent.target_failed(99, FailureCause.NO_NETWORK, "", world.now)
    agent.flow_refused(99, "", world.now)
    agent.flow_failed(flow, "", world.now)
    agent.flow_opened(99, flow, world.now)
    assert agent.take_effects() == [CloseFlow(flow)]
    assert len(agent) == 0


def test_an_empty_agent_is_still_true(desk):
    assert len(desk.agent) == 0
    assert desk.agent


def test_a_name_that_resolves_to_nothing_is_no_answer(desk, world, sip):
    world.names["pbx.example"] = []
    desk.line("pbx.example")
    desk.agent.invite(CallRef("out"), sip.LINE, "600", world.now)
    world.run(1.0)
    assert desk.last(CallEnded).cause is FailureCause.NO_ANSWER


def test_p01_ten_thousand_bent_messages_of_our_own_server_change_nothing(world, desk, pbx, sip):
    dice = random.Random(7)  # noqa: S311 - repeated
    good = [
        sip.request("INVITE", "sip:101@192.0.2.1", body=sip.OFFER),
        sip.request(
            "INVITE", "sip:101@192.0.2.1", ("Require", "x"), ("Record-Route", "<sip:p;lr>")
        ),
        sip.request("CANCEL", "sip:101@192.0.2.1"),
        sip.request("OPTIONS", "sip:101@192.0.2.1", ("Contact", "<sip:x@y>;expires=5")),
        sip.request("BYE", "sip:101@192.0.2.1", tag="x"),
        sip.answer_to(sip.request("INVITE", "sip:101@x"), 200, ("Contact", "<sip:x@y>")),
    ]
    octets = [write(message) for message in good]
    flow = Flow(Transport.UDP, desk.endpoint, pbx.endpoint)
    answers = calls = 0
    for number in range(10_000):
        now = world.now + number * 0.001
        fresh = str(number).encode()
        data = dice.choice(octets).replace(b"z9hG4bKin", b"z9hG4bK" + fresh)
        data = data.replace(b"Call-ID: in", b"Call-ID: " + fresh)
        desk.agent.receive(bent(data, dice), flow, now)
        for notification in desk.agent.take_notifications():
            if isinstance(notification, IncomingCall):
                calls += 1
                desk.agent.reject(notification.call, 486, now)
        answers += len(desk.agent.take_effects())
    assert calls > 100
    assert answers > 1000
    world.now += 100.0
    world.run(800.0)
    assert len(desk.agent) == 0
