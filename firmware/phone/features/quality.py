"""How a call sounds and sounded: its figures are reported where that is wanted.

At the end, and once when they become bad. While it is up a person may see it as one of four words.

The figures come after the call has gone, so what they belong to is kept until then.
"""

from typing import Final

from firmware.base.values import replace
from firmware.media.messages import StreamReport
from firmware.phone.commands import ReportQuality
from firmware.phone.desk import lines
from firmware.phone.model import Call
from firmware.phone.parted import Parted
from firmware.phone.turn import Turn
from firmware.phone.view import Quality

_MOST: Final = 32
_ENOUGH: Final = 500
"""Packets before anything is said: ten seconds."""
_SEVERITIES: Final = (("Warning", 0.05), ("Critical", 0.15))
"""From which share of packets that were not heard."""
_CLASSES: Final = ((Quality.GOOD, 4.03), (Quality.FAIR, 3.6), (Quality.POOR, 3.1))
"""The mean opinions of R = 80, 70 and 60 (ITU-T G.107 Annex B)."""
_RANK: Final = {each: rank for rank, each in enumerate(Quality)}
_SURELY: Final = 0.1
"""So much better than its class a call must be to be called better again."""


def part(turn: Turn, call: Call) -> None:
    """A call is over: remember it, if somebody wants to know how it sounded."""
    parted = _parted(turn, call)
    if parted is not None:
        kept = dict(list(turn.state.parted.items())[-_MOST + 1 :])
        turn.state = replace(turn.state, parted={**kept, call.stream: parted})


def _parted(turn: Turn, call: Call) -> Parted | None:
    """What the figures of a call belong to, None if nobody wants them."""
    settings = turn.rules.settings.lines
    collector = next(
        (line.quality_reports for line in settings if lines.name_of(line) == call.line), ""
    )
    if not collector or not call.answered_at or call.negotiation is None:
        return None
    local = call.negotiation.local
    return Parted(
        call.ref,
        call.line,
        collector,
        call.remote,
        call.outgoing,
        call.answered_at,
        turn.now,
        (local.address, local.port),
    )


def measured(turn: Turn, event: StreamReport) -> None:
    """The figures of a stream: the last ones are reported, bad ones in between too."""
    if not event.final:
        _judge(turn, event)
        _alert(turn, event)
        return
    parted = turn.state.parted.get(event.stream)
    if parted is None:
        return
    left = {stream: each for stream, each in turn.state.parted.items() if each is not parted}
    turn.state = replace(turn.state, parted=left)
    turn.do(ReportQuality(parted, event))


def _judge(turn: Turn, event: StreamReport) -> None:
    """What a person may see of it; it changes seldom, so that nobody is told every second."""
    call = next((each for each in turn.state.calls if each.stream == event.stream), None)
    if call is None or event.mos is None:
        return
    found = _class_of(event.mos)
    if call.quality is not None and _RANK[found] < _RANK[call.quality]:
        found = min(call.quality, _class_of(event.mos - _SURELY), key=_RANK.__getitem__)
    if found is not call.quality:
        turn.put(replace(call, quality=found))


def _class_of(mos: float) -> Quality:
    return next((each for each, least in _CLASSES if mos >= least), Quality.BAD)


def _alert(turn: Turn, event: StreamReport) -> None:
    """What is missing is heard (RFC 6035 §4.7.2): said once of each severity."""
    expected = event.received + event.lost
    if expected < _ENOUGH:
        return
    share = (event.lost + event.late) / expected
    reached = sum(share >= limit for _, limit in _SEVERITIES)
    call = next((each for each in turn.state.calls if each.stream == event.stream), None)
    if call is None or reached <= call.alerts:
        return
    parted = _parted(turn, call)
    if parted is not None:
        turn.put(replace(call, alerts=reached))
        turn.do(ReportQuality(parted, event, _SEVERITIES[reached - 1][0]))
