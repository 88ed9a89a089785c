"""INFO inside a call: keypad digits the old way (RFC 6086 §2 calls it legacy usage).

`application/dtmf-relay` has lines `Signal=5` and `Duration=160`; `application/dtmf` is the digit
alone. Nobody wrote an RFC for either; this is how gateways send them.
"""

from typing import Final

from firmware.sip.bodies import content_type
from firmware.sip.core import Core, Usage
from firmware.sip.notifications import CallRef, InfoDigit
from firmware.sip.transaction.server import ServerTransaction

RELAY: Final = "application/dtmf-relay"
PLAIN: Final = "application/dtmf"
_DIGITS: Final = frozenset("0123456789*#ABCD!")
# Some gateways write the event numbers of RFC 4733.
_EVENTS: Final = {"10": "*", "11": "#", "12": "A", "13": "B", "14": "C", "15": "D", "16": "!"}
_USUAL_MS: Final = 160
_LONGEST_MS: Final = 8000


def install(core: Core) -> None:
    """Serve INFO inside calls."""

    def inside(usage: Usage, transaction: ServerTransaction, now: float) -> None:
        answer_info(core, usage.call, transaction, now)

    core.inside["INFO"] = inside


def answer_info(core: Core, call: CallRef, transaction: ServerTransaction, now: float) -> None:
    """Answer an INFO of the far end; a digit is passed on."""
    request = transaction.arrival.request
    if request.headers.get("Info-Package") is not None:
        # RFC 6086 §4.2.2: we announced no package.
        core.answer(transaction, 469, now, [("Recv-Info", "")])
        return
    kind = content_type(request.headers)
    if not request.body or not kind:
        core.answer(transaction, 200, now)
        return
    found = read_digit(kind, request.body)
    if found is not None:
        core.answer(transaction, 200, now)
        core.notify(InfoDigit(call, *found))
    elif kind in (RELAY, PLAIN):
        core.answer(transaction, 400, now)
    else:
        core.answer(transaction, 415, now, [("Accept", f"{RELAY}, {PLAIN}")])


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
