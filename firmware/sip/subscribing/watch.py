"""One subscription that is to stand for good: first SUBSCRIBE, forks, and when to try again.

    TRYING ──NOTIFY──▶ PENDING, ACTIVE ──over──▶ WAITING ──retry──▶ TRYING …
      └──refused, silent──▶ WAITING                └── rejected, noresource, invariant ──▶ ENDED

It is never given up but for a final word of the notifier, and never storms: every wait grows and
has jitter. What goes on inside one dialog is `firmware.sip.subscribing.subscribed`; who wants which
subscription is `firmware.sip.usage.subscription`.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from firmware.sip.bodies import Rows, shown
from firmware.sip.causes import cause_of
from firmware.sip.core import ALLOW, Alarm, Core
from firmware.sip.dialog import Dialog
from firmware.sip.event.package import (
    AT_ONCE,
    FINAL,
    BodyError,
    Document,
    Event,
    GapError,
    Package,
    Reader,
    Standing,
    kind_of,
)
from firmware.sip.exchange import Exchange
from firmware.sip.line import Line
from firmware.sip.message import Response
from firmware.sip.methods import SUBSCRIBE
from firmware.sip.notifications import (
    EventReceived,
    FailureCause,
    SubscriptionChanged,
    SubscriptionRef,
)
from firmware.sip.notifications import SubscriptionProgress as Progress
from firmware.sip.outgoing import OutOfDialog
from firmware.sip.subscribing.opening import Opening
from firmware.sip.subscribing.subscribed import (
    GOOD,
    LONGEST,
    Ending,
    Notice,
    Subscribed,
    Terms,
    Verdict,
    expires_of,
    min_expires,
    retry_after,
)
from firmware.sip.uri import Uri

# First wait and longest wait in seconds.
_FAST: Final = (4.0, 300.0)
_MIDDLE: Final = (30.0, 900.0)
_SLOW: Final = (120.0, 3600.0)
# 489, 405, 501, 420: the server must be another one first.
_NEVER_HEARD_OF_IT: Final = (3600.0, 86400.0)
_BY_STATUS: Final = dict.fromkeys((405, 406, 415, 420, 489, 501), _NEVER_HEARD_OF_IT)
_BY_CAUSE: Final = {
    FailureCause.WRONG_PASSWORD: _SLOW,
    FailureCause.FORBIDDEN: _SLOW,
    FailureCause.NOT_FOUND: _SLOW,
    FailureCause.DECLINED: _SLOW,
    FailureCause.NO_ANSWER: _FAST,
    FailureCause.REFUSED: _FAST,
    FailureCause.NO_NETWORK: _FAST,
    FailureCause.NAME_NOT_FOUND: _FAST,
}
_STOOD: Final = 60.0
_BETWEEN_GAPS: Final = 5.0
_HASTE: Final = 2.0


class Wish(Struct, frozen=True):
    """What is to be watched; `once` fetches the state and ends (RFC 6665 §4.4.3)."""

    ref: SubscriptionRef
    package: Package
    target: Uri
    event: Event
    accept: tuple[str, ...]
    expires: int
    once: bool = False
    headers: Rows = ()

    @property
    def rows(self) -> Rows:
        """The headers of every SUBSCRIBE."""
        return (("Accept", ", ".join(self.accept)), *self.headers)


class Subscription:
    """One wish and what stands of it."""

    def __init__(
        self, core: Core, line: Line, wish: Wish, gone: Callable[["Subscription"], None]
    ) -> None:
        self.line = line
        self.wish = wish
        self.progress: Progress | None = None
        self._core = core
        self._gone = gone
        self._legs: dict[Subscribed, Reader] = {}
        self._wanted = True
        self._opening: Opening | None = None
        self._exchange: Exchange | None = None
        self._letter: OutOfDialog | None = None
        self._expires = wish.expires
        self._granted_until: float | None = None
        self._failures = 0
        self._since: float | None = None
        self._gap_at = float("-inf")

    # --- intents ----------------------------------------------------------------------------

    def start(self, now: float) -> None:
        """Send the first SUBSCRIBE, of an unrelated dialog (RFC 6665 §4.1.2.1)."""
        core, wish = self._core, self.wish
        self._close_opening()
        core.disarm(self, Alarm.REFRESH)
        self._tell(Progress.TRYING)
        self._since = self._granted_until = None
        self._letter = OutOfDialog(core, self.line, SUBSCRIBE, wish.target)
        self._opening = Opening(core, self._letter.call_id, self._letter.tag, self._make)
        self._write()
        self._exchange = self._letter.exchange(self)
        self._exchange.start(now)

    def refresh(self, now: float) -> None:
        """Ask for the whole state, over the way the line has now; a waiting one tries again."""
        if not self._wanted:
            return
        if self._legs:
            for leg in list(self._legs):
                leg.refresh(now)
        elif self._exchange is None and self._opening is None:
            self._failures = 0
            self.start(now)

    def end(self, now: float) -> None:
        """Nobody wants it any more (RFC 6665 §4.1.2.3)."""
        if not self._wanted:
            return
        self._finish(None)
        for leg in list(self._legs):
            leg.leave(now)
        if self._exchange is not None and not self._exchange.sent:
            self._exchange.abandon()
            self._exchange = None
            self._close_opening()

    # --- the first SUBSCRIBE ----------------------------------------------------------------

    def on_located(self, exchange: Exchange, now: float) -> None:
        if exchange is not self._exchange or self._opening is None:
            return
        self._opening.open()
        # Timer N (RFC 6665 §4.1.2.4).
        self._core.arm(self, Alarm.GUARD, now + self._core.timing.patience)
        exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        if exchange is not self._exchange or response.status < 200:
            return
        if response.status == 423 and self._lengthen(response):
            exchange.go(now)
            return
        self._exchange = None
        if response.status < 300:
            self._granted(min(expires_of(response, self._expires), self._expires), now)
        elif self._since is None:
            self._close_opening()
            ending = Ending(None, retry_after(response), response.status, response.phrase)
            self._over(ending, cause_of(response.status), now)

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        if exchange is not self._exchange:
            return
        self._exchange = None
        if self._since is None:
            self._close_opening()
            self._over(Ending(phrase=detail, silent=True), cause, now)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.REFRESH and self._wanted:
            self.start(now)
        elif alarm is Alarm.GUARD:
            waited = not self._legs and self._since is None
            self._close_opening()
            if waited:
                if self._exchange is not None:
                    self._exchange.abandon()
                    self._exchange = None
                ending = Ending(phrase="no notification", silent=True)
                self._over(ending, FailureCause.NO_ANSWER, now)

    def _write(self) -> None:
        wish = self.wish
        expires = ("Expires", str(self._expires))
        rows = (("Event", str(wish.event)), expires, *wish.rows, ("Allow", ALLOW))
        rows = (*rows, *self._core.allow_events_rows)
        if self._letter is not None:
            self._letter.headers = rows

    def _lengthen(self, response: Response) -> bool:
        least = min_expires(response)
        if least is None or self.wish.once or not self._expires < least <= LONGEST:
            return False
        self._expires = least
        self._write()
        return True

    def _granted(self, seconds: int, now: float) -> None:
        """RFC 6665 §4.1.3: a NOTIFY's own expires is the authority; this is for those without."""
        self._granted_until = now + seconds
        for leg in self._legs:
            if leg.expires_at == float("inf") and not self.wish.once:
                leg.granted(seconds, now)

    def _make(self, dialog: Dialog, event: Event, now: float) -> Subscribed | None:
        """A notifier shows itself by its first NOTIFY."""
        wish = self.wish
        if not wish.event.same(event) or self._letter is None:
            return None
        dialog.local_cseq = self._letter.cseq
        if self._since is not None and not wish.package.forks:
            return None  # RFC 6665 §5.4.9: one is enough, the others get 481
        terms = Terms(wish.event, self._expires, wish.rows, refreshes=not wish.once)
        leg = Subscribed(self._core, self.line, dialog, terms, self)
        self._legs[leg] = wish.package.reader()
        self._since = now
        if self._granted_until is not None and not wish.once:
            leg.granted(max(0, int(self._granted_until - now)), now)
        return leg

    def _close_opening(self) -> None:
        self._core.disarm(self, Alarm.GUARD)
        if self._opening is not None:
            self._opening.close()
            self._opening = None

    # --- what stands ------------------------------------------------------------------------

    def on_notified(self, usage: Subscribed, notice: Notice, now: float) -> Verdict:
        if not self._wanted:
            usage.leave(now)
            return GOOD
        verdict = self._read(usage, notice, now)
        standing = notice.state.standing
        if standing is not Standing.TERMINATED:
            self._tell(Progress.ACTIVE if standing is Standing.ACTIVE else Progress.PENDING)
        return verdict

    def _read(self, usage: Subscribed, notice: Notice, now: float) -> Verdict:
        wish = self.wish
        if not notice.body:
            return GOOD
        kind = notice.content_type or wish.accept[0]
        if kind_of(kind) not in wish.accept:
            return 415, (("Accept", ", ".join(wish.accept)),)
        try:
            document = self._legs[usage].read(kind, notice.body)
        except BodyError:
            return 400, ()
        except GapError as gap:
            self._tell_state(gap.document)
            if now - self._gap_at >= _BETWEEN_GAPS:
                self._gap_at = now
                usage.refresh(now)
            return GOOD
        self._tell_state(document)
        if document.over:
            self.end(now)
        return GOOD

    def _tell_state(self, document: Document | None) -> None:
        if document is not None:
            wish = self.wish
            name = wish.package.name
            self._core.notify(EventReceived(wish.ref, self.line.name, name, document))

    def on_over(self, usage: Subscribed, ending: Ending, now: float) -> None:
        self._legs.pop(usage, None)
        if self._legs:
            return
        if self._since is not None and now - self._since >= _STOOD:
            self._failures = 0
        cause = cause_of(ending.status) if ending.status else None
        if ending.silent:
            cause = FailureCause.NO_ANSWER
        self._over(ending, cause, now)

    def _over(self, ending: Ending, cause: FailureCause | None, now: float) -> None:
        if not self._wanted:
            return
        if ending.reason in FINAL or self.wish.once:
            self._close_opening()
            self._finish(ending, cause)
            return
        wait = self._wait(ending, cause)
        self._failures += 1
        self._core.arm(self, Alarm.REFRESH, now + wait)
        self._tell(Progress.WAITING, ending, cause, retry_in=wait)

    def _wait(self, ending: Ending, cause: FailureCause | None) -> float:
        """Seconds until the next try."""
        fraction = self._core.tokens.fraction()
        at_once = ending.reason in AT_ONCE or ending.status == 481
        if at_once and not self._failures:
            return _HASTE * fraction  # RFC 6665 §4.1.3: immediately, but not all phones at once
        first, longest = _MIDDLE
        if at_once:
            first, longest = _FAST
        elif cause is not None:
            first, longest = _BY_STATUS.get(ending.status) or _BY_CAUSE.get(cause, _MIDDLE)
        wait = min(longest, first * 2.0 ** min(self._failures, 16)) * (1.0 + 0.25 * fraction)
        return wait if at_once else max(wait, ending.retry_after or 0.0)

    def _finish(self, ending: Ending | None, cause: FailureCause | None = None) -> None:
        self._wanted = False
        self._core.disarm(self, Alarm.REFRESH)
        self._tell(Progress.ENDED, ending, cause)
        self._gone(self)

    def _tell(
        self,
        progress: Progress,
        ending: Ending | None = None,
        cause: FailureCause | None = None,
        *,
        retry_in: float = 0.0,
    ) -> None:
        if self.progress is Progress.ENDED:
            return  # nothing is said after that
        before, self.progress = self.progress, progress
        if before is progress and progress not in (Progress.WAITING, Progress.ENDED):
            return
        ending = ending or Ending()
        reason = ending.reason.value if ending.reason else ""
        self._core.notify(
            SubscriptionChanged(
                self.wish.ref,
                self.line.name,
                self.wish.package.name,
                progress,
                cause,
                ending.status,
                reason or shown(ending.phrase),
                retry_in,
            )
        )
