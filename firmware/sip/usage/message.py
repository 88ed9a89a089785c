"""MESSAGE: short texts, both ways, in calls and outside (RFC 3428); who is writing (RFC 3994).

`UserAgent.messages` is a `Messages`:

    send(ref, line, target, text, now)      MessageOutcome follows
    compose(line, target, active, now)      the far end sees that somebody writes

What arrives is told as `MessageReceived` and `ComposingChanged`. Only senders whom the line trusts
get here (P7, A21), or the far end of a call inside it; how many texts a second are taken is
bounded, and so is how long they are.
"""

from dataclasses import dataclass
from typing import Final

from firmware.sip.bodies import Rows, party, shown
from firmware.sip.causes import cause_of
from firmware.sip.core import Alarm, Core, Usage
from firmware.sip.errors import LocalError, ParseError
from firmware.sip.event.composing import (
    MEDIA_TYPE as COMPOSING,
)
from firmware.sip.event.composing import (
    SHORTEST,
    Composing,
    read_composing,
    write_composing,
)
from firmware.sip.event.package import BodyError
from firmware.sip.exchange import Exchange
from firmware.sip.headers import parse_name_addr
from firmware.sip.identity.date import seconds_of
from firmware.sip.identity.privacy import NOBODY, rows_for_hiding
from firmware.sip.identity.who import caller
from firmware.sip.line import Line
from firmware.sip.message import Response
from firmware.sip.methods import MESSAGE
from firmware.sip.names import CallRef, FailureCause, LineName, MessageRef, Party
from firmware.sip.outgoing import OutOfDialog
from firmware.sip.texting import PLAIN, read_parts, text_of
from firmware.sip.told import ComposingChanged, MessageOutcome, MessageReceived
from firmware.sip.transaction.server import ServerTransaction

ACCEPT: Final = (PLAIN, COMPOSING)
MOST_OCTETS: Final = 800
"""The longest text of ours: RFC 3428 §8 allows 1300 octets for the whole request."""
_BURST: Final = 20
_PER_SECOND: Final = 2.0
_MOST_WRITERS: Final = 32
_LONGEST_SUBJECT: Final = 128


