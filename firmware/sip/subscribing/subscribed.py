"""The subscriber's side of one subscription in one dialog (RFC 6665 §4.1).

    Opening ──first NOTIFY──▶ Subscribed ──refresh, refresh …──▶ leave() ──▶ final NOTIFY ──▶ over
    (SUBSCRIBE or REFER       (its dialog is                         └── nothing in 64·T1 ──▶ over
     outside a dialog)         made by the NOTIFY)

In a dialog that exists (REFER in a call) make a `Subscribed` before the request leaves, and call
`expect`; the NOTIFYs find it by their Event. For a request outside dialogs there is
`sip.subscribing.opening`. What comes after the end (subscribe again, when) is the owner's business:
`firmware.sip.usage.subscription` for subscriptions that are to stand for good, the transfer for
its own.
"""

from typing import Final, Protocol

from msgspec import Struct

from firmware.sip.bodies import Rows
from firmware.sip.core import ALLOW, Alarm, Core
from firmware.sip.dialog import Dialog
from firmware.sip.errors import ParseError
from firmware.sip.event.package import (
    Event,
    Reason,
    Standing,
    SubscriptionState,
    parse_subscription_state,
)
from firmware.sip.exchange import Exchange
from firmware.sip.flow import Flow
from firmware.sip.headers import delta_seconds, parse_retry_after
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.methods import NOTIFY, SUBSCRIBE
from firmware.sip.notifications import FailureCause
from firmware.sip.subscribing.sharing import share
from firmware.sip.transaction.server import ServerTransaction

GONE: Final = frozenset({404, 405, 410, 416, *range(480, 486), 489, 501, 604})
"""A SUBSCRIBE or NOTIFY answered so ends its subscription (RFC 6665 §4.1.2.2, §4.2.2)."""
LONGEST: Final = 7 * 86400
"""Seconds; a longer subscription is refreshed as if it were this long."""
_GRACE: Final = 2.0
_SHORTEST_WAIT: Final = 5.0
_LONGEST_RETRY_AFTER: Final = 86400.0


class Notice(Struct, frozen=True):
    """One NOTIFY: the state of the subscription, and the body with its Content-Type."""

    state: SubscriptionState
    content_type: str
    body: bytes
    request: Request


class Ending(Struct, frozen=True):
    """Why a subscription is over.

    `reason` and `retry_after` are the notifier's words; `status` is the answer to a refresh;
    `silent` is True if nothing came when something should have.
    """

    reason: Reason | None = None
    retry_after: float | None = None
    status: int = 0
    phrase: str = ""
    silent: bool = False


Verdict = tuple[int, Rows]
"""Status and headers of the answer to a NOTIFY."""
GOOD: Final[Verdict] = (200, ())


class SubscribedUser(Protocol):
    """Who wants to know."""

    def on_notified(self, usage: "Subscribed", notice: Notice, now: float) -> Verdict:
        """A NOTIFY; what it shall be answered. A terminated state is followed by `on_over`."""

    def on_over(self, usage: "Subscribed", ending: Ending, now: float) -> None:
        """The subscription is over and its usage gone; the last call."""


class Terms(Struct, frozen=True):
    """What our SUBSCRIBEs in a dialog say.

    `expires` are the seconds asked for. With `refreshes` False the subscription is let run out (a
    REFER's). `loose` takes a NOTIFY whose Event has no id for one that has, as the first REFER of a
    dialog may be notified (RFC 3515 §2.4.6).
    """

    event: Event
    expires: int
    headers: Rows = ()
    refreshes: bool = True
    loose: bool = False


