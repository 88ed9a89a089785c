"""Two user agents, a bad wire and two impatient people: nothing raises, nothing stays behind.

Each walk is a seed. People place calls, answer, refuse, hang up, offer again, send digits; the
wire loses, doubles and reorders. When it is quiet both ends agree about every call; when all calls
are ended and time has passed, every store is empty.
"""

import random
from collections.abc import Iterator

import pytest
from msgspec import Struct

from firmware.sip.flow import Transport
from firmware.sip.notifications import (
    CallEnded,
    CallRef,
    IncomingCall,
    Notification,
    OfferWanted,
    ReofferReceived,
)
from firmware.sip.usage.session import Session
from tests.support.sip_link import LINE, Desk, Wire, World

WIRES = {
    "good": Wire(),
    "lossy": Wire(loss=0.2, double=0.1, jitter=0.2),
    "awful": Wire(loss=0.4, double=0.2, jitter=1.5),
}


class Person:
    """Does something now and then at one desk."""

    def __init__(self, desk: Desk, dice: random.Random) -> None:
        self.desk = desk
        self.dice = dice
        self.calls: list[CallRef] = []
        self.placed = 0
        self.ended: set[CallRef] = set()
        desk.script = self.hear

    def hear(self, heard: Notification) -> None:
        assert all(text.isprintable() for text in texts(heard))
        call = getattr(heard, "call", None)
        assert call not in self.ended, "nothing is said about a call after its end"
        if isinstance(heard, CallEnded):
            self.calls.remove(heard.call)
            self.ended.add(heard.call)
        else:
            self.react(heard)

    def react(self, heard: Notification) -> None:
        agent, now, dice = self.desk.agent, self.desk.now, self.dice
        match heard:
            case OfferWanted(call):
                if dice.random() < 0.9:
                    agent.offer(call, b"v=0 offer", now)
                else:
                    agent.end(call, now)
            case IncomingCall(call):
                self.calls.append(call)
                if dice.random() < 0.8:
                    agent.ring(call, now)
            case ReofferReceived(call):
                if dice.random() < 0.7:
                    agent.answer_reoffer(call, b"v=0 answer", now)
                elif dice.random() < 0.7:
                    agent.reject_reoffer(call, 488, now)
            case _:
                pass

    def act(self) -> None:
        agent, now, dice = self.desk.agent, self.desk.now, self.dice
        if not self.calls or dice.random() < 0.2:
            self.placed += 1
            call = CallRef(f"c{self.placed}")
            self.calls.append(call)
            agent.invite(call, LINE, "101", now)
            return
        call = dice.choice(self.calls)
        stage = type(agent._core.calls[call]).__name__
        if dice.random() < 0.25:
            agent.end(call, now)
        elif stage == "InviteServer":
            agent.accept(call, b"v=0 answer", now)
        elif stage == "Session":
            if dice.random() < 0.5:
                agent.reoffer(call, b"v=0 again", now)
            else:
                agent.info_digit(call, "5", 100, now)


def walk(
    seed: int, wire: Wire, hosts: tuple[str, str], transport: Transport, *, agree: bool = True
) -> None:
    world = World(seed, wire)
    dice = random.Random(seed)  # noqa: S311 - a seed must repeat
    left, right = Desk(world, hosts[0]), Desk(world, hosts[1])
    for desk, far in ((left, right), (right, left)):
        host = far.endpoint.host
        server = f"[{host}]" if ":" in host else host
        desk.line(server, register=False, transport=transport, accept_any_user=True)
    people = [Person(left, dice), Person(right, dice)]
    for _ in range(40):
        dice.choice(people).act()
        world.run(dice.choice((0.0, 0.01, 0.3, 2.0, 8.0)))
    world.run(100.0)
    assert sessions(left) == sessions(right) or not agree
    for person in people:
        for call in list(person.calls):
            person.desk.agent.end(call, world.now)
    world.wire = Wire()
    world.run(400.0)
    for person in people:
        assert person.calls == []
        assert len(person.desk.agent) - len(person.desk.agent._core.streams) == 0
        assert len(person.desk.agent._core.deadlines._heap) < 100


def texts(value: object) -> Iterator[str]:
    """Every text in a notification."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from texts(getattr(value, name))


def sessions(desk: Desk) -> set[str]:
    """The Call-IDs of the calls that are up."""
    calls = desk.agent._core.calls.values()
    return {call.dialog.call_id for call in calls if isinstance(call, Session)}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.seeds(12)
def test_two_people_and_a_datagram_wire_always_agree_in_the_end(wire, seed):
    walk(seed, WIRES[wire], ("192.0.2.1", "192.0.2.2"), Transport.UDP)


@pytest.mark.seeds(40)
def test_p01_messages_that_arrive_bent_raise_nothing_and_leave_nothing(seed):
    # What is bent may say something else: agreeing is asked of honest wires only.
    hosts = ("192.0.2.1", "192.0.2.2")
    walk(seed, Wire(bend=0.3, loss=0.05, jitter=0.1), hosts, Transport.UDP, agree=False)


@pytest.mark.seeds(6)
def test_the_same_over_ipv6(seed):
    walk(seed, WIRES["lossy"], ("2001:db8::1", "2001:db8::2"), Transport.UDP)


@pytest.mark.seeds(6)
def test_the_same_over_streams(seed):
    walk(seed, WIRES["good"], ("192.0.2.1", "192.0.2.2"), Transport.TCP)
