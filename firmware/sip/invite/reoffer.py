"""An offer of ours inside a call, by re-INVITE (RFC 3261 §14.1) or UPDATE (RFC 3311 §5.1).

The call as it is stays until the far end says yes. After glare it is tried again. A re-INVITE
without a description asks the far end for its offer; then our answer goes into the ACK.
"""

import enum
from collections.abc import Callable
from typing import Final

from firmware.sip.core import ALLOW, SUPPORTS, Alarm, Core
from firmware.sip.dialog import Dialog
from firmware.sip.exchange import Exchange, Parcel
from firmware.sip.flow import Flow
from firmware.sip.invite.prack import rseq_of
from firmware.sip.invite.reasons import retry_after
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.methods import INVITE
from firmware.sip.notifications import FailureCause

Rows = tuple[tuple[str, str], ...]

_MOST_GLARES: Final = 6
_LATER: Final = 0.5
_LONGEST_WAIT: Final = 10


class Outcome(enum.Enum):
    """How an offer ended."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SESSION_GONE = "the far end has no such call"


Heard = Callable[["Reoffer", Response, float], None]
"""A reliable provisional response, in its turn; it wants a PRACK."""
Finished = Callable[["Reoffer", Outcome, Response | None, float], None]


def _no_rows() -> Rows:
    return ()


def _nothing(reoffer: "Reoffer", response: Response, now: float) -> None:
    del reoffer, response, now


class Reoffer:
    """One offer of ours inside a call, tried again after glare once `clear()` says it may."""

    def __init__(  # noqa: PLR0913 - made by the session and the leg only
        self,
        core: Core,
        line: Line,
        dialog: Dialog,
        sdp: bytes,
        finished: Finished,
        clear: Callable[[], bool],
        *,
        owns_call_id: bool,
        method: str = INVITE,
        rows: Callable[[], Rows] = _no_rows,
        heard: Heard = _nothing,
    ) -> None:
        self._core = core
        self._line = line
        self._dialog = dialog
        self._sdp = sdp
        self._finished = finished
        self._clear = clear
        self._owns_call_id = owns_call_id
        self._method = method
        self._rows = rows
        self._heard = heard
        self._rseq: int | None = None
        self.taken = False
        """Whether the far end has taken our offer, in a response before the final one."""
        self._exchange: Exchange | None = None
        self._parcel: Parcel | None = None
        self._glares = 0
        self._in_flight = False
        self._dropped = False

    @property
    def in_flight(self) -> bool:
        """Whether the far end has our offer; not while we wait after glare."""
        return self._in_flight

    @property
    def request(self) -> Request:
        """The request as it was last sent."""
        assert self._exchange is not None
        return self._exchange.request

    @property
    def offers(self) -> bytes:
        """What it offers; empty if it asks for the far end's offer or only refreshes."""
        return self._sdp

    def start(self, now: float) -> None:
        """Send the request."""
        self._in_flight = True
        self._rseq = None
        dialog = self._dialog
        self._exchange = Exchange(
            self._core, self._line, dialog.next_hop, self._compose, self, dialog.flow
        )
        self._exchange.start(now)

    def acknowledge(self, sdp: bytes, now: float) -> None:
        """Send the ACK that has waited for our answer (RFC 3261 §13.2.2.4)."""
        if self._parcel is not None:
            self._parcel.fill(sdp)
            self._parcel.send(now)

    def drop(self) -> None:
        """The call is over; only the ACK to a late 2xx is still sent.

        The guard stays: a far end that has forgotten the call may never say its final word.
        """
        self._dropped = True
        self._core.disarm(self, Alarm.GLARE)
        if self._exchange is not None:
            self._exchange.abandon()

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.GLARE and not self._dropped:
            if self._clear():
                self.start(now)
            else:
                self._core.arm(self, Alarm.GLARE, now + _LATER)
        elif alarm is Alarm.GUARD and self._exchange is not None:
            self._exchange.kill()
            self._finish(Outcome.SESSION_GONE, None, now)

    def on_located(self, exchange: Exchange, now: float) -> None:
        if not self._dropped:
            exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        if exchange is not self._exchange:
            return
        status = response.status
        if status < 200:
            # Somebody is asked over there; but not for ever.
            self._core.arm(self, Alarm.GUARD, now + 2 * self._core.timing.patience)
            self._provisional(response, now)
        elif status < 300:
            self._accepted(exchange, response, now)
        elif self._crossed(response) and self._glares < _MOST_GLARES and not self._dropped:
            self._glare(retry_after(response.headers), now)
        elif status in (408, 481):
            self._finish(Outcome.SESSION_GONE, response, now)
        else:
            self._finish(Outcome.REJECTED, response, now)

    def _provisional(self, response: Response, now: float) -> None:
        """RFC 3262 §4: the next reliable one is acknowledged, and may hold the answer."""
        number = rseq_of(response)
        in_turn = self._rseq is None or (number is not None and number == self._rseq + 1)
        if number is None or not in_turn or self._dropped or self._method != INVITE:
            return
        self._rseq = number
        # RFC 6141 §4.7: it moves the target as a 2xx does.
        self._dialog.refresh(response.headers)
        self._heard(self, response, now)

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        del exchange, cause, detail
        # RFC 3261 §12.2.1.2: no answer inside a dialog means that the dialog is gone.
        self._finish(Outcome.SESSION_GONE, None, now)

    def _crossed(self, response: Response) -> bool:
        """Whether it met an offer of the far end: 491, or 500 with Retry-After."""
        # RFC 3261 §14.2
        crossed = response.status == 500 and response.headers.get("Retry-After") is not None
        return response.status == 491 or crossed

    def _accepted(self, exchange: Exchange, response: Response, now: float) -> None:
        self._in_flight = False
        if self._method != INVITE:
            self._dialog.refresh(response.headers)
            self._finish(Outcome.ACCEPTED, response, now)
            return
        first = self._parcel is None
        if first:
            self._dialog.refresh(response.headers)
            self._parcel = ack_parcel(self._core, self._dialog, exchange.request)
        assert self._parcel is not None
        late = not self._sdp and not self.taken
        if first and late and response.body and not self._dropped:
            # Their offer: the ACK waits for our answer.
            self._parcel.wait()
        else:
            self._parcel.send(now)
        if first:
            self._finish(Outcome.ACCEPTED, response, now)

    def _glare(self, wait_at_least: int, now: float) -> None:
        """RFC 3261 §14.1: whoever made the Call-ID waits longer, in steps of 10 ms."""
        self._glares += 1
        self._in_flight = False
        least, steps = (2.1, 190) if self._owns_call_id else (0.0, 200)
        wait = least + 0.01 * self._core.tokens.integer(steps + 1)
        self._core.disarm(self, Alarm.GUARD)
        self._core.arm(self, Alarm.GLARE, now + max(wait, min(wait_at_least, _LONGEST_WAIT)))

    def _finish(self, outcome: Outcome, response: Response | None, now: float) -> None:
        self._core.disarm(self, Alarm.GLARE, Alarm.GUARD)
        if not self._dropped:
            self._finished(self, outcome, response, now)

    def _compose(self, flow: Flow) -> Request:
        request = self._dialog.request(self._method, self._dialog.next_number())
        headers = request.headers
        secure = request.uri[:5].lower() == "sips:"
        own = self._dialog.local
        headers.add("Contact", self._core.contact(self._line, flow, secure=secure, own=own))
        headers.add("Allow", ALLOW)
        headers.add("Supported", SUPPORTS)
        for name, value in self._rows():
            headers.add(name, value)
        if self._sdp:
            headers.add("Content-Type", "application/sdp")
            request.body = self._sdp
        return request


def ack_parcel(core: Core, dialog: Dialog, invite: Request) -> Parcel:
    """The ACK to a 2xx: by the route set, with its INVITE's credentials (RFC 3261 §13.2.2.4)."""
    number = int((invite.headers.get("CSeq") or "0").split()[0])
    ack = dialog.request("ACK", number)
    for name in ("Authorization", "Proxy-Authorization"):
        for row in invite.headers.all(name):
            ack.headers.add(name, row)
    return Parcel(core, ack, dialog.next_hop, dialog.flow)
