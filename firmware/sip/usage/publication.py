"""State of ours kept at a server for others to watch: PUBLISH (RFC 3903).

    TRYING ──2xx, an entity-tag──▶ PUBLISHED ──refresh, modify──▶ PUBLISHED ──remove──▶ ENDED
      └──refused, silent──▶ WAITING ──retry──▶ TRYING     └── 412: the server forgot ──▶ TRYING

`UserAgent.publications` is a `Publications`:

    publish(ref, line, State(event, media_type, body), now)     also to change what is published
    remove(ref, now)                                            PublicationChanged(ENDED) at once
    report(line, target, State(…), now)                         once; nobody asks what became of it

A publication is never given up and never storms; like a registration it is refreshed in time and
tried again with growing waits.
"""

from typing import Final

from msgspec import Struct

from firmware.sip.bodies import Rows, shown
from firmware.sip.causes import cause_of
from firmware.sip.core import Alarm, Core
from firmware.sip.errors import LocalError
from firmware.sip.exchange import Exchange
from firmware.sip.line import Line
from firmware.sip.message import Response
from firmware.sip.methods import PUBLISH
from firmware.sip.names import FailureCause, LineName, PublicationRef
from firmware.sip.notifications import Notification, RegistrationChanged, RegistrationState
from firmware.sip.outgoing import OutOfDialog
from firmware.sip.subscribing.subscribed import expires_of, min_expires, retry_after
from firmware.sip.told import PublicationChanged
from firmware.sip.told import PublicationState as Stage

EXPIRES: Final = 3600
_LONGEST: Final = 7 * 86400
# First wait and longest wait in seconds.
_FAST: Final = (4.0, 300.0)
_SLOW: Final = (120.0, 3600.0)
# A server that does not serve the package at all must be another one first.
_NEVER: Final = (3600.0, 86400.0)
_BY_STATUS: Final = dict.fromkeys((405, 415, 420, 489, 501), _NEVER)
_SOON: Final = frozenset(
    {
        FailureCause.NO_ANSWER,
        FailureCause.REFUSED,
        FailureCause.NO_NETWORK,
        FailureCause.NAME_NOT_FOUND,
    }
)
_MOST: Final = 64


class State(Struct, frozen=True):
    """What is published: the event package, the document and its media type."""

    event: str
    media_type: str
    body: bytes


class Publication:
    """One state of one line."""

    def __init__(self, owner: "Publications", core: Core, line: Line, ref: PublicationRef) -> None:
        self.line = line
        self.ref = ref
        self._owner = owner
        self._core = core
        self._state: State | None = None
        self._sent: State | None = None
        self._etag = ""
        self._expires = EXPIRES
        self._letter: OutOfDialog | None = None
        self._exchange: Exchange | None = None
        self._failures = 0
        self._stage: Stage | None = None
        self._ended = False
        self._removing = False

    def want(self, state: State | None, now: float) -> None:
        """Publish this from now on; None removes it."""
        if state is not None and state == self._state and self._stage is not Stage.WAITING:
            return
        self._state = state
        if state is None:
            self._ended = True
            self._tell(Stage.ENDED)
        elif self._stage in (None, Stage.WAITING):
            self._tell(Stage.TRYING)
        self._go(now)

    def again(self, now: float) -> None:
        """The line has come back: what waited need not wait."""
        if self._stage is Stage.WAITING and not self._ended:
            self._failures = 0
            self._tell(Stage.TRYING)
            self._go(now)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.REFRESH:
            if self._stage is Stage.WAITING:
                self._tell(Stage.TRYING)
            self._sent = self._sent if self._etag else None
            self._go(now)

    # --- one PUBLISH ------------------------------------------------------------------------

    def _go(self, now: float) -> None:
        """Send what there is to say, one request at a time (RFC 3903 §4)."""
        self._core.disarm(self, Alarm.REFRESH)
        if self._exchange is not None:
            return  # what changed meanwhile is said after the answer
        state = self._state
        if state is None and not self._etag:
            self._owner.forget(self)
            return
        if self._letter is None:
            # RFC 3903 §4.1: the Request-URI is whose state it is.
            target = self.line.identity.uri
            self._letter = OutOfDialog(self._core, self.line, PUBLISH, target, contact=False)
        fresh = state is not None and (state != self._sent or not self._etag)
        self._letter.headers = self._rows(state or self._sent, fresh=fresh)
        # RFC 3903 §4.3: a refresh has no body; §4.5: neither has a removal.
        self._letter.body = state.body if state is not None and fresh else b""
        self._sent = state or self._sent
        self._removing = state is None
        self._exchange = self._letter.exchange(self)
        self._exchange.start(now)

    def _rows(self, state: State | None, *, fresh: bool) -> Rows:
        rows = [("Event", "" if state is None else state.event)]
        rows.append(("Expires", "0" if self._state is None else str(self._expires)))
        if self._etag:
            rows.append(("SIP-If-Match", self._etag))
        if fresh and state is not None:
            rows.append(("Content-Type", state.media_type))
        return tuple(rows)

    def on_located(self, exchange: Exchange, now: float) -> None:
        exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        if exchange is not self._exchange or response.status < 200:
            return
        status = response.status
        if status == 423 and self._lengthen(response):
            exchange.go(now)
            return
        self._exchange = None
        if status < 300:
            self._accepted(response, now)
        elif status == 412 and self._etag:
            # RFC 3903 §5: the server has forgotten the state; everything once more.
            self._etag = ""
            self._sent = None
            self._go(now)
        else:
            self._failed(cause_of(status), response, now)

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        if exchange is self._exchange:
            self._exchange = None
            self._failed(cause, Response(0, detail), now)

    def _lengthen(self, response: Response) -> bool:
        """RFC 3903 §5, as for a registration: the time the server wants, if that is longer."""
        least = min_expires(response)
        if least is None or not self._expires < least <= _LONGEST or self._letter is None:
            return False
        self._expires = least
        rows = dict(self._letter.headers) | {"Expires": str(least)}
        self._letter.headers = tuple(rows.items())
        return self._state is not None

    def _accepted(self, response: Response, now: float) -> None:
        self._failures = 0
        if self._removing:
            self._owner.forget(self)
            return
        # RFC 3903 §4.1: every 2xx brings a new tag; the old one is worth nothing.
        self._etag = (response.headers.get("SIP-ETag") or "").strip()
        granted = min(expires_of(response, self._expires), _LONGEST)
        if not self._ended:
            self._tell(Stage.PUBLISHED)
        if self._state != self._sent:
            self._go(now)
        elif granted > 0:
            fraction = self._core.tokens.fraction()
            wait = granted * (0.75 + 0.1 * fraction) if granted > 40 else granted * 0.5
            self._core.arm(self, Alarm.REFRESH, now + max(wait, 1.0))

    def _failed(self, cause: FailureCause, response: Response, now: float) -> None:
        self._etag = ""
        self._sent = None
        if self._ended:
            self._owner.forget(self)
            return
        first, longest = _BY_STATUS.get(response.status, _FAST if cause in _SOON else _SLOW)
        wait = min(longest, first * 2.0 ** min(self._failures, 16))
        wait = max(wait * (1.0 + 0.25 * self._core.tokens.fraction()), retry_after(response) or 0.0)
        self._failures += 1
        self._core.arm(self, Alarm.REFRESH, now + wait)
        self._tell(Stage.WAITING, cause, response.status, shown(response.phrase), wait)

    def _tell(
        self,
        stage: Stage,
        cause: FailureCause | None = None,
        status: int = 0,
        phrase: str = "",
        retry_in: float = 0.0,
    ) -> None:
        before, self._stage = self._stage, stage
        if before is not stage or stage is Stage.WAITING:
            self._core.notify(
                PublicationChanged(self.ref, self.line.name, stage, cause, status, phrase, retry_in)
            )

    def drop(self) -> None:
        """The line is gone, and its password with it: the state runs out at the server."""
        self._core.disarm(self, Alarm.REFRESH)
        self._etag = ""
        if self._exchange is not None:
            self._exchange.abandon()
            self._exchange = None


