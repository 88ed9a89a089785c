"""All transfers of a phone, asked for by us or of us: `UserAgent.transfers`.

    blind(call, target) · attended(call, other) ─▶ TransferProgress … ─▶ TransferSucceeded | Failed
    TransferAsked | DialAsked ─▶ follow(transfer, call) | refuse(transfer, status)

Nobody outside a call can make the phone dial (A19): a REFER outside dialogs is refused unless it
names a call that is up (RFC 4538), or the line's own server may ask and does (RFC 5359 §2.18).
"""

from typing import Final, Protocol

from firmware.sip.bodies import Rows, warning_rows
from firmware.sip.core import Core, Usage
from firmware.sip.dialog import Dialog, contact_of, from_arrival
from firmware.sip.errors import LocalError
from firmware.sip.flow import Flow
from firmware.sip.headers import NameAddr
from firmware.sip.invite.replaces import Replaces, naming
from firmware.sip.line import Line
from firmware.sip.methods import REFER
from firmware.sip.notifications import (
    CallAnswered,
    CallEnded,
    CallProgress,
    CallRef,
    FailureCause,
    LineName,
    Notification,
    TransferFailed,
    TransferProgress,
    TransferRef,
    TransferSucceeded,
)
from firmware.sip.transaction.server import ServerTransaction
from firmware.sip.transfer.outgoing import Attempt, Standing, Transfer, attended, blind
from firmware.sip.transfer.reference import (
    Reference,
    parse_reference,
    parse_referrer,
    parse_target_dialog,
)
from firmware.sip.transfer.referred import Referred
from firmware.sip.usage.session import Session

_NEWS: Final = (
    CallProgress,
    CallAnswered,
    CallEnded,
    TransferProgress,
    TransferSucceeded,
    TransferFailed,
)
MOST_ASKED: Final = 20
"""REFERs that wait or are being told about; more are answered 503."""


class Invite(Protocol):
    """`UserAgent.invite`."""

    def __call__(
        self,
        call: CallRef,
        line: LineName,
        target: str,
        now: float,
        *,
        headers: Rows = (),
        replaces: Replaces | None = None,
    ) -> None:
        """Place a call."""


