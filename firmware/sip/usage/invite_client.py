"""A call we place, until somebody answers or nobody will (RFC 3261 §13.2).

    LOCATING ──way found──▶ OFFERING ──offer()──▶ CALLING ──1xx──▶ CALLING ──2xx──▶ a Session
        │  ▲                                         │ end(): CANCEL ──▶ OVER
        │  └───── 3xx: the next address ─────────────┤
        └──────────── end(): nothing was sent        └ 422: once more, with a longer interval

Each fork that rings or speaks is an `Early` dialog of its own; the first that answers is the call.
What comes after the phone has lost interest is still dealt with: a 2xx that crosses the CANCEL and
the 2xx of further forks are acknowledged and ended with BYE, repeated ones acknowledged again.
"""

import enum
from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import party, shown
from firmware.sip.causes import cause_of
from firmware.sip.core import Alarm, Core
from firmware.sip.dialog import tag_of
from firmware.sip.errand import say_goodbye
from firmware.sip.errors import LocalError, ParseError
from firmware.sip.exchange import Exchange, Parcel
from firmware.sip.flow import Flow
from firmware.sip.headers import NameAddr, parse_name_addr
from firmware.sip.identity.connected import answered_by
from firmware.sip.invite.declining import BreaksOff, because, late_offer
from firmware.sip.invite.early import Others
from firmware.sip.invite.forks import MOST_FORKS, Forks
from firmware.sip.invite.invitation import Invitation, Wishes
from firmware.sip.invite.leg import Leg, no_way
from firmware.sip.invite.reasons import ELSEWHERE, retry_after
from firmware.sip.invite.redirection import Redirection
from firmware.sip.invite.reoffer import ack_parcel
from firmware.sip.invite.session_timer import SessionTimer
from firmware.sip.invite.waiting import Kind
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallRedirected,
    CallRef,
    CallTrying,
    FailureCause,
    OfferWanted,
    Party,
    RedirectBarred,
)
from firmware.sip.portrait import CallPortrait, CallStage, portrait_of
from firmware.sip.uri import Uri

Established = Callable[[Leg, float], BreaksOff]

# After these the registrar may have forgotten us (F17).
_SUSPICIOUS: Final = frozenset({403, 404, 408, 480, 503})


class Stage(enum.Enum):
    """How far the call is."""

    LOCATING = "locating"
    OFFERING = "offering"
    CALLING = "calling"
    ANSWERED = "answered"
    OVER = "over"


