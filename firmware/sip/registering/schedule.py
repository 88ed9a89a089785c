"""When one binding is registered again: before it ends, and after something went wrong.

It is renewed well before its end. By datagrams it is made sure of in between; a REGISTER that only
does that goes where the binding stands, and puts off no look at whether the servers have moved. How
long to wait after which failure: `pace`.
"""

from typing import Final

from firmware.base.tokens import Tokens
from firmware.sip.account import Account
from firmware.sip.flow import Flow
from firmware.sip.notifications import FailureCause
from firmware.sip.registering.pace import check_wait, flow_wait, wait_after

_SOONEST_RETURN: Final = 30.0
_BRIEF_SECONDS: Final = 60.0
_FEW_BRIEF: Final = 2
# RFC 5627 §4.2: early enough for the refresh to time out before the binding ends.
_TIME_OUT: Final = 32.0


class Schedule:
    """Of one binding. What is called a wait is in seconds from now."""

    def __init__(self, account: Account, tokens: Tokens) -> None:
        self._account = account
        self._tokens = tokens
        self._failures = 0
        # When the flow in use was first good, and how many in a row were good only briefly.
        self._stood_since = float("-inf")
        self._brief = 0
        # When the servers are to be looked up anew.
        self._anew_at = float("-inf")

    def forgive(self) -> None:
        """What failed before says nothing about what comes."""
        self._failures = 0

    def checks(self, now: float) -> bool:
        """Whether a REGISTER that is sent now only makes sure of what stands."""
        return now < self._anew_at

    # --- it stands --------------------------------------------------------------------------

    def new_flow(self, now: float) -> None:
        """The binding stands by another flow than before."""
        self._stood_since = now

    def renewed(self, granted: int, better: float | None, now: float) -> None:
        """The servers were looked up; at `better` one that is to be preferred may be back (F16)."""
        self._anew_at = now + self.refresh_wait(granted)
        if better is not None:
            spread = 1.0 + 0.2 * self._tokens.fraction()
            self._anew_at = min(self._anew_at, now + spread * max(better - now, _SOONEST_RETURN))

    def confirmed(self, granted: int, now: float) -> None:
        """It was asked for where it stands; the servers are looked up no later for that."""
        self._anew_at = min(now + self.refresh_wait(granted), self._anew_at)

    def next_at(self, flow: Flow, now: float) -> float:
        """When the next REGISTER is due, to renew the binding or to make sure of it."""
        if not self._may_be_forgotten(flow):
            return self._anew_at
        return min(self._anew_at, now + check_wait(self._account.recheck, self._tokens.fraction()))

    def _may_be_forgotten(self, flow: Flow) -> bool:
        """Whether the registrar could lose us without our noticing (F17, P4).

        A connection breaks with its server. By datagrams a PBX that restarts between two probes
        looks as ever, and only a REGISTER brings us back.
        """
        return bool(self._account.recheck) and not flow.transport.reliable

    def refresh_wait(self, granted: int) -> float:
        """Until the refresh: well before the end, and not when everybody else does."""
        fraction = self._tokens.fraction()
        if granted <= 2 * _TIME_OUT:
            return granted * (0.5 - 0.02 * fraction)
        in_time = (granted - _TIME_OUT) * (0.9 + 0.1 * fraction)
        return min(granted * (0.75 + 0.1 * fraction), in_time)

    # --- it does not ------------------------------------------------------------------------

    def soon_wait(self) -> float:
        """As soon as a thousand phones may that lost the same server."""
        return 0.2 + 2 * self._tokens.fraction()

    def lost_wait(self, now: float) -> float:
        """Until the next flow: soon after a good one, longer after each brief one.

        F21: a server that registers us and then sends garbage must not make us storm.
        """
        brief = now - self._stood_since < _BRIEF_SECONDS
        self._brief = self._brief + 1 if brief else 0
        if self._brief < _FEW_BRIEF:
            return self.soon_wait()
        return wait_after(FailureCause.REFUSED, self._brief - _FEW_BRIEF, self._tokens.fraction())

    def failure_wait(self, cause: FailureCause) -> float:
        """After one failure more."""
        wait = wait_after(cause, self._failures, self._tokens.fraction())
        self._failures += 1
        return wait

    def unproven_wait(self, *, others: bool) -> float:
        """RFC 5626 §4.5: a flow that never carried an answer to a ping was no success."""
        self._failures += 1
        return self.flow_wait(others=others)

    def flow_wait(self, *, others: bool) -> float:
        """After the failures so far, of a line whose other flows stand or do not."""
        return flow_wait(self._failures, self._tokens.fraction(), others=others)

    def told_wait(self, after: float) -> float:
        """Not before the seconds that the server named; and everybody else was told the same."""
        return max(after, 1.0) * (1.0 + 0.25 * self._tokens.fraction())
