"""A server transaction: one request that arrived and our response to it (RFC 3261 §17.2).

It answers retransmissions with the last response, repeats a failure of an INVITE until its ACK,
and absorbs what comes late. A 2xx to an INVITE is repeated by its user (RFC 3261 §13.3.1.4).
"""

from typing import Protocol

from firmware.sip.flow import Flow
from firmware.sip.message import Response
from firmware.sip.transaction.keys import Arrival, ServerKey
from firmware.sip.transaction.machine import Failure, Host, Machine
from firmware.sip.transaction.tables import (
    INVITE_SERVER,
    NON_INVITE_SERVER,
    Action,
    Event,
    State,
)
from firmware.sip.writer import write


class ServerUser(Protocol):
    """Who answers the request."""

    def on_ack(self, arrival: Arrival, now: float) -> None:
        """An ACK that matched the transaction of a 2xx (a peer that reuses the branch)."""

    def on_failure(self, failure: Failure, now: float) -> None:
        """The ACK to a failure response never came, or the transport failed."""


class ServerTransaction(Machine[Arrival]):
    """One server transaction; `flow` is where responses go."""

    __slots__ = ("_last", "arrival", "key", "user")

    def __init__(
        self, host: Host, key: ServerKey, arrival: Arrival, flow: Flow, user: ServerUser | None
    ) -> None:
        if arrival.request.method == "INVITE":
            super().__init__(host, INVITE_SERVER, State.PROCEEDING, flow)
        else:
            super().__init__(host, NON_INVITE_SERVER, State.TRYING, flow)
        self.key = key
        self.arrival = arrival
        self.user = user
        self._last = b""

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
        if event is Event.SEND_FAILURE:
            # It lingers for 32 s (timers H and J), and whoever sends nonsense sends much of it.
            self.arrival = self.arrival.without_content()

    def repeat_success(self, now: float) -> None:
        """Send the 2xx of an INVITE once more; nothing after timer L."""
        self.handle(Event.SEND_SUCCESS, now)

    def receive(self, arrival: Arrival, now: float) -> None:
        """Take the request again, or its ACK."""
        ack = arrival.request.method == "ACK"
        self.handle(Event.ACK if ack else Event.RETRANSMISSION, now, arrival)

    def _act(self, action: Action, now: float, arrived: Arrival | None) -> None:
        match action:
            case Action.SEND | Action.REPEAT:
                if self._last:
                    self._host.transmit(self.flow, self._last)
            case Action.TELL if self.user is not None and arrived is not None:
                self.user.on_ack(arrived, now)
            case Action.TELL_TIMEOUT if self.user is not None:
                self.user.on_failure(Failure.TIMEOUT, now)
            case Action.TELL_ERROR if self.user is not None:
                self.user.on_failure(Failure.TRANSPORT, now)
            case _:
                pass