class Subscribed:
    """One subscription of ours in one dialog."""

    takes = NOTIFY

    def __init__(
        self, core: Core, line: Line, dialog: Dialog, terms: Terms, user: SubscribedUser
    ) -> None:
        self.line = line
        self.dialog = dialog
        self.standing: Standing | None = None
        self._core = core
        self._terms = terms
        self._user = user
        self._asked = self._usual = terms.expires
        self._exchange: Exchange | None = None
        self._again = False
        self._leaving = False
        self._over = False
        self._failures = 0
        self._expires_at = float("inf")
        self._refresh_at = float("inf")
        self._shared = share(core, dialog)
        self._shared.add(self)

    @property
    def expires_at(self) -> float:
        """When it runs out unless it is refreshed; infinite if the notifier did not say."""
        return self._expires_at

    def matches(self, event: Event) -> bool:
        ours = self._terms.event
        loose = self._terms.loose and event.id is None and event.package == ours.package
        return loose or ours.same(event)

    # --- intents ----------------------------------------------------------------------------

    def expect(self, now: float) -> None:
        """What starts or refreshes the subscription has left: timer N (RFC 6665 §4.1.2.4)."""
        self._core.arm(self, Alarm.GUARD, now + self._core.timing.patience)

    def refresh(self, now: float) -> None:
        """Ask for the whole state and more time, now."""
        if self._over:
            return
        if self._exchange is not None:
            self._again = True
            return
        self._send(self._usual, now)

    def granted(self, seconds: int, now: float) -> None:
        """The subscription stands for so long from now (a 2xx, or a NOTIFY's expires)."""
        seconds = min(seconds, LONGEST)
        self._expires_at = now + seconds
        # The notifier's last word is on its way at that moment.
        self._core.arm(self, Alarm.EXPIRY, self._expires_at + _GRACE)
        if self._terms.refreshes and not self._leaving:
            fraction = self._core.tokens.fraction()
            wait = seconds * (0.75 + 0.1 * fraction) if seconds > 40 else seconds * 0.5
            wait = max(wait, _SHORTEST_WAIT)  # a notifier that grants nothing is no reason to storm
            # A NOTIFY does not put off the next try of a refresh that failed.
            at = min(now + wait, self._refresh_at) if self._failures else now + wait
            self._arm_refresh(at)

    def leave(self, now: float) -> None:
        """End the subscription (RFC 6665 §4.1.2.3); `on_over` follows."""
        if self._over or self._leaving:
            return
        self._leaving = True
        self._core.disarm(self, Alarm.REFRESH)
        if self._exchange is None:
            self._send(0, now)
        else:
            self._again = True

    def drop(self) -> None:
        """Forget it without a word: the dialog or its line is gone. No `on_over`."""
        self._close()

    # --- the dialog -------------------------------------------------------------------------

    def on_request(self, transaction: ServerTransaction, event: Event, now: float) -> None:
        del event
        request = transaction.arrival.request
        try:
            # RFC 6665 §4.1.3 wants the header; what older servers leave out means active.
            state = parse_subscription_state(request.headers.get("Subscription-State") or "active")
        except ParseError:
            self._core.answer(transaction, 400, now)
            return
        # A NOTIFY is a target refresh request (RFC 6665 §3.2).
        self.dialog.refresh(request.headers)
        self.standing = state.standing
        kind = request.headers.get("Content-Type") or ""
        notice = Notice(state, kind, request.body, request)
        status, headers = self._user.on_notified(self, notice, now)
        self._core.answer(transaction, status, now, headers)
        if self._over:
            return  # the user has dropped it
        self._core.disarm(self, Alarm.GUARD)
        if state.standing is Standing.TERMINATED:
            after = None if state.retry_after is None else float(state.retry_after)
            self._end(Ending(state.reason, after), now)
        elif state.expires is not None:
            self.granted(state.expires, now)

    # --- refreshing -------------------------------------------------------------------------

    def _send(self, expires: int, now: float) -> None:
        self._again = False
        self._asked = expires
        dialog, line = self.dialog, self.line
        hint: Flow | None = dialog.flow
        if line.registrar_flow is not None and line.serves(dialog.next_hop.host):
            hint = line.registrar_flow  # it may be another since the dialog was made
        hop = dialog.next_hop
        self._exchange = Exchange(self._core, line, hop, self._compose, self, hint)
        self._exchange.start(now)

    def _compose(self, flow: Flow) -> Request:
        dialog, terms, core = self.dialog, self._terms, self._core
        dialog.flow = flow
        request = dialog.request(SUBSCRIBE, dialog.next_number())
        for row in (
            ("Event", str(terms.event)),
            ("Expires", str(self._asked)),
            ("Contact", core.contact(self.line, flow)),
            ("Allow", ALLOW),
            *terms.headers,
        ):
            request.headers.add(*row)
        return request

    def on_located(self, exchange: Exchange, now: float) -> None:
        if exchange is self._exchange:
            self.expect(now)
            exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        if exchange is not self._exchange or response.status < 200:
            return
        if response.status == 423 and self._lengthen(response):
            exchange.go(now)
            return
        self._exchange = None
        status = response.status
        if status < 300:
            self._accepted(response, now)
        elif status in GONE or self._leaving:
            self._end(Ending(None, retry_after(response), status, response.phrase), now)
        else:
            # RFC 6665 §4.1.2.2: it goes on to its known end; until then try again.
            self._core.disarm(self, Alarm.GUARD)
            self._try_again(retry_after(response), now)
        self._follow_up(now)

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        del cause
        if exchange is self._exchange:
            self._exchange = None
            self._end(Ending(phrase=detail, silent=True), now)

    def _accepted(self, response: Response, now: float) -> None:
        self._failures = 0
        # RFC 5839 §7.1 (204): nothing has changed, no NOTIFY will come.
        if response.status == 204:
            self._core.disarm(self, Alarm.GUARD)
        if self._leaving:
            if response.status == 204:
                self._end(Ending(Reason.TIMEOUT), now)
            return
        # A 2xx without Expires grants what was asked for.
        granted = min(expires_of(response, self._asked), self._asked)
        if granted > 0:
            self.granted(granted, now)

    def _follow_up(self, now: float) -> None:
        if self._again and not self._over and self._exchange is None:
            self._send(0 if self._leaving else self._usual, now)

    def _lengthen(self, response: Response) -> bool:
        least = min_expires(response)
        if least is None or not self._asked < least <= LONGEST or self._leaving:
            return False
        self._asked = self._usual = least
        return True

    def _try_again(self, after: float | None, now: float) -> None:
        self._failures += 1
        wait = min(10.0 * 2 ** min(self._failures, 6), 600.0)
        wait = max(after or 0.0, wait * (1.0 + 0.25 * self._core.tokens.fraction()))
        if now + wait < self._expires_at:
            self._arm_refresh(now + wait)

    def _arm_refresh(self, at: float) -> None:
        self._refresh_at = at
        self._core.arm(self, Alarm.REFRESH, at)

    # --- timers and the end -----------------------------------------------------------------

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.REFRESH:
            self.refresh(now)
        elif alarm is Alarm.GUARD:
            # Timer N: no NOTIFY came (RFC 6665 §4.1.2.2, §4.1.2.4).
            self._end(Ending(phrase="no notification", silent=True), now)
        elif alarm is Alarm.EXPIRY:
            self._end(Ending(Reason.TIMEOUT), now)

    def _end(self, ending: Ending, now: float) -> None:
        if self._over:
            return
        self._close()
        self._user.on_over(self, ending, now)

    def _close(self) -> None:
        self._over = True
        self._again = False
        self._core.disarm(self, Alarm.REFRESH, Alarm.GUARD, Alarm.EXPIRY)
        if self._exchange is not None:
            self._exchange.abandon()
            self._exchange = None
        self._shared.remove(self)


# --- what answers say -----------------------------------------------------------------------------


def expires_of(response: Response, asked: int) -> int:
    """The seconds a 2xx grants; what was asked for if it does not say."""
    try:
        return delta_seconds(response.headers.get("Expires") or "")
    except ParseError:
        return asked


def min_expires(response: Response) -> int | None:
    """The least seconds of a 423 (RFC 3261 §20.23); None if it does not say."""
    try:
        return delta_seconds(response.headers.get("Min-Expires") or "")
    except ParseError:
        return None


def retry_after(response: Response) -> float | None:
    """The seconds of a Retry-After, a day at most; None if there is none."""
    try:
        seconds = parse_retry_after(response.headers.get("Retry-After") or "")
    except ParseError:
        return None
    return min(float(seconds), _LONGEST_RETRY_AFTER)
