"""A call that arrives, until it is answered, refused or withdrawn (RFC 3261 §13.3).

100 goes out at once, so that the caller stops repeating; 180 or 183 when the phone rings. An
answer makes a `Session`, which sends the 2xx. A caller that has vanished cannot let us ring for
ever: after the ring limit the call ends by itself.
"""

import enum
from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import Rows, sdp_of, shown, warning_rows
from firmware.sip.core import ALLOW, Alarm, Core
from firmware.sip.dialog import Dialog, from_arrival
from firmware.sip.errors import LocalError, ParseError
from firmware.sip.flow import Flow
from firmware.sip.headers import parse_reason, values
from firmware.sip.identity.envelope import facts_of
from firmware.sip.identity.who import caller
from firmware.sip.line import Line
from firmware.sip.message import Headers
from firmware.sip.notifications import CallEnded, CallRef, FailureCause, IncomingCall
from firmware.sip.transaction.keys import Arrival
from firmware.sip.transaction.machine import Failure
from firmware.sip.transaction.server import ServerTransaction
from firmware.sip.uri import Uri

# (call, line, dialog, INVITE transaction, our SDP, whether that SDP is an offer, now)
Accepted = Callable[[CallRef, Line, Dialog, ServerTransaction, bytes, bool, float], None]

_RING_AGAIN: Final = 60.0


class Stage(enum.Enum):
    """How far the call is."""

    ARRIVED = "arrived"
    RINGING = "ringing"
    OVER = "over"


class InviteServer:
    """One call that arrived; `target` is the caller's Contact."""

    def __init__(
        self,
        core: Core,
        line: Line,
        call: CallRef,
        transaction: ServerTransaction,
        target: Uri,
        accepted: Accepted,
    ) -> None:
        self.call = call
        self.stage = Stage.ARRIVED
        self._core = core
        self._line = line
        self._transaction = transaction
        self._target = target
        self._accepted = accepted
        self._tag = core.tokens.word(80)
        self._early = b""
        arrival = transaction.arrival
        self._early_key = (arrival.call_id, self._tag, arrival.from_tag)

    def begin(self, called_user: str, offer: bytes, now: float) -> None:
        """Say 100 to the caller and tell the phone."""
        arrival = self._transaction.arrival
        core, headers = self._core, arrival.request.headers
        self._transaction.user = self
        self._transaction.respond(core.response(arrival, 100), now)
        core.dialogs[self._early_key] = self
        core.arm(self, Alarm.GUARD, now + core.settings.ring_limit)
        facts, diverted_by = facts_of(headers, arrival.sender)
        core.notify(
            IncomingCall(
                self.call,
                self._line.name,
                caller(headers, arrival.sender),
                shown(called_user),
                offer,
                core.local(arrival.flow).host,
                shown(headers.get("Alert-Info") or ""),
                shown(headers.get("Call-Info") or ""),
                shown(arrival.call_id),
                facts,
                diverted_by,
            )
        )

    # --- intents ----------------------------------------------------------------------------

    def ring(self, now: float, body: bytes = b"") -> None:
        """Say that the bell rings (180), or with `body` that early media is there (183)."""
        if self.stage is Stage.OVER:
            return
        self.stage = Stage.RINGING
        self._early = body
        self._provisional(now)

    def accept(self, sdp: bytes, now: float) -> None:
        """Answer the call; `sdp` is the answer, or the offer if the INVITE had none."""
        arrival = self._transaction.arrival
        self._close()
        dialog = from_arrival(arrival, self._tag, self._target)
        offered = not sdp_of(arrival.request)
        self._accepted(self.call, self._line, dialog, self._transaction, sdp, offered, now)

    def reject(self, status: int, now: float, warning: str = "") -> None:
        """Refuse the call.

        Raises:
            LocalError: the status is no failure.
        """
        if not 300 <= status <= 699:
            raise LocalError(f"{status} refuses nothing")
        self._final(status, now, warning_rows(warning))
        self._core.notify(CallEnded(self.call, by_us=True, status=status))

    def end(self, now: float) -> None:
        """Refuse the call because the phone goes away or the person does not want it."""
        self.reject(480, now)

    def cancelled(self, withdrawal: Arrival, now: float) -> None:
        """The caller gave up (RFC 3261 §9.2), perhaps because somebody else answered (RFC 3326)."""
        if self.stage is Stage.OVER:
            return
        self._final(487, now)
        elsewhere = _elsewhere(withdrawal.request.headers)
        ended = CallEnded(
            self.call,
            by_us=False,
            cause=FailureCause.CANCELLED,
            status=487,
            answered_elsewhere=elsewhere,
        )
        self._core.notify(ended)

    # --- what happens -----------------------------------------------------------------------

    def on_request(self, arrival: Arrival, now: float) -> None:
        """A request inside the early dialog: a caller may end it with BYE (RFC 3261 §15)."""
        if arrival.request.method == "ACK":
            return
        transaction = self._core.transactions.open(arrival)
        if arrival.request.method != "BYE":
            self._core.answer(transaction, 481, now)
            return
        self._core.answer(transaction, 200, now)
        self.cancelled(arrival, now)

    def on_ack(self, arrival: Arrival, now: float) -> None:
        """Only after a 2xx, and then the session is the user."""

    def on_failure(self, failure: Failure, now: float) -> None:
        """The caller's connection is gone: nobody could be answered any more."""
        del failure
        if self._transaction.flow.transport.reliable:
            self.stranded(now)

    @property
    def flow(self) -> Flow:
        """The way it came."""
        return self._transaction.flow

    def stranded(self, now: float) -> None:
        """There is no way back to the caller any more (F9)."""
        if self.stage is not Stage.OVER:
            self._final(480, now)
            cause = FailureCause.SESSION_LOST
            self._core.notify(CallEnded(self.call, by_us=False, cause=cause))

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if self.stage is Stage.OVER:
            return
        if alarm is Alarm.RING:
            self._provisional(now)
        elif alarm is Alarm.GUARD:
            self._final(480, now)
            cause = FailureCause.NO_ANSWER
            self._core.notify(CallEnded(self.call, by_us=False, cause=cause, status=480))

    def _provisional(self, now: float) -> None:
        core = self._core
        arrival = self._transaction.arrival
        headers = [("Contact", core.contact(self._line, arrival.flow)), ("Allow", ALLOW)]
        headers += [("Record-Route", row) for row in arrival.request.headers.all("Record-Route")]
        if self._early:
            headers.append(("Content-Type", "application/sdp"))
        status = 183 if self._early else 180
        answer = core.response(arrival, status, self._tag, headers, self._early)
        self._transaction.respond(answer, now)
        # RFC 3261 §13.3.1: every minute, so that no proxy gives up.
        core.arm(self, Alarm.RING, now + _RING_AGAIN)

    def _final(self, status: int, now: float, headers: Rows = ()) -> None:
        self._close()
        self._core.calls.pop(self.call, None)
        arrival = self._transaction.arrival
        answer = self._core.response(arrival, status, self._tag, headers)
        self._transaction.respond(answer, now)

    def _close(self) -> None:
        self.stage = Stage.OVER
        self._core.dialogs.pop(self._early_key, None)
        self._core.disarm(self, Alarm.RING, Alarm.GUARD)


def _elsewhere(headers: Headers) -> bool:
    """Whether a CANCEL says that another phone answered: SIP ;cause=200 (RFC 3326 §2)."""
    try:
        reasons = [parse_reason(value) for value in values(headers, "Reason")]
    except ParseError:
        return False
    return any(each.protocol.upper() == "SIP" and each.cause == 200 for each in reasons)
