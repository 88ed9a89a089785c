"""A call that arrives, until it is answered, refused or withdrawn (RFC 3261 §13.3).

100 goes out at once, so that the caller stops repeating; 180 or 183 when the phone rings, and for
certain if the caller wants that or our answer is in it (RFC 3262 §3). An answer makes a `Session`,
which sends the 2xx. A caller that has vanished cannot let us ring for ever: after the ring limit
the call ends by itself.
"""

import enum
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from firmware.sip.bodies import Rows, options, sdp_of, shown, warning_rows
from firmware.sip.core import ALLOW, SUPPORTS, Alarm, Core, Usage
from firmware.sip.dialog import from_arrival
from firmware.sip.errors import LocalError, ParseError
from firmware.sip.flow import Flow
from firmware.sip.headers import delta_seconds
from firmware.sip.identity.envelope import facts_of
from firmware.sip.identity.who import caller
from firmware.sip.invite.leg import Leg, OfALeg, no_way
from firmware.sip.invite.prack import OPTION, Reliable
from firmware.sip.invite.reasons import why
from firmware.sip.invite.session_timer import SessionTimer
from firmware.sip.invite.waiting import Kind
from firmware.sip.line import Line
from firmware.sip.notifications import CallEnded, CallRef, FailureCause, IncomingCall
from firmware.sip.portrait import CallPortrait, CallStage, portrait_of
from firmware.sip.transaction.keys import Arrival
from firmware.sip.transaction.machine import Failure
from firmware.sip.transaction.server import ServerTransaction
from firmware.sip.uri import Uri


class Answer(Struct, frozen=True):
    """What our 2xx brings: a description, whether that is an offer, and headers."""

    sdp: bytes
    offered: bool
    headers: Rows = ()


Accepted = Callable[[Leg, ServerTransaction, Answer, float], None]
Others = Callable[[Usage, Arrival, float], None]

_RING_AGAIN: Final = 60.0


class Stage(enum.Enum):
    """How far the call is."""

    ARRIVED = "arrived"
    RINGING = "ringing"
    OVER = "over"


