"""One dialog of a call, early or confirmed: whose offer is open, and UPDATE in both directions.

At any time at most one offer is open in a dialog (RFC 3264 §4). A `Leg` knows which, refuses what
crosses it (RFC 3261 §14.2, RFC 3311 §5.2, RFC 6337 §4.3) and keeps an offer of the far end until
the phone has decided. How an answer travels (in a 2xx, an ACK, a PRACK) is known by whoever put
the offer before the phone.

    theirs:  INVITE · UPDATE · PRACK · RESPONSE ──ask()──▶ the phone ──answer() | refuse()──▶
    ours:    INVITE · UPDATE · PRACK · RESPONSE
"""

from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import Rows, options, refusal, sdp_of, shown, warning_rows
from firmware.sip.core import ALLOW, SUPPORTS, Alarm, Core
from firmware.sip.dialog import Dialog
from firmware.sip.invite.prack import Reliable
from firmware.sip.invite.reoffer import Outcome, Reoffer
from firmware.sip.invite.session_timer import SessionTimer
from firmware.sip.invite.waiting import Kind, Waiting
from firmware.sip.line import Line
from firmware.sip.message import Headers, Response
from firmware.sip.methods import SUPPORTED, UPDATE
from firmware.sip.notifications import (
    CallRef,
    ReofferAnswered,
    ReofferReceived,
    ReofferRejected,
)
from firmware.sip.transaction.keys import Arrival
from firmware.sip.transaction.server import ServerTransaction

_LONGEST_RETRY: Final = 10
_PROMPTLY: Final = 10.0
"""Seconds for a decision about an UPDATE or PRACK: its sender repeats it until then."""


class Peer:
    """What the far end of a dialog said it can."""

    __slots__ = ("_methods", "_options", "packages")

    def __init__(self) -> None:
        self.packages: frozenset[str] = frozenset()
        """The INFO packages it takes, in lower case (RFC 6086 §5.2.3)."""
        self._methods: frozenset[str] = frozenset()
        self._options: frozenset[str] = frozenset()

    @property
    def updates(self) -> bool:
        """Whether it takes UPDATE (RFC 3311 §5.1)."""
        return UPDATE in self._methods

    def can(self, option: str) -> bool:
        """Whether it understands an option tag."""
        return option in self._options

    def learn(self, headers: Headers) -> None:
        """Take what a message of it says; what it does not mention stays known."""
        if headers.get("Allow") is not None:
            self._methods = frozenset(options(headers, "Allow"))
        if headers.get("Supported") is not None:
            self._options = frozenset(options(headers, "Supported"))
        if headers.get("Recv-Info") is not None:
            named = options(headers, "Recv-Info")
            self.packages = frozenset(each.partition(";")[0].strip().lower() for each in named)

    def forget_updates(self) -> None:
        """It does not know UPDATE after all."""
        self._methods -= {UPDATE}


