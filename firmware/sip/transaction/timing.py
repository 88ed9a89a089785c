"""The timers of the transactions and how long each runs (RFC 3261 table 4, RFC 6026 §7.1, §7.2)."""

import enum

from msgspec import Struct


class Timer(enum.Enum):
    """One timer of a transaction; the value is its letter in the RFC."""

    A = "A"
    B = "B"
    D = "D"
    E = "E"
    F = "F"
    G = "G"
    H = "H"
    I = "I"  # noqa: E741 - the RFC's letter
    J = "J"
    K = "K"
    L = "L"
    M = "M"


class Timing(Struct, frozen=True):
    """T1, T2 and T4 in seconds: round trip, longest retransmit interval, life of a message."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def patience(self) -> float:
        """64·T1: how long anything unanswered is repeated before it counts as lost."""
        return 64 * self.t1

    def first(self, timer: Timer, *, reliable: bool) -> float:
        """The first interval of `timer` in seconds; 0 means the wait is needless here."""
        match timer:
            case Timer.A | Timer.E | Timer.G:
                return self.t1
            case Timer.B | Timer.F | Timer.H | Timer.L | Timer.M:
                return self.patience
            case Timer.D:
                return 0.0 if reliable else max(32.0, self.patience)
            case Timer.J:
                return 0.0 if reliable else self.patience
            case Timer.I | Timer.K:
                return 0.0 if reliable else self.t4

    def again(self, timer: Timer, interval: float) -> float:
        """The interval after `interval`: A doubles for ever, E and G double up to T2."""
        return interval * 2 if timer is Timer.A else min(interval * 2, self.t2)
