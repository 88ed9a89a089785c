"""User agents joined by a simulated wire on virtual time: no sockets, no waiting, one seed.

A `World` has a clock, names, and nodes. Datagrams may be lost, doubled, late and out of order;
streams keep order and may be cut. `Desk` is one of our user agents with a person who answers by
script; `Stranger` speaks raw SIP and remembers what it was sent.
"""

import functools
import heapq
import itertools
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from firmware.base.tokens import Tokens
from firmware.sip.account import Account
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.effects import CloseFlow, Effect, OpenFlow, ResolveTarget, Transmit
from firmware.sip.flow import Endpoint, Flow, Target, Terms, Transport
from firmware.sip.message import Message, Request, Response
from firmware.sip.notifications import CallRef, FailureCause, LineName, Notification
from firmware.sip.parser import parse

N = TypeVar("N")
LINE = LineName("desk")


@dataclass
class Wire:
    """How bad the datagram wire is; probabilities and seconds."""

    loss: float = 0.0
    double: float = 0.0
    delay: float = 0.005
    jitter: float = 0.0
    bend: float = 0.0


def bent(data: bytes, dice: random.Random) -> bytes:
    """A message with some octets changed, lost, doubled or put in."""
    octets = bytearray(data)
    for _ in range(dice.randrange(1, 6)):
        place = dice.randrange(len(octets) + 1)
        match dice.randrange(4):
            case 0:
                octets[place : place + 1] = bytes([dice.randrange(256)])
            case 1:
                del octets[place : place + dice.randrange(1, 20)]
            case 2:
                octets[place:place] = bytes([dice.choice(b'\r\n";<>,:=%@ \x00\xff')])
            case _:
                octets[place:place] = octets[: dice.randrange(30)]
    return bytes(octets)


class Node:
    """Something with an address."""

    def __init__(self, world: "World", host: str, port: int = 5060) -> None:
        self.world = world
        self.endpoint = Endpoint(host, port)
        world.nodes[self.endpoint] = self

    def receive(self, data: bytes, flow: Flow) -> None:
        raise NotImplementedError

    def cut(self, flow: Flow) -> None:
        """A stream is gone."""


class Desk(Node):
    """A user agent of ours; `heard` are its notifications, `script` reacts to each."""

    def __init__(
        self, world: "World", host: str, port: int = 5060, seed: bytes = b"", **settings: object
    ) -> None:
        super().__init__(world, host, port)
        tokens = Tokens(seed or f"{host}:{port}:{world.seed}".encode().ljust(16, b"."))
        self.agent = UserAgent(AgentSettings(**settings), tokens)
        self.heard: list[Notification] = []
        self.script: Callable[[Notification], None] = lambda _: None
        self.effects: list[Effect] = []
        self.transmitted = 0
        self.second: Endpoint | None = None
        world.desks.append(self)

    @property
    def now(self) -> float:
        return self.world.now

    def line(self, server: str, user: str = "101", name: str = "", **more: object) -> Account:
        """Have one line."""
        account = Account(LineName(name) or LINE, user, server, **more)
        self.agent.set_lines((account,), self.now)
        return account

    def of(self, kind: type[N]) -> list[N]:
        """All notifications of one kind."""
        return [each for each in self.heard if isinstance(each, kind)]

    def last(self, kind: type[N]) -> N:
        """The latest notification of one kind."""
        return self.of(kind)[-1]

    def receive(self, data: bytes, flow: Flow) -> None:
        self.agent.receive(data, flow, self.now)

    def cut(self, flow: Flow) -> None:
        self.agent.flow_failed(flow, "cut", self.now)

    def settle(self) -> bool:
        """Perform effects and hear notifications; whether there were any."""
        effects = self.agent.take_effects()
        for effect in effects:
            self._perform(effect)
        notifications = self.agent.take_notifications()
        for notification in notifications:
            self.heard.append(notification)
            self.script(notification)
        return bool(effects or notifications)

    def _perform(self, effect: Effect) -> None:
        world = self.world
        match effect:
            case Transmit(flow, data):
                self.transmitted += 1
                world.send(self, data, flow)
            case ResolveTarget():
                world.later(0.001, lambda: self._resolved(effect))
            case OpenFlow(_, target):
                delay = world.slow.get(target.remote, 0.002)
                world.later(delay, lambda: self._open(effect))
            case CloseFlow(flow):
                world.close(flow)

    def _resolved(self, effect: ResolveTarget) -> None:
        found = self.world.lookup(effect)
        if isinstance(found, FailureCause):
            self.agent.target_failed(effect.query, found, "look-up failed", self.now)
            return
        targets = tuple(
            Target(transport, there, self._here(there), effect.host) for transport, there in found
        )
        self.agent.target_resolved(effect.query, targets, self.now)

    def also_at(self, host: str) -> None:
        """Have an address of the other family too."""
        self.second = Endpoint(host, self.endpoint.port)
        self.world.nodes[self.second] = self

    def moves_to(self, host: str) -> None:
        """Have this address instead of the old one, and hear of it as from the kernel."""
        del self.world.nodes[self.endpoint]
        self.endpoint = Endpoint(host, self.endpoint.port)
        self.world.nodes[self.endpoint] = self
        self.agent.network_changed(self.now, frozenset({host}))

    def _here(self, there: Endpoint) -> Endpoint:
        second = self.second
        return second if second and second.is_ipv6 == there.is_ipv6 else self.endpoint

    def _open(self, effect: OpenFlow) -> None:
        flow = self.world.connect(self, effect.target, effect.terms)
        if flow is None:
            self.agent.flow_refused(effect.query, "Connection refused", self.now)
        else:
            self.agent.flow_opened(effect.query, flow, self.now)


