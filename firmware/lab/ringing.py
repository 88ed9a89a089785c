"""A call of the practice exchange that rings at every phone of a user: who rings, who was first.

The first phone that answers has the call; the others are cancelled. Calls are not placed here
(`firmware.lab.exchange`).
"""

from dataclasses import dataclass, field

from firmware.sip.notifications import CallEnded, CallRef, FailureCause, IncomingCall

NOBODY_THERE = frozenset({FailureCause.REFUSED, FailureCause.NO_NETWORK, FailureCause.NO_ANSWER})
"""Causes for which another way to the same phone is tried."""
_CAUSE_STATUS = {
    FailureCause.BUSY: 486,
    FailureCause.DECLINED: 603,
    FailureCause.NOT_ACCEPTABLE: 488,
    FailureCause.NO_ANSWER: 480,
    FailureCause.NOT_FOUND: 404,
}


@dataclass(slots=True, eq=False)
class Ring:
    """One caller, and the calls of ours that ring for them; `alone` if there was one phone."""

    caller: IncomingCall
    alone: bool
    branches: set[CallRef] = field(default_factory=set)
    refusals: list[int] = field(default_factory=list)

    def verdict(self) -> int:
        """What the caller is told when nobody has answered (RFC 3261 §16.7 step 6)."""
        final = [status for status in self.refusals if status >= 600]
        if final:
            return final[0]
        lowest = min(self.refusals, key=lambda status: (status // 100, status == 480))
        return lowest if lowest >= 300 else 480


@dataclass(slots=True, eq=False)
class Branch:
    """A phone that is to ring: where else to try it, and how far it is."""

    ring: Ring
    ways: list[str]
    rang: bool = False
    early: bytes = b""
    """What it answered before it was lifted; a reliable answer is not said twice."""

    def elsewhere(self, ended: CallEnded) -> bool:
        """Whether it is worth another way after this end."""
        heard = self.rang or ended.status
        return bool(self.ways) and not heard and ended.cause in NOBODY_THERE


def status_of(ended: CallEnded) -> int:
    """How a caller is refused whose call ended so."""
    if ended.status >= 400:
        return ended.status
    return _CAUSE_STATUS.get(ended.cause or FailureCause.OTHER, 480)
