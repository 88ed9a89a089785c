"""One REFER of ours about a call, and the subscription it makes (RFC 3515).

    REFER ──2xx──▶ ACCEPTED ──NOTIFY 1xx──▶ PROGRESS … ──NOTIFY 2xx…6xx──▶ SUCCEEDED | FAILED
      └─ 3xx…6xx, no answer ──▶ FAILED (refused)

It goes in the dialog of the call, or outside of it to the GRUU of a far end that tells calls apart
by Target-Dialog (RFC 7647 §4, RFC 4538). A NOTIFY may come before the answer to the REFER. What
happens afterwards (BYE, another try) is not decided here. A peer that ends its notifications
without a result has taken the transfer on: that counts as success, because there is nothing more to
wait for.
"""

import enum
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import Struct

from firmware.sip.causes import cause_of
from firmware.sip.core import ALLOW, SUPPORTS, Alarm, Core
from firmware.sip.dialog import Dialog
from firmware.sip.event.package import Event, Reason, Standing
from firmware.sip.exchange import Exchange
from firmware.sip.flow import Flow
from firmware.sip.headers import param_text
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.methods import REFER
from firmware.sip.notifications import FailureCause
from firmware.sip.outgoing import OutOfDialog, Rows
from firmware.sip.subscribing.opening import Opening
from firmware.sip.subscribing.subscribed import GOOD, Ending, Notice, Subscribed, Terms, Verdict
from firmware.sip.transfer.reference import read_fragment

LONGEST: Final = 300
"""Seconds without any news after which a transfer has failed."""


class Outcome(enum.Enum):
    """What is known of a REFER."""

    ACCEPTED = "accepted"
    PROGRESS = "progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class News(Struct, frozen=True):
    """Something was learned; `refused` tells that the REFER itself failed, not the new call."""

    outcome: Outcome
    status: int = 0
    phrase: str = ""
    cause: FailureCause | None = None
    refused: bool = False


Report = Callable[[News, float], None]


