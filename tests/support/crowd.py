"""A thousand phones and their PBX on virtual time: one heap, and only whoever is due is looked at.

For questions about many phones at once; a `World` is for the details of a few.
"""

import heapq
import itertools

from firmware.base.tokens import Tokens
from firmware.sip.account import Account
from firmware.sip.agent import AgentSettings, UserAgent
from firmware.sip.effects import CloseFlow, OpenFlow, ResolveTarget, Transmit
from firmware.sip.flow import Endpoint, Flow, Target, Transport
from firmware.sip.message import Headers, Request, Response
from firmware.sip.notifications import LineName, RegistrationChanged, RegistrationState
from firmware.sip.parser import parse
from firmware.sip.writer import write

SERVER = Endpoint("192.0.2.9", 5060)
DELAY = 0.002


class Phone:
    """One phone of the crowd."""

    def __init__(
        self, crowd: "Crowd", number: int, transport: Transport, expires: int, recheck: int
    ) -> None:
        self.agent = UserAgent(AgentSettings(), Tokens(f"phone {number}".encode().ljust(16)))
        self.here = Endpoint(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 5060)
        self.line = LineName("desk")
        self.state = RegistrationState.OFF
        self.flows: list[Flow] = []
        self.armed = float("inf")
        account = Account(
            *(self.line, str(number), str(SERVER)),
            transport=transport,
            expires=expires,
            recheck=recheck,
        )
        self.agent.set_lines((account,), crowd.now)


class Crowd:
    """All of them. `times` are the moments of REGISTERs that reached the PBX."""

    def __init__(
        self, phones: int, transport: Transport, *, expires: int = 600, recheck: int = 0
    ) -> None:
        self.now = 1000.0
        self.alive = True
        self.times: list[float] = []
        self.attempts: list[float] = []
        self._queue: list[tuple[float, int, object]] = []
        self._order = itertools.count()
        self._numbers = itertools.count(1)
        self.phones = [Phone(self, number, transport, expires, recheck) for number in range(phones)]
        for phone in self.phones:
            phone.agent.register(phone.line, self.now)
            self._settle(phone)

    @property
    def registered(self) -> int:
        """How many phones are registered."""
        return sum(phone.state is RegistrationState.REGISTERED for phone in self.phones)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        end = self.now + seconds
        while self._queue and self._queue[0][0] <= end:
            self.now, _, what = heapq.heappop(self._queue)
            if isinstance(what, Phone):
                if what.armed == self.now:
                    what.armed = float("inf")
                    what.agent.fire_timers(self.now)
                    self._settle(what)
            else:
                what()
        self.now = end

    def go_away(self) -> None:
        """The PBX stops: connections break, and nothing is answered."""
        self.alive = False
        for phone in self.phones:
            for flow in phone.flows:
                phone.agent.flow_failed(flow, "Connection reset by peer", self.now)
            phone.flows.clear()
            self._settle(phone)

    # --- one phone --------------------------------------------------------------------------

    def _settle(self, phone: Phone) -> None:
        while effects := phone.agent.take_effects():
            for effect in effects:
                self._perform(phone, effect)
        for told in phone.agent.take_notifications():
            if isinstance(told, RegistrationChanged):
                phone.state = told.state
        due = phone.agent.next_deadline()
        if due is not None and due < phone.armed:
            phone.armed = max(due, self.now)
            heapq.heappush(self._queue, (phone.armed, next(self._order), phone))

    def _perform(self, phone: Phone, effect: object) -> None:
        match effect:
            case Transmit(flow, data) if data.strip():
                if data.startswith(b"REGISTER"):
                    self.attempts.append(self.now)
                if self.alive:
                    self._later(DELAY, lambda: self._serve(phone, flow, data))
            case Transmit(flow, data) if flow.transport.reliable and self.alive:
                self._later(DELAY, lambda: self._deliver(phone, flow, b"\r\n"))
            case ResolveTarget():
                transport = effect.transport or Transport.UDP
                targets = (Target(transport, SERVER, phone.here),)
                phone.agent.target_resolved(effect.query, targets, self.now)
            case OpenFlow(query, target):
                self._open(phone, query, target)
            case CloseFlow(flow) if flow in phone.flows:
                phone.flows.remove(flow)
                # As the driver does, once the connection is really gone.
                self._later(0.0, lambda: phone.agent.flow_failed(flow, "closed", self.now))

    def _open(self, phone: Phone, query, target: Target) -> None:
        if not self.alive:
            phone.agent.flow_refused(query, "Connection refused", self.now)
            return
        number = next(self._numbers)
        flow = Flow(target.transport, Endpoint(phone.here.host, 40000), target.remote, number)
        phone.flows.append(flow)
        phone.agent.flow_opened(query, flow, self.now)

    def _later(self, seconds: float, what) -> None:
        heapq.heappush(self._queue, (self.now + seconds, next(self._order), what))

    def _deliver(self, phone: Phone, flow: Flow, data: bytes) -> None:
        phone.agent.receive(data, flow, self.now)
        self._settle(phone)

    # --- the PBX ----------------------------------------------------------------------------

    def _serve(self, phone: Phone, flow: Flow, data: bytes) -> None:
        request = parse(data)
        if not isinstance(request, Request) or not self.alive:
            return
        if request.method == "REGISTER":
            self.times.append(self.now)
        headers = request.headers
        rows = [(name, headers.get(name)) for name in ("Via", "From", "To", "Call-ID", "CSeq")]
        rows.append(("Contact", f"{headers.get('Contact')};expires={headers.get('Expires')}"))
        answer = write(Response(200, "OK", Headers(rows)))
        self._later(DELAY, lambda: self._deliver(phone, flow, answer))
