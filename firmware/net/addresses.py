"""Which addresses this machine has, which one it uses toward a peer, and when that changes.

The kernel is asked, never a configuration: connecting a UDP socket (which sends nothing) makes it
choose the source address it would use, and an rtnetlink socket tells when links, addresses or
default routes come and go.
"""

import asyncio
import contextlib
import ipaddress
import socket
import struct
from collections.abc import Callable, Iterator

from firmware.sip.flow import Endpoint

# linux/rtnetlink.h
_RTMGRP_LINK = 0x1
_RTMGRP_IPV4_IFADDR = 0x10
_RTMGRP_IPV4_ROUTE = 0x40
_RTMGRP_IPV6_IFADDR = 0x100
_RTMGRP_IPV6_ROUTE = 0x400
_GROUPS = (
    _RTMGRP_LINK
    | _RTMGRP_IPV4_IFADDR
    | _RTMGRP_IPV4_ROUTE
    | _RTMGRP_IPV6_IFADDR
    | _RTMGRP_IPV6_ROUTE
)
_RTM_NEWLINK = 16
_RTM_GETLINK = 18
_RTM_NEWADDR = 20
_RTM_GETADDR = 22
_NLM_F_REQUEST = 0x1
_NLM_F_DUMP = 0x300
_NLMSG_DONE = 3
_IFA_ADDRESS = 1
_IFA_LOCAL = 2
# linux/if_addr.h: an IPv6 address that may not be used yet, or that another machine has.
_IFA_F_UNUSABLE = 0x40 | 0x08
# linux/if.h: the link is up and its cable is in.
_IFF_RUNNING = 0x1 | 0x40

SETTLE_SECONDS = 0.5
"""A link that comes up sends a burst of messages; one reaction to the burst is enough."""
LONGEST_SETTLING = 2.0
"""A machine on which something changes all the time is looked at all the same."""

# Somewhere outside, to ask which way leads there: documentation addresses, RFC 5737 and RFC 3849.
OUTSIDE = (Endpoint("192.0.2.1", 9), Endpoint("2001:db8::1", 9))


def family_of(host: str) -> socket.AddressFamily:
    """The address family of a numeric address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def endpoint_of(name: tuple[object, ...]) -> Endpoint:
    """A socket's name or peer as an endpoint; a link-local address has its zone (RFC 4007 §11)."""
    host, port = str(name[0]), int(str(name[1]))
    scope = int(str(name[3])) if len(name) == 4 else 0
    if not scope or "%" in host:
        return Endpoint(host, port)
    with contextlib.suppress(OSError):  # the interface is gone
        host = f"{host}%{socket.if_indextoname(scope)}"
    return Endpoint(host, port)


def name_of(endpoint: Endpoint) -> tuple[str, int] | tuple[str, int, int, int]:
    """An endpoint as the socket calls take it; by name alone they would lose the zone.

    Raises:
        OSError: there is no such interface.
    """
    host, _, zone = endpoint.host.partition("%")
    if not zone:
        return host, endpoint.port
    index = int(zone) if zone.isdigit() else socket.if_nametoindex(zone)
    return host, endpoint.port, 0, index


def local_address_toward(remote: Endpoint) -> str | None:
    """The address the kernel would send from, or None if there is no route."""
    with socket.socket(family_of(remote.host), socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(name_of(Endpoint(remote.host, remote.port or 9)))
        except OSError:
            return None
        return endpoint_of(probe.getsockname()).host


def machine_addresses() -> tuple[str, ...]:
    """Every usable address on a running link, except loopback and link-local ones."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.settimeout(1.0)
        running = set()
        for kind, payload in _dump(link, _RTM_GETLINK, struct.pack("=BxHiII", 0, 0, 0, 0, 0)):
            _, _, index, flags = struct.unpack_from("=BxHiI", payload)
            if kind == _RTM_NEWLINK and flags & _IFF_RUNNING == _IFF_RUNNING:
                running.add(index)
        found: list[str] = []
        for kind, payload in _dump(link, _RTM_GETADDR, struct.pack("=BBBBi", 0, 0, 0, 0, 0)):
            _, _, flags, _, index = struct.unpack_from("=BBBBi", payload)
            if kind != _RTM_NEWADDR or index not in running or flags & _IFA_F_UNUSABLE:
                continue
            if (address := _address_in(payload)) is not None:
                found.append(address)
        return tuple(sorted(set(found)))


def _dump(link: socket.socket, request: int, body: bytes) -> Iterator[tuple[int, bytes]]:
    """Ask for a whole table of the kernel; gives each row's kind and payload."""
    flags = _NLM_F_REQUEST | _NLM_F_DUMP
    link.send(struct.pack("=IHHII", 16 + len(body), request, flags, 1, 0) + body)
    while True:
        data = link.recv(65536)
        offset = 0
        while offset + 16 <= len(data):
            length, kind = struct.unpack_from("=IH", data, offset)
            if kind == _NLMSG_DONE or length < 16:
                return
            yield kind, data[offset + 16 : offset + length]
            offset += (length + 3) & ~3


def _address_in(payload: bytes) -> str | None:
    attributes: dict[int, bytes] = {}
    offset = 8
    while offset + 4 <= len(payload):
        length, kind = struct.unpack_from("=HH", payload, offset)
        if length < 4:
            break
        attributes[kind] = payload[offset + 4 : offset + length]
        offset += (length + 3) & ~3
    # On point-to-point links IFA_ADDRESS is the peer, IFA_LOCAL is ours.
    raw = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
    if raw is None:
        return None
    address = ipaddress.ip_address(raw)
    return None if address.is_loopback or address.is_link_local else str(address)


def _ways() -> tuple[str | None, ...]:
    """Our address toward the world outside, by each family: it changes with the default route."""
    return tuple(local_address_toward(place) for place in OUTSIDE)


class AddressWatch:
    """Calls back, on the loop, when the machine's addresses or its way out are others than before.

    Changes that come in a burst are one: it is looked when nothing has changed for half a second.
    """

    def __init__(self, changed: Callable[[tuple[str, ...]], None]) -> None:
        self._changed = changed
        self._timer: asyncio.TimerHandle | None = None
        self._latest = 0.0
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.setblocking(False)  # noqa: FBT003 - the socket's own signature
        self._socket.bind((0, _GROUPS))
        # Listen first, then look: what changes in between is told.
        self._known, self._out = machine_addresses(), _ways()
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses as last seen."""
        return self._known

    def close(self) -> None:
        """Stop watching."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        if self._timer is not None:
            self._timer.cancel()

    def _readable(self) -> None:
        # ENOBUFS means messages were lost: the question below is asked anew in any case.
        with contextlib.suppress(OSError):
            while self._socket.recv(65536):
                pass
        loop = asyncio.get_running_loop()
        if self._timer is None:
            self._latest = loop.time() + LONGEST_SETTLING
        else:
            self._timer.cancel()
        self._timer = loop.call_at(min(loop.time() + SETTLE_SECONDS, self._latest), self._settled)

    def _settled(self) -> None:
        self._timer = None
        now, out = machine_addresses(), _ways()
        if (now, out) != (self._known, self._out):
            self._known, self._out = now, out
            self._changed(now)
