"""The notifier's side of one subscription in one dialog (RFC 6665 §4.2.2).

    SUBSCRIBE or REFER was accepted ─▶ Notifying ─▶ NOTIFY now, and at each change() ─▶ end()
                                           └── refreshed, run out, NOTIFY refused or unanswered

One NOTIFY at a time: what changes meanwhile is in the next one, which is composed when it leaves,
so a subscriber never gets old state after new. Not here: who may subscribe to what
(`firmware.sip.usage.notifier`).
"""

import re
from typing import Final, Protocol

from firmware.sip.bodies import Rows
from firmware.sip.core import ALLOW, Alarm, Core
from firmware.sip.dialog import Dialog
from firmware.sip.errors import ParseError
from firmware.sip.event.package import Event, Reason, Standing, SubscriptionState
from firmware.sip.exchange import Exchange
from firmware.sip.flow import Flow
from firmware.sip.headers import delta_seconds
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.methods import NOTIFY, SUBSCRIBE
from firmware.sip.notifications import FailureCause
from firmware.sip.subscribing.sharing import share
from firmware.sip.subscribing.subscribed import GONE, retry_after
from firmware.sip.transaction.server import ServerTransaction

SHORTEST: Final = 30
"""Seconds; a shorter subscription is refused with 423 (RFC 6665 §4.2.1.1)."""
LONGEST: Final = 86400
_LONGEST_INTERVAL: Final = 300.0
_RATE: Final = re.compile(r"[0-9]{1,2}(\.[0-9]{1,10})?")

Content = tuple[str, bytes]
"""Media type and body of a NOTIFY; `("", b"")` for none."""


class Source(Protocol):
    """Who knows what is notified."""

    def content(self, usage: "Notifying", now: float) -> Content:
        """The state as it is now, for a NOTIFY that leaves now."""

    def on_over(self, usage: "Notifying", now: float) -> None:
        """The subscription is over; the last call."""


