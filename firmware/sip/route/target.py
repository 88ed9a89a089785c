"""Where a request goes: which questions to put to the DNS and in which order to try the answers.

RFC 3263 §4, with the weights of RFC 2782 and the order of addresses of RFC 6724. Nothing is asked
here: `questions` says what to ask, `services_of` and `order_srv` sort what came back.

    naptr? ──yes──▶ services_of ──none──┐
       │no                              ▼
    services? ──no──▶ addresses of the fallback host
       │yes
    first service with records ──▶ order_srv ──▶ addresses of each host, at its port
       │none has any
       └──▶ addresses of the fallback host
"""

import ipaddress
from collections.abc import Iterable
from itertools import accumulate, groupby
from typing import Final

from msgspec import Struct

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
_RESOLUTIONS: Final = {
    "SIP+D2U": Transport.UDP,
    "SIP+D2T": Transport.TCP,
    "SIPS+D2T": Transport.TLS,
    "SIP+D2W": Transport.WS,  # RFC 7118 §10.2
    "SIPS+D2W": Transport.WSS,
}
"""What the services field of a NAPTR record says (RFC 3263 §4.1)."""
_SECURE: Final = (Transport.TLS, Transport.WSS)
SUPPORTED: Final = (Transport.UDP, Transport.TCP)
"""What is looked for when the URI leaves it open, the best first."""


class ServiceQuestion(Struct, frozen=True):
    """Ask for the SRV records of `name`; they are for `transport`."""

    name: str
    transport: Transport


class AddressQuestion(Struct, frozen=True):
    """Ask for the addresses of `host`, unless it is one; they are used at `port`."""

    host: str
    port: int
    transport: Transport

    @property
    def numeric(self) -> bool:
        """Whether `host` is an address already."""
        return is_numeric(self.host)


class Questions(Struct, frozen=True):
    """What to ask: the services in this order until one has records, else the fallback.

    `naptr` is a name whose NAPTR records, if it has any for us, replace the services. A service
    whose only record is the root ("service not available", RFC 2782) has records and yet no host:
    then there is no fallback.
    """

    services: tuple[ServiceQuestion, ...]
    fallback: AddressQuestion
    naptr: str = ""


class NaptrRecord(Struct, frozen=True):
    """One NAPTR record (RFC 3403 §4.1); `replacement` without the final dot."""

    order: int
    preference: int
    flags: str
    service: str
    replacement: str


class SrvRecord(Struct, frozen=True):
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


def questions(effect: ResolveTarget, supported: tuple[Transport, ...] = SUPPORTED) -> Questions:
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
    wanted: tuple[Transport, ...] = (transport,)
    if effect.transport is None:
        # RFC 3263 §4.1: sips takes no service that is not secure.
        wanted = _SECURE if effect.secure else supported
    services = tuple(
        ServiceQuestion(f"{_SERVICES[one]}.{host}", one) for one in wanted if one in _SERVICES
    )
    return Questions(services, fallback, host if effect.transport is None else "")


def services_of(
    records: Iterable[NaptrRecord],
    supported: tuple[Transport, ...] = SUPPORTED,
    *,
    secure: bool = False,
) -> tuple[ServiceQuestion, ...]:
    """The services that NAPTR records name and we can speak, the domain's favourite first.

    RFC 3263 §4.1: other services, records that lead to no SRV record ("s"), and for `secure`
    those without TLS are left out.
    """
    found = []
    for record in sorted(records, key=lambda each: (each.order, each.preference)):
        transport = _RESOLUTIONS.get(record.service.upper())
        usable = transport in (_SECURE if secure else supported)
        if transport is not None and usable and record.flags.lower() == "s" and record.replacement:
            found.append(ServiceQuestion(record.replacement, transport))
    return tuple(found)


def order_srv(records: Iterable[SrvRecord], tokens: Tokens) -> list[SrvRecord]:
    """The records in the order to try them: by priority, within one by lots drawn by weight."""
    usable = [record for record in records if record.host.rstrip(".")]
    usable.sort(key=lambda record: record.priority)
    ordered: list[SrvRecord] = []
    for _, group in groupby(usable, key=lambda record: record.priority):
        ordered += _draw(list(group), tokens)
    return ordered


def order_addresses(pairs: Iterable[tuple[str, str | None]]) -> list[str]:
    """Addresses of one host in the order to try them; each comes with our address toward it.

    RFC 6724 §6 as far as a phone can judge: what we have no address for comes last (rule 1), then
    equal scope (rule 2), the higher precedence of the kind (rule 6, which puts IPv6 first) and the
    smaller scope (rule 8). The second is of the other family if there is one, so that one family
    that leads nowhere costs one attempt (RFC 8305 §4).
    """
    ranked = sorted(pairs, key=lambda pair: _rank(*pair))
    usable = [address for address, ours in ranked if ours is not None]
    rest = [address for address, ours in ranked if ours is None]
    other = next((each for each in usable if (":" in each) != (":" in usable[0])), None)
    if other is not None:
        usable.remove(other)
        usable.insert(1, other)
    return usable + rest


def may_be_reached(address: str) -> bool:
    """Whether a name may lead there (A22): to one machine, and not to every one or to none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = found.ipv4_mapped if found.version == 6 else None
    one = mapped or found
    return not (one.is_multicast or one.is_unspecified or str(one) == "255.255.255.255")


def _rank(address: str, ours: str | None) -> tuple[bool, bool, int, int]:
    there = ipaddress.ip_address(address)
    here = ipaddress.ip_address(ours) if ours is not None else there
    return (ours is None, _scope(there) != _scope(here), -_precedence(there), _scope(there))


def _scope(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    """The number of a scope (RFC 6724 §3.1), of IPv4 too (RFC 6724 §3.2)."""
    return 2 if address.is_loopback or address.is_link_local else 14


def _precedence(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int:
    """The table of RFC 6724 §2.1, as far as telephones live in it."""
    if address.version == 4:
        return 35
    if address.is_loopback:
        return 50
    return 3 if address in _UNIQUE_LOCAL else 40


_UNIQUE_LOCAL = ipaddress.ip_network("fc00::/7")


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