class InviteServer(OfALeg):
    """One call that arrived; `target` is the caller's Contact."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a call is made of
        self,
        core: Core,
        line: Line,
        call: CallRef,
        transaction: ServerTransaction,
        target: Uri,
        accepted: Accepted,
        others: Others,
    ) -> None:
        self.stage = Stage.ARRIVED
        self._core = core
        self._transaction = transaction
        self._accepted = accepted
        self._others = others
        self._tag = core.tokens.word(80)
        self._early = b""
        self._held: bytes | None = None
        self._answer_rows: Rows = ()
        arrival = transaction.arrival
        headers = arrival.request.headers
        timer = SessionTimer(core, line.account.session_expires)
        dialog = from_arrival(arrival, self._tag, target)
        self._offered = bool(sdp_of(arrival.request))
        self.leg = leg = Leg(core, line, call, dialog, timer, caller=False)
        leg.theirs = Kind.INVITE if self._offered else None
        leg.peer.learn(headers)
        leg.reliable = Reliable(core, transaction, self._unheard)
        self._insists = OPTION in options(headers, "Require")

    def portrait(self) -> CallPortrait:
        stage = CallStage.EARLY if self.stage is Stage.RINGING else CallStage.TRYING
        return portrait_of(self.line, self.dialog, stage, caller=False)

    def begin(
        self, called_user: str, offer: bytes, now: float, replaces: CallRef | None = None
    ) -> None:
        """Say 100 to the caller and tell the phone."""
        arrival = self._transaction.arrival
        core, headers = self._core, arrival.request.headers
        self._transaction.user = self
        self._transaction.respond(core.response(arrival, 100), now)
        core.dialogs[self.dialog.key] = self
        core.arm(self, Alarm.GUARD, now + core.settings.ring_limit)
        self._limit(now)
        facts, diverted_by = facts_of(headers, arrival.sender)
        core.notify(
            IncomingCall(
                self.call,
                self.line.name,
                caller(headers, arrival.sender),
                shown(called_user),
                offer,
                arrival.flow.local.host,
                shown(headers.get("Alert-Info") or ""),
                shown(headers.get("Call-Info") or ""),
                shown(arrival.call_id),
                facts,
                diverted_by,
                replaces,
                core.shown(arrival.flow),
                ring_with_offer=self._insists and not self._offered,
                protected=arrival.flow.transport.secure,
            )
        )

    def _limit(self, now: float) -> None:
        """RFC 3261 §13.3.1: an INVITE with Expires is not worth an answer after that."""
        try:
            seconds = delta_seconds(self._transaction.arrival.request.headers.get("Expires") or "")
        except ParseError:
            return
        if seconds < self._core.settings.ring_limit:
            self._core.arm(self, Alarm.EXPIRY, now + seconds)

    # --- intents ----------------------------------------------------------------------------

    def ring(self, now: float, body: bytes = b"") -> None:
        """Say that the bell rings (180), or with `body` that early media is there (183).

        `body` is the answer to the caller's offer, or our offer if there was none.
        """
        if self.stage is Stage.OVER:
            return
        self.stage = Stage.RINGING
        self._early = body
        self._provisional(now)

    def accept(self, sdp: bytes, now: float, headers: Rows = ()) -> None:
        """Answer the call; `sdp` is the answer, or the offer if the INVITE had none.

        It is not sent if both were exchanged while it rang. `headers` go into the answer.
        """
        self._answer_rows = headers
        reliable = self.leg.reliable
        if reliable is not None and reliable.holds_answer:
            # RFC 3262 §3: no 2xx before the PRACK of what was agreed.
            self._held = sdp
            return
        self._close()
        body = b"" if self.leg.settled else sdp
        offered = not self._offered and not self.leg.settled
        if reliable is not None:
            reliable.stop()
        self._accepted(self.leg, self._transaction, Answer(body, offered, self._answer_rows), now)

    def reject(self, status: int, now: float, warning: str = "", headers: Rows = ()) -> None:
        """Refuse the call; `headers` go into the answer as they are.

        Raises:
            LocalError: the status is no failure.
        """
        if not 300 <= status <= 699:
            raise LocalError(f"{status} refuses nothing")
        self._final(status, now, (*warning_rows(warning), *headers))
        self._core.notify(CallEnded(self.call, by_us=True, status=status))

    def end(self, now: float, reason: str = "") -> None:
        """Refuse the call because the phone goes away or the person does not want it."""
        self.reject(480, now, headers=(("Reason", reason),) if reason else ())

    def reoffer(self, sdp: bytes, now: float) -> None:
        """Offer something else by UPDATE, once an answer is known to have arrived."""
        if not self.leg.update(sdp, now):
            no_way(self._core, self.call, "")

    def cancelled(self, withdrawal: Arrival, now: float) -> None:
        """The caller gave up (RFC 3261 §9.2), perhaps because somebody else answered (RFC 3326)."""
        if self.stage is Stage.OVER:
            return
        self._final(487, now)
        said = why(withdrawal.request.headers)
        ended = CallEnded(
            self.call,
            by_us=False,
            cause=FailureCause.CANCELLED,
            status=487,
            phrase=said.text,
            answered_elsewhere=said.elsewhere,
        )
        self._core.notify(ended)

    # --- what happens -----------------------------------------------------------------------

    def on_request(self, arrival: Arrival, now: float) -> None:
        """A request inside the early dialog."""
        core, method = self._core, arrival.request.method
        if method == "ACK":
            return
        self.dialog.flow = arrival.flow
        if not self.dialog.in_order(arrival.cseq.number):
            core.answer(core.transactions.open(arrival), 500, now)
        elif method == "PRACK":
            self._pracked(arrival, now)
        elif method == "BYE":
            # RFC 3261 §15: a caller may end an early dialog with it.
            core.answer(core.transactions.open(arrival), 200, now)
            self.cancelled(arrival, now)
        elif self.stage is Stage.OVER:
            core.answer(core.transactions.open(arrival), 481, now)
        elif method == "UPDATE":
            self.leg.on_update(arrival, now)
        elif method == "INVITE":
            # RFC 3261 §14.2: the first one has no final response yet.
            core.answer(core.transactions.open(arrival), 500, now, self.leg.later())
        else:
            self._others(self, arrival, now)

    def _pracked(self, arrival: Arrival, now: float) -> None:
        heard, reliable = self.leg.on_prack(arrival, now), self.leg.reliable
        if heard is None or reliable is None:
            return
        if self.stage is Stage.OVER:
            self._forget()
            return
        reliable.proceed(now)
        if self._held is not None and not reliable.holds_answer:
            sdp, self._held = self._held, None
            self.accept(sdp, now, self._answer_rows)

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
        if alarm is Alarm.NO_ACK:
            self._forget()
        elif self.stage is Stage.OVER:
            return
        elif alarm is Alarm.RING:
            self._provisional(now)
        elif alarm is Alarm.EXPIRY:
            self._give_up(487, FailureCause.CANCELLED, now)
        elif alarm is Alarm.GUARD:
            self._give_up(480, FailureCause.NO_ANSWER, now)

    def _unheard(self, now: float) -> None:
        """RFC 3262 §3: no PRACK for 64·T1, nobody is there to be answered."""
        if self.stage is not Stage.OVER:
            self._give_up(504, FailureCause.NO_ACK, now)

    def _give_up(self, status: int, cause: FailureCause, now: float) -> None:
        self._final(status, now)
        self._core.notify(CallEnded(self.call, by_us=False, cause=cause, status=status))

    # --- provisional answers ----------------------------------------------------------------

    def _provisional(self, now: float) -> None:
        # RFC 3261 §13.3.1: every minute, so that no proxy gives up.
        core, leg = self._core, self.leg
        core.arm(self, Alarm.RING, now + _RING_AGAIN)
        able = self._insists or leg.peer.can(OPTION)
        body = b"" if leg.settled or leg.ours is not None else self._early
        if not able and not self._offered:
            body = b""  # an offer of ours has to arrive for certain
        reliable = self._insists or (able and bool(body))
        if reliable and not (self._offered or body or leg.settled or leg.ours):
            return  # RFC 3262 §5: the first one must carry our offer, and there is none
        status = 183 if self._early else 180
        answer = core.response(self._transaction.arrival, status, self._tag, self._rows(body), body)
        if not reliable or leg.reliable is None:
            self._transaction.respond(answer, now)
            return
        if body:
            self._agree_early(body)
        leg.reliable.send(answer, now)

    def _agree_early(self, body: bytes) -> None:
        """Our answer is in it, or our offer, whose answer comes with the PRACK."""
        leg = self.leg
        leg.sdp = body
        if self._offered:
            leg.theirs, leg.settled = None, True
        else:
            leg.ours = Kind.RESPONSE

    def _rows(self, body: bytes) -> Rows:
        arrival = self._transaction.arrival
        rows: Rows = (("Contact", self.leg.contact(arrival)), ("Allow", ALLOW))
        rows = (*rows, ("Supported", SUPPORTS))
        routes = arrival.request.headers.all("Record-Route")
        rows = (*rows, *(("Record-Route", row) for row in routes))
        return (*rows, ("Content-Type", "application/sdp")) if body else rows

    # --- the end ----------------------------------------------------------------------------

    def _final(self, status: int, now: float, headers: Rows = ()) -> None:
        reliable = self.leg.reliable
        self._close()
        self.leg.close(now)
        if reliable is not None and reliable.pending:
            # RFC 3262 §3: a PRACK on its way still gets its answer.
            self._core.dialogs[self.dialog.key] = self
            self._core.arm(self, Alarm.NO_ACK, now + self._core.timing.patience)
        self._core.calls.pop(self.call, None)
        arrival = self._transaction.arrival
        answer = self._core.response(arrival, status, self._tag, headers)
        self._transaction.respond(answer, now)

    def _close(self) -> None:
        self.stage = Stage.OVER
        self._held = None
        self._forget()
        self._core.disarm(self, Alarm.RING, Alarm.GUARD, Alarm.EXPIRY)

    def _forget(self) -> None:
        self._core.disarm(self, Alarm.NO_ACK)
        if self._core.dialogs.get(self.dialog.key) is self:
            self._core.leave(self.dialog.key)
