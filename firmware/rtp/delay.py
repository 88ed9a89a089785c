"""How far behind the fastest packet a stream is played: the policies of the jitter buffer.

A policy sees the lateness of each packet against the fastest one and answers with one number. It
keeps no packets and no clock.
"""

from typing import Protocol


class DelayPolicy(Protocol):
    """Where the jitter buffer asks."""

    @property
    def target(self) -> float:
        """Seconds to play behind the fastest packet."""
        ...

    @property
    def highest(self) -> float:
        """What `target` is never above."""
        ...

    def observe(self, lateness: float) -> None:
        """A packet came `lateness` seconds after the fastest one would have."""
        ...

    def restart(self) -> None:
        """The source began anew: what was late before says nothing now."""
        ...


class FixedDelay:
    """Always the same."""

    __slots__ = ("highest", "target")

    def __init__(self, target: float) -> None:
        self.target = self.highest = target

    def observe(self, lateness: float) -> None:
        """Nothing is learned."""

    def restart(self) -> None:
        """Nothing is forgotten."""


class AdaptiveDelay:
    """The delay that costs least, given how late the packets of the last ten seconds came.

    Every millisecond costs something, and so does every packet that would have been too late: a
    thin tail of stragglers is left behind, a step that many packets stand on is climbed. Both in
    the terms of ITU-T G.107, where one packet lost in a hundred is as bad as many milliseconds.
    It rises at the packet that shows the need and falls by steps.
    """

    __slots__ = ("_lowest", "_recent", "_seen", "_start", "highest", "target")

    _WINDOW = 512
    _INTERVAL = 64
    _STRAGGLERS = 16
    """The latest packets, of which some may be given up; the 3 % before them are never."""
    _LATE_COST = 14.0
    """Milliseconds of delay that one late packet in a full window is worth."""
    _MARGIN = 0.004
    _FALL = 0.016

    def __init__(self, start: float = 0.040, lowest: float = 0.006, highest: float = 0.300) -> None:
        """Begin at `start` seconds; stay between `lowest` and `highest`."""
        self.target = start
        self._start = start
        self._lowest = lowest
        self.highest = highest
        self._recent: list[float] = []
        self._seen = 0

    def observe(self, lateness: float) -> None:
        recent = self._recent
        seen = self._seen
        self._seen = seen + 1
        if seen < self._WINDOW:
            recent.append(lateness)
        else:
            recent[seen % self._WINDOW] = lateness
        if lateness > self.target or seen % self._INTERVAL == self._INTERVAL - 1:
            self._decide()

    def restart(self) -> None:
        self._recent.clear()
        self._seen = 0
        self.target = min(self.target, self._start)

    def _decide(self) -> None:
        wanted = self._cheapest() + self._MARGIN
        if wanted < self.target:
            wanted = max(wanted, self.target - self._FALL)
        self.target = min(max(wanted, self._lowest), self.highest)

    def _cheapest(self) -> float:
        """The lateness of the last packet that is worth waiting for."""
        latest = sorted(self._recent)[-self._STRAGGLERS :]
        each = self._LATE_COST / 1000 * self._WINDOW / max(len(self._recent), self._INTERVAL)
        best, least = latest[-1], latest[-1]
        for given_up, wait in enumerate(reversed(latest)):
            cost = wait + given_up * each
            if cost < least:
                best, least = wait, cost
        return best
