"""A server transaction: one request that arrived and our response to it (RFC 3261 §17.2).

It answers retransmissions with the last response, repeats a failure of an INVITE until its ACK,
and absorbs what comes late. A 2xx to an INVITE is repeated by its user (RFC 3261 §13.3.1.4).
"""

from typing import Protocol

from firmware.sip.flow import Flow
from firmware.sip.message import Response
from firmware.sip.transaction.client import Failure, Host
from firmware.sip.transaction.keys import Arrival, ServerKey
from firmware.sip.transaction.tables import (
    INVITE_SERVER,
    NON_INVITE_SERVER,
    TIMER_EVENT,
    Action,
    Again,
    Event,
    Start,
    State,
    Step,
    Stop,
)
from firmware.sip.transaction.timing import Timer
from firmware.sip.writer import write


class ServerUser(Protocol):
    """Who answers the request."""

    def on_ack(self, arrival: Arrival, now: float) -> None:
        """An ACK that matched the transaction of a 2xx (a peer that reuses the branch)."""

    def on_failure(self, failure: Failure, now: float) -> None:
        """The ACK to a failure response never came, or the transport failed."""


class ServerTransaction:
    """One server transaction; `flow` is where responses go."""

    __slots__ = ("_host", "_interval", "_last", "_table", "arrival", "flow", "key", "state", "user")

    def __init__(
        self, host: Host, key: ServerKey, arrival: Arrival, flow: Flow, user: ServerUser | None
    ) -> None:
        self.key = key
        self.arrival = arrival
        self.flow = flow
        self.user = user
        self._host = host
        self._last = b""
        self._interval: dict[Timer, float] = {}
        invite = arrival.request.method == "INVITE"
        self._table = INVITE_SERVER if invite else NON_INVITE_SERVER
        self.state = State.PROCEEDING if invite else State.TRYING

    @property
    def answered(self) -> bool:
        """Whether a final response was given."""
        return self.state not in (State.TRYING, State.PROCEEDING)

    def respond(self, response: Response, now: float) -> None:
        """Send a response; after a final one only further 2xx of an INVITE still leave."""
        if response.status < 200:
            event = Event.SEND_PROVISIONAL
        else:
            event = Event.SEND_SUCCESS if response.status < 300 else Event.SEND_FAILURE
        if (self.state, event) in self._table:
            self._last = write(response)
        self.handle(event, now)

    def repeat_success(self, now: float) -> None:
        """Send the 2xx of an INVITE once more; nothing after timer L."""
        self.handle(Event.SEND_SUCCESS, now)

    def receive(self, arrival: Arrival, now: float) -> None:
        """Take the request again, or its ACK."""
        ack = arrival.request.method == "ACK"
        self.handle(Event.ACK if ack else Event.RETRANSMISSION, now, arrival)

    def on_alarm(self, timer: Timer, now: float) -> None:
        """A timer of this transaction is due."""
        self.handle(TIMER_EVENT[timer], now)

    def handle(self, event: Event, now: float, arrival: Arrival | None = None) -> None:
        """Look up the row for `event` and do what it says."""
        row = self._table.get((self.state, event))
        if row is None:
            self._host.ignore(event)
            return
        self.state = row.next
        for step in row.steps:
            self._perform(step, now, arrival)
        if row.next is State.TERMINATED:
            self._host.forget(self)

    def _perform(self, step: Step, now: float, arrival: Arrival | None) -> None:
        timing = self._host.timing
        match step:
            case Start(timer):
                self._start(timer, now)
            case Again(timer):
                self._interval[timer] = timing.again(timer, self._interval[timer])
                self._host.arm(self, timer, now + self._interval[timer])
            case Stop(timers):
                for timer in timers:
                    self._host.disarm(self, timer)
            case _:
                self._act(step, now, arrival)

    def _act(self, action: Action, now: float, arrival: Arrival | None) -> None:
        match action:
            case Action.SEND | Action.REPEAT:
                if self._last:
                    self._host.transmit(self.flow, self._last)
            case Action.TELL if self.user is not None and arrival is not None:
                self.user.on_ack(arrival, now)
            case Action.TELL_TIMEOUT if self.user is not None:
                self.user.on_failure(Failure.TIMEOUT, now)
            case Action.TELL_ERROR if self.user is not None:
                self.user.on_failure(Failure.TRANSPORT, now)
            case _:
                pass

    def _start(self, timer: Timer, now: float) -> None:
        reliable = self.flow.transport.reliable
        if timer is Timer.G and reliable:
            return  # RFC 3261 §17.2.1: repeated on unreliable transports only
        interval = self._host.timing.first(timer, reliable=reliable)
        self._interval[timer] = interval
        self._host.arm(self, timer, now + interval)
