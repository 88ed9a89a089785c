"""Asks what `firmware.sip.target` wants to know and puts the answers in its order (RFC 3263)."""

from firmware.base.tokens import Tokens
from firmware.net.resolver import LookUpError, Resolver
from firmware.sip.effects import ResolveTarget
from firmware.sip.flow import Endpoint, Transport
from firmware.sip.target import order_srv, questions

_MOST_TARGETS = 16
"""Trying more places than this takes longer than anybody waits (A22)."""

Place = tuple[Transport, Endpoint]


async def locate(effect: ResolveTarget, resolver: Resolver, tokens: Tokens) -> list[Place]:
    """Where a request may be sent, best first; never empty.

    Raises:
        LookUpError: the name does not exist, says that it has no such service, or no name server
            answered.
    """
    asked = questions(effect)
    for service in asked.services:
        records = await resolver.services(service.name)
        if records:
            hosts = [(row.host, row.port) for row in order_srv(records, tokens)]
            if not hosts:  # RFC 2782: the root as target means "not available here"
                raise LookUpError(f"{effect.host} offers no telephony", missing=True)
            return await _places(service.transport, hosts, resolver)
    direct = asked.fallback
    return await _places(direct.transport, [(direct.host, direct.port)], resolver)


async def _places(
    transport: Transport, hosts: list[tuple[str, int]], resolver: Resolver
) -> list[Place]:
    """The addresses of the hosts; a host that has none is passed over while others have."""
    places: list[Place] = []
    failure: LookUpError | None = None
    for host, port in hosts:
        try:
            addresses = await resolver.addresses(host)
        except LookUpError as error:
            failure = error
            continue
        places += [(transport, Endpoint(address, port)) for address in addresses]
    if not places and failure is not None:
        raise failure
    return places[:_MOST_TARGETS]
