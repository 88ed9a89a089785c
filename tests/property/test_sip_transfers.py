"""Transfers between three user agents on any wire, whatever anybody does in whatever order.

Every transfer that began is told its outcome exactly once; nothing raises; in the end nothing is
left.
"""

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.sip.errors import LocalError
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallRef,
    IncomingCall,
    OfferWanted,
    ReofferReceived,
    TransferAsked,
    TransferFailed,
    TransferSucceeded,
)
from firmware.sip.uri import parse_uri
from firmware.sip.usage.session import Session
from tests.support.sip_link import LINE, Desk, Wire, World

HOSTS = ("192.0.2.1", "192.0.2.2", "192.0.2.3")
SDP = b"v=0"
ACTS = (
    "blind",
    "attended",
    "call",
    "gruu",
    "gruu",
    "hold",
    "blind",
    "attended",
    "end",
    "wait",
    "wait",
    "long wait",
    "dark",
    "light",
)
MOODS = ("answers", "answers", "rings", "refuses")


class Somebody(Desk):
    """Does at random what a phone and its person might do."""

    def __init__(self, world, host, dice):
        super().__init__(world, host)
        self.dice = dice
        self.line(host, "me", register=False, peers=HOSTS, accept_any_user=True)
        self.script = self._react
        self.up: list[CallRef] = []
        self.begun, self.told = 0, 0
        self._names = 0

    def name(self):
        self._names += 1
        return CallRef(f"out-{self.endpoint.host}-{self._names}")

    def _react(self, heard):  # noqa: C901, PLR0912 - one row a notification
        agent, now = self.agent, self.now
        match heard:
            case OfferWanted(call):
                agent.offer(call, SDP, now)
            case ReofferReceived(call):
                agent.answer_reoffer(call, SDP, now)
            case CallAnswered(call):
                self.up.append(call)
            case CallEnded(call) if call in self.up:
                self.up.remove(call)
            case IncomingCall(call, replaces=old):
                mood = "answers" if old is not None else self.dice(MOODS)
                if mood == "answers":
                    agent.accept(call, SDP, now)
                    self.up.append(call)
                    if old is not None:
                        agent.end(old, now)
                elif mood == "rings":
                    agent.ring(call, now)
                else:
                    agent.reject(call, 486, now)
            case TransferAsked(transfer):
                if self.dice((True, True, False)):
                    agent.transfers.follow(transfer, self.name(), now)
                else:
                    agent.transfers.refuse(transfer, 603, now)
            case TransferSucceeded() | TransferFailed():
                self.told += 1

    def has_a_gruu(self, call):
        """The far end's Contact is one, as if a registrar had given it (RFC 5627)."""
        session = self.agent._core.calls.get(call)
        if isinstance(session, Session) and not session.dialog.remote_target.has("gr"):
            target = f"{session.dialog.remote_target};gr=1"
            session.dialog.remote_target = parse_uri(target)

    def act(self, what, others):
        agent, now = self.agent, self.now
        with contextlib.suppress(LocalError):
            match what:
                case "call":
                    target = self.dice(others).endpoint.host
                    agent.invite(self.name(), LINE, f"sip:me@{target}", now)
                case "blind" if self.up:
                    target = self.dice(others).endpoint.host
                    agent.transfers.blind(self.dice(self.up), f"sip:me@{target}", now)
                    self.begun += 1
                case "attended" if len(self.up) > 1:
                    agent.transfers.attended(self.up[0], self.dice(self.up), now)
                    self.begun += 1
                case "gruu" if self.up:
                    self.has_a_gruu(self.dice(self.up))
                case "hold" if self.up:
                    agent.reoffer(self.dice(self.up), SDP, now)
                case "end" if self.up:
                    agent.end(self.dice(self.up), now)


@settings(max_examples=60, deadline=None)
@given(
    st.data(),
    st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 2)), min_size=8, max_size=30),
    st.sampled_from((Wire(), Wire(loss=0.2), Wire(double=0.3, jitter=0.5), Wire(bend=0.1))),
)
def test_f51_transfers_end_whatever_happens(data, acts, wire):
    world = World(3, wire)

    def dice(choices):
        return data.draw(st.sampled_from(list(choices)))

    people = [Somebody(world, host, dice) for host in HOSTS]
    for person in (*people, *people):
        person.act("call", [x for x in people if x is not person])
        world.run(1)
    for what, number in acts:
        match what:
            case "wait" | "long wait":
                world.run(0.3 if what == "wait" else 40)
            case "dark":
                world.silent.add(people[number].endpoint)
            case "light":
                world.silent.clear()
            case _:
                people[number].act(what, [x for x in people if x is not people[number]])
                world.run(0.01)
    world.silent.clear()
    world.wire = Wire()
    world.run(700)
    for person in people:
        assert person.told == person.begun, "an outcome is told once"
        assert len(person.agent.transfers) == 0
        person.agent.shut_down(world.now)
    world.run(400)
    assert [len(person.agent) for person in people] == [0, 0, 0]
