"""Performs the effects of a `UserAgent` and feeds it packets, answers and time. Decides nothing.

    sockets ──▶ agent.receive ──┐
    timer   ──▶ agent.fire_timers ├─▶ settle(): effects performed, notifications handed up, one
    DNS     ──▶ agent.target_…  ──┘    timer armed for agent.next_deadline()

One input, then everything it caused, then the next input. A fault in the stack or above costs one
input: it is logged and counted, what it caused is still performed, the timer is still armed (F43).
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, TypeVar, assert_never

from firmware.base.tokens import Tokens
from firmware.net.addresses import local_address_toward
from firmware.net.binding import SIGNALLING
from firmware.net.errors import ListenError, NetError, PortTakenError
from firmware.net.link_error import LinkError
from firmware.net.locate import Place, locate
from firmware.net.resolver import LookUpError, Resolver
from firmware.net.stream import Door, Streams
from firmware.net.udp import UdpSocket
from firmware.sip.agent import UserAgent
from firmware.sip.effects import CloseFlow, Effect, OpenFlow, QueryId, ResolveTarget, Transmit
from firmware.sip.flow import Endpoint, Flow, Target, Transport
from firmware.sip.notifications import CertificateEnds, FailureCause, Notification

if TYPE_CHECKING:
    from firmware.net.clock import ClockWatch
    from firmware.net.security import CertificateWatch

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 20
_ANY = ("0.0.0.0", "::")  # noqa: S104 - compared, not bound
_SPOKEN = (Transport.UDP, Transport.TCP, Transport.TLS)
"""What may be chosen where neither a URI nor a line says how to travel (RFC 3263 §4.1)."""
_AFTER_A_FAULT = 0.1
"""The least time before a timer that failed rings again: a fault must not turn the loop hot."""
_SHOWN = 60
"""Octets of a message in the log that failed: the method and whom it is for, and no secret."""
Given = TypeVar("Given")
Trace = Callable[[bool, bytes, Flow], None]


class SipDriver:
    """One user agent on real sockets."""

    def __init__(
        self,
        agent: UserAgent,
        resolver: Resolver,
        tokens: Tokens,
        notify: Callable[[Notification], None],
        trace: Trace | None = None,
    ) -> None:
        self.agent = agent
        self._resolver = resolver
        self._tokens = tokens
        self._notify = notify
        self._trace = trace
        self._loop = asyncio.get_running_loop()
        self._udp: list[UdpSocket] = []
        self._dscp = SIGNALLING
        self._streams = Streams(self)
        self._ports: dict[Transport, int] = {}
        # Both come with the first secure connection.
        self._clock_watch: ClockWatch | None = None
        self._certificates: CertificateWatch | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling = False
        self._closed = False
        self.foreign: Callable[[bytes, Flow], bool] | None = None
        """Who takes datagrams that are no SIP (STUN); it says whether one was for it."""
        self.failures = 0
        """How many inputs, effects, notifications and tasks have failed."""

    @property
    def resolver(self) -> Resolver:
        """Who looks names up."""
        return self._resolver

    @property
    def port(self) -> int:
        """The SIP port in use."""
        return self._udp[0].endpoint.port

    def port_of(self, transport: Transport) -> int:
        """Where we listen for a transport; 0 where we do not."""
        return self._ports.get(transport, 0)

    async def listen(self, hosts: tuple[str, ...], port: int, dscp: int = SIGNALLING) -> None:
        """Bind UDP and TCP on each address, all on one port (0 = one that is free).

        `dscp` marks everything that is sent.

        Raises:
            PortTakenError: the port is in use.
            ListenError: an address cannot be listened on.
        """
        self._dscp = self._streams.dscp = dscp
        # A port that is free on UDP may be taken on TCP; then another one will do.
        attempts = 1 if port else _ATTEMPTS
        while True:
            attempts -= 1
            try:
                await self._bind(hosts, port)
            except NetError as error:
                await self._unbind()
                if not attempts or not isinstance(error, PortTakenError):
                    raise
            else:
                return

    async def open_door(self, door: Door) -> None:
        """Listen for one transport more, on the same addresses.

        Raises:
            PortTakenError: its port is in use.
            LinkError: its certificate cannot be used.
        """
        port = door.port
        for host in [udp.endpoint.host for udp in self._udp]:
            port = await self._streams.listen(host, port, door.transport, door.tls)
        self._ports[door.transport] = port
        self._look_at_certificates()

    async def _bind(self, hosts: tuple[str, ...], port: int) -> None:
        for host in hosts:
            try:
                udp = UdpSocket(host, port, self._datagram, self._udp_failed, self._dscp)
            except ListenError:
                if host != "::" or not self._udp:
                    raise
                _LOG.info("this machine has no IPv6")
                continue
            self._udp.append(udp)
            port = udp.endpoint.port
            await self._streams.listen(host, port)
        self._ports = dict.fromkeys((Transport.UDP, Transport.TCP), port)

    async def _unbind(self) -> None:
        while self._udp:
            self._udp.pop().close()
        await self._streams.deafen()

    async def close(self) -> None:
        """Release every socket and forget what was under way; nothing is performed any more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for watch in (self._clock_watch, self._certificates):
            if watch is not None:
                watch.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._unbind()
        await self._streams.close()

    async def caught_up(self, seconds: float) -> None:
        """Let look-ups and connections that are under way finish, but wait no longer than this."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def settle(self) -> None:
        """Perform what the agent wants, pass up what it says, arm the timer."""
        if self._settling or self._closed:
            return
        self._settling = True
        try:
            while True:
                effects = self.agent.take_effects()
                for effect in effects:
                    self._guard(type(effect).__name__, self._perform, effect)
                notifications = self.agent.take_notifications()
                for notification in notifications:
                    self._guard(type(notification).__name__, self._notify, notification)
                if not effects and not notifications:
                    break
        finally:
            self._settling = False
            self._arm()

    def _input(self, about: object, happen: Callable[[float], None]) -> bool:
        """One input and everything it caused; False if it failed."""
        happened = self._guard(about, happen, self._loop.time())
        self.settle()
        return happened

    def _guard(self, about: object, do: Callable[[Given], object], given: Given) -> bool:
        try:
            do(given)
        except Exception:  # noqa: BLE001 - a fault may cost one input, never the phone (F43)
            self.failures += 1
            _LOG.exception("the SIP stack failed at %r", about)
            return False
        return True

    # --- inputs -----------------------------------------------------------------------------

    def stream_message(self, data: bytes, flow: Flow) -> None:
        """A whole message (or a pong) arrived on a connection."""
        self._datagram(data, flow)

    def stream_closed(self, flow: Flow, reason: str, cause: FailureCause | None = None) -> None:
        """A connection is gone."""
        self._input(reason, lambda now: self.agent.flow_failed(flow, reason, now, cause))

    def _wait_for_clock(self) -> None:
        from firmware.net.clock import ClockWatch  # noqa: PLC0415 - loaded by who looked at it

        self._clock_watch = self._clock_watch or ClockWatch(self._clock_set)
        self._clock_watch.begin()

    def _look_at_certificates(self) -> None:
        security = self._streams.security
        if security is None:
            return
        from firmware.net.security import CertificateWatch  # noqa: PLC0415 - loaded by now

        if self._certificates is None:
            self._certificates = CertificateWatch(security, self._certificate_ends)
        self._certificates.look()

    def _clock_set(self) -> None:
        self._input("the clock", self.agent.clock_set)

    def _certificate_ends(self, file: str, days: int) -> None:
        notice = CertificateEnds(file, days)
        self._guard(notice, self._notify, notice)

    def send_foreign(self, flow: Flow, data: bytes) -> None:
        """Send a datagram that is no SIP from the SIP socket of `flow`."""
        udp = next((udp for udp in self._udp if _serves(udp.endpoint, flow)), None)
        if udp is not None:
            udp.send(flow, data)

    def endpoint_for(self, host: str) -> Endpoint:
        """The SIP socket at an address of ours."""
        return Endpoint(host, self.port)

    def seen_from_outside(self, local: Endpoint, seen: Endpoint) -> None:
        """A STUN server saw our socket there."""
        self._input(local, lambda now: self.agent.seen_from_outside(local, seen, now))

    def _datagram(self, data: bytes, flow: Flow) -> None:
        if self.foreign is not None and flow.number == 0 and self.foreign(data, flow):
            return
        if self._trace is not None:
            self._trace(False, data, flow)  # noqa: FBT003 - False = received
        about = (data[:_SHOWN], flow.remote)
        self._input(about, lambda now: self.agent.receive(data, flow, now))

    def _udp_failed(self, flow: Flow, reason: str) -> None:
        self._input(reason, lambda now: self.agent.flow_failed(flow, reason, now))

    def _arm(self, not_before: float = 0.0) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.agent.next_deadline()
        if deadline is not None and not self._closed:
            self._timer = self._loop.call_at(max(deadline, not_before), self._due)

    def _due(self) -> None:
        self._timer = None
        if not self._input("a timer", self.agent.fire_timers):
            self._arm(self._loop.time() + _AFTER_A_FAULT)

    # --- effects ----------------------------------------------------------------------------

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Transmit(flow, data):
                self._transmit(flow, data)
            case ResolveTarget(query):
                self._spawn(self._resolve(effect), partial(self._lost, query))
            case OpenFlow(query):
                self._spawn(self._open(effect), partial(self._refused, query, "a fault of ours"))
            case CloseFlow(flow):
                self._streams.close_flow(flow)
            case _:
                assert_never(effect)

    def _transmit(self, flow: Flow, data: bytes) -> None:
        if self._trace is not None:
            self._trace(True, data, flow)  # noqa: FBT003 - True = sent
        if flow.transport is Transport.UDP:
            udp = next((udp for udp in self._udp if _serves(udp.endpoint, flow)), None)
            if udp is None:
                self._loop.call_soon(self._udp_failed, flow, "no socket for this address")
            else:
                udp.send(flow, data)
        elif not self._streams.send(flow, data):
            self._loop.call_soon(self.stream_closed, flow, "the connection is closed")

    async def _resolve(self, effect: ResolveTarget) -> None:
        try:
            found = await locate(effect, self._resolver, self._tokens, self.local_for, _SPOKEN)
        except LookUpError as error:
            cause = FailureCause.NAME_NOT_FOUND if error.missing else FailureCause.NO_NETWORK
            self._lost(effect.query, cause, str(error))
            return
        targets = tuple(
            Target(place.transport, place.remote, self._here(place), place.host)
            for place in found
            if place.local and not self._is_us(place.remote, place.local)
        )
        if targets:
            query = effect.query
            self._input(effect.host, lambda now: self.agent.target_resolved(query, targets, now))
        elif any(place.local for place in found):
            self._lost(effect.query, FailureCause.OTHER, f"{effect.host} is this phone itself")
        else:
            self._lost(effect.query, FailureCause.NO_NETWORK, f"no route to {effect.host}")

    def _here(self, place: Place) -> Endpoint:
        return Endpoint(place.local, self.port_of(place.transport))

    def _lost(
        self,
        query: QueryId,
        cause: FailureCause = FailureCause.NO_NETWORK,
        text: str = "a fault of ours",
    ) -> None:
        self._input(text, lambda now: self.agent.target_failed(query, cause, text, now))

    def local_for(self, remote: Endpoint) -> str | None:
        """Our address toward `remote`, if one of our sockets can send from it."""
        if not any(udp.endpoint.is_ipv6 == remote.is_ipv6 for udp in self._udp):
            return None
        local = local_address_toward(remote)
        bound = [udp.endpoint.host for udp in self._udp if udp.endpoint.is_ipv6 == remote.is_ipv6]
        if local is None or local in bound or any(host in _ANY for host in bound):
            return local
        return bound[0]

    def _is_us(self, remote: Endpoint, local: str) -> bool:
        """Whether a message there would come back to ourselves (A22)."""
        if remote.port != self.port:
            return False
        hosts = [udp.endpoint.host for udp in self._udp if udp.endpoint.is_ipv6 == remote.is_ipv6]
        return remote.host in hosts or (remote.host == local and any(h in _ANY for h in hosts))

    async def _open(self, effect: OpenFlow) -> None:
        try:
            flow = await self._streams.connect(effect.target, effect.terms)
        except LinkError as error:
            if error.cause is FailureCause.CLOCK_NOT_SET:
                self._wait_for_clock()
            self._refused(effect.query, str(error), error.cause)
        except OSError as error:
            self._refused(effect.query, error.strerror or str(error) or "no answer")
        else:
            self._input(flow, lambda now: self.agent.flow_opened(effect.query, flow, now))
            self._look_at_certificates()

    def _refused(self, query: QueryId, reason: str, cause: FailureCause | None = None) -> None:
        self._input(reason, lambda now: self.agent.flow_refused(query, reason, now, cause))

    def _spawn(self, work: Coroutine[None, None, None], given_up: Callable[[], None]) -> None:
        """Do something that takes time; `given_up` tells the agent if it fails to be done."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(partial(self._finished, given_up))

    def _finished(self, given_up: Callable[[], None], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Nobody else will answer the agent's question, and it would wait for ever.
            self.failures += 1
            _LOG.error("a task of the SIP driver failed", exc_info=error)
            given_up()


def _serves(bound: Endpoint, flow: Flow) -> bool:
    if bound.is_ipv6 != flow.remote.is_ipv6:
        return False
    return bound.host in _ANY or _bare(bound.host) == _bare(flow.local.host)


def _bare(host: str) -> str:
    """An address without its scope: `fe80::1%eth0` is `fe80::1`."""
    return host.partition("%")[0]
