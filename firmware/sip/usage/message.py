"""MESSAGE: short texts, both ways, in calls and outside (RFC 3428); who is writing (RFC 3994).

`UserAgent.messages` is a `Messages`:

    send(ref, line, target, text, now)         MessageOutcome follows
    compose(line, target, now, active=True)    a key was pressed: the far end sees that we write

Both go into the dialog of a call instead if there is a `call=`.

What arrives is told as `MessageReceived` and `ComposingChanged`. Only senders whom the line trusts
get here (P7, A21), or the far end of a call inside it; how many texts a second are taken is
bounded, and so is how long they are.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from firmware.sip.bodies import party, shown
from firmware.sip.composer import Composers
from firmware.sip.core import Alarm, Core, Usage
from firmware.sip.errors import LocalError, ParseError
from firmware.sip.event.composing import MEDIA_TYPE as COMPOSING
from firmware.sip.event.composing import Composing, read_composing
from firmware.sip.event.package import BodyError
from firmware.sip.headers import NameAddr, parse_name_addr
from firmware.sip.identity.date import seconds_of
from firmware.sip.identity.who import caller
from firmware.sip.letters import Apart, Delivery, Letter, Letters, Way, Within
from firmware.sip.line import Line
from firmware.sip.methods import MESSAGE
from firmware.sip.names import CallRef, LineName, MessageRef, Party
from firmware.sip.texting import PLAIN, read_parts, text_of
from firmware.sip.told import ComposingChanged, MessageOutcome, MessageReceived
from firmware.sip.transaction.server import ServerTransaction
from firmware.sip.uri import parse_uri

ACCEPT: Final = (PLAIN, COMPOSING)
MOST_OCTETS: Final = 800
"""The longest text of ours: RFC 3428 §8 allows 1300 octets for the whole request."""
_BURST: Final = 20
_PER_SECOND: Final = 2.0
_MOST_WRITERS: Final = 32
_LONGEST_SUBJECT: Final = 128


class Messages:
    """The texts of all lines."""

    def __init__(self, core: Core, session: Callable[[CallRef], Usage | None]) -> None:
        self._core = core
        self._session = session
        self._sending: set[MessageRef] = set()
        self._letters = Letters()
        self._composers = Composers(core, self._letters)
        self._writers: dict[tuple[LineName, str], _Writer] = {}
        self._allowances: dict[LineName, _Allowance] = {}
        core.outside[MESSAGE] = self._outside
        core.inside[MESSAGE] = self._inside

    def __len__(self) -> int:
        """How many texts are on their way, and how many people are writing."""
        return len(self._letters) + len(self._composers) + len(self._writers)

    def __bool__(self) -> bool:
        return True  # also while nobody writes

    def send(
        self,
        ref: MessageRef,
        line: LineName,
        target: str,
        text: str,
        now: float,
        *,
        call: CallRef | None = None,
    ) -> None:
        """Send a text to a number, user part or URI, or to the far end of a `call` that is up.

        Raises:
            LocalError: no such line or call, the name is taken, the text is empty or longer than
                `MOST_OCTETS`, too many wait, or the target cannot be addressed.
        """
        body = text.encode("utf-8", "replace")
        if not text.strip():
            raise LocalError("there is nothing in this message")
        if len(body) > MOST_OCTETS:
            raise LocalError(f"a message has at most {MOST_OCTETS} octets, this has {len(body)}")
        way = self._way(line, target, call)
        self._composers.sent(way, now)
        self._post(ref, line, way, (f"{PLAIN};charset=utf-8", body), now)

    def relay(
        self,
        ref: MessageRef,
        line: LineName,
        target: str,
        content: tuple[str, bytes],
        now: float,
        *,
        sender: Party,
    ) -> None:
        """Pass media type and body on in the name of `sender`; for a PBX between.

        Raises:
            LocalError: as for `send`; or the sender has no address.
        """
        found = self._core.lines.get(line)
        if found is None:
            raise LocalError(f"there is no line {line!r}")
        try:
            writer = NameAddr(sender.name, parse_uri(sender.uri))
        except ParseError as error:
            raise LocalError(f"{sender.uri!r} writes nothing") from error
        way = Apart(self._core, found, found.target(target), writer)
        self._post(ref, line, way, content, now)

    def _post(
        self, ref: MessageRef, line: LineName, way: Way, content: tuple[str, bytes], now: float
    ) -> None:
        if ref in self._sending:
            raise LocalError(f"there is a message {ref} already")

        def delivered(delivery: Delivery, now: float) -> None:
            del now
            self._sending.discard(ref)
            self._core.notify(
                MessageOutcome(ref, line, delivery.cause, delivery.status, delivery.phrase)
            )

        self._sending.add(ref)
        try:
            self._letters.post(way, Letter(*content, delivered), now)
        except LocalError:
            self._sending.discard(ref)
            raise

    def compose(
        self, line: LineName, target: str, now: float, *, active: bool, call: CallRef | None = None
    ) -> None:
        """A key was pressed in a text to somebody, or (not `active`) it was deleted.

        When and how often they are told of it is RFC 3994 §3.2's business, not the caller's.

        Raises:
            LocalError: no such line or call, or the target cannot be addressed.
        """
        self._composers.write(self._way(line, target, call), now, active=active)

    def idle(self, writer: "_Writer") -> None:
        """Somebody has stopped writing."""
        if self._writers.pop(writer.key, None) is writer:
            self._core.disarm(writer, Alarm.EXPIRY)
            self._core.notify(ComposingChanged(*writer.news, active=False, call=writer.call))

    def line_retired(self, line: Line) -> None:
        """A line is no more, and nobody writes to it."""
        self._allowances.pop(line.name, None)
        self._composers.line_retired(line)
        for writer in [each for each in self._writers.values() if each.line == line.name]:
            self.idle(writer)

    def _way(self, name: LineName, target: str, call: CallRef | None) -> Way:
        core = self._core
        if call is not None:
            usage = self._session(call)
            if usage is None:
                raise LocalError(f"there is no call {call}")
            return Within(core, usage)
        line = core.lines.get(name)
        if line is None:
            raise LocalError(f"there is no line {name!r}")
        return Apart(core, line, line.target(target))

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


class _Allowance(Struct):
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