class Leg:
    """The dialog of a call; `fork` is the far end's tag while several may be early."""

    __slots__ = (
        "_core",
        "_over",
        "_queued",
        "_update",
        "_waiting",
        "call",
        "caller",
        "dialog",
        "fork",
        "line",
        "lost",
        "ours",
        "peer",
        "pracking",
        "reinvite",
        "reliable",
        "sdp",
        "settled",
        "theirs",
        "timer",
    )

    def __init__(
        self,
        core: Core,
        line: Line,
        call: CallRef,
        dialog: Dialog,
        timer: SessionTimer,
        *,
        caller: bool,
    ) -> None:
        self.call = call
        self.line = line
        self.dialog = dialog
        self.caller = caller
        self.fork = ""
        self.peer = Peer()
        self.timer = timer
        self.reliable: Reliable | None = None
        self.reinvite: Reoffer | None = None
        """Our re-INVITE that is on its way or waits after glare; the session's."""
        self.ours: Kind | None = None
        self.theirs: Kind | None = None
        self.settled = False
        """Whether offer and answer have been exchanged for certain, at least once."""
        self.pracking = False
        """Whether a PRACK of ours for a session description is on its way."""
        self.lost: Callable[[float], None] = _nobody
        """Called if the far end does not know the dialog any more."""
        self.sdp = b""
        """Our description, as it was last agreed on."""
        self._core = core
        self._over = False
        self._queued = b""
        self._waiting: Waiting | None = None
        self._update: Reoffer | None = None

    # --- offers of the far end --------------------------------------------------------------

    def ask(self, waiting: Waiting, body: bytes, now: float, patience: float = _PROMPTLY) -> None:
        """Put an offer (or with an empty `body` the wish for ours) before the phone."""
        self._give_way()
        self.theirs = waiting.kind
        self._waiting = waiting
        self._core.arm(self, Alarm.GUARD, now + patience)
        self._core.notify(ReofferReceived(self.call, body, self.fork))

    def _give_way(self) -> None:
        """An offer of ours that waits after glare is given up for theirs; the phone may repeat it.

        What it said may not be true any more once theirs has been answered.
        """
        for waits in (self._update, self.reinvite):
            if waits is not None and waits.offers and not waits.in_flight:
                waits.drop()
                self._update = None if waits is self._update else self._update
                self.reinvite = None if waits is self.reinvite else self.reinvite
                self.ours = None
                no_way(self._core, self.call, self.fork)

    def answer(self, sdp: bytes, now: float) -> None:
        """The phone accepts; nothing if the offer was withdrawn meanwhile."""
        waiting = self._decided()
        if waiting is not None:
            self.settled = True
            self.sdp = sdp
            waiting.answer(sdp, now)

    def refuse(self, status: int, now: float, warning: str = "") -> None:
        """The phone declines; nothing if the offer was withdrawn meanwhile."""
        waiting = self._decided()
        if waiting is not None:
            waiting.refuse(status, warning_rows(warning), now)

    def asked_in(self, transaction: ServerTransaction) -> bool:
        """Whether this request is what the phone is asked about."""
        return self._waiting is not None and self._waiting.transaction is transaction

    def withdraw(self) -> None:
        """The phone need not decide any more."""
        self._decided()

    def _decided(self) -> Waiting | None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self.theirs = None
            self._core.disarm(self, Alarm.GUARD)
        return waiting

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """Nobody here wants to decide."""
        if alarm is Alarm.GUARD and self._waiting is not None:
            # RFC 3311 §5.2: 504 where a person would have to be asked.
            self.refuse(504 if self._waiting.kind is Kind.UPDATE else 500, now)

    def glare(self) -> int | None:
        """The status for an UPDATE with an offer that crosses another one, None if it does not.

        RFC 3311 §5.2: 491 if an offer of ours is open, 500 if one of theirs is. RFC 6337 §4.3
        says the same of descriptions in responses whose PRACK or ACK is still on its way.
        """
        ours = self.offering
        if ours is Kind.RESPONSE or (self.reliable is not None and self.reliable.holds_answer):
            return 500
        if ours is not None or self.pracking or self.theirs is Kind.RESPONSE:
            return 491
        return None if self.theirs is None else 500

    # --- UPDATE of the far end --------------------------------------------------------------

    def on_update(self, arrival: Arrival, now: float) -> None:
        """An UPDATE in its order (RFC 3311 §5.2)."""
        core, request = self._core, arrival.request
        transaction = core.transactions.open(arrival)
        self.peer.learn(request.headers)
        refused = refusal(request, SUPPORTED) or self.timer.too_brief(request.headers)
        body = sdp_of(request)
        if self._waiting is not None and self._waiting.kind is Kind.UPDATE:
            core.answer(transaction, 500, now, self.later())
        elif refused is not None:
            core.answer(transaction, refused[0], now, refused[1])
        elif body is None:
            core.answer(transaction, 415, now, [("Accept", "application/sdp")])
        elif not body:
            self._say_yes(transaction, b"", now)
        elif (status := self.glare()) is not None:
            core.answer(transaction, status, now, self.later() if status == 500 else ())
        else:
            self.ask(self._waits(Kind.UPDATE, transaction), body, now)

    @property
    def over(self) -> bool:
        """Whether the dialog has ended."""
        return self._over

    def later(self) -> Rows:
        """Retry-After for whoever crossed us (RFC 3261 §14.2)."""
        return (("Retry-After", str(self._core.tokens.integer(_LONGEST_RETRY + 1))),)

    def _waits(self, kind: Kind, transaction: ServerTransaction) -> Waiting:
        def answer(sdp: bytes, now: float) -> None:
            self._say_yes(transaction, sdp, now)

        def refuse(status: int, rows: Rows, now: float) -> None:
            self._core.answer(transaction, status, now, rows)

        return Waiting(kind, transaction, answer, refuse)

    def _say_yes(self, transaction: ServerTransaction, sdp: bytes, now: float) -> None:
        """2xx to an UPDATE or PRACK; an UPDATE moves the target and refreshes the session."""
        headers = transaction.arrival.request.headers
        rows: Rows = (("Allow", ALLOW), ("Supported", SUPPORTS))
        if transaction.arrival.request.method == UPDATE:
            self.dialog.refresh_by(transaction.arrival.cseq.number, headers)
            rows = (*rows, ("Contact", self.contact(transaction.arrival)))
            rows = (*rows, *(self.timer.grant(headers, now) if self.timer.serving else ()))
        if sdp:
            rows = (*rows, ("Content-Type", "application/sdp"))
        self._core.answer(transaction, 200, now, rows, sdp)

    def contact(self, arrival: Arrival) -> str:
        """Our Contact toward the far end of this request."""
        secure = arrival.request.uri[:5].lower() == "sips:"
        own = self.dialog.local
        return self._core.contact(self.line, arrival.flow, secure=secure, own=own)

    # --- PRACK of the far end ---------------------------------------------------------------

    def on_prack(self, arrival: Arrival, now: float) -> Response | None:
        """A PRACK in its order; returns the response it acknowledges (RFC 3262 §3)."""
        core, request = self._core, arrival.request
        transaction = core.transactions.open(arrival)
        refused = refusal(request, SUPPORTED)
        body = sdp_of(request)
        if refused is not None:
            core.answer(transaction, refused[0], now, refused[1])
            return None
        if body is None:
            core.answer(transaction, 415, now, [("Accept", "application/sdp")])
            return None
        heard = self.reliable.acknowledges(request) if self.reliable is not None else None
        if heard is None:
            core.answer(transaction, 481, now)
            return None
        if self._over:
            self._say_yes(transaction, b"", now)
        elif self.ours is Kind.RESPONSE and heard.body:
            self._answered_in_prack(transaction, body, now)
        elif body and self.theirs is None and self.ours is None:
            # RFC 3262 §5: one more offer; its answer goes into the 2xx of the PRACK.
            self.settled = True
            self.ask(self._in_prack(transaction, heard), body, now)
        else:
            self._say_yes(transaction, b"", now)
        return heard

    def _in_prack(self, transaction: ServerTransaction, heard: Response) -> Waiting:
        waiting = self._waits(Kind.PRACK, transaction)

        def refuse(status: int, rows: Rows, now: float) -> None:
            # RFC 6337 §2.3: after 488 the caller may send its PRACK again, without an offer.
            if self.reliable is not None:
                self.reliable.refused = heard
            self._core.answer(transaction, status, now, rows)

        return Waiting(waiting.kind, transaction, waiting.answer, refuse)

    def _answered_in_prack(self, transaction: ServerTransaction, body: bytes, now: float) -> None:
        self.ours = None
        self.settled = True
        self._say_yes(transaction, b"", now)
        self._core.notify(ReofferAnswered(self.call, body, self.fork))

    # --- UPDATE of ours ---------------------------------------------------------------------

    @property
    def offering(self) -> Kind | None:
        """What the far end has of an offer of ours; nothing of one that waits after glare."""
        reoffer = self.reinvite or (self._update if self.ours is Kind.UPDATE else None)
        return self.ours if reoffer is None or reoffer.in_flight else None

    @property
    def idle(self) -> bool:
        """Whether an offer of ours may leave now (RFC 3311 §5.1, RFC 6337 §4.3)."""
        unheard = self.reliable is not None and self.reliable.holds_answer
        open_ = self.ours is not None or self.theirs is not None or self._update is not None
        return not (open_ or unheard or self.pracking)

    @property
    def updating(self) -> bool:
        """Whether an UPDATE of ours is on its way or waits after glare."""
        return self._update is not None

    def update(self, sdp: bytes, now: float) -> bool:
        """Send an UPDATE, with an offer or to refresh; False if it may not be sent now."""
        busy = self._update is not None or (bool(sdp) and not (self.settled and self.idle))
        if busy or not self.peer.updates:
            return False
        if sdp:
            self.ours = Kind.UPDATE
        self._update = Reoffer(
            *(self._core, self.line, self.dialog, sdp, self._updated, self._clear),
            owns_call_id=self.caller,
            method=UPDATE,
            rows=self._timer_rows,
        )
        self._update.start(now)
        return True

    def update_soon(self, sdp: bytes, now: float) -> bool:
        """As `update`; while a PRACK of ours is on its way the offer waits for its answer."""
        if not self.pracking or not self.peer.updates or self.theirs is not None:
            return self.update(sdp, now)
        self._queued = sdp
        return True

    def pracked(self, now: float) -> None:
        """The far end has our PRACK, or never will."""
        self.pracking = False
        sdp, self._queued = self._queued, b""
        if sdp and not self._over and not self.update(sdp, now):
            no_way(self._core, self.call, self.fork)

    def _clear(self) -> bool:
        return self.theirs is None

    def _timer_rows(self) -> Rows:
        return self.timer.rows() if self.timer.serving else ()

    def _updated(
        self, update: Reoffer, outcome: Outcome, response: Response | None, now: float
    ) -> None:
        if update is not self._update:
            return
        self._update = None
        offered = self.ours is Kind.UPDATE
        if offered:
            self.ours = None
        if outcome is Outcome.SESSION_GONE or response is None:
            self.lost(now)
            return
        self.peer.learn(response.headers)
        if outcome is Outcome.REJECTED:
            self._not_updated(response, now, offered=offered)
            return
        if self.timer.serving:
            self.timer.took(update.request, response, now)
        if offered:
            self.sdp = update.offers
            self._core.notify(ReofferAnswered(self.call, response.body, self.fork))

    def _not_updated(self, response: Response, now: float, *, offered: bool) -> None:
        if response.status in (405, 501):
            self.peer.forget_updates()
        if offered:
            phrase = shown(response.phrase)
            self._core.notify(ReofferRejected(self.call, response.status, phrase, self.fork))
        elif response.status == 422 and self.timer.refused(response):
            self.update(b"", now)

    # --- the end ----------------------------------------------------------------------------

    def close(self, now: float, status: int = 487) -> None:
        """The dialog is over: what waits for the phone gets `status` (RFC 3261 §15.1.2)."""
        self._over = True
        self.timer.stop()
        if self.reliable is not None:
            self.reliable.stop()
        if self._update is not None:
            self._update.drop()
            self._update = None
        waiting = self._decided()
        if waiting is not None and waiting.leave is not None:
            waiting.leave(now)
        if waiting is not None and waiting.transaction is not None:
            self._core.answer(waiting.transaction, status, now)


class OfALeg:
    """A call at some stage, known by its leg."""

    leg: Leg

    @property
    def call(self) -> CallRef:
        """What our user calls it by."""
        return self.leg.call

    @property
    def line(self) -> Line:
        """The line it came or went by."""
        return self.leg.line

    @property
    def dialog(self) -> Dialog:
        """Its dialog, early or confirmed."""
        return self.leg.dialog


def no_way(core: Core, call: CallRef, fork: str) -> None:
    """An offer of ours may not be sent now; the phone tries again later."""
    core.notify(ReofferRejected(call, 491, "Request Pending", fork))


def _nobody(now: float) -> None:
    del now
