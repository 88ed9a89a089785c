"""Provisional responses that arrive for certain, as callee (RFC 3262 §3).

    send() ─▶ on the wire, again after T1, 2·T1, … ─▶ PRACK ─▶ the next one may leave
                                                └─ 64·T1 without PRACK: `unheard`

One is on its way at a time, so that the caller hears them in order.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import options
from firmware.sip.core import Alarm, Core
from firmware.sip.message import Headers, Request, Response
from firmware.sip.transaction.server import ServerTransaction

OPTION: Final = "100rel"
_FIRST: Final = 1 << 30
"""The first RSeq is chosen below this; there is room for more than ever will be sent."""


class Reliable:
    """The reliable provisional responses to one INVITE."""

    __slots__ = (
        "_core",
        "_interval",
        "_number",
        "_sent",
        "_transaction",
        "_unheard",
        "_waiting",
        "refused",
    )

    def __init__(
        self, core: Core, transaction: ServerTransaction, unheard: Callable[[float], None]
    ) -> None:
        self._core = core
        self._transaction = transaction
        self._unheard = unheard
        self._number = 1 + core.tokens.integer(_FIRST)
        self._sent: Response | None = None
        self._waiting: deque[Response] = deque()
        self._interval = 0.0
        self.refused: Response | None = None
        """The one whose PRACK was refused for its offer; it may come again without."""

    @property
    def pending(self) -> bool:
        """Whether a PRACK is waited for."""
        return self._sent is not None

    @property
    def holds_answer(self) -> bool:
        """Whether a session description is not acknowledged yet: no 2xx before (RFC 3262 §3)."""
        sent = self._sent
        return (sent is not None and bool(sent.body)) or any(each.body for each in self._waiting)

    def send(self, response: Response, now: float) -> None:
        """Send one, or keep it until the one before has arrived."""
        if self._sent is not None:
            self._waiting.append(response)
            return
        response.headers.add("Require", OPTION)
        response.headers.add("RSeq", str(self._number))
        self._sent = response
        self._interval = self._core.timing.t1
        self._core.arm(self, Alarm.REPEAT, now + self._interval)
        self._core.arm(self, Alarm.NO_ACK, now + self._core.timing.patience)
        self._transaction.respond(response, now)

    def acknowledges(self, prack: Request) -> Response | None:
        """The response that this PRACK is about, now known to have arrived; None if it is none."""
        sent, refused = self._sent, self.refused
        cseq = self._transaction.arrival.cseq
        asked = rack_of(prack.headers)
        if refused is not None and asked == rack_for(refused):
            self.refused = None
            return refused
        if sent is None or asked != (self._number, cseq.number, cseq.method):
            return None
        self._sent = None
        self._number += 1
        self._core.disarm(self, Alarm.REPEAT, Alarm.NO_ACK)
        return sent

    def proceed(self, now: float) -> None:
        """The PRACK has been answered: the next response may leave."""
        if self._waiting and self._sent is None:
            self.send(self._waiting.popleft(), now)

    def stop(self) -> None:
        """A final response is on its way: nothing is repeated or begun, a PRACK still answered."""
        self._waiting.clear()
        self._core.disarm(self, Alarm.REPEAT, Alarm.NO_ACK)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """Repeat it, or give up."""
        if self._sent is None:
            return
        if alarm is Alarm.REPEAT:
            self._transaction.respond(self._sent, now)
            # RFC 3262 §3: doubled without a bound, unlike the 2xx.
            self._interval *= 2
            self._core.arm(self, Alarm.REPEAT, now + self._interval)
        elif alarm is Alarm.NO_ACK:
            self.stop()
            self._unheard(now)


def rack_of(headers: Headers) -> tuple[int, int, str] | None:
    """RSeq, CSeq number and method of a RAck (RFC 3262 §7.2)."""
    words = (headers.get("RAck") or "").split()
    if len(words) != 3 or not all(word.isascii() and word.isdigit() for word in words[:2]):
        return None
    if len(words[0]) > 10 or len(words[1]) > 10:
        return None
    return int(words[0]), int(words[1]), words[2]


def rack_for(response: Response) -> tuple[int, int, str] | None:
    """What the RAck of the PRACK to this response says."""
    headers = Headers([("RAck", f"{response.headers.get('RSeq')} {response.headers.get('CSeq')}")])
    return rack_of(headers)


def rseq_of(response: Response) -> int | None:
    """The number of a response that wants a PRACK; None if it wants none (RFC 3262 §4)."""
    if response.status <= 100 or OPTION not in options(response.headers, "Require"):
        return None
    text = (response.headers.get("RSeq") or "").strip()
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        return None
    number = int(text)
    return number if 0 < number < 1 << 32 else None
