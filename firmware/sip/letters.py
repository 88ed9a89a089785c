"""MESSAGE requests of ours on their way, to each destination one after the other (RFC 3428 §8).

    Letters.lane(Apart(core, line, uri))     outside dialogs: each stands alone, without a Contact
    Letters.lane(Within(core, usage))        in the dialog of a call that is up
    lane.post(letter, now)                   sent when the one before it has its answer

What a letter says and who wrote it is not known here (`firmware.sip.usage.message`).
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct

from firmware.sip.bodies import Rows, shown
from firmware.sip.causes import cause_of
from firmware.sip.core import Core, Usage
from firmware.sip.errors import LocalError
from firmware.sip.exchange import Exchange, ExchangeUser
from firmware.sip.flow import Flow
from firmware.sip.headers import NameAddr
from firmware.sip.identity.privacy import NOBODY, rows_for_hiding
from firmware.sip.line import Line
from firmware.sip.message import Request, Response
from firmware.sip.methods import MESSAGE
from firmware.sip.names import FailureCause
from firmware.sip.outgoing import OutOfDialog
from firmware.sip.uri import Uri

MOST_WAITING: Final = 16
"""Letters to one destination."""


class Delivery(Struct, frozen=True):
    """What became of a letter; without `cause` the next hop took it."""

    cause: FailureCause | None = None
    status: int = 0
    phrase: str = ""


class Letter(Struct, frozen=True, eq=False):
    """A body with its media type; `passing` ones are worth nothing once something follows them."""

    kind: str
    body: bytes
    delivered: Callable[[Delivery, float], None]
    passing: bool = False


class Way(Protocol):
    """How letters get to one destination."""

    @property
    def key(self) -> tuple[str, ...]:
        """The destination."""

    @property
    def open(self) -> bool:
        """Whether anything can still be sent there."""

    def exchange(self, letter: Letter, user: ExchangeUser) -> Exchange:
        """What sends a letter."""


class Apart:
    """To somebody, outside dialogs; in the name of `sender` if it is not the line's own."""

    def __init__(self, core: Core, line: Line, target: Uri, sender: NameAddr | None = None) -> None:
        self.key = (line.name, str(target), *(() if sender is None else (str(sender.uri),)))
        self._sender = sender
        self.open = True
        self._core = core
        self._line = line
        self._target = target

    def exchange(self, letter: Letter, user: ExchangeUser) -> Exchange:
        """RFC 3428 §4: without a Contact, for nothing comes back."""
        line = self._line
        headers: Rows = (("Content-Type", letter.kind),)
        sender = self._sender or line.identity
        if line.account.anonymous:
            headers, sender = (*headers, *rows_for_hiding(sender)), NOBODY
        request = OutOfDialog(
            self._core, line, MESSAGE, self._target,
            headers=headers, body=letter.body, sender=sender, contact=False,
        )  # fmt: skip
        return request.exchange(user)


class Within:
    """To the far end of a call, in its dialog (RFC 3428 §4)."""

    def __init__(self, core: Core, usage: Usage) -> None:
        self.key = usage.dialog.key
        self._core = core
        self._usage = usage

    @property
    def open(self) -> bool:
        """Whether the call is still up."""
        return self._usage.call in self._core.calls

    def exchange(self, letter: Letter, user: ExchangeUser) -> Exchange:
        """In its turn among the requests of the dialog."""
        dialog = self._usage.dialog

        def compose(flow: Flow) -> Request:
            del flow
            request = dialog.request(MESSAGE, dialog.next_number())
            request.headers.add("Content-Type", letter.kind)
            request.body = letter.body
            return request

        return Exchange(self._core, self._usage.line, dialog.next_hop, compose, user, dialog.flow)


class Lane:
    """The letters to one destination."""

    def __init__(self, way: Way, empty: Callable[[], object]) -> None:
        self._way = way
        self._empty = empty
        self._waiting: deque[Letter] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def post(self, letter: Letter, now: float) -> None:
        """Send it when its turn comes; `letter.delivered` says what became of it.

        Raises:
            LocalError: too many wait already.
        """
        for each in [old for old in list(self._waiting)[1:] if old.passing]:
            self._waiting.remove(each)
        if len(self._waiting) >= MOST_WAITING:
            if letter.passing:
                return
            raise LocalError("too many texts to this destination are on their way")
        self._waiting.append(letter)
        if len(self._waiting) == 1:
            self._begin(now)

    def _begin(self, now: float) -> None:
        if self._way.open:
            self._way.exchange(self._waiting[0], self).start(now)
        else:
            self._give_up(Delivery(FailureCause.SESSION_LOST), now)

    def on_located(self, exchange: Exchange, now: float) -> None:
        # The call may have ended while the way was looked for.
        if self._way.open:
            exchange.go(now)
        else:
            self._give_up(Delivery(FailureCause.SESSION_LOST), now)

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        del exchange
        status = response.status
        if status < 200:
            return
        cause = None if status < 300 else cause_of(status)
        letter = self._waiting.popleft()
        more = bool(self._waiting)
        if not more:
            self._empty()
        letter.delivered(Delivery(cause, status, shown(response.phrase)), now)
        if more:
            self._begin(now)

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        """Nobody answers: those that wait would not be answered either."""
        del exchange
        self._give_up(Delivery(cause, 0, detail), now)

    def _give_up(self, delivery: Delivery, now: float) -> None:
        letters, self._waiting = self._waiting, deque()
        self._empty()
        for letter in letters:
            letter.delivered(delivery, now)


class Letters:
    """All lanes on which something is; `len` counts the letters."""

    def __init__(self) -> None:
        self._lanes: dict[tuple[str, ...], Lane] = {}

    def __len__(self) -> int:
        return sum(len(lane) for lane in self._lanes.values())

    def post(self, way: Way, letter: Letter, now: float) -> None:
        """Send a letter this way in its turn.

        Raises:
            LocalError: too many wait already.
        """
        key = way.key
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(way, lambda: self._lanes.pop(key, None))
        lane.post(letter, now)
