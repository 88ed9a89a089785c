"""The last SIP messages, kept for `ctl ladder`: who said what, when, and to whom.

Only what a ladder shows is kept, never a body and never a password: start line, Call-ID and CSeq.
"""

import re
from collections import deque
from dataclasses import dataclass

from firmware.sip.flow import Flow

_KEPT = 400
_CALL_ID = re.compile(rb"^(?:call-id|i)[ \t]*:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_CSEQ = re.compile(rb"^cseq[ \t]*:[ \t]*([^\r\n]+)", re.IGNORECASE | re.MULTILINE)
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Seen:
    """A message on the wire; `at` is monotonic seconds."""

    at: float
    sent: bool
    peer: str
    transport: str
    first: str
    call_id: str
    cseq: str


class Trace:
    """A ring of the last messages; raw bytes are cut up only when somebody looks."""

    def __init__(self) -> None:
        self._ring: deque[tuple[float, bool, bytes, Flow]] = deque(maxlen=_KEPT)

    def __len__(self) -> int:
        return len(self._ring)

    def note(self, sent: bool, data: bytes, flow: Flow, now: float) -> None:  # noqa: FBT001 - a direction
        """Keep a message; keep-alives are left out."""
        if len(data) > 4:
            self._ring.append((now, sent, data[:_HEAD], flow))

    def messages(self, call_id: str = "") -> list[Seen]:
        """What was seen, oldest first; only one call if `call_id` is given."""
        found = [_seen(*entry) for entry in self._ring]
        return [seen for seen in found if not call_id or seen.call_id == call_id]

    def last_call_id(self) -> str:
        """The Call-ID of the newest call, `""` if there was none."""
        for entry in reversed(self._ring):
            seen = _seen(*entry)
            if seen.cseq.endswith("INVITE"):
                return seen.call_id
        return ""


def ladder(messages: list[Seen]) -> str:
    """The messages, at least one, as arrows between us and the peer."""
    start = messages[0].at
    rows = [f"{'time':>9}  {'us':<30}  peer"]
    for seen in messages:
        words = seen.first if seen.first.startswith("SIP/2.0") else seen.first.partition(" ")[0]
        label = words.removeprefix("SIP/2.0 ")
        if label[:1].isdigit():
            label += f" ({seen.cseq.partition(' ')[2]})"
        arrow = f"|--{label[:24]:-<24}->|" if seen.sent else f"|<-{label[:24]:-<24}--|"
        rows.append(f"{seen.at - start:8.3f}s  {arrow:<30}  {seen.peer} {seen.transport}")
    return "\n".join(rows)


def _seen(at: float, sent: bool, data: bytes, flow: Flow) -> Seen:  # noqa: FBT001 - a direction
    first = data.split(b"\r\n", 1)[0].decode("utf-8", "replace")
    call_id, cseq = _CALL_ID.search(data), _CSEQ.search(data)
    return Seen(
        at,
        sent,
        str(flow.remote),
        flow.transport.via,
        "".join(letter for letter in first if letter.isprintable()),
        call_id.group(1).decode("utf-8", "replace").strip() if call_id else "",
        cseq.group(1).decode("utf-8", "replace").strip() if cseq else "",
    )