class Referring:
    """One REFER, until its outcome is known.

    `reference` are the Refer-To and the Referred-By, which is empty for the line's own name. With
    `outside` it goes to the far end's Contact, which must be a GRUU, as a request of its own.
    """

    def __init__(
        self,
        core: Core,
        line: Line,
        dialog: Dialog,
        reference: tuple[str, str],
        report: Report,
        *,
        outside: bool = False,
    ) -> None:
        self._core = core
        self._line = line
        self._dialog = dialog
        self._refer_to, self._referrer = reference
        self._report = report
        self._subscribed: Subscribed | None = None
        self._heard = False
        self._over = False
        self._opening: Opening | None = None
        self._exchange: Exchange | None
        if outside:
            letter = OutOfDialog(
                core, line, REFER, dialog.remote_target, headers=(*self._rows(), *_proof(dialog))
            )
            self._opening = Opening(core, letter.call_id, letter.tag, partial(self._made, letter))
            self._exchange = letter.exchange(self)
        else:
            way = dialog.next_hop
            self._exchange = Exchange(core, line, way, self._compose, self, dialog.flow)

    def start(self, now: float) -> None:
        """Send it."""
        if self._opening is not None:
            self._opening.open()
        if self._exchange is not None:
            self._exchange.start(now)

    def drop(self) -> None:
        """Nobody wants to know any more."""
        self._over = True
        self._core.disarm(self, Alarm.GUARD)
        if self._opening is not None:
            self._opening.close()
        if self._exchange is not None:
            self._exchange.abandon()
            self._exchange = None
        if self._subscribed is not None:
            self._subscribed.drop()
            self._subscribed = None

    # --- REFER ------------------------------------------------------------------------------

    def _compose(self, flow: Flow) -> Request:
        core, line = self._core, self._line
        number = self._dialog.next_number()
        request = self._dialog.request(REFER, number)
        for row in (("Contact", core.contact(line, flow)), *self._rows()):
            request.headers.add(*row)
        self._expect(number)
        return request

    def _rows(self) -> Rows:
        return (
            ("Refer-To", self._refer_to),
            # RFC 3892 §2.1: who asks for it; the far end passes it on to the target.
            ("Referred-By", self._referrer or str(self._line.identity)),
            ("Allow", ALLOW),
            ("Supported", SUPPORTS),
        )

    def _made(
        self, letter: OutOfDialog, dialog: Dialog, event: Event, now: float
    ) -> Subscribed | None:
        """The first NOTIFY about a REFER outside dialogs makes one; a GRUU leads to one phone."""
        del now
        if event.package != "refer" or self._subscribed is not None or self._over:
            return None
        dialog.local_cseq = letter.cseq
        named = Event("refer", event.id or str(letter.cseq))
        self._subscribed = self._watch(dialog, named)
        return self._subscribed

    def _watch(self, dialog: Dialog, event: Event) -> Subscribed:
        terms = Terms(event, LONGEST, refreshes=False, loose=True)
        return Subscribed(self._core, self._line, dialog, terms, self)

    def _expect(self, number: int) -> None:
        """Be ready for NOTIFYs before the REFER has its answer (RFC 3515 §2.4.4).

        RFC 3515 §2.4.6: they carry the CSeq of the REFER as id, those to the first may not.
        """
        if self._subscribed is not None:
            self._subscribed.drop()  # this REFER goes out once more, with credentials
        self._subscribed = self._watch(self._dialog, Event("refer", str(number)))

    def on_located(self, exchange: Exchange, now: float) -> None:
        if exchange is self._exchange:
            exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        if exchange is not self._exchange or response.status < 200:
            return
        self._exchange = None
        status = response.status
        if status >= 300:
            cause = cause_of(status)
            self._decide(News(Outcome.FAILED, status, response.phrase, cause, refused=True), now)
        elif (response.headers.get("Refer-Sub") or "").strip().lower() == "false":
            # RFC 4488 §4: it calls, and will not tell how that goes.
            self._decide(News(Outcome.SUCCEEDED), now)
        elif not self._heard:
            # RFC 7647 §5: 200 and 202 are alike.
            longest = self._core.timing.patience if self._subscribed is None else LONGEST
            self._core.arm(self, Alarm.GUARD, now + longest)
            if self._subscribed is not None:
                self._subscribed.expect(now)
            self._report(News(Outcome.ACCEPTED, 100), now)

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        if exchange is self._exchange:
            self._exchange = None
            self._decide(News(Outcome.FAILED, 0, detail, cause, refused=True), now)

    # --- the subscription -------------------------------------------------------------------

    def on_notified(self, usage: Subscribed, notice: Notice, now: float) -> Verdict:
        if usage is not self._subscribed or self._over:
            return GOOD
        self._heard = True
        self._core.arm(self, Alarm.GUARD, now + LONGEST)
        found = read_fragment(notice.body)
        status, phrase = (found.status, found.phrase) if found else (0, "")
        if 200 <= status < 300:
            self._decide(News(Outcome.SUCCEEDED, status, phrase), now)
        elif status >= 300:
            self._decide(News(Outcome.FAILED, status, phrase, cause_of(status)), now)
        elif notice.state.standing is Standing.TERMINATED:
            self._decide(_without_result(notice.state.reason), now)
        else:
            outcome = Outcome.PROGRESS if status > 100 else Outcome.ACCEPTED
            self._report(News(outcome, status or 100, phrase), now)
        return GOOD

    def on_over(self, usage: Subscribed, ending: Ending, now: float) -> None:
        if usage is self._subscribed and not self._over:
            self._subscribed = None
            self._decide(News(Outcome.FAILED, 0, ending.phrase, FailureCause.NO_ANSWER), now)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.GUARD and not self._over:
            self._decide(News(Outcome.FAILED, 0, "no news", FailureCause.NO_ANSWER), now)

    def _decide(self, news: News, now: float) -> None:
        if not self._over:
            self.drop()
            self._report(news, now)


def _proof(dialog: Dialog) -> Rows:
    """That we know the call, in the far end's view of its tags (RFC 4538 §3)."""
    local, remote = param_text(dialog.remote_tag), param_text(dialog.local_tag)
    return (
        ("Require", "tdialog"),
        ("Target-Dialog", f"{dialog.call_id};local-tag={local};remote-tag={remote}"),
    )


def _without_result(reason: Reason | None) -> News:
    """The last NOTIFY tells no result (RFC 3515 §2.4.4 lets a peer keep no state at all)."""
    if reason in (None, Reason.NORESOURCE):
        return News(Outcome.SUCCEEDED)
    cause = FailureCause.DECLINED if reason is Reason.REJECTED else FailureCause.NO_ANSWER
    return News(Outcome.FAILED, 0, reason.value, cause)
