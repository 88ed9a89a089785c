"""Keeps the ways to our registrars open, and notices when one is dead (RFC 5626 §3.5, §4.4.1).

A datagram flow gets a CRLF often enough for any NAT; whoever receives it ignores it. A stream gets
a double CRLF, to which the far end answers with one; a far end that has answered before and is
silent now is gone, long before TCP would say so.
"""

from collections.abc import Callable
from typing import Final

from firmware.sip.core import Alarm, Core
from firmware.sip.dialog import Dialog
from firmware.sip.effects import CloseFlow
from firmware.sip.flow import Flow

PING: Final = b"\r\n\r\n"
PONG: Final = b"\r\n"
# RFC 5626 §4.4.1, §4.4.2: at random between these, so that phones do not beat in time.
_DATAGRAM_SECONDS: Final = (24.0, 29.0)
_STREAM_SECONDS: Final = (95.0, 120.0)
_PONG_SECONDS: Final = 10.0
_SHORTEST: Final = 5.0


class Keepalives:
    """One beat for each flow that is some line's way to its registrar."""

    def __init__(self, core: Core, dead: Callable[[Flow, float], None]) -> None:
        self._core = core
        self._dead = dead
        self._beats: dict[Flow, _Beat] = {}

    def __len__(self) -> int:
        return len(self._beats)

    def keep(self, flow: Flow, now: float, at_most: int = 0) -> None:
        """Keep this flow alive from now on; nothing new if it already is.

        `at_most` is how many seconds the far end is ready to wait for us (RFC 5626 §4.4), 0 if it
        did not say.
        """
        known = self._beats.get(flow)
        if known is not None and known.at_most == at_most:
            return
        if known is None:
            known = self._beats[flow] = _Beat(self._core, flow, self)
        known.at_most = at_most
        # At once on a stream: it shows whether the far end answers pings at all.
        known.begin(now)

    def proven(self, flow: Flow) -> bool:
        """Whether the far end has answered a ping on this flow (RFC 5626 §4.5)."""
        beat = self._beats.get(flow)
        return beat is not None and beat.answers

    def pong(self, flow: Flow) -> None:
        """The far end answered."""
        beat = self._beats.get(flow)
        if beat is not None:
            beat.answered()

    def drop(self, flow: Flow) -> None:
        """The flow is gone."""
        beat = self._beats.pop(flow, None)
        if beat is not None:
            self._core.disarm(beat, Alarm.PING, Alarm.PONG)

    def wanted(self, flow: Flow) -> bool:
        """Whether a line or a call still uses the flow (F16: nobody's call is cut off)."""
        core = self._core
        if any(line.stands_on(flow) for line in core.lines.values()):
            return True
        dialogs = (getattr(call, "dialog", None) for call in core.calls.values())
        on_it = any(isinstance(each, Dialog) and each.flow == flow for each in dialogs)
        return flow.transport.reliable and (on_it or flow in core.transactions.flows())

    def release(self, flow: Flow) -> None:
        """No line needs the flow: a stream is closed."""
        self.drop(flow)
        if flow.transport.reliable:
            self._core.effects.append(CloseFlow(flow))

    def lost(self, flow: Flow, now: float) -> None:
        """No pong: close the stream and say so."""
        self.drop(flow)
        self._core.effects.append(CloseFlow(flow))
        self._dead(flow, now)


class _Beat:
    """The beat of one flow."""

    def __init__(self, core: Core, flow: Flow, owner: Keepalives) -> None:
        self._core = core
        self._flow = flow
        self._owner = owner
        self.answers = False
        self.at_most = 0

    def begin(self, now: float) -> None:
        if self._flow.transport.reliable:
            self._ping(now)
        else:
            self._again(now)

    def answered(self) -> None:
        self.answers = True
        self._core.disarm(self, Alarm.PONG)

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        if alarm is Alarm.PONG:
            self._owner.lost(self._flow, now)
        elif self._owner.wanted(self._flow):
            self._ping(now)
        else:
            self._owner.release(self._flow)

    def _ping(self, now: float) -> None:
        stream = self._flow.transport.reliable
        self._core.transmit(self._flow, PING if stream else PONG)
        if stream and self.answers:
            self._core.arm(self, Alarm.PONG, now + _PONG_SECONDS)
        self._again(now)

    def _again(self, now: float) -> None:
        least, most = _STREAM_SECONDS if self._flow.transport.reliable else _DATAGRAM_SECONDS
        if self.at_most:
            # RFC 5626 §4.4, RFC 6223 §5: between 80 and 100 per cent of what the server says.
            most = max(float(self.at_most), _SHORTEST)
            least = 0.8 * most
        wait = least + (most - least) * self._core.tokens.fraction()
        self._core.arm(self, Alarm.PING, now + wait)
