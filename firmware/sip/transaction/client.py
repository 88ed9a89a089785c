"""A client transaction: one request of ours and its final response (RFC 3261 §17.1).

It repeats, acknowledges failures of an INVITE and gives up; whom to ask next, what a response
means and the ACK to a 2xx are its user's business.
"""

from typing import Protocol

from firmware.sip.flow import Flow
from firmware.sip.headers import parse_via
from firmware.sip.message import Headers, Request, Response
from firmware.sip.transaction.machine import Failure, Host, Machine
from firmware.sip.transaction.tables import (
    INVITE_CLIENT,
    NON_INVITE_CLIENT,
    Action,
    Event,
    State,
)
from firmware.sip.transaction.timing import Timer
from firmware.sip.writer import write


class ClientUser(Protocol):
    """Who wanted the request sent."""

    def on_response(self, response: Response, now: float) -> None:
        """A response arrived: provisional, final, or one more 2xx of a forked INVITE."""

    def on_failure(self, failure: Failure, now: float) -> None:
        """There will be no response."""


class ClientTransaction(Machine[Response]):
    """One client transaction; `request` must carry its Via with a fresh branch."""

    __slots__ = ("_data", "key", "request", "sent_by", "user")

    def __init__(
        self, host: Host, key: tuple[str, str], request: Request, flow: Flow, user: ClientUser
    ) -> None:
        if request.method == "INVITE":
            super().__init__(host, INVITE_CLIENT, State.CALLING, flow)
        else:
            super().__init__(host, NON_INVITE_CLIENT, State.TRYING, flow)
        self.key = key
        self.request = request
        self.user = user
        self._data = write(request)
        via = parse_via(request.headers.get("Via") or "")
        self.sent_by = (via.host, via.port)

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

    def _act(self, action: Action, now: float, arrived: Response | None) -> None:
        match action:
            case Action.SEND | Action.REPEAT:
                self._host.transmit(self.flow, self._data)
            case Action.TELL:
                assert arrived is not None
                self.user.on_response(arrived, now)
            case Action.TELL_TIMEOUT:
                self.user.on_failure(Failure.TIMEOUT, now)
            case Action.TELL_ERROR:
                self.user.on_failure(Failure.TRANSPORT, now)
            case Action.SEND_ACK:
                assert arrived is not None
                self._host.transmit(self.flow, write(ack_for(self.request, arrived)))


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
