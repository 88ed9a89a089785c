"""Says 100 to a request other than INVITE that nobody has answered for a while (RFC 4320 §4.1).

A REFER waits for the phone, a change of media for the engine. Over a datagram transport the far
end repeats itself meanwhile; once it does so every T2 it may be told that it was heard, and must
be, whatever the transport. No other 1xx may answer such a request, and no 408 ever (RFC 4320 §4.2).
"""

from firmware.sip.core import Alarm, Core
from firmware.sip.transaction.keys import Arrival
from firmware.sip.transaction.server import ServerTransaction
from firmware.sip.transaction.timing import Timing


def watch(core: Core, arrival: Arrival, now: float) -> None:
    """The request has been given to whose business it is: look after it if that was not all."""
    transaction = core.transactions.unanswered(arrival)
    if transaction is not None:
        core.arm(_Slow(core, transaction), Alarm.TRYING, now + slowness(core.timing))


def slowness(timing: Timing) -> float:
    """After how many seconds timer E of the far end stands at T2: 3.5 with the usual times."""
    passed, interval = 0.0, timing.t1
    while interval < timing.t2:
        passed += interval
        interval *= 2
    return passed


class _Slow:
    """One request that waits."""

    def __init__(self, core: Core, transaction: ServerTransaction) -> None:
        self._core = core
        self._transaction = transaction

    def on_alarm(self, alarm: Alarm, now: float) -> None:
        """It has waited long."""
        del alarm
        if not self._transaction.answered:
            self._transaction.respond(self._core.response(self._transaction.arrival, 100), now)
