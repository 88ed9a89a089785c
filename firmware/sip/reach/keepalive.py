"""Keeps the ways to our registrars open, and notices when one is dead (RFC 5626 §3.5, §4.4.1).

A datagram flow gets something often enough for any NAT: an OPTIONS, whose answer shows that the
server lives and where it sees us; where the first is not answered a CRLF, which everybody ignores.
A server that agreed to keep-alives gets STUN instead, as it expects (RFC 5626 §4.4.2).
A REGISTER that is answered does as well as either, and the next beat follows it.
A stream gets a double CRLF, to which the far end answers with one. A far end that has answered
before and is silent now is gone, long before anything else would say so.

The time between two datagrams is RFC 5626's 24 to 29 seconds, longer if a NAT was measured to
remember for longer, and half as long after each time that a NAT was seen to have forgotten us.
"""

from collections.abc import Callable
from typing import Final, Protocol

from firmware.sip.core import Alarm, Core
from firmware.sip.dialog import Dialog
from firmware.sip.effects import CloseFlow
from firmware.sip.flow import Endpoint, Flow
from firmware.sip.line import Line
from firmware.sip.reach.probe import Probe
from firmware.sip.reach.stun_ping import StunPing

PING: Final = b"\r\n\r\n"
PONG: Final = b"\r\n"
# RFC 5626 §4.4.1, §4.4.2: at random between these, so that phones do not beat in time.
_DATAGRAM_SECONDS: Final = (24.0, 29.0)
_STREAM_SECONDS: Final = (95.0, 120.0)
_PONG_SECONDS: Final = 10.0
_SHORTEST: Final = 5.0
_LONGEST_BEAT: Final = 110.0
_MOST_MOVES: Final = 3


class Probed(Protocol):
    """Who hears of the answers to probes."""

    def __call__(self, flow: Flow, now: float, *, alive: bool) -> None:
        """A server that has answered before did so again, or is silent."""


class Keepalives:
    """One beat for each flow that is some line's way to its registrar."""

    def __init__(
        self,
        core: Core,
        dead: Callable[[Flow, float], None],
        probed: Probed,
    ) -> None:
        self._core = core
        self._dead = dead
        self.probed = probed
        self.binding_life = 0.0
        """Seconds that the NAT remembers a datagram, 0 = not measured."""
        self._beats: dict[Flow, _Beat] = {}

    def __len__(self) -> int:
        return len(self._beats)

    def keep(self, flow: Flow, now: float, at_most: int = 0, *, stun: bool = False) -> None:
        """Keep this flow alive from now on; nothing new if it already is.

        `at_most` is how many seconds the far end is ready to wait for us (RFC 5626 §4.4), 0 if it
        did not say; `stun` that it takes STUN on a datagram flow.
        """
        known = self._beats.get(flow)
        if known is not None:
            known.renewed(now)
        if known is not None and known.at_most == at_most:
            return
        if known is None:
            known = self._beats[flow] = _Beat(self._core, flow, self)
        known.at_most = at_most
        known.stun = stun
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

    def stun(self, data: bytes, flow: Flow, now: float) -> None:
        """A STUN message arrived."""
        beat = self._beats.get(flow)
        if beat is not None and isinstance(beat.probe, StunPing):
            beat.probe.answered(data, now)

    def drop(self, flow: Flow) -> None:
        """The flow is gone."""
        beat = self._beats.pop(flow, None)
        if beat is not None:
            beat.end()

    def line_on(self, flow: Flow) -> Line | None:
        """A line that is registered over this flow."""
        lines = self._core.lines.values()
        return next((line for line in lines if line.stands_on(flow)), None)

    def wanted(self, flow: Flow) -> bool:
        """Whether a line or a call still uses the flow (F16: nobody's call is cut off)."""
        core = self._core
        if self.line_on(flow) is not None:
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
        self.probe: Probe | StunPing | None = None
        self.stun = False
        self._mapped: Endpoint | None = None
        # Whether the server took a REGISTER while the probe was under way.
        self._alive_since = False
        # Whether a probe is worth sending: not where the first was not answered.
        self._deaf = False
        self._moves = 0
        self._hopeless = False
        self.answers = False
        self.at_most = 0

    def begin(self, now: float) -> None:
        if self._flow.transport.reliable:
            self._ping(now)
        else:
            self._again(now)

    def end(self) -> None:
        """Nobody needs the flow any more."""
        self._core.disarm(self, Alarm.PING, Alarm.PONG)
        if self.probe is not None:
            self.probe.drop()

    def renewed(self, now: float) -> None:
        """The server has just taken a REGISTER: what was asked before that is answered by it."""
        self._alive_since = self.probe is not None
        if not self._flow.transport.reliable and not self._moves:
            self._again(now)  # that was as good as a beat

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
        line = self._owner.line_on(self._flow)
        if self._flow.transport.reliable:
            self._core.transmit(self._flow, PING)
            if self.answers:
                self._core.arm(self, Alarm.PONG, now + _PONG_SECONDS)
        elif self._deaf or line is None:
            self._core.transmit(self._flow, PONG)
        elif self.probe is None:
            if self.stun:
                self.probe = StunPing(self._core, self._flow, self._heard, self._mapped)
            else:
                self.probe = Probe(self._core, line, self._flow, self._heard)
            self._alive_since = False
            self.probe.start(now)
        self._again(now)

    def _heard(self, alive: bool, moved: bool, now: float) -> None:  # noqa: FBT001 - as `Heard`
        """What a probe of a datagram flow brought."""
        useful = alive
        if isinstance(self.probe, StunPing):
            self._mapped = self.probe.mapped
            # RFC 5626 §4.4.2: another address is a failed flow; a REGISTER learns the new one.
            useful = alive and not moved
        self.probe = None
        if not alive and not self.answers:
            self._deaf = True  # it never answers these: silence means nothing
            return
        if not alive and self._alive_since:
            return
        self.answers = self.answers or alive
        if moved:
            # F55: a NAT forgot us between two beats; they must come closer together. Where that
            # does not help, every datagram gets another port and no beat can keep one.
            self._hopeless = self._moves >= _MOST_MOVES
            self._moves += 1
            self._again(now)
        self._owner.probed(self._flow, now, alive=useful)

    def _again(self, now: float) -> None:
        self._core.arm(self, Alarm.PING, now + self._wait())

    def _wait(self) -> float:
        core, flow = self._core, self._flow
        least, most = _STREAM_SECONDS if flow.transport.reliable else _DATAGRAM_SECONDS
        if self.at_most:
            # RFC 5626 §4.4, RFC 6223 §5: between 80 and 100 per cent of what the server says.
            most = max(float(self.at_most), _SHORTEST)
            least = 0.8 * most
        elif not flow.transport.reliable and self._owner.binding_life:
            # As long as the NAT's memory allows, if that has been measured (RFC 5626 §4.4.2).
            most = min(max(0.8 * self._owner.binding_life, _SHORTEST), _LONGEST_BEAT)
            least = 0.8 * most
        if self._moves and not self._hopeless:
            most = max(most / 2**self._moves, _SHORTEST)
            least = 0.8 * most
        return least + (most - least) * core.tokens.fraction()
