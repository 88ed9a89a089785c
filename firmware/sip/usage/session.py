"""A confirmed call: ACK, re-INVITE both ways, BYE (RFC 3261 §13.3.1.4, §14, §15).

A session begins with the 2xx to its INVITE, ours or theirs, and is the user of its dialog until
BYE. As callee it repeats the 2xx until the ACK arrives. All else that may come inside a dialog is
handed to `others`.
"""

from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import refusal, sdp_of, shown, warning_rows
from firmware.sip.core import ALLOW, Alarm, Core, Usage
from firmware.sip.dialog import Dialog, to_bytes
from firmware.sip.errand import Errand, say_goodbye
from firmware.sip.errors import LocalError
from firmware.sip.identity.connected import heard_from
from firmware.sip.line import Line
from firmware.sip.message import Response
from firmware.sip.methods import SUPPORTED
from firmware.sip.notifications import (
    CallConfirmed,
    CallEnded,
    CallRef,
    DialogSaved,
    FailureCause,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)
from firmware.sip.reoffer import Outcome, Reoffer
from firmware.sip.transaction.keys import Arrival
from firmware.sip.transaction.machine import Failure
from firmware.sip.transaction.server import ServerTransaction

Others = Callable[[Usage, Arrival, float], None]
_LONGEST_RETRY: Final = 10


class _Unacknowledged:
    """A 2xx of ours whose ACK has not come yet."""

    __slots__ = ("interval", "number", "offered", "transaction")

    def __init__(self, transaction: ServerTransaction, interval: float, *, offered: bool) -> None:
        self.transaction = transaction
        self.number = transaction.arrival.cseq.number
        self.interval = interval
        self.offered = offered


