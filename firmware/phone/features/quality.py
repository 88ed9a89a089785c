"""How a call sounded: when its stream's last figures come, they are reported where that is wanted.

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

_MOST: Final = 32


def part(turn: Turn, call: Call) -> None:
    """A call is over: remember it, if somebody wants to know how it sounded."""
    settings = turn.rules.settings.lines
    collector = next(
        (line.quality_reports for line in settings if lines.name_of(line) == call.line), ""
    )
    if not collector or not call.answered_at or call.negotiation is None:
        return
    local = call.negotiation.local
    parted = Parted(
        call.ref,
        call.line,
        collector,
        call.remote,
        call.outgoing,
        call.answered_at,
        turn.now,
        (local.address, local.port),
    )
    kept = dict(list(turn.state.parted.items())[-_MOST + 1 :])
    turn.state = replace(turn.state, parted={**kept, call.stream: parted})


def measured(turn: Turn, event: StreamReport) -> None:
    """The last figures of a stream."""
    parted = turn.state.parted.get(event.stream)
    if parted is None or not event.final:
        return
    left = {stream: each for stream, each in turn.state.parted.items() if each is not parted}
    turn.state = replace(turn.state, parted=left)
    turn.do(ReportQuality(parted, event))