class InviteClient:
    """One call we place."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a call is made of
        self,
        core: Core,
        line: Line,
        call: CallRef,
        target: Uri,
        established: Established,
        others: Others,
        wishes: Wishes,
    ) -> None:
        self.call = call
        self.stage = Stage.LOCATING
        self._core = core
        self._line = line
        self._established = established
        self._emergency = wishes.emergency
        self._invitation = Invitation(core, line, target, wishes)
        self._sdp: bytes | None = None
        self._sdp_local = ""
        self._parcels: dict[str, Parcel] = {}
        self._forks = Forks(core, line, call, others, self._alone)
        self._cancel_wanted: str | None = None
        self._timer = SessionTimer(core, line.account.session_expires)
        self._redirection = Redirection(line, target, core.knows, emergency=wishes.emergency)
        self._refusal: Response | None = None
        self._exchange = self._new_exchange()

    def __len__(self) -> int:
        """How many forks are alive."""
        return len(self._forks)

    def __bool__(self) -> bool:
        return True

    def portrait(self) -> CallPortrait:
        fork = next(iter(self._forks), None)
        if fork is not None:
            return portrait_of(self._line, fork.leg.dialog, CallStage.EARLY, caller=True)
        asked = self._invitation
        remote, tag = party(NameAddr("", asked.target)), tag_of(asked.sender)
        return CallPortrait(self._line, CallStage.TRYING, True, asked.call_id, tag, remote)  # noqa: FBT003 - we placed it

    # --- intents ----------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Find the way."""
        self._exchange.start(now)

    def offer(self, sdp: bytes, now: float) -> None:
        """Our session description for `OfferWanted`; empty: the far end shall offer.

        Raises:
            LocalError: nobody asked for it.
        """
        if self.stage is not Stage.OFFERING:
            raise LocalError(f"call {self.call} wants no offer now")
        self._sdp = self._forks.offer = sdp
        self._send(now)

    def reoffer(self, sdp: bytes, now: float) -> None:
        """Offer something else to every fork that takes it."""
        if not self._forks.reoffer(sdp, now):
            no_way(self._core, self.call, "")

    def leg(self, fork: str) -> Leg | None:
        """The dialog with one fork; with an empty name the only one."""
        return self._forks.leg(fork)

    def end(self, now: float, reason: str = "") -> None:
        """Give up the call; whatever the far end still says, it is over."""
        self._give_up(now, reason, FailureCause.CANCELLED)

    def _give_up(
        self, now: float, reason: str, cause: FailureCause, status: int = 0, phrase: str = ""
    ) -> None:
        sent = self._exchange.sent
        self._over(now, by_us=True, cause=cause, status=status, phrase=phrase)
        self._exchange.abandon()
        if sent:
            self._cancel(now, reason)

    # --- the exchange -----------------------------------------------------------------------

    def on_located(self, exchange: Exchange, now: float) -> None:
        assert exchange.flow is not None
        if self.stage is Stage.OVER:
            return
        local = exchange.flow.local.host
        if self._sdp is not None and local == self._sdp_local:
            self._send(now)
            return
        self.stage = Stage.OFFERING
        self._sdp_local = local
        self._core.arm(self, Alarm.GUARD, now + self._core.timing.patience)
        self._core.notify(
            OfferWanted(
                self.call,
                local,
                self._invitation.call_id,
                self._core.shown(exchange.flow),
                exchange.flow.transport.secure,
            )
        )

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        if 200 <= response.status < 300:
            self._answered(exchange, response, now)
        elif exchange is not self._exchange:
            pass  # what an address still says that we have moved on from
        elif response.status < 200:
            self._progress(exchange, response, now)
        else:
            self._refused(response, now)

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        if exchange is not self._exchange:
            return
        self._core.suspect(self._line, now)
        if self.stage is not Stage.OVER and self._go_on(now):
            return
        self._over(now, cause=cause, phrase=detail)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is not Alarm.GUARD:
            return
        if self.stage is Stage.OVER:
            # RFC 3261 §9.1: no final response 64·T1 after CANCEL ends the transaction.
            self._exchange.kill()
        elif self.stage is Stage.OFFERING:
            self._over(now, cause=FailureCause.OTHER, phrase="nothing was offered")
        elif self.stage is Stage.CALLING:
            self._over(now, cause=FailureCause.NO_ANSWER, phrase="no answer")
            self._cancel(now)

    # --- provisional answers ----------------------------------------------------------------

    def _send(self, now: float) -> None:
        self.stage = Stage.CALLING
        self._core.disarm(self, Alarm.GUARD)
        self._exchange.go(now)

    def _progress(self, exchange: Exchange, response: Response, now: float) -> None:
        if self._cancel_wanted is not None:
            self._cancel(now, self._cancel_wanted)
        if self.stage is not Stage.CALLING:
            return
        self._core.arm(self, Alarm.GUARD, now + self._core.settings.ring_limit)
        if response.status == 100:
            self._core.notify(CallTrying(self.call))
            return
        self._forks.hear(exchange, response, now)
        answered_by(self._core, self.call, self._line, exchange.flow, response)

    def _alone(self, status: int, words: str, now: float) -> None:
        """The only one who rings offers what the phone refuses."""
        if self.stage is Stage.CALLING:
            cause = FailureCause.NOT_ACCEPTABLE
            self._give_up(now, because(status, words), cause, status, words)

    # --- the answer -------------------------------------------------------------------------

    def _answered(self, exchange: Exchange, response: Response, now: float) -> None:
        fork = tag_of(response.headers.get("To") or "")
        parcel = self._parcels.get(fork)
        if parcel is not None:
            parcel.send(now)  # repeated: our ACK was lost
            return
        if len(self._parcels) >= MOST_FORKS or exchange.flow is None:
            return
        wanted = self.stage is Stage.CALLING and self._forks.wants(fork)
        leg = self._forks.take(fork, exchange, response, now, wanted=wanted)
        parcel = ack_parcel(self._core, leg.dialog, exchange.request)
        self._parcels[fork] = parcel
        if not wanted:
            # Another fork was first, or the CANCEL came too late (RFC 3261 §13.2.2.4, §9.1).
            parcel.send(now)
            reason = ELSEWHERE if self.stage is Stage.ANSWERED else ""
            say_goodbye(self._core, self._line, leg.dialog, now, reason)
            return
        self.stage = Stage.ANSWERED
        self._core.disarm(self, Alarm.GUARD)
        self._forks.close(now)
        leg.timer.took(exchange.request, response, now)
        self._take_up(leg, parcel, response, now)
        answered_by(self._core, self.call, self._line, exchange.flow, response)

    def _take_up(self, leg: Leg, parcel: Parcel, response: Response, now: float) -> None:
        body, offer = response.body, b""
        if leg.ours is Kind.INVITE:
            leg.ours, leg.settled = None, True
        elif leg.settled or leg.theirs is not None:
            body = b""  # what was agreed before stands (RFC 3261 §13.2.1)
        else:
            body, offer = b"", body
        fork, leg.fork = leg.fork, ""
        if offer:
            parcel.wait()
        parcel.send(now)
        session = self._established(leg, now)
        self._core.notify(CallAnswered(self.call, fork, body, _remote(response)))
        if offer:
            self._ask(leg, parcel, session, offer, now)

    @staticmethod
    def _ask(leg: Leg, parcel: Parcel, session: BreaksOff, offer: bytes, now: float) -> None:
        """The 2xx brought the offer; our answer goes into the ACK (RFC 3261 §13.2.2.4)."""

        def deliver(sdp: bytes, now: float) -> None:
            parcel.fill(sdp)
            parcel.send(now)

        leg.ask(late_offer(offer, b"", deliver, session.break_off), offer, now)

    # --- refusals ---------------------------------------------------------------------------

    def _refused(self, response: Response, now: float) -> None:
        status = response.status
        if status in _SUSPICIOUS:
            self._core.suspect(self._line, now)
        if self.stage is Stage.CALLING and status == 422 and self._timer.refused(response):
            # RFC 4028 §7.3: the same call, with the interval that is wanted there.
            self._forks.close(now)
            self._exchange.go(now)
            return
        if self.stage is Stage.CALLING and self._redirects(response) and self._go_on(now):
            return
        last = response if self._refusal is None or not 300 <= status < 400 else self._refusal
        self._over(
            now,
            cause=cause_of(last.status),
            status=last.status,
            phrase=shown(last.phrase),
            retry_after=retry_after(last.headers),
        )

    def _redirects(self, response: Response) -> bool:
        """Take a redirection, or note what one of its addresses said; False after 6xx."""
        follows = self._line.account.redirects or self._emergency
        if follows and response.status < 400:
            for uri, why in self._redirection.learn(response):
                barred = RedirectBarred(self.call, party(NameAddr("", uri)), why)
                self._core.notify(barred)
        elif response.status >= 400:
            self._refusal = response
        # RFC 3261 §8.1.3.4: a global failure ends the search.
        return response.status < 600

    def _go_on(self, now: float) -> bool:
        """Try the next address of a redirection."""
        step = self._redirection.next()
        if step is None:
            return False
        self._forks.close(now)
        self._core.disarm(self, Alarm.GUARD)
        self.stage = Stage.LOCATING
        self._invitation.go_on(step)
        address = party(NameAddr("", step.uri))
        self._core.notify(CallRedirected(self.call, address, 305 if step.proxy else 302))
        self._exchange = self._new_exchange()
        self._exchange.start(now)
        return True

    def _new_exchange(self) -> Exchange:
        asked = self._invitation
        return Exchange(
            *(self._core, self._line, asked.way.hop, self._compose, self, asked.way.hint),
            detours=asked.detours,
        )

    def _compose(self, flow: Flow) -> Request:
        return self._invitation.compose(flow, self._sdp or b"", self._timer.rows())

    # --- the end ----------------------------------------------------------------------------

    def _cancel(self, now: float, reason: str = "") -> None:
        """RFC 3261 §9.1: CANCEL only after a provisional response; the 200 may still win."""
        if not self._exchange.progressed:
            self._cancel_wanted = reason
            return
        self._cancel_wanted = None
        self._exchange.cancel(now, reason)
        self._core.arm(self, Alarm.GUARD, now + self._core.timing.patience)

    def _over(
        self,
        now: float,
        *,
        by_us: bool = False,
        cause: FailureCause | None = None,
        status: int = 0,
        phrase: str = "",
        retry_after: int = 0,
    ) -> None:
        self._core.disarm(self, Alarm.GUARD)
        self._cancel_wanted = None
        self._forks.close(now)
        if self.stage in (Stage.OVER, Stage.ANSWERED):
            return
        self.stage = Stage.OVER
        self._core.calls.pop(self.call, None)
        self._core.notify(
            CallEnded(self.call, by_us, cause, status, phrase, retry_after=retry_after)
        )


def _remote(response: Response) -> Party:
    try:
        return party(parse_name_addr(response.headers.get("To") or ""))
    except ParseError:
        return Party("", "", "")