class Notifying:
    """One subscription that somebody has with us.

    `interval` are the least seconds between two NOTIFYs; a subscriber may ask for more
    by `max-rate` (RFC 6446 §5.1).
    """

    takes = SUBSCRIBE

    def __init__(  # noqa: PLR0913 - what a subscription is made of
        self,
        core: Core,
        line: Line,
        dialog: Dialog,
        event: Event,
        source: Source,
        *,
        standing: Standing = Standing.ACTIVE,
        interval: float = 0.0,
        longest: int = LONGEST,
    ) -> None:
        self.line = line
        self.dialog = dialog
        self.event = event
        self.standing = standing
        self._core = core
        self._source = source
        self._ours = interval
        self._theirs = _least_interval(event)
        self._longest = longest
        self._reason: Reason | None = None
        self._retry_after: int | None = None
        self._expires_at = float("inf")
        self._sent_at = float("-inf")
        self._exchange: Exchange | None = None
        self._changed = False
        self._over = False
        self.whole = True
        """Whether the NOTIFY being composed must tell all, or only what has changed since the last:
        after a SUBSCRIBE, and where one may not have arrived."""
        self.sent = 0
        """How many NOTIFYs were written: documents count their versions by it."""
        self._shared = share(core, dialog)
        self._shared.add(self)

    @property
    def over(self) -> bool:
        """Whether it has ended, the last NOTIFY included."""
        return self._over

    def matches(self, event: Event) -> bool:
        return self.event.same(event)

    # --- intents ----------------------------------------------------------------------------

    def grant(self, seconds: int, now: float) -> None:
        """It stands for so long from now."""
        self._expires_at = now + seconds
        self._core.arm(self, Alarm.EXPIRY, self._expires_at)

    def notify(self, now: float) -> None:
        """Send the state now: after a SUBSCRIBE was accepted (RFC 6665 §4.2.1.2)."""
        if self._over:
            return
        self._changed = self.whole = True
        self._core.disarm(self, Alarm.THROTTLE)
        if self._exchange is None:
            self._send(now)

    def change(self, now: float) -> None:
        """The state has changed: send it as soon as the subscriber wants it."""
        if self._over or self.standing is Standing.TERMINATED:
            return
        self._changed = True
        if self._exchange is None:
            self._send_in_time(now)

    def allow(self, now: float) -> None:
        """Somebody has decided: a pending subscription is active."""
        if self.standing is Standing.PENDING:
            self.standing = Standing.ACTIVE
            self.notify(now)

    def end(self, now: float, reason: Reason | None, wait: int | None = None) -> None:
        """End it with a last NOTIFY; `wait` is its retry-after in seconds."""
        if self._over or self.standing is Standing.TERMINATED:
            return
        self.standing = Standing.TERMINATED
        self._reason, self._retry_after = reason, wait
        self._core.disarm(self, Alarm.EXPIRY)
        self.notify(now)

    def drop(self) -> None:
        """Forget it without a word. No `on_over`."""
        self._close()

    # --- SUBSCRIBE in the dialog ------------------------------------------------------------

    def on_request(self, transaction: ServerTransaction, event: Event, now: float) -> None:
        """A refresh, or the end (RFC 6665 §4.2.1.4)."""
        core, request = self._core, transaction.arrival.request
        if self.standing is Standing.TERMINATED:
            core.answer(transaction, 481, now)
            return
        asked = asked_expires(request, self._longest)
        if asked is None or 0 < asked < SHORTEST:
            core.answer(transaction, 400 if asked is None else 423, now, min_expires_rows(asked))
            return
        self.dialog.refresh(request.headers)
        self._theirs = _least_interval(event)
        granted = min(asked, self._longest)
        contact = core.contact(self.line, transaction.arrival.flow)
        core.answer(transaction, 200, now, [("Expires", str(granted)), ("Contact", contact)])
        if granted:
            self.grant(granted, now)
            self.notify(now)
        else:
            self.end(now, Reason.TIMEOUT)

    # --- NOTIFY -----------------------------------------------------------------------------

    def _send_in_time(self, now: float) -> None:
        soonest = self._sent_at + max(self._ours, self._theirs)
        if now < soonest:
            self._core.arm(self, Alarm.THROTTLE, soonest)
        else:
            self._send(now)

    def _send(self, now: float) -> None:
        self._changed = False
        self._sent_at = now
        dialog, line = self.dialog, self.line
        hint: Flow | None = dialog.flow
        if line.registrar_flow is not None and line.serves(dialog.next_hop.host):
            hint = line.registrar_flow
        self.sent += 1
        media_type, body = self._source.content(self, now)
        self.whole = False
        rows = self._rows(media_type, now)

        def compose(flow: Flow) -> Request:
            request = dialog.request(NOTIFY, dialog.next_number())
            request.headers.add("Contact", self._core.contact(line, flow))
            for row in rows:
                request.headers.add(*row)
            request.body = body
            return request

        self._exchange = Exchange(self._core, line, dialog.next_hop, compose, self, hint)
        self._exchange.start(now)

    def _rows(self, media_type: str, now: float) -> Rows:
        left = max(0, int(self._expires_at - now)) if self._expires_at != float("inf") else None
        ended = self.standing is Standing.TERMINATED
        # RFC 6446 §5.2: the rate we keep to is said again.
        rate = (("max-rate", f"{1.0 / self._theirs:g}"),) if self._theirs and not ended else ()
        state = SubscriptionState(
            self.standing, None if ended else left, self._reason, self._retry_after, rate
        )
        rows: list[tuple[str, str]] = [
            ("Event", str(self.event)),
            ("Subscription-State", str(state)),
            ("Allow", ALLOW),
        ]
        if media_type:
            rows.append(("Content-Type", media_type))
        return tuple(rows)

    def on_located(self, exchange: Exchange, now: float) -> None:
        if exchange is self._exchange:
            exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        if exchange is not self._exchange or response.status < 200:
            return
        self._exchange = None
        status = response.status
        wait = retry_after(response)
        if self.standing is Standing.TERMINATED and not self._changed:
            self._end(now)
        elif status < 300:
            if self._changed:
                self._next(now)
        elif status in GONE:
            self._end(now)  # RFC 6665 §4.2.2: these, and no others, end it
        else:
            self._changed = self.whole = True
            self._core.arm(self, Alarm.THROTTLE, now + max(wait or 0.0, 30.0))

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        """Nobody there any more: the subscription is removed (RFC 6665 §4.2.2)."""
        del cause, detail
        if exchange is self._exchange:
            self._exchange = None
            self._end(now)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.EXPIRY:
            self.end(now, Reason.TIMEOUT)
        elif alarm is Alarm.THROTTLE and self._changed and self._exchange is None:
            self._send(now)

    def _next(self, now: float) -> None:
        if self.standing is Standing.TERMINATED:
            self._send(now)
        else:
            self._send_in_time(now)

    def _end(self, now: float) -> None:
        if not self._over:
            self._close()
            self._source.on_over(self, now)

    def _close(self) -> None:
        self._over = True
        self.standing = Standing.TERMINATED
        self._core.disarm(self, Alarm.EXPIRY, Alarm.THROTTLE)
        if self._exchange is not None:
            self._exchange.abandon()
            self._exchange = None
        self._shared.remove(self)


def asked_expires(request: Request, usual: int) -> int | None:
    """The seconds a SUBSCRIBE asks for, `usual` if it does not say; None if it is garbage."""
    text = request.headers.get("Expires")
    if text is None:
        return usual
    try:
        return delta_seconds(text)
    except ParseError:
        return None


def min_expires_rows(asked: int | None) -> Rows:
    """The header of a 423 (RFC 3261 §20.23)."""
    return () if asked is None else (("Min-Expires", str(SHORTEST)),)


def _least_interval(event: Event) -> float:
    """Seconds between two NOTIFYs that a subscriber's max-rate asks for (RFC 6446 §5.1)."""
    text = event.param("max-rate") or ""
    if _RATE.fullmatch(text) is None or not float(text):
        return 0.0
    return min(1.0 / float(text), _LONGEST_INTERVAL)
