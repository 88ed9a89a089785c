"""INFO inside a call: keypad digits the old way, and packages (RFC 6086).

`application/dtmf-relay` has lines `Signal=5` and `Duration=160`; `application/dtmf` is the digit
alone. Nobody wrote an RFC for either, RFC 6086 §2 calls such use legacy; this is how gateways send
them. `UserAgent.info` is an `Info`; packages are what `AgentSettings.info_packages` names.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from firmware.sip.bodies import content_type, shown
from firmware.sip.core import Core, Usage
from firmware.sip.dialog import DialogKey
from firmware.sip.errors import LocalError
from firmware.sip.exchange import Exchange
from firmware.sip.flow import Flow
from firmware.sip.message import Request, Response
from firmware.sip.notifications import (
    CallRef,
    DigitsRefused,
    FailureCause,
    InfoDigit,
    InfoReceived,
)
from firmware.sip.transaction.server import ServerTransaction

RELAY: Final = "application/dtmf-relay"
PLAIN: Final = "application/dtmf"
_KEYS: Final = frozenset("0123456789*#ABCD")
_DIGITS: Final = _KEYS | {"!"}
# Some gateways write the event numbers of RFC 4733.
_EVENTS: Final = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D", "16": "!"}
_USUAL_MS: Final = 160
_LONGEST_MS: Final = 8000
_MOST_WAITING: Final = 64


class Info:
    """What arrives by INFO is told, what the person presses is sent, one digit after the other."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lanes: dict[DialogKey, _Lane] = {}
        core.inside["INFO"] = self._serve

    def __len__(self) -> int:
        """How many calls have digits on their way."""
        return len(self._lanes)

    def digit(self, usage: Usage, digit: str, ms: int, now: float) -> None:
        """Send a keypad digit in its turn; `DigitsRefused` tells of those that got no further.

        Raises:
            LocalError: it is no digit.
        """
        if digit not in _KEYS:
            raise LocalError(f"{digit!r} is no keypad digit")
        key = usage.dialog.key
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(self._core, usage, lambda: self._lanes.pop(key, None))
        lane.push(digit, ms, now)

    def _serve(self, usage: Usage, transaction: ServerTransaction, now: float) -> None:
        """An INFO of the far end."""
        core, request = self._core, transaction.arrival.request
        kind, package = content_type(request.headers), request.headers.get("Info-Package")
        if package is not None:
            self._packaged(usage.call, package, transaction, now)
            return
        found = read_digit(kind, request.body) if kind and request.body else None
        if found is not None:
            core.answer(transaction, 200, now)
            core.notify(InfoDigit(usage.call, *found))
        elif not request.body or not kind:
            core.answer(transaction, 200, now)  # some ask so whether we are still there
        elif kind in (RELAY, PLAIN):
            core.answer(transaction, 400, now)
        else:
            core.answer(transaction, 415, now, [("Accept", f"{RELAY}, {PLAIN}")])

    def _packaged(
        self, call: CallRef, row: str, transaction: ServerTransaction, now: float
    ) -> None:
        core, request = self._core, transaction.arrival.request
        # RFC 6086 §7.2: names compare without case; what follows are parameters.
        wanted = row.partition(";")[0].strip().lower()
        known = {name.lower(): name for name in core.settings.info_packages}
        if wanted not in known:
            # RFC 6086 §4.2.2: 469 says what we would take.
            core.answer(transaction, 469, now, [("Recv-Info", ", ".join(known.values()))])
            return
        core.answer(transaction, 200, now)
        kind = shown(content_type(request.headers))
        core.notify(InfoReceived(call, known[wanted], kind, request.body))


class _Lane:
    """The digits of one call on their way: the next leaves when the one before was answered.

    Sent all at once over UDP they could pass each other, and the far end would refuse the one
    with the smaller number (RFC 3261 §12.2.2).
    """

    def __init__(self, core: Core, usage: Usage, empty: Callable[[], object]) -> None:
        self._core = core
        self._call = usage.call
        self._line = usage.line
        self._dialog = usage.dialog
        self._empty = empty
        self._waiting: deque[tuple[str, int]] = deque()
        self._plain = False

    def push(self, digit: str, ms: int, now: float) -> None:
        """Send it when its turn comes."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append((digit, ms))
        if len(self._waiting) == 1:
            self._begin(now)

    def _begin(self, now: float) -> None:
        dialog = self._dialog
        exchange = Exchange(
            self._core, self._line, dialog.next_hop, self._compose, self, dialog.flow
        )
        exchange.start(now)

    def _compose(self, flow: Flow) -> Request:
        del flow
        digit, ms = self._waiting[0]
        request = self._dialog.request("INFO", self._dialog.next_number())
        request.headers.add("Content-Type", PLAIN if self._plain else RELAY)
        text = digit if self._plain else f"Signal={digit}\r\nDuration={ms}\r\n"
        request.body = text.encode()
        return request

    def on_located(self, exchange: Exchange, now: float) -> None:
        # The call may have ended while the digits waited.
        if self._call in self._core.calls:
            exchange.go(now)
        else:
            self._empty()

    def on_response(self, exchange: Exchange, response: Response, now: float) -> None:
        del exchange
        status = response.status
        if status < 200:
            return
        if status == 415 and not self._plain:
            self._plain = True
            self._begin(now)
        elif status >= 300:
            self._refused()
        else:
            self._waiting.popleft()
            if self._waiting:
                self._begin(now)
            else:
                self._empty()

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        del exchange, cause, detail, now
        self._refused()

    def _refused(self) -> None:
        self._empty()
        if self._call in self._core.calls:
            digits = "".join(digit for digit, _ in self._waiting)
            self._core.notify(DigitsRefused(self._call, digits))


def read_digit(kind: str, body: bytes) -> tuple[str, int] | None:
    """Digit and milliseconds of an INFO body, or None if there is no digit in it."""
    text = body[:200].decode("latin-1")
    if kind == PLAIN:
        signal, duration = text.strip(), ""
        if "=" in signal:
            return read_digit(RELAY, body)
    elif kind == RELAY:
        fields = dict(_field(line) for line in text.splitlines() if "=" in line)
        signal, duration = fields.get("signal", ""), fields.get("duration", "")
    else:
        return None
    digit = _EVENTS.get(signal, signal.upper())
    if digit not in _DIGITS:
        return None
    ms = int(duration) if duration.isascii() and duration.isdigit() else _USUAL_MS
    return digit, min(max(ms, 1), _LONGEST_MS)


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name.strip().lower(), value.strip()
