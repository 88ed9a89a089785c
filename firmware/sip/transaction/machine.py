"""What the four transactions have in common: a state, a table, timers (RFC 3261 §17, RFC 6026).

A row of the table says what to do and what comes next; doing it is here as far as it concerns
timers, and in `client` and `server` as far as it concerns messages.
"""

import enum
from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

from firmware.sip.flow import Flow
from firmware.sip.transaction.tables import (
    TIMER_EVENT,
    Action,
    Again,
    Event,
    Start,
    State,
    Step,
    Stop,
    Table,
)
from firmware.sip.transaction.timing import Timer, Timing

Arrived = TypeVar("Arrived")
_REPEATING = (Timer.A, Timer.E, Timer.G)
"""Started on unreliable transports only: elsewhere nothing is repeated."""


class Failure(enum.Enum):
    """Why a transaction ended without a final response."""

    TIMEOUT = "no answer"
    TRANSPORT = "transport failed"


class Timed(Protocol):
    """Something with alarms."""

    def on_alarm(self, timer: Timer, now: float) -> None:
        """A timer is due."""


class Host(Protocol):
    """What a transaction needs of the layer that keeps it."""

    timing: Timing

    def transmit(self, flow: Flow, data: bytes) -> None:
        """Send."""

    def arm(self, transaction: Timed, timer: Timer, at: float) -> None:
        """Call `on_alarm(timer, now)` when it is `at`."""

    def disarm(self, transaction: Timed, timer: Timer) -> None:
        """Forget a timer."""

    def forget(self, transaction: Timed) -> None:
        """The transaction is TERMINATED."""

    def ignore(self, event: Event) -> None:
        """Count an event that has no row."""


class Machine(ABC, Generic[Arrived]):
    """A transaction; what arrives with an event is a response or a request."""

    __slots__ = ("_host", "_interval", "_table", "flow", "state")

    def __init__(self, host: Host, table: Table, state: State, flow: Flow) -> None:
        self.flow = flow
        self.state = state
        self._host = host
        self._table = table
        self._interval: dict[Timer, float] = {}

    def on_alarm(self, timer: Timer, now: float) -> None:
        """A timer of this transaction is due."""
        self.handle(TIMER_EVENT[timer], now)

    def handle(self, event: Event, now: float, arrived: Arrived | None = None) -> None:
        """Look up the row for `event` and do what it says."""
        row = self._table.get((self.state, event))
        if row is None:
            self._host.ignore(event)
            return
        # The state changes first: the user may act on this transaction while it is told.
        self.state = row.next
        for step in row.steps:
            self._perform(step, now, arrived)
        if row.next is State.TERMINATED:
            self._host.forget(self)

    @abstractmethod
    def _act(self, action: Action, now: float, arrived: Arrived | None) -> None:
        """Send or tell."""

    def _perform(self, step: Step, now: float, arrived: Arrived | None) -> None:
        match step:
            case Start(timer):
                self._start(timer, now)
            case Again(timer, at_t2):
                # RFC 3261 §17.1.2.2: after a provisional response E runs at T2.
                timing = self._host.timing
                self._arm(timer, timing.t2 if at_t2 else self._longer(timer), now)
            case Stop(timers):
                for timer in timers:
                    self._host.disarm(self, timer)
            case _:
                self._act(step, now, arrived)

    def _start(self, timer: Timer, now: float) -> None:
        reliable = self.flow.transport.reliable
        if timer in _REPEATING and reliable:
            return  # RFC 3261 §17.1.1.2, §17.1.2.2, §17.2.1
        self._arm(timer, self._host.timing.first(timer, reliable=reliable), now)

    def _longer(self, timer: Timer) -> float:
        return self._host.timing.again(timer, self._interval[timer])

    def _arm(self, timer: Timer, interval: float, now: float) -> None:
        self._interval[timer] = interval
        self._host.arm(self, timer, now + interval)
