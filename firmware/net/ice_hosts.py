"""Which addresses of the machine a call shows besides the one that leads to its server.

RFC 8445 §5.1.1.1 wants one place on each. Not shown: loopback, unless the call itself is there, and
then it alone; link-local ones; site-local ones of IPv6; and of several in one network of IPv6 all
but the one the kernel sends from, which is the temporary one where there are such (RFC 8981,
RFC 6724 §5): the others tell where we have been before.

Two more are enough: the other family, another interface. Each costs two lines of SDP, and a way
over it is carried by the loop (`ice_relay.Shovel`).
"""

import ipaddress
from collections.abc import Callable, Iterable

from firmware.net.addresses import OUTSIDE, family_of, local_address_toward
from firmware.sip.flow import Endpoint

MOST = 2

Toward = Callable[[Endpoint], str | None]


def other_hosts(
    main: str,
    addresses: Iterable[str],
    bound: tuple[str, ...] = (),
    toward: Toward = local_address_toward,
) -> tuple[str, ...]:
    """At most two of the machine's addresses besides `main`.

    `bound` are the only ones that may be used, if there are any (0.0.0.0 is all of its family);
    `toward` asks the kernel where it would send from.
    """
    if "%" in main or ipaddress.ip_address(main).is_loopback:
        return ()
    anywhere = {family_of(one) for one in bound if ipaddress.ip_address(one).is_unspecified}
    usable = [
        one
        for one in addresses
        if _is_shown(one) and (not bound or one in bound or family_of(one) in anywhere)
    ]
    # What leads outside is worth more than what leads next door; the other family comes first.
    outward = [toward(place) for place in OUTSIDE if family_of(place.host) is not family_of(main)]
    found: list[str] = []
    networks = {_network(main)}
    for one in [*(each for each in outward if each in usable), *usable]:
        network = _network(str(one))
        if network in networks:
            continue
        networks.add(network)
        found.append(_preferred(str(one), usable, toward))
    return tuple(found[:MOST])


def _is_shown(host: str) -> bool:
    address = ipaddress.ip_address(host)
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return not (address.is_loopback or address.is_link_local or site_local)


def _network(host: str) -> str:
    """Addresses of one network of IPv6 are one place; each of IPv4 is one of its own."""
    if ":" not in host:
        return host
    return str(ipaddress.IPv6Network((host, 64), strict=False).network_address)


def _preferred(host: str, usable: list[str], toward: Toward) -> str:
    """What the kernel would send from in this network."""
    if ":" not in host:
        return host
    chosen = toward(Endpoint(_network(host).removesuffix("::") + "::fffe", 9))
    same = chosen in usable and _network(str(chosen)) == _network(host)
    return str(chosen) if same else host
