"""An early dialog of a call we place: what one fork says before anybody answers.

    1xx, reliable ─▶ in order? ─▶ PRACK, with our answer if it brought an offer (RFC 3262 §4)
    UPDATE ─▶ the leg            199 ─▶ this fork is over (RFC 6228 §4)

Each fork has a dialog, a state of offer and answer and numbers of its own. What is heard of them
is decided by the phone.
"""

from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import content_type, shown
from firmware.sip.core import Core, Usage
from firmware.sip.invite.declining import late_offer
from firmware.sip.invite.leg import Leg, OfALeg, no_way
from firmware.sip.invite.prack import rseq_of
from firmware.sip.invite.pracking import Prack
from firmware.sip.invite.waiting import Kind
from firmware.sip.message import Response
from firmware.sip.notifications import CallProgress
from firmware.sip.transaction.keys import Arrival

Others = Callable[[Usage, Arrival, float], None]
Unfit = Callable[["Early", int, str, float], None]
"""This fork offers nothing that we can take: (fork, status, words, now)."""
TERMINATED: Final = 199
_LONG: Final = 64.0


class Early(OfALeg):
    """One fork of a call of ours that rings or speaks, but has not answered."""

    def __init__(self, core: Core, leg: Leg, others: Others, unfit: Unfit) -> None:
        self.leg = leg
        self._core = core
        self._others = others
        self._unfit = unfit
        self._next_offer = b""
        self._rseq: int | None = None
        core.dialogs[leg.dialog.key] = self

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
            self._reliable(response, now)

    def _reliable(self, response: Response, now: float) -> None:
        leg, body = self.leg, response.body
        # RFC 6141 §4.7, §4.9: as a 2xx does; one that may be lost does not.
        leg.dialog.refresh(response.headers)
        if content_type(response.headers) not in ("", "application/sdp"):
            body = b""
        if body and leg.ours is Kind.INVITE:
            leg.ours, leg.settled = None, True
            self._tell(response, body, reliable=True)
            self._offer_next(response, now)
        elif body and not leg.settled and leg.theirs is None:
            # We offered nothing: this is the far end's offer (RFC 3262 §5).
            self._tell(response, b"", reliable=True)
            self._ask(response, body, now)
        else:
            self._tell(response, b"", reliable=True)
            self._prack(response, b"", now)

    def _ask(self, response: Response, offer: bytes, now: float) -> None:
        def deliver(sdp: bytes, now: float) -> None:
            self.leg.pracking = True
            self._prack(response, sdp, now)

        def break_off(status: int, words: str, now: float) -> None:
            self._unfit(self, status, words, now)

        self.leg.ask(late_offer(offer, b"", deliver, break_off), offer, now, _LONG)

    def _offer_next(self, response: Response, now: float) -> None:
        """The answer is there: an offer that has waited for it goes, in the PRACK if need be."""
        leg = self.leg
        sdp, self._next_offer = self._next_offer, b""
        leg.pracking = True
        if sdp and not leg.peer.updates:
            leg.ours = Kind.PRACK
            self._prack(response, sdp, now)
            return
        self._prack(response, b"", now)
        if sdp:
            self.reoffer(sdp, now)

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

    def _prack(self, response: Response, sdp: bytes, now: float) -> None:
        Prack(self._core, self.leg, response, sdp).start(now)

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

    @property
    def open_to_offers(self) -> bool:
        """Whether an offer of ours may be sent now, or with the PRACK to come."""
        return self.leg.settled or self._answers_by_prack

    @property
    def _answers_by_prack(self) -> bool:
        # RFC 6337 §2.2, pattern 5: where UPDATE is not known a PRACK is the only way.
        return self.leg.ours is Kind.INVITE and not self.leg.peer.updates

    def reoffer(self, sdp: bytes, now: float) -> None:
        """Offer something else: by UPDATE (RFC 3311 §5.1), or by the next PRACK (RFC 3262 §5)."""
        if self._answers_by_prack:
            self._next_offer = sdp
        elif not self.leg.update_soon(sdp, now):
            no_way(self._core, self.call, self.leg.fork)

    def close(self, now: float) -> None:
        """This fork is over, or has become the call."""
        if self._core.dialogs.get(self.dialog.key) is self:
            self._core.leave(self.dialog.key)
        self.leg.close(now)

    def hand_over(self, *, wanted: bool) -> Leg:
        """It has answered: the leg belongs to the session now, if it is wanted."""
        if self._next_offer and wanted:
            no_way(self._core, self.call, self.leg.fork)
        return self.leg
