"""The last SIP messages, kept for `ctl ladder`: who said what, when, and to whom.

Raw octets are cut up only when somebody looks; `firmware.runtime.ladder` says what is shown of
them, and bodies and credentials are not.
"""

import re
from collections import deque
from dataclasses import dataclass, field

from firmware.sip.flow import Flow

_KEPT = 400
_CUT = 100
"""Of so many calls it is known that their first messages are no longer kept."""
_CALL_ID = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_CSEQ = re.compile(rb"^cseq[ \t]*:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_TO = re.compile(rb"^(?:to|t)[ \t]*:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Seen:
    """A message on the wire; `at` is monotonic seconds, `cut` says that more of it was there."""

    at: float
    sent: bool
    here: str
    peer: str
    transport: str
    first: str
    call_id: str
    cseq: str
    data: bytes = field(default=b"", repr=False)
    cut: bool = False


class Trace:
    """A ring of the last messages."""

    def __init__(self) -> None:
        self._ring: deque[tuple[float, bool, bytes, Flow, bool]] = deque(maxlen=_KEPT)
        # Call-ID → how many of its messages have left the ring.
        self._lost: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._ring)

    def note(self, sent: bool, data: bytes, flow: Flow, now: float) -> None:  # noqa: FBT001 - a direction
        """Keep a message; keep-alives are left out."""
        if len(data) <= 4:
            return
        if len(self._ring) == _KEPT:
            self._count_lost(self._ring[0][2])
        self._ring.append((now, sent, data[:_HEAD], flow, len(data) > _HEAD))

    def messages(self, call_id: str = "") -> list[Seen]:
        """What was seen, oldest first; only one call if `call_id` is given."""
        found = [_seen(*entry) for entry in self._ring]
        return [seen for seen in found if not call_id or seen.call_id == call_id]

    def lost(self, call_id: str) -> int:
        """How many messages of a call are no longer kept."""
        return self._lost.get(call_id, 0)

    def last_call_id(self) -> str:
        """The Call-ID of the newest call, `""` if there was none."""
        for entry in reversed(self._ring):
            seen = _seen(*entry)
            if seen.cseq.endswith("INVITE"):
                return seen.call_id
        return ""

    def last_registration(self, user: str, server: str) -> str:
        """The Call-ID of the newest REGISTER of a line, `""` if there was none."""
        address = f"{user}@{server.rpartition(':')[0] or server}".lower().encode()
        for entry in reversed(self._ring):
            seen = _seen(*entry)
            to = _TO.search(seen.data)
            if seen.cseq.endswith("REGISTER") and to and address in to.group(1).lower():
                return seen.call_id
        return ""

    def _count_lost(self, data: bytes) -> None:
        call_id = _found(_CALL_ID, data)
        self._lost[call_id] = self._lost.pop(call_id, 0) + 1  # the newest stands last
        if len(self._lost) > _CUT:
            self._lost.pop(next(iter(self._lost)))


def _seen(at: float, sent: bool, data: bytes, flow: Flow, cut: bool) -> Seen:  # noqa: FBT001 - a direction
    first = data.split(b"\r\n", 1)[0].decode("utf-8", "replace")
    return Seen(
        at,
        sent,
        str(flow.local),
        str(flow.remote),
        flow.transport.via,
        "".join(letter for letter in first if letter.isprintable()),
        _found(_CALL_ID, data),
        _found(_CSEQ, data),
        data,
        cut,
    )


def _found(pattern: re.Pattern[bytes], data: bytes) -> str:
    match = pattern.search(data)
    return match.group(1).decode("utf-8", "replace").strip() if match else ""
