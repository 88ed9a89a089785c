"""INFO inside a call: keypad digits the old way, and packages (RFC 6086).

`application/dtmf-relay` has lines `Signal=5` and `Duration=160`; `application/dtmf` is the digit
alone. Nobody wrote an RFC for either, RFC 6086 §2 calls such use legacy; this is how gateways send
them. `UserAgent.info` is an `Info`:

    send(call, package, kind, body, now)    to who takes that package; InfoAnswered follows

What we take are the packages that `AgentSettings.info_packages` names: `InfoReceived`.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct

from firmware.sip.bodies import content_type, shown
from firmware.sip.causes import cause_of
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
from firmware.sip.told import InfoAnswered
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


class PackagedUsage(Usage, Protocol):
    """A call that is up, with what its far end takes."""

    @property
    def packages(self) -> frozenset[str]:
        """Names of INFO packages in lower case."""


class _Parcel(Struct, frozen=True):
    """What one INFO carries: a digit, or a body of a package."""

    digit: str = ""
    ms: int = 0
    package: str = ""
    kind: str = ""
    body: bytes = b""


class Info:
    """What arrives by INFO is told, what the person presses is sent, one digit after the other."""

    def __init__(self, core: Core, session: Callable[[CallRef], PackagedUsage | None]) -> None:
        self._core = core
        self._session = session
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
        self._lane(usage).push(_Parcel(digit, ms), now)

    def send(self, call: CallRef, package: str, kind: str, body: bytes, now: float) -> None:
        """Send something of a package, `body` of the media type `kind`, in its turn.

        Raises:
            LocalError: the call is not up, or its far end does not take the package.
        """
        usage = self._session(call)
        # RFC 6086 §4.2.1: only where it was said that it is welcome, within that dialog.
        if usage is None or package.partition(";")[0].strip().lower() not in usage.packages:
            raise LocalError(f"call {call} takes no INFO of {package}")
        self._lane(usage).push(_Parcel(package=package, kind=kind, body=body), now)

    def _lane(self, usage: Usage) -> "_Lane":
        key = usage.dialog.key
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = _Lane(self._core, usage, lambda: self._lanes.pop(key, None))
        return lane

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
        self._waiting: deque[_Parcel] = deque()
        self._plain = False

    def push(self, parcel: _Parcel, now: float) -> None:
        """Send it when its turn comes."""
        if len(self._waiting) < _MOST_WAITING:
            self._waiting.append(parcel)
            if len(self._waiting) == 1:
                self._begin(now)
        elif parcel.package:
            self._tell(parcel, FailureCause.BUSY)

    def _begin(self, now: float) -> None:
        dialog = self._dialog
        exchange = Exchange(
            self._core, self._line, dialog.next_hop, self._compose, self, dialog.flow
        )
        exchange.start(now)

    def _compose(self, flow: Flow) -> Request:
        del flow
        parcel = self._waiting[0]
        request = self._dialog.request("INFO", self._dialog.next_number())
        headers = request.headers
        if parcel.package:
            headers.add("Info-Package", parcel.package)
            headers.add("Content-Type", parcel.kind)
            # RFC 6086 §4.3.1.
            headers.add("Content-Disposition", "Info-Package")
            request.body = parcel.body
            return request
        headers.add("Content-Type", PLAIN if self._plain else RELAY)
        digit = parcel.digit
        text = digit if self._plain else f"Signal={digit}\r\nDuration={parcel.ms}\r\n"
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
        parcel = self._waiting[0]
        if parcel.package:
            # RFC 6086 §4.2.1: a 469 says no more than that this one was not taken.
            self._tell(parcel, cause_of(status) if status >= 300 else None, status)
            self._next(now)
        elif status == 415 and not self._plain:
            self._plain = True
            self._begin(now)
        elif status >= 300:
            self._refused()
        else:
            self._next(now)

    def _next(self, now: float) -> None:
        self._waiting.popleft()
        if self._waiting:
            self._begin(now)
        else:
            self._empty()

    def on_failed(self, exchange: Exchange, cause: FailureCause, detail: str, now: float) -> None:
        del exchange, cause, detail, now
        self._refused()

    def _refused(self) -> None:
        """Digits that got no further are told together; with them goes what waits behind them."""
        self._empty()
        if self._call not in self._core.calls:
            return
        digits = "".join(parcel.digit for parcel in self._waiting)
        if digits:
            self._core.notify(DigitsRefused(self._call, digits))
        for parcel in self._waiting:
            if parcel.package:
                self._tell(parcel, FailureCause.NO_ANSWER)

    def _tell(self, parcel: _Parcel, cause: FailureCause | None, status: int = 0) -> None:
        self._core.notify(InfoAnswered(self._call, parcel.package, cause, status))


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