class Session:
    """One call that was answered."""

    def __init__(
        self,
        core: Core,
        line: Line,
        call: CallRef,
        dialog: Dialog,
        others: Others,
        *,
        caller: bool,
    ) -> None:
        self.call = call
        self.line = line
        self.dialog = dialog
        self._core = core
        self._others = others
        self._caller = caller
        self._over = False
        self._unacknowledged: _Unacknowledged | None = None
        self._their_offer: ServerTransaction | None = None
        self._our_offer: Reoffer | None = None
        self._waiting_offer: bytes | None = None

    def begin(self) -> None:
        """Take requests for the dialog, and let the phone keep a copy of it."""
        self._core.dialogs[self.dialog.key] = self
        self._save()

    # --- intents ----------------------------------------------------------------------------

    def end(self, now: float) -> None:
        """Hang up."""
        self._finish(now, by_us=True)
        # RFC 3261 §15: the callee may not send BYE before the ACK or its time-out.
        if self._unacknowledged is None:
            self._bye(now)

    def reoffer(self, sdp: bytes, now: float) -> None:
        """Offer something else; 491 at once while another offer is open (RFC 3261 §14.1)."""
        if self._their_offer is not None or self._our_offer is not None:
            self._core.notify(ReofferRejected(self.call, 491, "Request Pending"))
        elif self._unacknowledged is not None:
            self._waiting_offer = sdp
        else:
            self._offer(sdp, now)

    def answer_reoffer(self, sdp: bytes, now: float) -> None:
        """Accept the far end's re-INVITE; `sdp` is the answer, or the offer it asked for."""
        transaction = self._their_offer
        if transaction is None:
            return  # it was cancelled meanwhile
        self._their_offer = None
        self._core.disarm(self, Alarm.GUARD)
        offered = not sdp_of(transaction.arrival.request)
        self.dialog.refresh(transaction.arrival.request.headers)
        self.accept(transaction, sdp, now, offered=offered)
        self._save()

    def reject_reoffer(self, status: int, now: float, warning: str = "") -> None:
        """Refuse the far end's re-INVITE; the call goes on as it is.

        Raises:
            LocalError: the status is no failure.
        """
        if not 300 <= status <= 699:
            raise LocalError(f"{status} refuses nothing")
        transaction, self._their_offer = self._their_offer, None
        if transaction is not None:
            self._core.disarm(self, Alarm.GUARD)
            self._core.answer(transaction, status, now, warning_rows(warning))

    def accept(
        self, transaction: ServerTransaction, sdp: bytes, now: float, *, offered: bool
    ) -> None:
        """Send a 2xx to an INVITE and repeat it until it is acknowledged (RFC 3261 §13.3.1.4)."""
        core = self._core
        contact = core.contact(self.line, transaction.arrival.flow)
        headers = [("Contact", contact), ("Allow", ALLOW)]
        headers += [("Record-Route", row) for row in _routes(transaction.arrival)]
        if sdp:
            headers.append(("Content-Type", "application/sdp"))
        transaction.user = self
        answer = core.response(transaction.arrival, 200, self.dialog.local_tag, headers, sdp)
        transaction.respond(answer, now)
        t1 = core.timing.t1
        self._unacknowledged = _Unacknowledged(transaction, t1, offered=offered)
        core.arm(self, Alarm.REPEAT, now + t1)
        core.arm(self, Alarm.NO_ACK, now + core.timing.patience)

    # --- requests of the far end ------------------------------------------------------------

    def on_request(self, arrival: Arrival, now: float) -> None:
        # The far end may have a new connection, or a new mapping in its NAT.
        self.dialog.flow = arrival.flow
        if arrival.request.method == "ACK":
            self.on_ack(arrival, now)
            return
        core = self._core
        if not self.dialog.in_order(arrival.cseq.number):
            # RFC 3261 §12.2.2: out of order is 500.
            core.answer(core.transactions.open(arrival), 500, now)
            return
        if arrival.request.method in ("INVITE", "UPDATE"):
            heard_from(core, self, arrival.request, arrival.flow)
        match arrival.request.method:
            case "BYE":
                self._their_bye(arrival, now)
            case _ if self._over:
                core.answer(core.transactions.open(arrival), 481, now)
            case "INVITE":
                self._their_reinvite(arrival, now)
            case _:
                self._others(self, arrival, now)

    def on_ack(self, arrival: Arrival, now: float) -> None:
        waiting = self._unacknowledged
        if waiting is None or waiting.number != arrival.cseq.number:
            return
        self._acknowledged()
        if self._over:
            self._bye(now)
            return
        body = arrival.request.body if waiting.offered else b""
        self._core.notify(CallConfirmed(self.call, body))
        if self._waiting_offer is not None:
            sdp, self._waiting_offer = self._waiting_offer, None
            self._offer(sdp, now)

    def on_failure(self, failure: Failure, now: float) -> None:
        """A response of ours could not be sent; the ACK's time-out decides."""

    def cancelled(self, transaction: ServerTransaction, now: float) -> bool:
        """A CANCEL for a re-INVITE that waits for the phone (RFC 3261 §9.2)."""
        if transaction is not self._their_offer:
            return False
        self._their_offer = None
        self._core.disarm(self, Alarm.GUARD)
        self._core.answer(transaction, 487, now)
        return True

    def _their_bye(self, arrival: Arrival, now: float) -> None:
        core = self._core
        core.answer(core.transactions.open(arrival), 200, now)
        self._acknowledged()
        if not self._over:
            self._finish(now, by_us=False)
        core.leave(self.dialog.key)

    def _their_reinvite(self, arrival: Arrival, now: float) -> None:
        core = self._core
        transaction = core.transactions.open(arrival, self)
        if self._their_offer is not None:
            # RFC 3261 §14.2: a second one before the first is answered.
            wait = str(core.tokens.integer(_LONGEST_RETRY + 1))
            core.answer(transaction, 500, now, [("Retry-After", wait)])
            return
        waiting = self._unacknowledged
        ours = self._our_offer is not None and self._our_offer.in_flight
        if ours or (waiting is not None and waiting.offered):
            core.answer(transaction, 491, now)
            return
        refused = refusal(arrival.request, SUPPORTED)
        body = sdp_of(arrival.request)
        if refused is not None:
            core.answer(transaction, refused[0], now, refused[1])
        elif body is None:
            core.answer(transaction, 415, now, [("Accept", "application/sdp")])
        else:
            if waiting is not None:
                # Whoever goes on to a new INVITE has our 2xx; its ACK may be lost.
                self._acknowledged()
                core.notify(CallConfirmed(self.call))
            transaction.respond(core.response(arrival, 100), now)
            self._their_offer = transaction
            core.arm(self, Alarm.GUARD, now + core.timing.patience)
            core.notify(ReofferReceived(self.call, body))

    # --- timers -----------------------------------------------------------------------------

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.GUARD:
            self.reject_reoffer(500, now)  # nobody here wants to decide
            return
        waiting = self._unacknowledged
        if waiting is None:
            return
        if alarm is Alarm.REPEAT:
            waiting.transaction.repeat_success(now)
            waiting.interval = min(2 * waiting.interval, self._core.timing.t2)
            self._core.arm(self, Alarm.REPEAT, now + waiting.interval)
        elif alarm is Alarm.NO_ACK:
            # RFC 3261 §13.3.1.4: the dialog is confirmed all the same, and must be ended.
            self._acknowledged()
            if not self._over:
                self._finish(now, by_us=False, cause=FailureCause.NO_ACK)
            self._bye(now)

    # --- our own offer ----------------------------------------------------------------------

    def _offer(self, sdp: bytes, now: float) -> None:
        self._our_offer = Reoffer(
            self._core,
            self.line,
            self.dialog,
            sdp,
            self._offered,
            self._clear,
            owns_call_id=self._caller,
        )
        self._our_offer.start(now)

    def _clear(self) -> bool:
        return self._their_offer is None and self._unacknowledged is None

    def _offered(
        self, reoffer: Reoffer, outcome: Outcome, response: Response | None, now: float
    ) -> None:
        if reoffer is not self._our_offer:
            return
        self._our_offer = None
        match outcome:
            case Outcome.ACCEPTED:
                assert response is not None
                self._save()
                self._core.notify(ReofferAnswered(self.call, response.body))
            case Outcome.REJECTED:
                assert response is not None
                self._core.notify(
                    ReofferRejected(self.call, response.status, shown(response.phrase))
                )
            case Outcome.SESSION_GONE:
                self._finish(now, by_us=False, cause=FailureCause.SESSION_LOST)
                self._bye(now)

    # --- the end ----------------------------------------------------------------------------

    def _acknowledged(self) -> None:
        self._unacknowledged = None
        self._core.disarm(self, Alarm.REPEAT, Alarm.NO_ACK)

    def _finish(self, now: float, *, by_us: bool, cause: FailureCause | None = None) -> None:
        self._over = True
        self._waiting_offer = None
        self._core.disarm(self, Alarm.GUARD)
        if self._their_offer is not None:
            # RFC 3261 §15.1.2: pending requests get 487.
            self._core.answer(self._their_offer, 487, now)
            self._their_offer = None
        if self._our_offer is not None:
            self._our_offer.drop()
            self._our_offer = None
        self._core.calls.pop(self.call, None)
        self._core.notify(DialogSaved(self.call, None))
        self._core.notify(CallEnded(self.call, by_us, cause))

    def _bye(self, now: float) -> None:
        self._core.leave(self.dialog.key)
        say_goodbye(self._core, self.line, self.dialog, now)

    def _save(self) -> None:
        self._core.notify(DialogSaved(self.call, to_bytes(self.dialog, self.line.name)))


def _routes(arrival: Arrival) -> list[str]:
    # RFC 3261 §12.1.1: copied whole; a re-INVITE's are of no effect but do no harm.
    return arrival.request.headers.all("Record-Route")
