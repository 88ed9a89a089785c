"""How we look from outside: where a far end behind another network finds us (RFC 3581, F55).

Three sources, the first that knows is believed:

1. a rule of the configuration: to far ends of this network we are called that;
2. what the registrar itself saw, in `received` and `rport` of our Via;
3. what a STUN server saw, unless the far end is in our own private network.

What the far end saw goes into Contact only; the Via stays as it is, or nobody could see a change.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from firmware.sip.errors import ParseError
from firmware.sip.flow import Endpoint, Flow
from firmware.sip.headers import parse_via, split_list
from firmware.sip.message import Response

_MOST_SEEN: Final = 64

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NatRule(Struct, frozen=True):
    """Far ends in `network` reach us as `host`, a name or an address without brackets."""

    network: Network
    host: str


class Appearance:
    """What is known of our outer addresses."""

    __slots__ = ("_rules", "_seen", "_stun")

    def __init__(self, rules: Iterable[NatRule] = ()) -> None:
        self._seen: dict[tuple[object, str], Endpoint] = {}
        self._stun: dict[Endpoint, Endpoint] = {}
        self.use_rules(rules)

    def __len__(self) -> int:
        return len(self._seen) + len(self._stun)

    def use_rules(self, rules: Iterable[NatRule]) -> None:
        """Follow these rules from now on, the narrowest network first."""
        self._rules = sorted(rules, key=lambda rule: -rule.network.prefixlen)

    def forget(self) -> None:
        """The network is another one."""
        self._seen.clear()
        self._stun.clear()

    def host_for(self, remote: str) -> str:
        """What a rule says we are called by a far end at this address, "" if none does."""
        if not self._rules:
            return ""
        try:
            address = ipaddress.ip_address(remote)
        except ValueError:
            return ""
        return next((rule.host for rule in self._rules if address in rule.network), "")

    def contact_for(self, flow: Flow, local: Endpoint) -> Endpoint:
        """Where the far end of `flow` reaches us, who call ourselves `local`."""
        host = self.host_for(flow.remote.host)
        if host:
            return Endpoint(host, local.port)
        seen = self._seen.get(_key(flow, local))
        if seen is not None:
            return seen
        told = self._stun.get(local)
        if told is None or flow.transport.reliable or _is_inside(flow.remote.host, told.host):
            return local
        return told

    def note(self, flow: Flow, local: Endpoint, response: Response) -> bool:
        """Read what the far end saw of us (RFC 3581 §4); whether it is another than before."""
        seen = _seen_in(response, flow, local)
        if seen is None:
            return False
        key = _key(flow, local)
        before = self._seen.pop(key, None)
        while len(self._seen) >= _MOST_SEEN:
            del self._seen[next(iter(self._seen))]
        self._seen[key] = seen
        return before is not None and before != seen

    def is_behind_nat(self, flow: Flow, local: Endpoint) -> bool:
        """Whether the far end sees us elsewhere than where we are."""
        return self._seen.get(_key(flow, local), local) != local

    def told_by_stun(self, local: Endpoint, mapped: Endpoint) -> bool:
        """A STUN server saw our socket there (RFC 8489 §14.2); whether that is news."""
        before = self._stun.get(local)
        self._stun[local] = mapped
        return before != mapped


def _key(flow: Flow, local: Endpoint) -> tuple[object, str]:
    """What one mapping is for: our socket, and the host it talks to."""
    return (flow.number if flow.transport.reliable else local), flow.remote.host


def _seen_in(response: Response, flow: Flow, local: Endpoint) -> Endpoint | None:
    try:
        via = parse_via(split_list(response.headers.get("Via") or "")[0])
    except (ParseError, IndexError):
        return None
    received, port = via.received or via.host, via.rport
    if via.received is None and port is None:
        return None  # it does not say
    if not _is_address(received):
        return None
    if flow.transport.reliable:
        # The far end's port is always that of the connection: only another address is a NAT.
        behind = received != flow.local.host and port is not None
        return Endpoint(received, port) if behind and port is not None else local
    return Endpoint(received, port or local.port)


def _is_inside(remote: str, mapped: str) -> bool:
    """Whether a far end is on our side of the NAT that gave us a global address."""
    try:
        there, outer = ipaddress.ip_address(remote), ipaddress.ip_address(mapped)
    except ValueError:
        return False
    return there.is_private and not outer.is_private


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