class Stranger(Node):
    """Raw SIP by hand."""

    def __init__(self, world: "World", host: str, port: int = 5060) -> None:
        super().__init__(world, host, port)
        self.inbox: list[Message] = []
        self.flows: list[Flow] = []
        self.raw: list[bytes] = []
        self.reply: Callable[[Message], list[Message | bytes]] = lambda _: []

    def receive(self, data: bytes, flow: Flow) -> None:
        self.raw.append(data)
        if not data.strip():
            return
        message = parse(data)
        self.inbox.append(message)
        self.flows.append(flow)
        for answer in self.reply(message):
            self.say(answer, flow)

    def say(self, message: Message | bytes, flow: Flow) -> None:
        from firmware.sip.writer import write  # noqa: PLC0415 - keeps the module's head short

        data = message if isinstance(message, bytes) else write(message)
        self.world.send(self, data, flow)

    def tell(self, message: Message | bytes, desk: Node) -> None:
        """Send a datagram to a node."""
        self.say(message, Flow(Transport.UDP, self.endpoint, desk.endpoint))

    def requests(self, method: str) -> list[Request]:
        return [m for m in self.inbox if isinstance(m, Request) and m.method == method]

    def responses(self, status: int) -> list[Response]:
        return [m for m in self.inbox if isinstance(m, Response) and m.status == status]


