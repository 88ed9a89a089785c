"""A gateway of a home or an office on the simulated wire: it translates, forgets, and meddles.

Hosts behind it are nodes of the world with private addresses; whoever is outside sees the gateway's
own address and a port of its choice. A mapping that nothing uses for `life` seconds is forgotten,
and the next datagram gets another port. As an ALG it also writes the outer address over the inner
one in what it passes, and in the answers the other way round.
"""

import itertools
from dataclasses import dataclass

from firmware.sip.flow import Endpoint, Flow
from tests.support.sip_link import Node, World

OUTER = "203.0.113.1"


@dataclass
class _Mapping:
    inner: Endpoint
    outer: Endpoint
    used: float


class _Port(Node):
    """One outer port."""

    def __init__(self, nat: "Nat", mapping: _Mapping) -> None:
        super().__init__(nat.world, mapping.outer.host, mapping.outer.port)
        self._nat = nat
        self._mapping = mapping

    def receive(self, data: bytes, flow: Flow) -> None:
        self._nat.inward(self._mapping, data, flow)


class Nat:
    """The gateway; `inside` are the hosts behind it."""

    def __init__(
        self,
        world: World,
        *inside: str,
        life: float = 60.0,
        alg: bool = False,
        symmetric: bool = False,
    ) -> None:
        self.world = world
        self.inside = set(inside)
        self.life = life
        self.alg = alg
        self.symmetric = symmetric
        self.forgotten = 0
        self._mappings: dict[object, _Mapping] = {}
        self._ports = itertools.count(20000)
        self._send = world.send
        world.send = self.send

    def send(self, sender: Node, data: bytes, flow: Flow) -> None:
        """What the world does with a datagram, through the gateway if it comes from behind it."""
        host = sender.endpoint.host
        if host not in self.inside or flow.remote.host in self.inside or flow.transport.reliable:
            self._send(sender, data, flow)
            return
        mapping = self._mapping(sender.endpoint, flow.remote)
        mapping.used = self.world.now
        if self.alg:
            data = data.replace(_text(mapping.inner), _text(mapping.outer))
        self._send(sender, data, Flow(flow.transport, mapping.outer, flow.remote))

    def inward(self, mapping: _Mapping, data: bytes, flow: Flow) -> None:
        """A datagram for an outer port; a forgotten one leads nowhere."""
        node = self.world.nodes.get(mapping.inner)
        if self.world.now - mapping.used > self.life or node is None:
            return
        mapping.used = self.world.now
        if self.alg:
            data = data.replace(_text(mapping.outer), _text(mapping.inner))
        node.receive(data, Flow(flow.transport, mapping.inner, flow.remote))

    def reboot(self) -> None:
        """Everything is forgotten."""
        for mapping in self._mappings.values():
            self.world.nodes.pop(mapping.outer, None)
        self._mappings.clear()

    def _mapping(self, inner: Endpoint, remote: Endpoint) -> _Mapping:
        key = (inner, remote) if self.symmetric else inner
        found = self._mappings.get(key)
        if found is not None and self.world.now - found.used <= self.life:
            return found
        if found is not None:
            self.forgotten += 1
            self.world.nodes.pop(found.outer, None)
        made = _Mapping(inner, Endpoint(OUTER, next(self._ports)), self.world.now)
        self._mappings[key] = made
        _Port(self, made)
        return made


def _text(endpoint: Endpoint) -> bytes:
    return f"{endpoint.host}:{endpoint.port}".encode()
