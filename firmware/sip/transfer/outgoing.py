"""A transfer that we ask for: which REFERs are tried, one after the other (RFC 5589).

A blind transfer is one REFER. For an attended one the new call must reach the very device we talk
with, by its Contact or by its address of record, and no rule says which of them leads there; so the
other is tried when the first does not, and a target that knows no Replaces is simply called by the
transferred party (RFC 5589 §7.5 leaves that open). A far end that knows no REFER at all is called
instead of sent: the target is asked to replace our call with it (RFC 5589 §7.4). A REFER that does
not reach the far end's GRUU (RFC 7647 §4) goes once more inside the call.
"""

import enum
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from firmware.base.values import replace
from firmware.sip.bodies import shown
from firmware.sip.core import Alarm, Core
from firmware.sip.dialog import Dialog
from firmware.sip.errors import ParseError
from firmware.sip.headers import parse_name_addr
from firmware.sip.line import Line
from firmware.sip.notifications import (
    CallRef,
    FailureCause,
    TransferFailed,
    TransferProgress,
    TransferSucceeded,
)
from firmware.sip.transfer.reference import refer_to
from firmware.sip.transfer.referring import News, Outcome, Referring
from firmware.sip.uri import Uri

_UNKNOWN: Final = frozenset({405, 501})
"""A REFER answered so was not understood (RFC 5589 §7.4)."""
_NO_REPLACES: Final = 420
_ELSEWHERE: Final = frozenset({403, 404, 408, 410, 416, 420, 480, 481, 484, 485, 502, 503, 604})
"""The new call did not reach the device that has the call to be replaced (RFC 5589 §7.5)."""


_NOT_THERE: Final = frozenset({0, 404, 408, 410, 416, 420, 480, 482, 483, 502, 503, 504})
"""A REFER outside the call that was answered so never reached its far end; 403 is its own word."""


class Turn(enum.Enum):
    """When a REFER is tried."""

    FIRST = "at once"
    ANOTHER_NAME = "the new call did not find the target"
    OTHER_WAY_ROUND = "the far end knows no REFER"
    UNATTENDED = "the target knows no Replaces"


class Attempt(Struct, frozen=True):
    """One REFER: in which dialog, to whom, and when."""

    line: Line
    dialog: Dialog
    refer_to: str
    turn: Turn = Turn.FIRST
    referrer: str = ""
    """A Referred-By that is passed on; empty for our own."""
    outside: bool = False
    """To the far end's GRUU, as a request of its own (RFC 7647 §4)."""


class Standing(Struct, frozen=True):
    """A call of ours that is up: what a transfer needs of it."""

    line: Line
    dialog: Dialog
    proves: bool = False
    """Whether the far end tells calls apart by Target-Dialog (RFC 4538)."""

    @property
    def outside(self) -> bool:
        """Whether a REFER must not go inside the call (RFC 7647 §4) and need not (RFC 4538 §3)."""
        return self.proves and self.dialog.remote_target.has("gr")


def blind(call: Standing, target: Uri) -> list[Attempt]:
    """To somebody we do not talk with."""
    return [Attempt(call.line, call.dialog, refer_to(target), outside=call.outside)]


def attended(call: Standing, other: Standing) -> list[Attempt]:
    """To somebody we talk with in another call."""
    first, *more = _replacing(call, other, Turn.FIRST)
    again = [replace(each, turn=Turn.ANOTHER_NAME) for each in more]
    name, _ = _names(other.dialog)[0]
    alone = replace(first, refer_to=refer_to(name), turn=Turn.UNATTENDED)
    return [first, *again, *_replacing(other, call, Turn.OTHER_WAY_ROUND), alone]


def _replacing(who: Standing, whom: Standing, turn: Turn) -> list[Attempt]:
    return [
        Attempt(
            *(who.line, who.dialog, refer_to(uri, whom.dialog, require=not exact), turn),
            outside=who.outside,
        )
        for uri, exact in _names(whom.dialog)
    ]


def _names(dialog: Dialog) -> list[tuple[Uri, bool]]:
    """The URIs of the far end, the better first, and whether each is surely the one device.

    RFC 5589 §7.3, §7.5: its Contact if that is known to be routable from everywhere (a GRUU), else
    its address of record, and then the Contact as the last hope.
    """
    contact = dialog.remote_target
    try:
        record = parse_name_addr(dialog.remote).uri
    except ParseError:
        return [(contact, True)]
    if not record.is_sip or not record.user or record.host.lower().endswith(".invalid"):
        return [(contact, True)]
    if contact.has("gr"):
        return [(contact, True), (record, False)]
    return [(record, False), (contact, True)]


class Transfer:
    """One transfer, until its outcome is told; `closed` is called then."""

    def __init__(
        self,
        core: Core,
        call: CallRef,
        attempts: list[Attempt],
        closed: Callable[["Transfer"], None],
    ) -> None:
        self.call = call
        self._core = core
        self._attempts = attempts
        self._closed = closed
        self._referring: Referring | None = None
        self._tried: Attempt | None = None
        self._next: Attempt | None = None

    def start(self, now: float) -> None:
        """Send the first REFER."""
        self._refer(self._attempts.pop(0), now)

    def drop(self) -> None:
        """Forget it without a word."""
        self._core.disarm(self, Alarm.REPEAT)
        if self._referring is not None:
            self._referring.drop()
        self._closed(self)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """The next REFER may leave."""
        attempt, self._next = self._next, None
        if alarm is Alarm.REPEAT and attempt is not None:
            self._refer(attempt, now)

    def _refer(self, attempt: Attempt, now: float) -> None:
        self._tried = attempt
        self._referring = Referring(
            self._core,
            attempt.line,
            attempt.dialog,
            (attempt.refer_to, attempt.referrer),
            self._heard,
            outside=attempt.outside,
        )
        self._referring.start(now)

    def _heard(self, news: News, now: float) -> None:
        core, call = self._core, self.call
        match news.outcome:
            case Outcome.ACCEPTED | Outcome.PROGRESS:
                core.notify(TransferProgress(call, news.status, shown(news.phrase)))
            case Outcome.SUCCEEDED:
                self._closed(self)
                core.notify(TransferSucceeded(call))
            case Outcome.FAILED:
                following = self._following(news)
                if following is not None:
                    # The NOTIFY that told so is answered before the next REFER leaves.
                    self._next = following
                    core.arm(self, Alarm.REPEAT, now)
                    return
                self._closed(self)
                cause = news.cause or FailureCause.OTHER
                phrase = shown(news.phrase)
                core.notify(TransferFailed(call, cause, news.status, phrase, not news.refused))

    def _following(self, news: News) -> Attempt | None:
        turns: list[Turn] = []
        tried = self._tried
        if tried is not None and tried.outside and news.refused and news.status in _NOT_THERE:
            return replace(tried, outside=False)
        if news.refused and news.status in _UNKNOWN:
            turns = [Turn.OTHER_WAY_ROUND]
        elif not news.refused and news.status in _ELSEWHERE:
            turns = [Turn.ANOTHER_NAME]
            if news.status == _NO_REPLACES:
                turns.append(Turn.UNATTENDED)
        for turn in turns:
            for attempt in self._attempts:
                if attempt.turn is turn:
                    self._attempts.remove(attempt)
                    return attempt
        return None
