"""An early dialog of a call we place: what one fork says before anybody answers.

    1xx, reliable ─▶ in order? ─▶ PRACK, with our answer if it brought an offer (RFC 3262 §4)
    UPDATE ─▶ the leg            199 ─▶ this fork is over (RFC 6228 §4)

Each fork has a dialog, a state of offer and answer and numbers of its own. What is heard of them
is decided by the phone.
"""

from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import Rows, content_type, shown
from firmware.sip.core import Core, Usage
from firmware.sip.dialog import Dialog
from firmware.sip.errand import Errand
from firmware.sip.exchange import Exchange
from firmware.sip.invite.leg import Kind, Leg, Waiting, no_way
from firmware.sip.invite.prack import rseq_of
from firmware.sip.line import Line
from firmware.sip.message import Response
from firmware.sip.notifications import CallProgress, CallRef, FailureCause
from firmware.sip.transaction.keys import Arrival

Others = Callable[[Usage, Arrival, float], None]
TERMINATED: Final = 199
_LONG: Final = 64.0


class Prack(Errand):
    """The PRACK to one response; `done` once the far end has it."""

    def __init__(self, core: Core, leg: Leg, headers: Rows, body: bytes) -> None:
        super().__init__(core, leg.line, leg.dialog, "PRACK", headers, body)
        self._leg = leg

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        del exchange
        if response.status >= 200:
            self._leg.pracked(now)

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        del exchange, cause, detail
        self._leg.pracked(now)


class Early:
    """One fork of a call of ours that rings or speaks, but has not answered."""

    def __init__(self, core: Core, leg: Leg, others: Others) -> None:
        self.leg = leg
        self._core = core
        self._others = others
        self._rseq: int | None = None
        core.dialogs[leg.dialog.key] = self

    @property
    def call(self) -> CallRef:
        return self.leg.call

    @property
    def line(self) -> Line:
        return self.leg.line

    @property
    def dialog(self) -> Dialog:
        return self.leg.dialog

    @property
    def replaceable(self) -> bool | None:
        """An early dialog that we began may be replaced (RFC 3891 §3)."""
        return False

    def on_provisional(self, response: Response, now: float) -> None:
        """Take a 1xx of this fork, and tell the phone."""
        number = rseq_of(response)
        if number is not None and not self._next(number):
            return
        leg = self.leg
        leg.peer.learn(response.headers)
        if number is None:
            # RFC 6337 §3.1.1: what it brings is only a look ahead at the answer.
            preview = not leg.settled and leg.ours is Kind.INVITE
            self._tell(response, response.body if preview else b"", reliable=False)
        else:
            self._reliable(number, response, now)

    def _reliable(self, number: int, response: Response, now: float) -> None:
        leg, body = self.leg, response.body
        if content_type(response.headers) not in ("", "application/sdp"):
            body = b""
        if body and leg.ours is Kind.INVITE:
            leg.ours, leg.settled = None, True
            self._tell(response, body, reliable=True)
            leg.pracking = True
            self._prack(number, response, b"", now)
        elif body and not leg.settled and leg.theirs is None:
            # We offered nothing: this is the far end's offer (RFC 3262 §5).
            self._tell(response, b"", reliable=True)
            leg.ask(self._waits(number, response), body, now, _LONG)
        else:
            self._tell(response, b"", reliable=True)
            self._prack(number, response, b"", now)

    def _waits(self, number: int, response: Response) -> Waiting:
        def answer(sdp: bytes, now: float) -> None:
            self.leg.pracking = True
            self._prack(number, response, sdp, now)

        def refuse(status: int, rows: Rows, now: float) -> None:
            del status, rows
            # RFC 6337 §2.3: there is no way to refuse it here; the phone ends the call.
            self._prack(number, response, b"", now)

        return Waiting(Kind.RESPONSE, None, answer, refuse)

    def _next(self, number: int) -> bool:
        """Whether this is the next one; others are repeated or too early (RFC 3262 §4)."""
        if self._rseq is not None and number != self._rseq + 1:
            return False
        self._rseq = number
        return True

    def _tell(self, response: Response, body: bytes, *, reliable: bool) -> None:
        phrase = shown(response.phrase)
        progress = CallProgress(
            self.call, response.status, phrase, self.leg.fork, body, reliable and bool(body)
        )
        self._core.notify(progress)

    def _prack(self, number: int, response: Response, sdp: bytes, now: float) -> None:
        cseq = response.headers.get("CSeq") or ""
        headers: Rows = (("RAck", f"{number} {' '.join(cseq.split())}"),)
        if sdp:
            headers = (*headers, ("Content-Type", "application/sdp"))
        Prack(self._core, self.leg, headers, sdp).start(now)

    # --- requests of the far end ------------------------------------------------------------

    def on_request(self, arrival: Arrival, now: float) -> None:
        core, method = self._core, arrival.request.method
        if method == "ACK":
            return
        self.dialog.flow = arrival.flow
        if not self.dialog.in_order(arrival.cseq.number):
            core.answer(core.transactions.open(arrival), 500, now)
        elif method == "UPDATE":
            self.leg.on_update(arrival, now)
        elif method == "BYE":
            # RFC 3261 §15: a callee may not; whoever does it has ended this dialog all the same.
            core.answer(core.transactions.open(arrival), 200, now)
        elif method in ("INVITE", "PRACK"):
            # RFC 3261 §14.2: our INVITE is still in progress.
            core.answer(core.transactions.open(arrival), 491 if method == "INVITE" else 481, now)
        else:
            self._others(self, arrival, now)

    # --- intents ----------------------------------------------------------------------------

    def reoffer(self, sdp: bytes, now: float) -> None:
        """Offer something else by UPDATE (RFC 3311 §5.1), once the PRACK has arrived."""
        if not self.leg.update_soon(sdp, now):
            no_way(self._core, self.call, self.leg.fork)

    def close(self, now: float) -> None:
        """This fork is over, or has become the call."""
        if self._core.dialogs.get(self.dialog.key) is self:
            self._core.leave(self.dialog.key)
        self.leg.close(now)

    def hand_over(self) -> Leg:
        """It has answered: the leg belongs to the session now."""
        return self.leg