class Transfers:
    """Every REFER that is not done with, in either direction."""

    def __init__(self, core: Core, invite: Invite) -> None:
        self._core = core
        self._invite = invite
        self._asking: dict[CallRef, Transfer] = {}
        self._asked: dict[TransferRef, Referred] = {}
        self._followed: dict[CallRef, Referred] = {}
        self._count = 0
        core.inside[REFER] = self._inside
        core.outside[REFER] = self._outside
        core.listen(self._hear, *_NEWS)

    def __len__(self) -> int:
        return len(self._asking) + len(self._asked) + len(self._followed)

    def __bool__(self) -> bool:
        return True  # also while nobody is transferred

    # --- we ask -----------------------------------------------------------------------------

    def blind(self, call: CallRef, target: str, now: float) -> None:
        """Ask the far end of `call` to call `target`, a number, user part or URI.

        Raises:
            LocalError: the call is not up or being transferred, or the target cannot be called.
        """
        standing = self._standing(call)
        uri = standing.line.target(target)
        self._begin(call, blind(standing, uri), now)

    def attended(self, call: CallRef, other: CallRef, now: float) -> None:
        """Ask the far end of `call` to take our place in the call `other`.

        Raises:
            LocalError: one of the calls is not up, or is being transferred.
        """
        if call == other:
            raise LocalError(f"call {call} cannot be transferred to itself")
        self._begin(call, attended(self._standing(call), self._standing(other)), now)

    def _begin(self, call: CallRef, attempts: list[Attempt], now: float) -> None:
        if call in self._asking:
            raise LocalError(f"call {call} is being transferred already")
        transfer = Transfer(self._core, call, attempts, self._done)
        self._asking[call] = transfer
        transfer.start(now)

    def _standing(self, call: CallRef) -> Standing:
        found = self._core.calls.get(call)
        if not isinstance(found, Session):
            raise LocalError(f"call {call} is not up")
        return Standing(found.line, found.dialog, found.leg.peer.can("tdialog"))

    def _done(self, transfer: Transfer) -> None:
        self._asking.pop(transfer.call, None)

    # --- we are asked -----------------------------------------------------------------------

    def follow(self, transfer: TransferRef, call: CallRef, now: float) -> None:
        """Place the call that was asked for, as `call`; it has ended if it is too late.

        Raises:
            LocalError: the name is not ours to give, or is taken.
        """
        referred = self._asked.get(transfer)
        if referred is None and call in self._core.calls:
            raise LocalError(f"there is a call {call} already")
        if referred is None:
            self._core.notify(CallEnded(call, by_us=False, cause=FailureCause.CANCELLED))
            return
        reference, referrer = referred.reference, referred.referrer
        headers = (("Referred-By", referrer),) if referrer else ()
        self._followed[call] = referred
        try:
            self._invite(
                call,
                referred.line.name,
                str(reference.target),
                now,
                headers=headers,
                replaces=reference.replaces,
            )
        except LocalError:
            del self._followed[call]
            referred.refuse(500, now)
            raise
        del self._asked[transfer]
        referred.accept(call, now)

    def relay(self, transfer: TransferRef, call: CallRef, now: float) -> None:
        """Pass a REFER on to the far end of another call, and its news back; for a PBX between.

        Raises:
            LocalError: that call is not up, or is being transferred.
        """
        referred = self._asked.get(transfer)
        if referred is None:
            return
        standing = self._standing(call)
        attempt = Attempt(
            *(standing.line, standing.dialog, referred.refer_to),
            referrer=referred.referrer,
            outside=standing.outside,
        )
        self._begin(call, [attempt], now)
        del self._asked[transfer]
        self._followed[call] = referred
        referred.accept(call, now)

    def far_end_of(self, call: CallRef) -> tuple[str, Replaces]:
        """Where the far end of a call is reached, and how it knows the call: to take its place.

        Raises:
            LocalError: the call is not up.
        """
        dialog = self._standing(call).dialog
        return str(dialog.remote_target), naming(dialog)

    def refuse(self, transfer: TransferRef, status: int, now: float, warning: str = "") -> None:
        """Call nobody; nothing if it is too late.

        Raises:
            LocalError: the status is no failure.
        """
        if not 300 <= status <= 699:
            raise LocalError(f"{status} refuses nothing")
        referred = self._asked.get(transfer)
        if referred is not None:
            referred.refuse(status, now, warning_rows(warning))

    def _inside(self, usage: Usage, transaction: ServerTransaction, now: float) -> None:
        self._consider(usage.call, usage.line, usage.dialog, transaction, now)

    def _outside(self, transaction: ServerTransaction, line: Line, now: float) -> None:
        """A19: only who knows a call of ours may ask (RFC 7647 §4, RFC 4538 §4)."""
        core, request = self._core, transaction.arrival.request
        key = parse_target_dialog(request.headers.get("Target-Dialog") or "")
        known = core.dialogs.get(key) if key is not None else None
        target = contact_of(request.headers)
        mine = isinstance(known, Session) and known.line is line
        if not mine and not _may_ask(line, transaction.arrival.flow):
            core.answer(transaction, 403, now)
        elif target is None:
            core.answer(transaction, 400, now)
        else:
            call = known.call if isinstance(known, Session) and mine else None
            dialog = from_arrival(transaction.arrival, core.tokens.word(80), target)
            self._consider(call, line, dialog, transaction, now)

    def _consider(
        self,
        call: CallRef | None,
        line: Line,
        dialog: Dialog,
        transaction: ServerTransaction,
        now: float,
    ) -> None:
        core, headers = self._core, transaction.arrival.request.headers
        reference = parse_reference(headers)
        referrer = parse_referrer(headers)
        if not isinstance(reference, Reference):
            core.answer(transaction, reference[0], now, reference[1])
        elif isinstance(referrer, tuple):
            core.answer(transaction, referrer[0], now, referrer[1])
        elif call is None and reference.replaces is not None:
            core.answer(transaction, 403, now)  # nobody else's call is taken by a click
        elif reference.target.user == line.contact_user:
            core.answer(transaction, 482, now)  # we would call ourselves
        elif len(self._asked) + len(self._followed) >= MOST_ASKED:
            core.answer(transaction, 503, now, [("Retry-After", "60")])
        else:
            self._ask(call, line, dialog, transaction, reference, referrer, now)

    def _ask(  # noqa: PLR0913, PLR0917 - what a REFER is made of
        self,
        call: CallRef | None,
        line: Line,
        dialog: Dialog,
        transaction: ServerTransaction,
        reference: Reference,
        referrer: NameAddr | None,
        now: float,
    ) -> None:
        self._count += 1
        ref = TransferRef(f"transfer-{self._count}")
        referred = Referred(self._core, ref, line, dialog, transaction, reference, self._forget)
        self._asked[ref] = referred
        referred.ask(call, referrer, now)

    def _forget(self, referred: Referred) -> None:
        self._asked.pop(referred.ref, None)
        if referred.call is not None:
            self._followed.pop(referred.call, None)

    def _hear(self, notification: Notification) -> None:
        if isinstance(notification, _NEWS):
            referred = self._followed.get(notification.call)
            if referred is not None:
                referred.follow(notification)

    # --- the end of a line, or of the phone -------------------------------------------------

    def line_retired(self, line: Line, now: float) -> None:
        """A line is no more: nobody is told any news in its name."""
        for referred in [*self._asked.values(), *self._followed.values()]:
            if referred.line is line:
                referred.drop(now)

    def shut_down(self, now: float) -> None:
        """The phone stops; whoever waits for news hears no more of it."""
        for transfer in list(self._asking.values()):
            transfer.drop()
        for referred in [*self._asked.values(), *self._followed.values()]:
            referred.drop(now)


def _may_ask(line: Line, flow: Flow) -> bool:
    """Whether a REFER that knows no call of ours is from the line's own server, which may ask."""
    own = line.stands_on(flow) or line.trusts_with_digest(flow)
    return own and line.account.click_to_dial
