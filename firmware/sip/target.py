"""Where a request goes: which questions to put to the DNS and in which order to try the answers.

RFC 3263 §4 without NAPTR, and the weights of RFC 2782. Nothing is asked here: `questions` says
what to ask, `order_srv` sorts what came back.

    services?  ──no──▶ addresses of the fallback host
       │yes
    first service with records ──▶ order_srv ──▶ addresses of each host, at its port
       │none has any
       └──▶ addresses of the fallback host
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate, groupby
from typing import Final

from firmware.base.tokens import Tokens
from firmware.sip.effects import ResolveTarget
from firmware.sip.flow import Transport

DEFAULT_PORTS: Final = {
    Transport.UDP: 5060,
    Transport.TCP: 5060,
    Transport.TLS: 5061,
    Transport.WS: 80,  # RFC 7118 §5.5
    Transport.WSS: 443,
}
"""The port of a transport that was not told another (RFC 3261 §19.1.2)."""

_SERVICES: Final = {
    Transport.UDP: "_sip._udp",
    Transport.TCP: "_sip._tcp",
    Transport.TLS: "_sips._tcp",
}


@dataclass(frozen=True, slots=True)
class ServiceQuestion:
    """Ask for the SRV records of `name`; they are for `transport`."""

    name: str
    transport: Transport


@dataclass(frozen=True, slots=True)
class AddressQuestion:
    """Ask for the addresses of `host`, unless it is one; they are used at `port`."""

    host: str
    port: int
    transport: Transport

    @property
    def numeric(self) -> bool:
        """Whether `host` is an address already."""
        return is_numeric(self.host)


@dataclass(frozen=True, slots=True)
class Questions:
    """What to ask: the services in this order until one has records, else the fallback.

    A service whose only record is the root ("service not available", RFC 2782) has records and
    yet no host: then there is no fallback.
    """

    services: tuple[ServiceQuestion, ...]
    fallback: AddressQuestion


@dataclass(frozen=True, slots=True)
class SrvRecord:
    """One SRV record (RFC 2782); `host` without the final dot, "" for the root."""

    priority: int
    weight: int
    port: int
    host: str


def is_numeric(host: str) -> bool:
    """Whether `host` is an IPv4 or IPv6 address and needs no look-up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def questions(
    effect: ResolveTarget, supported: tuple[Transport, ...] = (Transport.UDP, Transport.TCP)
) -> Questions:
    """What must be asked to find where `effect` leads.

    `supported` are the transports to look for when the URI leaves it open, the best first.
    """
    host = effect.host.strip("[]")
    transport = _transport(effect)
    port = effect.port or DEFAULT_PORTS[transport]
    fallback = AddressQuestion(host, port, transport)
    # RFC 3263 §4.2: an explicit port or a numeric host leaves nothing for SRV to say.
    if effect.port is not None or is_numeric(host):
        return Questions((), fallback)
    open_choice = effect.transport is None and not effect.secure
    wanted = supported if open_choice else (transport,)
    services = tuple(
        ServiceQuestion(f"{_SERVICES[one]}.{host}", one) for one in wanted if one in _SERVICES
    )
    return Questions(services, fallback)


def order_srv(records: Iterable[SrvRecord], tokens: Tokens) -> list[SrvRecord]:
    """The records in the order to try them: by priority, within one by lots drawn by weight."""
    usable = [record for record in records if record.host.rstrip(".")]
    usable.sort(key=lambda record: record.priority)
    ordered: list[SrvRecord] = []
    for _, group in groupby(usable, key=lambda record: record.priority):
        ordered += _draw(list(group), tokens)
    return ordered


def _transport(effect: ResolveTarget) -> Transport:
    # RFC 3263 §4.1, RFC 5630 §3.1.3: sips means TLS whatever stream transport is named.
    if not effect.secure:
        return effect.transport or Transport.UDP
    if effect.transport in (Transport.WS, Transport.WSS):
        return Transport.WSS
    return Transport.TLS


def _draw(group: list[SrvRecord], tokens: Tokens) -> list[SrvRecord]:
    # RFC 2782: those of weight 0 first, so that they have a very small chance.
    group.sort(key=lambda record: record.weight != 0)
    drawn = []
    while group:
        lot = tokens.integer(sum(record.weight for record in group) + 1)
        sums = accumulate(record.weight for record in group)
        drawn.append(group.pop(next(index for index, total in enumerate(sums) if total >= lot)))
    return drawn
