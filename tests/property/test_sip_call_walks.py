"""Calls with every extension on, between impatient people, walked from a seed against invariants.

Reliable provisional answers, UPDATE, session timers, late offers, redirection and Replaces are all
in the vocabulary; calls, forks and offers are few, so that they meet. What must hold on any wire:

* at most one offer is open in a dialog, whoever made it;
* every INVITE that arrives gets exactly one final answer;
* every 2xx is acknowledged, and every dialog it made is ended by a BYE;
* nothing is said about a call after its end;
* in the end every store is empty.
"""

import random
import re
from collections import defaultdict

import pytest

from firmware.sip.flow import Transport
from firmware.sip.invite.replaces import naming
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
    "lossy": Wire(loss=0.15, double=0.1, jitter=0.2),
    "awful": Wire(loss=0.35, double=0.2, jitter=1.0),
}
SDP = (b"v=0 one", b"v=0\r\nm=audio 4 RTP/AVP 0\r\n", b"")


class OldWorld(World):
    """Nobody in it knows UPDATE: an offer while it rings must go with a PRACK (RFC 3262 §5)."""

    def send(self, sender, data, flow):
        super().send(sender, data.replace(b", UPDATE", b""), flow)


class Person:
    """Does something now and then at one desk, and forgets nothing."""

    def __init__(self, desk: Desk, dice: random.Random, far: str) -> None:
        self.desk = desk
        self.dice = dice
        self.far = far
        self.placed = 0
        self.ended: set[CallRef] = set()
        self.wants: dict[CallRef, str] = {}
        desk.script = self.hear

    @property
    def calls(self) -> dict[CallRef, object]:
        return self.desk.agent._core.calls

    def hear(self, heard: Notification) -> None:
        call = getattr(heard, "call", None)
        assert call not in self.ended, heard
        if isinstance(heard, CallEnded):
            assert heard.call not in self.calls
            self.ended.add(heard.call)
        self.no_two_offers()
        self.react(heard)

    def react(self, heard: Notification) -> None:
        agent, now, dice = self.desk.agent, self.desk.now, self.dice
        match heard:
            case OfferWanted(call):
                agent.offer(call, dice.choice(SDP), now)
            case IncomingCall(call):
                if dice.random() < 0.7:
                    agent.ring(call, now, dice.choice(SDP))
                if heard.replaces is not None and dice.random() < 0.7:
                    agent.accept(call, b"v=0 taken over", now)
                    agent.end(heard.replaces, now)
            case ReofferReceived(call, _, fork):
                chance = dice.random()
                if chance < 0.7:
                    agent.answer_reoffer(call, b"v=0 answer", now, fork)
                elif chance < 0.9:
                    agent.reject_reoffer(call, 488, now, fork=fork)
            case _:
                pass

    def act(self) -> None:
        agent, now, dice = self.desk.agent, self.desk.now, self.dice
        if not self.calls or dice.random() < 0.2:
            self.place()
            return
        call = dice.choice(list(self.calls))
        stage = type(self.calls[call]).__name__
        chance = dice.random()
        if chance < 0.2:
            agent.end(call, now, dice.choice(("", 'SIP;cause=200;text="elsewhere"')))
        elif chance < 0.5:
            agent.reoffer(call, dice.choice(SDP), now)
        elif stage == "InviteServer":
            self.decide(call)
        elif stage == "Session" and chance < 0.6:
            session = self.calls[call]
            session.leg.timer.on_alarm(_SESSION, now)

    def place(self) -> None:
        self.placed += 1
        call = CallRef(f"c{self.placed}")
        up = [each for each in self.calls.values() if isinstance(each, Session)]
        more = {}
        if up and self.dice.random() < 0.3:
            more["replaces"] = naming(
                self.dice.choice(up).dialog, early_only=self.dice.random() < 0.2
            )
        if self.dice.random() < 0.4:
            more["headers"] = (("Require", "100rel"),)
        self.desk.agent.invite(call, LINE, self.dice.choice(("101", "102")), self.desk.now, **more)

    def decide(self, call: CallRef) -> None:
        agent, now, dice = self.desk.agent, self.desk.now, self.dice
        chance = dice.random()
        if chance < 0.7:
            agent.accept(call, b"v=0 accepted", now)
        elif chance < 0.8:
            agent.ring(call, now, dice.choice(SDP))
        elif chance < 0.9:
            contact = f"<sip:{dice.choice(('101', '102'))}@{self.desk.endpoint.host}>"
            agent.reject(call, 302, now, headers=(("Contact", contact),))
        else:
            agent.reject(call, 486, now)

    def no_two_offers(self) -> None:
        for user in self.desk.agent._core.dialogs.values():
            leg = getattr(user, "leg", None)
            if leg is not None:
                assert leg.offering is None or leg.theirs is None