class Publications:
    """All publications of a user agent."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._by_ref: dict[PublicationRef, Publication] = {}
        self._leaving: list[Publication] = []
        core.listen(self._registered, RegistrationChanged)

    def __len__(self) -> int:
        return len(self._by_ref) + len(self._leaving)

    def __bool__(self) -> bool:
        return True  # also while nothing is published

    def __contains__(self, ref: PublicationRef) -> bool:
        return ref in self._by_ref

    def publish(self, ref: PublicationRef, line: LineName, state: State, now: float) -> None:
        """Publish a state of a line, or another one in place of what `ref` says now.

        Raises:
            LocalError: no such line, another line's or package's publication has this name, or
                there are too many.
        """
        found = self._by_ref.get(ref)
        if found is not None and found.line.name != line:
            raise LocalError(f"publication {ref} belongs to another line")
        if found is None:
            if len(self._by_ref) >= _MOST:
                raise LocalError("too many publications")
            found = self._by_ref[ref] = Publication(self, self._core, self._line(line), ref)
        found.want(state, now)

    def remove(self, ref: PublicationRef, now: float) -> None:
        """Publish it no longer; nothing if there is none."""
        found = self._by_ref.pop(ref, None)
        if found is not None:
            self._leaving.append(found)
            found.want(None, now)

    def report(self, line: LineName, target: str, state: State, now: float) -> None:
        """Publish something that happened, once, to a collector (RFC 6035 §4).

        Raises:
            LocalError: no such line, or the target cannot be addressed.
        """
        owner = self._line(line)
        rows = (("Event", state.event), ("Content-Type", state.media_type), ("Expires", "0"))
        letter = OutOfDialog(
            self._core, owner, PUBLISH, owner.target(target),
            headers=rows, body=state.body, contact=False,
        )  # fmt: skip
        letter.exchange(_Deaf()).start(now)

    def _registered(self, notification: Notification) -> None:
        match notification:
            case RegistrationChanged(state=RegistrationState.REGISTERED):
                self._core.arm(self, Alarm.REFRESH, 0.0)
            case _:
                pass

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """The way to a line's server is there again."""
        if alarm is Alarm.REFRESH:
            for each in list(self._by_ref.values()):
                each.again(now)

    def line_retired(self, line: Line) -> None:
        """A line is no more."""
        for ref in [ref for ref, each in self._by_ref.items() if each.line is line]:
            self._by_ref.pop(ref).drop()
        for each in [each for each in self._leaving if each.line is line]:
            each.drop()
            self._leaving.remove(each)

    def shut_down(self, now: float) -> None:
        """Take everything back; the phone goes."""
        for ref in list(self._by_ref):
            self.remove(ref, now)

    def forget(self, publication: Publication) -> None:
        """Nothing is left of it at the server."""
        if publication in self._leaving:
            self._leaving.remove(publication)

    def _line(self, name: LineName) -> Line:
        line = self._core.lines.get(name)
        if line is None:
            raise LocalError(f"there is no line {name!r}")
        return line


class _Deaf:
    """Sends a report and does not care what becomes of it."""

    def on_located(self, exchange: Exchange, now: float) -> None:
        exchange.go(now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        """The next call has a report of its own."""

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        """As above."""
