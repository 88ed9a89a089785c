"""A client transaction: one request of ours and its final response (RFC 3261 §17.1).

It repeats, acknowledges failures of an INVITE and gives up; whom to ask next, what a response
means and the ACK to a 2xx are its user's business.
"""

import enum
from typing import Protocol

from firmware.sip.flow import Flow
from firmware.sip.headers import parse_via
from firmware.sip.message import Headers, Request, Response
from firmware.sip.transaction.tables import (
    INVITE_CLIENT,
    NON_INVITE_CLIENT,
    TIMER_EVENT,
    Action,
    Again,
    Event,
    Start,
    State,
    Step,
    Stop,
)
from firmware.sip.transaction.timing import Timer, Timing
from firmware.sip.writer import write


class Failure(enum.Enum):
    """Why a transaction ended without a final response."""

    TIMEOUT = "no answer"
    TRANSPORT = "transport failed"


class ClientUser(Protocol):
    """Who wanted the request sent."""

    def on_response(self, response: Response, now: float) -> None:
        """A response arrived: provisional, final, or one more 2xx of a forked INVITE."""

    def on_failure(self, failure: Failure, now: float) -> None:
        """There will be no response."""


class Host(Protocol):
    """What a transaction needs of the layer that keeps it."""

    timing: Timing

    def transmit(self, flow: Flow, data: bytes) -> None:
        """Send."""

    def arm(self, transaction: "Timed", timer: Timer, at: float) -> None:
        """Call `on_alarm(timer, now)` when it is `at`."""

    def disarm(self, transaction: "Timed", timer: Timer) -> None:
        """Forget a timer."""

    def forget(self, transaction: "Timed") -> None:
        """The transaction is TERMINATED."""

    def ignore(self, event: Event) -> None:
        """Count an event that has no row."""


class Timed(Protocol):
    """Something with alarms."""

    def on_alarm(self, timer: Timer, now: float) -> None:
        """A timer is due."""


class ClientTransaction:
    """One client transaction; `request` must carry its Via with a fresh branch."""

    __slots__ = (
        "_data",
        "_host",
        "_interval",
        "_table",
        "_user",
        "flow",
        "key",
        "request",
        "sent_by",
        "state",
    )

    def __init__(
        self, host: Host, key: tuple[str, str], request: Request, flow: Flow, user: ClientUser
    ) -> None:
        self.key = key
        self.request = request
        self.flow = flow
        self._host = host
        self._user = user
        self._data = write(request)
        via = parse_via(request.headers.get("Via") or "")
        self.sent_by = (via.host, via.port)
        self._interval: dict[Timer, float] = {}
        invite = request.method == "INVITE"
        self._table = INVITE_CLIENT if invite else NON_INVITE_CLIENT
        self.state = State.CALLING if invite else State.TRYING

    def start(self, now: float) -> None:
        """Send the request and start the timers of the first state."""
        self._host.transmit(self.flow, self._data)
        invite = self._table is INVITE_CLIENT
        for timer in (Timer.A, Timer.B) if invite else (Timer.E, Timer.F):
            self._start(timer, now)

    def receive(self, response: Response, now: float) -> None:
        """Take a response that matched this transaction."""
        if response.status < 200:
            event = Event.PROVISIONAL
        else:
            event = Event.SUCCESS if response.status < 300 else Event.FAILURE
        self.handle(event, now, response)

    def on_alarm(self, timer: Timer, now: float) -> None:
        """A timer of this transaction is due."""
        self.handle(TIMER_EVENT[timer], now)

    def handle(self, event: Event, now: float, response: Response | None = None) -> None:
        """Look up the row for `event` and do what it says."""
        row = self._table.get((self.state, event))
        if row is None:
            self._host.ignore(event)
            return
        # The state changes first: the user may act on this transaction while it is told.
        self.state = row.next
        for step in row.steps:
            self._perform(step, now, response)
        if row.next is State.TERMINATED:
            self._host.forget(self)

    def _perform(self, step: Step, now: float, response: Response | None) -> None:
        match step:
            case Start(timer):
                self._start(timer, now)
            case Again(timer, at_t2):
                # RFC 3261 §17.1.2.2: after a provisional response E runs at T2.
                interval = self._host.timing.t2 if at_t2 else self._next_interval(timer)
                self._interval[timer] = interval
                self._host.arm(self, timer, now + interval)
            case Stop(timers):
                for timer in timers:
                    self._host.disarm(self, timer)
            case _:
                self._act(step, now, response)

    def _act(self, action: Action, now: float, response: Response | None) -> None:
        match action:
            case Action.SEND | Action.REPEAT:
                self._host.transmit(self.flow, self._data)
            case Action.TELL:
                assert response is not None
                self._user.on_response(response, now)
            case Action.TELL_TIMEOUT:
                self._user.on_failure(Failure.TIMEOUT, now)
            case Action.TELL_ERROR:
                self._user.on_failure(Failure.TRANSPORT, now)
            case Action.SEND_ACK:
                assert response is not None
                self._host.transmit(self.flow, write(ack_for(self.request, response)))

    def _next_interval(self, timer: Timer) -> float:
        return self._host.timing.again(timer, self._interval[timer])

    def _start(self, timer: Timer, now: float) -> None:
        reliable = self.flow.transport.reliable
        if timer in (Timer.A, Timer.E) and reliable:
            return  # RFC 3261 §17.1.1.2, §17.1.2.2: nothing is repeated on a reliable transport
        interval = self._host.timing.first(timer, reliable=reliable)
        self._interval[timer] = interval
        self._host.arm(self, timer, now + interval)


def ack_for(invite: Request, response: Response) -> Request:
    """The ACK to a failure response, part of the INVITE's transaction (RFC 3261 §17.1.1.3)."""
    to = response.headers.get("To") or invite.headers.get("To") or ""
    return _follow_up(invite, "ACK", to)


def cancel_for(invite: Request) -> Request:
    """The CANCEL of an INVITE (RFC 3261 §9.1)."""
    return _follow_up(invite, "CANCEL", invite.headers.get("To") or "")


_COPIED = frozenset({"Via", "From", "Call-ID", "Max-Forwards", "Route"})


def _follow_up(invite: Request, method: str, to: str) -> Request:
    headers = Headers()
    for name, value in invite.headers:
        if name in _COPIED:
            headers.add(name, value)
        elif name == "To":
            headers.add(name, to)
        elif name == "CSeq":
            headers.add(name, f"{value.split()[0]} {method}")
    return Request(method, invite.uri, headers)