@dataclass
class World:
    """The clock, the wire and everybody on it."""

    seed: int = 1
    wire: Wire = field(default_factory=Wire)

    def __post_init__(self) -> None:
        self.now = 1000.0
        self.random = random.Random(self.seed)  # noqa: S311 - a test wants to be repeated
        self.nodes: dict[Endpoint, Node] = {}
        self.desks: list[Desk] = []
        self.names: dict[str, list[tuple[Transport, Endpoint]] | FailureCause] = {}
        self.refusing: set[Endpoint] = set()
        self.silent: set[Endpoint] = set()
        # Seconds until a connection to this place stands, or is known not to.
        self.slow: dict[Endpoint, float] = {}
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._numbers = itertools.count(1)
        # stream number → (node, its flow) of the other end
        self._far: dict[int, tuple[Node, Flow]] = {}
        self.log: list[tuple[float, str, str, bytes]] = []

    # --- what nodes ask ---------------------------------------------------------------------

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (self.now + seconds, next(self._order), what))

    def send(self, sender: Node, data: bytes, flow: Flow) -> None:
        self.log.append((self.now, str(sender.endpoint), str(flow.remote), data))
        if flow.transport.reliable:
            far = self._far.get(flow.number)
            if far is not None and far[0].endpoint not in self.silent:
                self.later(self.wire.delay, lambda: self._deliver_stream(flow.number, data))
            return
        node = self.nodes.get(flow.remote)
        if node is None or flow.remote in self.silent:
            return
        back = Flow(flow.transport, flow.remote, flow.local)
        wire, dice = self.wire, self.random
        copies = 2 if dice.random() < wire.double else 1
        for _ in range(copies):
            if dice.random() >= wire.loss:
                delay = wire.delay + wire.jitter * dice.random()
                piece = bent(data, dice) if dice.random() < wire.bend else data
                self.later(delay, functools.partial(node.receive, piece, back))

    def connect(self, node: Node, target: Target, terms: Terms | None = None) -> Flow | None:
        far = self.nodes.get(target.remote)
        if far is None or target.remote in self.refusing:
            return None
        here, there = next(self._numbers), next(self._numbers)
        local = Endpoint(node.endpoint.host, 40000 + here)
        ours = Flow(target.transport, local, target.remote, here, terms)
        theirs = Flow(target.transport, target.remote, local, there)
        self._far[here], self._far[there] = (far, theirs), (node, ours)
        return ours

    def close(self, flow: Flow) -> None:
        """Close a stream: both ends notice."""
        far = self._far.pop(flow.number, None)
        if far is None:
            return
        near = self._far.pop(far[1].number)
        self.later(self.wire.delay, lambda: far[0].cut(far[1]))
        self.later(0.0, lambda: near[0].cut(near[1]))

    def lookup(self, effect: ResolveTarget) -> list[tuple[Transport, Endpoint]] | FailureCause:
        found = self.names.get(effect.host)
        if found is not None:
            return found
        if not re.fullmatch(r"[0-9.]+|[0-9a-f:]+", effect.host):
            return FailureCause.NAME_NOT_FOUND
        transport = Transport.TLS if effect.secure else effect.transport or Transport.UDP
        return [(transport, Endpoint(effect.host, effect.port or 5060))]

    def _deliver_stream(self, number: int, data: bytes) -> None:
        far = self._far.get(number)
        if far is None:
            return
        node, flow = far
        if data == b"\r\n\r\n":  # what the driver answers by itself (RFC 5626 §4.4.1)
            self.send(node, b"\r\n", flow)
        else:
            node.receive(data, flow)

    # --- time -------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let everybody do what can be done now."""
        while any([desk.settle() for desk in self.desks]):  # noqa: C419 - each must settle
            pass

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self._run(self.now + seconds, lambda: False)

    def until(self, done: Callable[[], bool], limit: float = 120.0) -> None:
        """Let time pass until something is so; fails if it never is."""
        self._run(self.now + limit, done)
        assert done(), "it never happened"

    def _run(self, end: float, done: Callable[[], bool]) -> None:
        while True:
            self.settle()
            if done():
                return
            moment = self._next()
            if moment is None or moment > end:
                self.now = end
                return
            self.now = max(self.now, moment)
            while self._queue and self._queue[0][0] <= self.now:
                heapq.heappop(self._queue)[2]()
                self.settle()
            for desk in self.desks:
                deadline = desk.agent.next_deadline()
                if deadline is not None and deadline <= self.now:
                    desk.agent.fire_timers(self.now)
                    desk.settle()

    def _next(self) -> float | None:
        moments = [self._queue[0][0]] if self._queue else []
        for desk in self.desks:
            deadline = desk.agent.next_deadline()
            if deadline is not None:
                moments.append(deadline)
        return min(moments, default=None)


def ref(text: str) -> CallRef:
    """A call's name."""
    return CallRef(text)
