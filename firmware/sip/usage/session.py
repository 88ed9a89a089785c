"""A confirmed call: ACK, re-INVITE both ways, refreshes, BYE (RFC 3261 §13.3.1.4, §14, §15).

A session begins with the 2xx to its INVITE, ours or theirs, and is the user of its dialog until
BYE. As callee it repeats the 2xx until the ACK arrives. Whose offer is open, and UPDATE, is the
business of its leg; all else that may come inside a dialog is handed to `others`.
"""

from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import Rows, content_type, refusal, sdp_of, shown
from firmware.sip.core import ALLOW, SUPPORTS, Alarm, Core, Usage
from firmware.sip.dialog import to_bytes
from firmware.sip.errand import say_goodbye
from firmware.sip.headers import Reason
from firmware.sip.identity.connected import heard_from
from firmware.sip.invite.declining import because, late_offer
from firmware.sip.invite.leg import Leg, OfALeg, no_way
from firmware.sip.invite.pracking import Prack
from firmware.sip.invite.reasons import Why, why
from firmware.sip.invite.reoffer import Outcome, Reoffer
from firmware.sip.invite.waiting import Kind, Waiting
from firmware.sip.message import Response
from firmware.sip.methods import SUPPORTED, SUPPORTED_WITH_ICE
from firmware.sip.notifications import (
    CallConfirmed,
    CallEnded,
    DialogSaved,
    FailureCause,
    ReofferAnswered,
    ReofferRejected,
)
from firmware.sip.portrait import CallPortrait, CallStage, portrait_of
from firmware.sip.transaction.keys import Arrival
from firmware.sip.transaction.machine import Failure
from firmware.sip.transaction.server import ServerTransaction

Others = Callable[[Usage, Arrival, float], None]
_EXPIRED: Final = str(Reason("SIP", 408, "Session timer expired"))
_UNCONFIRMED: Final = str(Reason("SIP", 408, "ACK timeout"))


class _Unacknowledged:
    """A 2xx of ours whose ACK has not come yet."""

    __slots__ = ("interval", "number", "offered", "transaction")

    def __init__(self, transaction: ServerTransaction, interval: float, *, offered: bool) -> None:
        self.transaction = transaction
        self.number = transaction.arrival.cseq.number
        self.interval = interval
        self.offered = offered