def _alarm():
    from firmware.sip.core import Alarm  # noqa: PLC0415 - one name of it

    return Alarm.SESSION


_SESSION = _alarm()


class Record:
    """What went over the wire, sorted by dialog and transaction."""

    def __init__(self, world: World) -> None:
        self.finals: dict[bytes, set[bytes]] = defaultdict(set)
        self.answered: set[tuple[bytes, frozenset[bytes]]] = set()
        self.acknowledged: set[tuple[bytes, frozenset[bytes]]] = set()
        self.ended: set[tuple[bytes, frozenset[bytes]]] = set()
        self.unheard: set[tuple[bytes, frozenset[bytes]]] = set()
        for *_, data in world.log:
            self._note(data)

    def _note(self, data: bytes) -> None:
        head = data.partition(b"\r\n\r\n")[0]
        start, _, _ = head.partition(b"\r\n")
        dialog = (_row(head, b"Call-ID"), frozenset(re.findall(rb";tag=([^\r\n;>]+)", head)))
        method = _row(head, b"CSeq").split()[-1:]
        if start.startswith(b"SIP/2.0"):
            status = start.split()[1]
            if method == [b"INVITE"] and status >= b"200":
                branch = re.search(rb"branch=([^;\r\n,]+)", head)
                assert branch
                self.finals[branch.group(1)].add(status)
                if status < b"300":
                    self.answered.add(dialog)
        elif start.startswith(b"ACK"):
            self.acknowledged.add(dialog)
        elif start.startswith(b"BYE"):
            self.ended.add(dialog)
            if b"ACK timeout" in head:
                self.unheard.add(dialog)


def _row(head: bytes, name: bytes) -> bytes:
    found = re.search(rb"(?m)^" + name + rb": ([^\r\n]*)", head)
    return found.group(1) if found else b""


def walk(
    seed: int,
    wire: Wire,
    transport: Transport = Transport.UDP,
    *,
    steps: int = 40,
    hosts: tuple[str, str] = ("192.0.2.1", "192.0.2.2"),
    old: bool = False,
) -> None:
    world = OldWorld(seed, wire) if old else World(seed, wire)
    dice = random.Random(seed)  # noqa: S311 - a seed must repeat
    left, right = Desk(world, hosts[0]), Desk(world, hosts[1])
    for desk, far, seconds in ((left, right, 90), (right, left, 120)):
        host = far.endpoint.host
        server = f"[{host}]" if ":" in host else host
        how = {"transport": transport, "accept_any_user": True, "session_expires": seconds}
        desk.line(server, register=False, **how)
    people = [Person(left, dice, hosts[1]), Person(right, dice, hosts[0])]
    for _ in range(steps):
        dice.choice(people).act()
        world.run(dice.choice((0.0, 0.004, 0.01, 0.3, 2.0, 40.0)))
    world.run(100.0)
    world.wire = Wire()
    for person in people:
        for call in list(person.calls):
            person.desk.agent.end(call, world.now)
    world.run(500.0)
    for person in people:
        assert not person.calls
        assert len(person.desk.agent) == len(person.desk.agent._core.streams)
        assert len(person.desk.agent._core.deadlines._heap) < 100
    record = Record(world)
    assert all(len(statuses) == 1 for statuses in record.finals.values())
    assert record.answered <= record.ended
    # Where every 100 can be lost a caller may have given up before: then only the BYE comes.
    given_up = record.unheard if wire.loss else set()
    assert wire is WIRES["awful"] or record.answered <= record.acknowledged | given_up


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.seeds(25)
def test_calls_with_every_extension_keep_their_promises(wire, seed):
    """RFC 3264 §4, RFC 3261 §13.3.1.4, §15: one offer, one final answer, ACK and BYE."""
    walk(seed, WIRES[wire])


@pytest.mark.seeds(6)
def test_the_same_over_streams(seed):
    walk(seed, WIRES["good"], Transport.TCP)


@pytest.mark.seeds(6)
def test_the_same_over_ipv6(seed):
    walk(seed, WIRES["lossy"], hosts=("2001:db8::1", "2001:db8::2"))


@pytest.mark.parametrize("wire", ["good", "lossy"])
@pytest.mark.seeds(10)
def test_the_same_where_nobody_knows_update(wire, seed):
    """RFC 6337 §2.2, pattern 5."""
    walk(seed, WIRES[wire], old=True)