class Messages:
    """The texts of all lines."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._sending: dict[MessageRef, _Letter] = {}
        self._writers: dict[tuple[LineName, str], _Writer] = {}
        self._allowances: dict[LineName, _Allowance] = {}
        core.outside[MESSAGE] = self._outside
        core.inside[MESSAGE] = self._inside

    def __len__(self) -> int:
        """How many texts are on their way, and how many people are writing."""
        return len(self._sending) + len(self._writers)

    def __bool__(self) -> bool:
        return True  # also while nobody writes

    def send(self, ref: MessageRef, line: LineName, target: str, text: str, now: float) -> None:
        """Send a text to a number, user part or URI.

        Raises:
            LocalError: no such line, the name is taken, the text is empty or longer than
                `MOST_OCTETS`, or the target cannot be addressed.
        """
        body = text.encode("utf-8", "replace")
        if not text.strip():
            raise LocalError("there is nothing in this message")
        if len(body) > MOST_OCTETS:
            raise LocalError(f"a message has at most {MOST_OCTETS} octets, this has {len(body)}")
        if ref in self._sending:
            raise LocalError(f"there is a message {ref} already")
        letter = _Letter(self, ref, self._line(line))
        self._sending[ref] = letter
        try:
            letter.start(self._core, target, f"{PLAIN};charset=utf-8", body, now)
        except LocalError:
            self._sending.pop(ref)
            raise

    def compose(self, line: LineName, target: str, now: float, *, active: bool) -> None:
        """Tell somebody that a text to them is being written, or no longer.

        Not oftener than once a minute, RFC 3994 §3.2; a text that is sent says it as well.

        Raises:
            LocalError: no such line, or the target cannot be addressed.
        """
        body = write_composing(Composing(active, float(SHORTEST)))
        _Letter(None, MessageRef(""), self._line(line)).start(
            self._core, target, COMPOSING, body, now
        )

    def done(self, letter: "_Letter", outcome: MessageOutcome) -> None:
        """A text of ours has its answer."""
        if self._sending.pop(letter.ref, None) is letter:
            self._core.notify(outcome)

    def idle(self, writer: "_Writer") -> None:
        """Somebody has stopped writing."""
        if self._writers.pop(writer.key, None) is writer:
            self._core.disarm(writer, Alarm.EXPIRY)
            self._core.notify(ComposingChanged(*writer.news, active=False, call=writer.call))

    def line_retired(self, line: Line) -> None:
        """A line is no more, and nobody writes to it."""
        self._allowances.pop(line.name, None)
        for writer in [each for each in self._writers.values() if each.line == line.name]:
            self.idle(writer)

    def _line(self, name: LineName) -> Line:
        line = self._core.lines.get(name)
        if line is None:
            raise LocalError(f"there is no line {name!r}")
        return line

    # --- what arrives -----------------------------------------------------------------------

    def _outside(self, transaction: ServerTransaction, line: Line, now: float) -> None:
        arrival = transaction.arrival
        sender = caller(arrival.request.headers, arrival.sender)
        self._take(transaction, line, sender, None, now)

    def _inside(self, usage: Usage, transaction: ServerTransaction, now: float) -> None:
        """In a call the far end may be no friend of the line: then it is who the call is with."""
        arrival = transaction.arrival
        if self._core.trusts(usage.line, arrival.flow):
            sender = caller(arrival.request.headers, arrival.sender)
        else:
            sender = _party_of(usage.dialog.remote)
        self._take(transaction, usage.line, sender, usage.call, now)

    def _take(
        self,
        transaction: ServerTransaction,
        line: Line,
        sender: Party,
        call: CallRef | None,
        now: float,
    ) -> None:
        core, request = self._core, transaction.arrival.request
        allowance = self._allowances.setdefault(line.name, _Allowance())
        if not allowance.spend(now):
            core.answer(transaction, 480, now, [("Retry-After", "10")])
            return
        try:
            parts = read_parts(request.headers, request.body, ACCEPT)
            composing = [read_composing(part.body) for part in parts if part.media_type != PLAIN]
        except BodyError:
            core.answer(transaction, 400, now)
            return
        except ParseError as error:
            rows = [("Accept", ", ".join(ACCEPT))] if error.status == 415 else []
            core.answer(transaction, error.status, now, rows)
            return
        # RFC 3428 §7: no body, no Contact; nothing comes after it.
        core.answer(transaction, 200, now)
        for each in composing:
            self._writes(line, sender, call, each, now)
        for part in parts:
            if part.media_type == PLAIN:
                self._tell(transaction, line, sender, call, text_of(part))

    def _tell(
        self,
        transaction: ServerTransaction,
        line: Line,
        sender: Party,
        call: CallRef | None,
        text: str,
    ) -> None:
        headers = transaction.arrival.request.headers
        # RFC 3994 §3.3: who has sent it does not write it any more.
        writer = self._writers.get((line.name, sender.uri))
        if writer is not None:
            self.idle(writer)
        if text:
            subject = shown(headers.get("Subject") or "")[:_LONGEST_SUBJECT]
            sent_at = seconds_of(headers.get("Date"))
            self._core.notify(MessageReceived(line.name, sender, text, call, subject, sent_at))

    def _writes(
        self, line: Line, sender: Party, call: CallRef | None, said: Composing, now: float
    ) -> None:
        key = (line.name, sender.uri)
        writer = self._writers.get(key)
        if not said.active:
            if writer is not None:
                self.idle(writer)
            return
        if writer is None:
            if len(self._writers) >= _MOST_WRITERS:
                return
            writer = self._writers[key] = _Writer(self, line.name, sender, call)
            self._core.notify(ComposingChanged(line.name, sender, active=True, call=call))
        self._core.arm(writer, Alarm.EXPIRY, now + said.refresh)


class _Letter:
    """One MESSAGE of ours; without an owner nobody asks what became of it."""

    def __init__(self, owner: Messages | None, ref: MessageRef, line: Line) -> None:
        self.ref = ref
        self._owner = owner
        self._line = line

    def start(self, core: Core, target: str, kind: str, body: bytes, now: float) -> None:
        """Send it; RFC 3428 §4: without a Contact, for nothing comes back."""
        line, uri = self._line, self._line.target(target)
        headers: Rows = (("Content-Type", kind),)
        sender = line.identity
        if line.account.anonymous:
            headers, sender = (*headers, *rows_for_hiding(sender)), NOBODY
        letter = OutOfDialog(
            core, line, MESSAGE, uri, headers=headers, body=body, sender=sender, contact=False
        )
        letter.exchange(self).start(now)

    def on_located(self, exchange: Exchange, now: float) -> None:
        exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        del exchange, now
        if response.status >= 200:
            cause = None if response.status < 300 else cause_of(response.status)
            self._done(cause, response.status, shown(response.phrase))

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        del exchange, now
        self._done(cause, 0, detail)

    def _done(self, cause: FailureCause | None, status: int, phrase: str) -> None:
        if self._owner is not None:
            outcome = MessageOutcome(self.ref, self._line.name, cause, status, phrase)
            self._owner.done(self, outcome)


class _Writer:
    """Somebody who is writing to us, until they say otherwise or nothing more."""

    def __init__(
        self, owner: Messages, line: LineName, sender: Party, call: CallRef | None
    ) -> None:
        self.line = line
        self.call = call
        self.key = (line, sender.uri)
        self.news = (line, sender)
        self._owner = owner

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        del now
        if alarm is Alarm.EXPIRY:
            self._owner.idle(self)


@dataclass(slots=True)
class _Allowance:
    """How many texts a line may still take: so many at once, so many a second."""

    left: float = float(_BURST)
    at: float | None = None

    def spend(self, now: float) -> bool:
        """Whether one more may come."""
        if self.at is not None:
            self.left = min(float(_BURST), self.left + (now - self.at) * _PER_SECOND)
        self.at = now
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True


def _party_of(row: str) -> Party:
    try:
        return party(parse_name_addr(row))
    except ParseError:
        return Party("", "", "")