class Session(OfALeg):
    """One call that was answered."""

    def __init__(self, core: Core, leg: Leg, others: Others) -> None:
        self.leg = leg
        self._core = core
        self._others = others
        self._over = False
        self._reason = ""
        self._unacknowledged: _Unacknowledged | None = None
        self._waiting_offer: bytes | None = None

    @property
    def packages(self) -> frozenset[str]:
        """The INFO packages that the far end takes."""
        return self.leg.peer.packages

    @property
    def replaceable(self) -> bool | None:
        """Whether another call may take this one's place (RFC 3891 §3)."""
        return None if self._over else True

    def portrait(self) -> CallPortrait:
        leg = self.leg
        return portrait_of(leg.line, leg.dialog, CallStage.CONFIRMED, caller=leg.caller)

    def begin(self) -> None:
        """Take requests for the dialog, and let the phone keep a copy of it."""
        leg = self.leg
        leg.fork = ""
        leg.lost = self._lost
        leg.timer.serve(self)
        self._core.dialogs[leg.dialog.key] = self
        self._save()

    # --- intents ----------------------------------------------------------------------------

    def end(self, now: float, reason: str = "") -> None:
        """Hang up; `reason` is a Reason value for the far end."""
        self._reason = reason
        self._finish(now, by_us=True)
        # RFC 3261 §15: the callee may not send BYE before the ACK or its time-out.
        if self._unacknowledged is None:
            self._bye(now)

    def break_off(self, status: int, words: str, now: float) -> None:
        """Hang up because there is nothing that both ends can speak (RFC 6337 §2.3)."""
        if not self._over:
            self._reason = because(status, words)
            why_not = Why(words)
            cause = FailureCause.NOT_ACCEPTABLE
            self._finish(now, by_us=True, cause=cause, said=why_not, status=status)
            self._bye(now)

    def reoffer(self, sdp: bytes, now: float) -> None:
        """Offer something else; 491 at once while another offer is open (RFC 3261 §14.1)."""
        leg = self.leg
        if leg.theirs is not None or self.leg.reinvite is not None or leg.ours is Kind.UPDATE:
            no_way(self._core, self.call, "")
        elif self._unacknowledged is not None or leg.updating or leg.ours is not None:
            self._waiting_offer = sdp
            # RFC 6337 §4.3: no re-INVITE while an UPDATE of ours is on its way.
            self._core.arm(self, Alarm.GLARE, now + self._core.timing.t1)
        else:
            self._offer(sdp, now)

    def accept(
        self,
        transaction: ServerTransaction,
        sdp: bytes,
        now: float,
        *,
        offered: bool,
        headers: Rows = (),
    ) -> None:
        """Send a 2xx to an INVITE and repeat it until it is acknowledged (RFC 3261 §13.3.1.4)."""
        core, leg, arrival = self._core, self.leg, transaction.arrival
        rows: Rows = (("Contact", leg.contact(arrival)), ("Allow", ALLOW), ("Supported", SUPPORTS))
        rows = (*rows, *(("Record-Route", row) for row in _routes(arrival)))
        rows = (*rows, *leg.timer.grant(arrival.request.headers, now))
        rows = (*rows, *core.abilities(arrival.request.headers))
        rows = (*rows, *headers)
        if sdp:
            rows = (*rows, ("Content-Type", "application/sdp"))
            leg.sdp = sdp
        leg.theirs = None
        leg.ours = Kind.RESPONSE if offered else leg.ours
        leg.settled = leg.settled or not offered
        transaction.user = self
        answer = core.response(arrival, 200, self.dialog.local_tag, rows, sdp)
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
        if arrival.request.method == "BYE":
            self._their_bye(arrival, now)
        elif self._over:
            core.answer(core.transactions.open(arrival), 481, now)
        else:
            self._in_call(arrival, now)

    def _in_call(self, arrival: Arrival, now: float) -> None:
        if arrival.request.method in ("INVITE", "UPDATE"):
            heard_from(self._core, self, arrival.request, arrival.flow)
        match arrival.request.method:
            case "INVITE":
                self._their_reinvite(arrival, now)
            case "UPDATE":
                self.leg.on_update(arrival, now)
            case "PRACK":
                self.leg.on_prack(arrival, now)
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
        self._offer_what_waits(now)

    def on_failure(self, failure: Failure, now: float) -> None:
        """A response of ours could not be sent; the ACK's time-out decides."""

    def cancelled(self, transaction: ServerTransaction, now: float) -> bool:
        """A CANCEL for a re-INVITE that waits for the phone (RFC 3261 §9.2)."""
        if not self.leg.asked_in(transaction):
            return False
        self.leg.withdraw()
        self._core.answer(transaction, 487, now)
        return True

    def _their_bye(self, arrival: Arrival, now: float) -> None:
        core = self._core
        core.answer(core.transactions.open(arrival), 200, now)
        self._acknowledged()
        if not self._over:
            self._finish(now, by_us=False, said=why(arrival.request.headers))
        core.leave(self.dialog.key)

    def _their_reinvite(self, arrival: Arrival, now: float) -> None:
        core, leg, request = self._core, self.leg, arrival.request
        transaction = core.transactions.open(arrival, self)
        leg.peer.learn(request.headers)
        crossed = self._crossed()
        known = SUPPORTED_WITH_ICE if leg.line.account.ice else SUPPORTED
        refused = refusal(request, known) or leg.timer.too_brief(request.headers)
        body = sdp_of(request)
        if crossed is not None:
            core.answer(transaction, crossed, now, leg.later() if crossed == 500 else ())
        elif refused is not None:
            core.answer(transaction, refused[0], now, refused[1])
        elif body is None:
            core.answer(transaction, 415, now, [("Accept", "application/sdp")])
        else:
            if self._unacknowledged is not None:
                # RFC 5407 §3.1.4: who goes on to a new INVITE has our 2xx; its ACK may be lost.
                self._acknowledged()
                core.notify(CallConfirmed(self.call))
            transaction.respond(core.response(arrival, 100), now)
            leg.ask(self._asks(transaction), body, now, core.timing.patience)

    def _crossed(self) -> int | None:
        """The status for a re-INVITE that meets another offer (RFC 3261 §14.2, RFC 6337 §4.3)."""
        waiting, leg = self._unacknowledged, self.leg
        if leg.theirs is not None and leg.theirs is not Kind.RESPONSE:
            return 500
        # RFC 5407 §3.1.5: 491 too while our offer in a 2xx waits for its ACK.
        if leg.theirs is not None or (waiting is not None and waiting.offered):
            return 491
        # RFC 3261 §14.2: until its final answer our own re-INVITE is in progress.
        busy = leg.reinvite is not None and leg.reinvite.in_flight
        return 491 if busy or leg.offering is not None else None

    def _asks(self, transaction: ServerTransaction) -> Waiting:
        def answer(sdp: bytes, now: float) -> None:
            request = transaction.arrival.request
            number = transaction.arrival.cseq.number
            self.dialog.refresh_by(number, request.headers)
            self.accept(transaction, sdp, now, offered=not sdp_of(request))
            self._save()

        def refuse(status: int, rows: Rows, now: float) -> None:
            self._core.answer(transaction, status, now, rows)

        return Waiting(Kind.INVITE, transaction, answer, refuse)

    # --- timers -----------------------------------------------------------------------------

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.GLARE:
            self._offer_what_waits(now)
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
                self._reason = _UNCONFIRMED
                self._finish(now, by_us=False, cause=FailureCause.NO_ACK)
            self._bye(now)

    def refresh(self, now: float) -> None:
        """The session timer wants a refresh (RFC 4028 §7.4, §10)."""
        leg = self.leg
        if self._over or self.leg.reinvite is not None or self._unacknowledged is not None:
            return
        if leg.peer.updates:
            leg.update(b"", now)
        elif leg.idle:
            self._offer(leg.sdp, now)

    def expired(self, now: float) -> None:
        """Nobody refreshed the session (RFC 4028 §10); a BYE to us may have been lost (F24)."""
        self._reason = _EXPIRED
        self._lost(now)

    # --- our own offer ----------------------------------------------------------------------

    def _offer(self, sdp: bytes, now: float) -> None:
        leg = self.leg
        leg.ours = Kind.INVITE
        leg.reinvite = Reoffer(
            *(self._core, self.line, self.dialog, sdp, self._offered, self._clear),
            owns_call_id=self.leg.caller,
            rows=self.leg.timer.rows,
            heard=self._promised,
        )
        leg.reinvite.start(now)

    def _promised(self, reoffer: Reoffer, response: Response, now: float) -> None:
        """A reliable provisional response to our re-INVITE (RFC 3262 §4, RFC 6141 §3.1)."""
        leg, body = self.leg, response.body
        if content_type(response.headers) not in ("", "application/sdp"):
            body = b""
        if reoffer is not leg.reinvite or reoffer.taken or not body:
            Prack(self._core, leg, response).start(now)
            return
        reoffer.taken, leg.ours = True, None
        leg.peer.learn(response.headers)
        if not reoffer.offers:
            leg.ask(self._asked_early(response, body), body, now)
            return
        leg.sdp = reoffer.offers
        leg.pracking = True
        Prack(self._core, leg, response).start(now)
        self._core.notify(ReofferAnswered(self.call, body))

    def _asked_early(self, response: Response, offer: bytes) -> Waiting:
        def deliver(sdp: bytes, now: float) -> None:
            self.leg.pracking = True
            Prack(self._core, self.leg, response, sdp).start(now)

        return late_offer(offer, self.leg.sdp, deliver, self.break_off)

    def _offer_what_waits(self, now: float) -> None:
        if self._waiting_offer is None or self._over:
            return
        sdp, self._waiting_offer = self._waiting_offer, None
        self.reoffer(sdp, now)

    def _clear(self) -> bool:
        return self.leg.theirs is None and self._unacknowledged is None and not self.leg.updating

    def _offered(
        self, reoffer: Reoffer, outcome: Outcome, response: Response | None, now: float
    ) -> None:
        if reoffer is not self.leg.reinvite:
            return
        self.leg.reinvite = None
        self.leg.ours = None
        if outcome is Outcome.SESSION_GONE:
            self._lost(now)
        elif response is not None and outcome is Outcome.ACCEPTED:
            self._agreed(reoffer, response, now)
        elif response is not None:
            if self.leg.theirs is Kind.RESPONSE:
                self.leg.withdraw()  # an offer in a response before
            self._disagreed(reoffer, response, now)

    def _agreed(self, reoffer: Reoffer, response: Response, now: float) -> None:
        leg = self.leg
        leg.peer.learn(response.headers)
        leg.timer.took(reoffer.request, response, now)
        self._save()
        if reoffer.taken:
            return  # what was agreed before stands (RFC 6337 §3.1.1)
        if reoffer.offers:
            leg.sdp = reoffer.offers
            self._core.notify(ReofferAnswered(self.call, response.body))
        elif response.body:
            leg.ask(self._asked_back(reoffer, response.body), response.body, now)

    def _asked_back(self, reoffer: Reoffer, offer: bytes) -> Waiting:
        return late_offer(offer, self.leg.sdp, reoffer.acknowledge, self.break_off)

    def _disagreed(self, reoffer: Reoffer, response: Response, now: float) -> None:
        if response.status == 422 and not reoffer.taken and self.leg.timer.refused(response):
            self._offer(reoffer.offers, now)
            return
        phrase = shown(response.phrase)
        rejected = ReofferRejected(self.call, response.status, phrase, taken=reoffer.taken)
        self._core.notify(rejected)

    # --- the end ----------------------------------------------------------------------------

    def _acknowledged(self) -> None:
        self._unacknowledged = None
        if self.leg.ours is Kind.RESPONSE:
            self.leg.ours, self.leg.settled = None, True
        self._core.disarm(self, Alarm.REPEAT, Alarm.NO_ACK)

    def _lost(self, now: float) -> None:
        if not self._over:
            self._finish(now, by_us=False, cause=FailureCause.SESSION_LOST)
            self._bye(now)

    def _finish(
        self,
        now: float,
        *,
        by_us: bool,
        cause: FailureCause | None = None,
        said: Why | None = None,
        status: int = 0,
    ) -> None:
        self._over = True
        self._waiting_offer = None
        self._core.disarm(self, Alarm.GLARE)
        # RFC 3261 §15.1.2: pending requests get 487.
        self.leg.close(now)
        if self.leg.reinvite is not None:
            self.leg.reinvite.drop()
            self.leg.reinvite = None
        said = said or Why()
        self._core.calls.pop(self.call, None)
        self._core.notify(DialogSaved(self.call, None))
        self._core.notify(CallEnded(self.call, by_us, cause, status, said.text, said.elsewhere))

    def _bye(self, now: float) -> None:
        core = self._core
        if self.dialog.key in core.shared:
            core.leave(self.dialog.key)
        # RFC 5407 §3.2.1: until its answer the dialog is mortal: BYE gets 200, all else 481.
        say_goodbye(core, self.line, self.dialog, now, self._reason, self._gone)

    def _gone(self) -> None:
        if self._core.dialogs.get(self.dialog.key) is self:
            self._core.leave(self.dialog.key)

    def _save(self) -> None:
        self._core.notify(DialogSaved(self.call, to_bytes(self.dialog, self.line.name)))


def _routes(arrival: Arrival) -> list[str]:
    # RFC 3261 §12.1.1: copied whole; a re-INVITE's are of no effect but do no harm.
    return arrival.request.headers.all("Record-Route")
