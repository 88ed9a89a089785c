"""The last SIP messages, kept for `ctl ladder`: who said what, when, and to whom.

Calls are kept apart from the rest: neither a night of registrations nor one call that is refreshed
every minute takes the place of what people ask about, the calls of today. Raw octets are cut up
only when somebody looks; `firmware.runtime.ladder` says what is shown of them, and bodies and
credentials are not.
"""

import re
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from firmware.sip.flow import Flow

_CALLS = 50
"""So many calls are remembered, the newest."""
_FIRST = 40
_LAST = 80
"""So many messages of a call, from its beginning and from its end."""
_OCTETS = 1_000_000
"""All calls together, with what keeping a message costs beside it; the oldest go first."""
_KEEPING = 400
_REST = 150
"""So many messages that belong to no call."""
_CUT = 100
"""Of so many dialogs beside calls it is known that their first messages are no longer kept."""
_CALL_ID = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_CSEQ = re.compile(rb"^cseq[ \t]*:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_TO = re.compile(rb"^(?:to|t)[ \t]*:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_HEAD = 4096

_Entry = tuple[float, bool, bytes, Flow, bool]


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


class _Call:
    """The messages of one call: the first ones and the last ones, `lost` between them."""

    __slots__ = ("first", "last", "lost", "octets")

    def __init__(self) -> None:
        self.first: list[_Entry] = []
        self.last: deque[_Entry] = deque()
        self.lost = 0
        self.octets = 0

    def __len__(self) -> int:
        return len(self.first) + len(self.last)

    def add(self, entry: _Entry) -> int:
        """Keep one more; returns by how many octets the call has grown."""
        before = self.octets
        self.octets += len(entry[2]) + _KEEPING
        if len(self.first) < _FIRST:
            self.first.append(entry)
        else:
            self.last.append(entry)
        if len(self.last) > _LAST:
            self.octets -= len(self.last.popleft()[2]) + _KEEPING
            self.lost += 1
        return self.octets - before


class Trace:
    """What was on the wire lately: whole calls, and a ring of everything else."""

    def __init__(self) -> None:
        self._calls: dict[bytes, _Call] = {}
        self._octets = 0
        self._newest = b""
        self._rest: deque[_Entry] = deque(maxlen=_REST)
        # Call-ID → how many of its messages have left the ring.
        self._lost: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._rest) + sum(map(len, self._calls.values()))

    def note(self, sent: bool, data: bytes, flow: Flow, now: float) -> None:  # noqa: FBT001 - a direction
        """Keep a message; keep-alives are left out."""
        if len(data) <= 4:
            return
        entry = (now, sent, data[:_HEAD], flow, len(data) > _HEAD)
        found = _CALL_ID.search(entry[2])
        call_id = found.group(1).strip() if found else b""
        call = self._calls.get(call_id)
        if call is None and found is not None and _invites(entry[2]):
            call = _Call()
        if call is not None:
            self._octets += call.add(entry)
            self._calls.pop(call_id, None)  # whoever spoke last stands last
            self._calls[call_id] = call
            self._newest = call_id if data.startswith(b"INVITE ") else self._newest or call_id
            self._forget_calls()
        else:
            self._keep_beside(entry)

    def messages(self, call_id: str = "") -> list[Seen]:
        """What was seen, oldest first; only one call if `call_id` is given."""
        if call_id and (call := self._calls.get(call_id.encode("utf-8", "replace"))) is not None:
            return [_seen(*entry) for entry in (*call.first, *call.last)]
        found = [_seen(*entry) for entry in self._all()]
        return [seen for seen in found if not call_id or seen.call_id == call_id]

    def lost(self, call_id: str) -> int:
        """How many messages of a call are no longer kept."""
        call = self._calls.get(call_id.encode("utf-8", "replace"))
        return self._lost.get(call_id, 0) if call is None else call.lost

    def gap(self, call_id: str) -> int:
        """After how many of its messages those stood that are no longer kept."""
        return _FIRST if call_id.encode("utf-8", "replace") in self._calls else 0

    def last_call_id(self) -> str:
        """The Call-ID of the newest call, `""` if there was none."""
        return self._newest.decode("utf-8", "replace")

    def last_registration(self, user: str, server: str) -> str:
        """The Call-ID of the newest REGISTER of a line, `""` if there was none."""
        address = f"{user}@{server.rpartition(':')[0] or server}".lower().encode()
        for entry in reversed(self._rest):
            seen = _seen(*entry)
            to = _TO.search(seen.data)
            if seen.cseq.endswith("REGISTER") and to and address in to.group(1).lower():
                return seen.call_id
        return ""

    def _all(self) -> Iterable[_Entry]:
        calls = (entry for call in self._calls.values() for entry in (*call.first, *call.last))
        return sorted((*self._rest, *calls), key=lambda entry: entry[0])

    def _forget_calls(self) -> None:
        while len(self._calls) > 1 and (len(self._calls) > _CALLS or self._octets > _OCTETS):
            oldest = next(iter(self._calls))
            self._octets -= self._calls.pop(oldest).octets

    def _keep_beside(self, entry: _Entry) -> None:
        if len(self._rest) == _REST:
            call_id = _found(_CALL_ID, self._rest[0][2])
            self._lost[call_id] = self._lost.pop(call_id, 0) + 1  # the newest stands last
            if len(self._lost) > _CUT:
                self._lost.pop(next(iter(self._lost)))
        self._rest.append(entry)


def _invites(data: bytes) -> bool:
    """Whether a call may begin with this message."""
    return _found(_CSEQ, data).endswith("INVITE")


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
