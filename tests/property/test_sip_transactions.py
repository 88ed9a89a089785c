"""Random event sequences against the four machines: total, bounded in what they send, finite.

Invariants: nothing raises; the user hears at most one final answer or failure (more 2xx of a fork
aside); a dead transaction has no timer; and when time has passed, nothing is left.
"""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from firmware.sip.flow import Endpoint, Flow, Transport
from firmware.sip.message import Headers, Request, Response
from firmware.sip.transaction.keys import read_arrival
from firmware.sip.transaction.layer import TransactionLayer
from firmware.sip.transaction.tables import State
from firmware.sip.transaction.timing import Timing

HERE, THERE = Endpoint("192.0.2.1", 5060), Endpoint("192.0.2.2", 5060)
BRANCH = "z9hG4bKwalk"
STATUSES = st.sampled_from([100, 180, 183, 200, 202, 302, 401, 486, 503, 603])
WAITS = st.sampled_from([0.0, 0.1, 0.5, 1.0, 4.0, 5.0, 31.9, 32.0, 40.0])


def headers(method: str) -> Headers:
    return Headers(
        [
            ("Via", f"SIP/2.0/UDP 192.0.2.1:5060;branch={BRANCH}"),
            ("From", "<sip:a@b>;tag=1"),
            ("To", "<sip:b@c>"),
            ("Call-ID", "walk"),
            ("CSeq", f"1 {method}"),
        ]
    )


class Walk(RuleBasedStateMachine):
    """One transaction in its layer."""

    method = "INVITE"
    transport = Transport.UDP

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.sent = 0
        self.finals: list[int | str] = []
        self.layer = TransactionLayer(self.send, Timing())
        number = 0 if self.transport is Transport.UDP else 9
        self.flow = Flow(self.transport, HERE, THERE, number)

    def send(self, flow: Flow, data: bytes) -> None:
        assert flow.transport is self.transport
        assert data
        self.sent += 1

    def on_response(self, response: Response, _now: float) -> None:
        if response.status >= 200:
            self.finals.append(response.status)

    def on_ack(self, _arrival: object, _now: float) -> None:
        pass

    def on_failure(self, failure: object, _now: float) -> None:
        self.finals.append(str(failure))

    @rule(wait=WAITS)
    def time_passes(self, wait: float) -> None:
        end = self.now + wait
        while (deadline := self.layer.next_deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.layer.fire_timers(self.now)
        self.now = end

    @rule()
    def the_flow_fails(self) -> None:
        self.layer.flow_failed(self.flow, self.now)

    def teardown(self) -> None:
        self.finish()
        self.time_passes(200.0)
        assert len(self.layer) == 0
        assert self.sent < 60

    def finish(self) -> None:
        """Make an end possible."""


class ClientWalk(Walk):
    """A request of ours; what comes back is random."""

    def __init__(self) -> None:
        super().__init__()
        request = Request(self.method, "sip:b@c", headers(self.method))
        self.transaction = self.layer.send(request, BRANCH, self.flow, self, 0.0)

    @rule(status=STATUSES)
    def a_response_arrives(self, status: int) -> None:
        response = Response(status, "", headers(self.method))
        alive = self.transaction.state is not State.TERMINATED
        assert self.layer.receive_response(response, self.flow, self.now) == alive

    @invariant()
    def one_final_answer(self) -> None:
        if self.method == "INVITE" and self.finals and str(self.finals[0]).startswith("2"):
            assert all(str(final).startswith("2") for final in self.finals)
        else:
            assert len(self.finals) <= 1

    @invariant()
    def the_dead_have_no_timers(self) -> None:
        if self.transaction.state is State.TERMINATED:
            assert len(self.layer) == 0

    def finish(self) -> None:
        # An INVITE that rings is its user's to end (RFC 3261 §17.1.1.2 has no timer for it).
        if self.transaction.state is State.PROCEEDING and self.method == "INVITE":
            self.layer.kill(self.transaction)


class ServerWalk(Walk):
    """A request that arrived; we and the far end act at random."""

    def __init__(self) -> None:
        super().__init__()
        self.transaction = self.layer.open(self.arrival(self.method), self)

    def arrival(self, method: str):
        return read_arrival(Request(method, "sip:b@c", headers(method)), self.flow)

    @rule()
    def it_arrives_again(self) -> None:
        alive = self.transaction.state is not State.TERMINATED
        assert self.layer.absorb(self.arrival(self.method), self.now) == alive

    @precondition(lambda self: self.method == "INVITE")
    @rule()
    def its_ack_arrives(self) -> None:
        self.layer.absorb(self.arrival("ACK"), self.now)

    @rule(status=STATUSES)
    def we_answer(self, status: int) -> None:
        self.transaction.respond(Response(status, "", headers(self.method)), self.now)

    @invariant()
    def the_dead_have_no_timers(self) -> None:
        if self.transaction.state is State.TERMINATED:
            assert len(self.layer) == 0

    def finish(self) -> None:
        self.we_answer(500)

    def teardown(self) -> None:
        self.sent = 0
        super().teardown()


class OptionsClientWalk(ClientWalk):
    method = "OPTIONS"


class OptionsServerWalk(ServerWalk):
    method = "OPTIONS"


class StreamClientWalk(ClientWalk):
    transport = Transport.TCP


class StreamServerWalk(ServerWalk):
    transport = Transport.TCP


_SETTINGS = settings(max_examples=60, stateful_step_count=25, deadline=None, database=None)
TestInviteClient = ClientWalk.TestCase
TestInviteServer = ServerWalk.TestCase
TestOptionsClient = OptionsClientWalk.TestCase
TestOptionsServer = OptionsServerWalk.TestCase
TestStreamClient = StreamClientWalk.TestCase
TestStreamServer = StreamServerWalk.TestCase
for _case in (
    TestInviteClient,
    TestInviteServer,
    TestOptionsClient,
    TestOptionsServer,
    TestStreamClient,
    TestStreamServer,
):
    _case.settings = _SETTINGS
