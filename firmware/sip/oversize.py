"""Requests that are too long for a datagram go by TCP (RFC 3261 §18.1.1).

    too long? ──▶ a connection that stands, or a new one ──▶ the request by TCP
                     │ refused, or not there soon
                     └──▶ remembered for a while, the request by UDP after all

The connection leads to where the datagram would have gone: the next hop stays the same (F28).
"""

from typing import Final, Protocol

from firmware.sip.core import Alarm, Core
from firmware.sip.effects import OpenFlow
from firmware.sip.flow import Flow, Target, Transport
from firmware.sip.message import Request
from firmware.sip.notifications import FailureCause

LONGEST: Final = 1300
"""Octets of a request by datagram while nobody knows the MTU of the path (RFC 3261 §18.1.1)."""
_CONNECT_SECONDS: Final = 2.0
_ROW_OCTETS: Final = 4  # colon, space, line break
_FIRST_ROW_OCTETS: Final = 64  # version, breaks, and a Content-Length that the writer adds


class SwitchUser(Protocol):
    """Who has something long to send."""

    def on_switched(self, flow: Flow | None, now: float) -> None:
        """Send on this connection; None: by datagram after all."""


class Switch:
    """The way to a connection, for one request."""

    def __init__(self, core: Core, user: SwitchUser) -> None:
        self._core = core
        self._user = user
        self._datagrams: Flow | None = None

    def wanted(self, request: Request, flow: Flow, now: float) -> bool:
        """Whether this request should not go on this flow."""
        if flow.transport is not Transport.UDP or size_of(request) <= LONGEST:
            return False
        return not self._core.unwilling.has(flow.remote, now)

    def start(self, flow: Flow, now: float) -> None:
        """Find a connection to where `flow` leads; `on_switched` may come before this returns."""
        for other, _ in self._core.streams.values():
            if other.transport is Transport.TCP and other.remote == flow.remote:
                self._user.on_switched(other, now)
                return
        self._datagrams = flow
        core = self._core
        target = Target(Transport.TCP, flow.remote, flow.local)
        core.effects.append(OpenFlow(core.new_query(self), target))
        core.arm(self, Alarm.RACE, now + _CONNECT_SECONDS)

    def abandon(self) -> None:
        """Nobody waits any more; a connection that comes still is kept for the next request."""
        self._datagrams = None
        self._core.disarm(self, Alarm.RACE)

    def on_opened(self, flow: Flow, now: float) -> None:
        """The driver has a connection."""
        before = self._datagrams
        self.abandon()
        local = before.local if before is not None else flow.local
        self._core.streams[flow.number] = (flow, local)
        if before is not None:
            self._user.on_switched(flow, now)

    def on_refused(self, reason: str, now: float, cause: FailureCause | None = None) -> None:
        """The driver has none: RFC 3261 §18.1.1 lets a datagram try then."""
        del reason, cause
        self._give_up(now)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """Nobody answers; a person waits."""
        if alarm is Alarm.RACE:
            self._give_up(now)

    def on_resolved(self, targets: tuple[Target, ...], now: float) -> None:
        """Never asked for."""

    def on_unresolved(self, cause: FailureCause, detail: str, now: float) -> None:
        """Never asked for."""

    def _give_up(self, now: float) -> None:
        flow = self._datagrams
        self.abandon()
        if flow is not None:
            self._core.unwilling.note(flow.remote, now)
            self._user.on_switched(None, now)


def size_of(request: Request) -> int:
    """About how many octets a request has on the wire, without writing it; never too few."""
    rows = sum(
        len(name) + len(value.encode("utf-8", "surrogateescape")) + _ROW_OCTETS
        for name, value in request.headers
    )
    first = len(request.method) + len(request.uri) + _FIRST_ROW_OCTETS
    return first + rows + len(request.body)
