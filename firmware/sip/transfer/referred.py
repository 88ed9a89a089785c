"""A REFER of the far end: we are asked to call somebody (RFC 3515 §2.4).

    REFER ─▶ TransferAsked ──follow()──▶ 200, NOTIFY 100, INVITE ─▶ NOTIFY 180 … ─▶ NOTIFY 200
                  └────────refuse()────▶ 603                                    └─▶ NOTIFY 486 …

What the phone hears of the new call is what the referrer is told, as a status line and no more.
Ending the old call is the referrer's business (RFC 5589 §6).
"""

from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import party, shown
from firmware.sip.core import Alarm, Core
from firmware.sip.dialog import Dialog
from firmware.sip.event.package import Event, Reason
from firmware.sip.headers import NameAddr
from firmware.sip.line import Line
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallRef,
    DialAsked,
    FailureCause,
    Notification,
    Party,
    TransferAsked,
    TransferFailed,
    TransferProgress,
    TransferRef,
    TransferSucceeded,
)
from firmware.sip.status import phrase_for
from firmware.sip.subscribing.notifying import Content, Notifying
from firmware.sip.transaction.server import ServerTransaction
from firmware.sip.transfer.reference import Reference, write_fragment

_STATUS: Final = {
    FailureCause.BUSY: 486,
    FailureCause.DECLINED: 603,
    FailureCause.NOT_FOUND: 404,
    FailureCause.NAME_NOT_FOUND: 404,
    FailureCause.NO_ANSWER: 408,
    FailureCause.CANCELLED: 487,
    FailureCause.FORBIDDEN: 403,
    FailureCause.NOT_ACCEPTABLE: 488,
}
"""What a referrer is told of a call that failed without a status."""


class Referred:
    """One REFER, from its arrival to the last NOTIFY."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a REFER is made of
        self,
        core: Core,
        ref: TransferRef,
        line: Line,
        dialog: Dialog,
        transaction: ServerTransaction,
        reference: Reference,
        closed: Callable[["Referred"], None],
    ) -> None:
        self.ref = ref
        self.line = line
        self.reference = reference
        self.call: CallRef | None = None
        self._core = core
        self._dialog = dialog
        self._transaction: ServerTransaction | None = transaction
        self._number = transaction.arrival.cseq.number
        self._quiet = _wants_no_news(transaction)
        self._closed = closed
        self._notifying: Notifying | None = None
        self._status, self._phrase = 100, "Trying"

    @property
    def referrer(self) -> str:
        """The Referred-By as it was written: it is passed on unchanged (RFC 3892 §2.2)."""
        if self._transaction is None:
            return ""
        return self._transaction.arrival.request.headers.get("Referred-By") or ""

    @property
    def refer_to(self) -> str:
        """The Refer-To as it was written."""
        if self._transaction is None:
            return ""
        return self._transaction.arrival.request.headers.get("Refer-To") or ""

    def ask(self, call: CallRef | None, referrer: NameAddr | None, now: float) -> None:
        """Put it before the phone, which must decide while the far end waits; None: no call."""
        core, reference = self._core, self.reference
        core.arm(self, Alarm.GUARD, now + core.timing.patience / 2)
        target = Party(reference.name, shown(reference.target.user), shown(str(reference.target)))
        sender = party(referrer) if referrer is not None else None
        if call is None:
            core.notify(DialAsked(self.ref, self.line.name, target, sender))
            return
        taken = reference.replaces is not None
        core.notify(TransferAsked(self.ref, call, self.line.name, target, sender, taken))

    # --- the phone decides ------------------------------------------------------------------

    def refuse(self, status: int, now: float, rows: tuple[tuple[str, str], ...] = ()) -> None:
        """No call is placed."""
        transaction, self._transaction = self._transaction, None
        self._close()
        if transaction is not None:
            self._core.answer(transaction, status, now, rows)

    def accept(self, call: CallRef, now: float) -> None:
        """The call is being placed: say so, and tell from now on how it goes."""
        core, transaction = self._core, self._transaction
        if transaction is None:
            return
        self._transaction = None
        self.call = call
        core.disarm(self, Alarm.GUARD)
        arrival = transaction.arrival
        rows = [("Contact", core.contact(self.line, arrival.flow))]
        rows += [("Record-Route", row) for row in arrival.request.headers.all("Record-Route")]
        if self._quiet:
            rows.append(("Refer-Sub", "false"))  # RFC 4488 §4
        # RFC 7647 §5: 200, not 202 any more.
        transaction.respond(core.response(arrival, 200, self._dialog.local_tag, rows), now)
        if self._quiet:
            self._close()
            return
        # RFC 3515 §2.4.6: which of several REFERs in one dialog this is about.
        event = Event("refer", str(self._number))
        self._notifying = Notifying(core, self.line, self._dialog, event, self)
        # RFC 3515 §3.4: longer than the call can take to be answered.
        self._notifying.grant(int(core.settings.ring_limit + core.timing.patience), now)
        self._notifying.notify(now)

    # --- the new call -----------------------------------------------------------------------

    def follow(self, notification: Notification) -> None:
        """The new call has moved on; it is told as soon as there is a `now`."""
        match notification:
            case (
                CallProgress(status=status, phrase=phrase)
                | TransferProgress(status=status, phrase=phrase)
            ):
                self._status, self._phrase = status, phrase or phrase_for(status)
            case CallAnswered() | TransferSucceeded():
                self._status, self._phrase = 200, "OK"
            case TransferFailed(status=status, cause=cause):
                self._status = status if status >= 300 else _STATUS.get(cause, 503)
                self._phrase = phrase_for(self._status)
            case CallEnded() if self._status < 200:
                self._status, self._phrase = _final(notification)
            case _:
                return
        self._core.arm(self, Alarm.THROTTLE, 0.0)

    def content(self, usage: Notifying, now: float) -> Content:
        del usage, now
        return write_fragment(self._status, self._phrase)

    def on_over(self, usage: Notifying, now: float) -> None:
        """The referrer has all the news, or wants no more: the call goes on (RFC 3515 §2.4.4)."""
        del usage, now
        self._notifying = None
        self._close()

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.GUARD:
            self.refuse(603, now)
        elif alarm is Alarm.THROTTLE and self._notifying is not None:
            if self._status >= 200:
                # RFC 3515 §2.4.7.
                self._notifying.end(now, Reason.NORESOURCE)
            else:
                self._notifying.change(now)

    def drop(self, now: float) -> None:
        """Forget it; who still waits for an answer to the REFER gets one, and no news."""
        if self._notifying is not None:
            self._notifying.drop()
            self._notifying = None
        self.refuse(480, now)

    def _close(self) -> None:
        self._core.disarm(self, Alarm.GUARD, Alarm.THROTTLE)
        self._closed(self)


def _final(ended: CallEnded) -> tuple[int, str]:
    status = ended.status
    if status < 300:
        status = 487 if ended.by_us else _STATUS.get(ended.cause or FailureCause.OTHER, 503)
    return status, ended.phrase if ended.status >= 300 and ended.phrase else phrase_for(status)


def _wants_no_news(transaction: ServerTransaction) -> bool:
    """RFC 4488 §4: Refer-Sub: false. RFC 7614 §5: nosub is required."""
    headers = transaction.arrival.request.headers
    unwanted = (headers.get("Refer-Sub") or "").partition(";")[0].strip().lower() == "false"
    required = ",".join(headers.all("Require")).lower()
    return unwanted or "nosub" in required.replace(" ", "").split(",")
