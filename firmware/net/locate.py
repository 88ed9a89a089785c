"""Asks what `sip.route.target` wants to know and puts the answers in its order (RFC 3263)."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from firmware.base.tokens import Tokens
from firmware.config.forms import split_server
from firmware.net.resolver import LookUpError, Resolver
from firmware.sip.effects import ResolveTarget
from firmware.sip.flow import Endpoint, Transport
from firmware.sip.route.target import (
    SUPPORTED,
    ServiceQuestion,
    is_numeric,
    order_addresses,
    order_srv,
    questions,
    services_of,
)

_MOST_TARGETS = 16
"""Trying more places than this takes longer than anybody waits (A22)."""
STUN_PORT = 3478
_MOST_HOSTS = 8
"""Nor is a domain's word enough to ask for a hundred names (A22)."""


class Place(Struct, frozen=True):
    """Where a request may be sent; `local` is our address toward it, "" if there is no way.

    `host` is the name whose address it is: places of one host are one server.
    """

    transport: Transport
    remote: Endpoint
    host: str
    local: str


Ours = Callable[[Endpoint], str | None]
"""Which of our addresses the machine would use toward a place, None if there is no way."""


async def locate(
    effect: ResolveTarget,
    resolver: Resolver,
    tokens: Tokens,
    ours: Ours,
    supported: tuple[Transport, ...] = SUPPORTED,
) -> list[Place]:
    """Where a request may be sent, best first; never empty.

    Raises:
        LookUpError: the name does not exist, says that it has no such service, or no name server
            answered.
    """
    asked = questions(effect, supported)
    services = asked.services
    if asked.naptr:
        records = await resolver.directions(asked.naptr)
        services = services_of(records, supported, secure=effect.secure) or services
    for service in services:
        found = await _hosts(service, effect, resolver, tokens)
        if found:
            return await _places(service.transport, found, resolver, ours)
    direct = asked.fallback
    return await _places(direct.transport, [(direct.host, direct.port)], resolver, ours)


class Ways(Protocol):
    """What knows our sockets: the SIP driver."""

    @property
    def resolver(self) -> Resolver:
        """Who looks names up."""

    def local_for(self, remote: Endpoint) -> str | None:
        """Our address toward a place."""


async def locate_stun(server: str, ways: Ways, service: str = "_stun._udp") -> list[Place]:
    """Where a STUN server may be asked: `host[:port]` or a domain (RFC 8489 §8.1); never empty.

    One for relays has the same port and another `service` (RFC 8656 §5).

    Raises:
        LookUpError: there is none, or no way to any.
    """
    host, port = split_server(server)
    hosts = [(host, port or STUN_PORT)]
    if port is None and not is_numeric(host):
        records = await ways.resolver.services(f"{service}.{host}")
        hosts = [(row.host, row.port) for row in records[:_MOST_HOSTS]] or hosts
    places = await _places(Transport.UDP, hosts, ways.resolver, ways.local_for)
    usable = [place for place in places if place.local]
    if not usable:
        raise LookUpError(f"no way to {server}", missing=False)
    return usable


async def _hosts(
    service: ServiceQuestion, effect: ResolveTarget, resolver: Resolver, tokens: Tokens
) -> list[tuple[str, int]]:
    records = await resolver.services(service.name)
    hosts = [(row.host, row.port) for row in order_srv(records, tokens)]
    if records and not hosts:  # RFC 2782: the root as target means "not available here"
        raise LookUpError(f"{effect.host} offers no telephony", missing=True)
    return hosts[:_MOST_HOSTS]


async def _places(
    transport: Transport, hosts: list[tuple[str, int]], resolver: Resolver, ours: Ours
) -> list[Place]:
    """The addresses of the hosts; a host that has none is passed over while others have."""
    asked = (resolver.addresses(host) for host, _ in hosts)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    places: list[Place] = []
    failure: LookUpError | None = None
    for (host, port), answer in zip(hosts, answers, strict=True):
        if isinstance(answer, LookUpError):
            failure = answer
        elif isinstance(answer, BaseException):
            raise answer
        else:
            local = {each: ours(Endpoint(each, port)) for each in answer}
            places += (
                Place(transport, Endpoint(each, port), host, local[each] or "")
                for each in order_addresses(local.items())
            )
    if not places and failure is not None:
        raise failure
    return places[:_MOST_TARGETS]
