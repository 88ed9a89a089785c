"""The 20 ms grid of the engine on the monotonic clock. Pure arithmetic; waiting is `host`'s.

A late beat is caught up, so that timestamps and packets stay on the grid; after a stall longer
than 200 ms the grid starts anew at the present, and the beats that were lost are only counted.
Beside a card that sets the pace there is no grid, but what is lost in a stall is counted as well:
a timestamp says when something was said (RFC 3550 §5.1), however long the card was silent.
"""

FRAME = 0.02
"""Seconds in a frame."""

_STALL = 0.2
_FORGIVEN = 0.998
"""What a frame leaves of how far a card is behind: a clock that is 1000 ppm slow is no stall."""


class Beat:
    """When the next frame is due, and how well the last ones were kept."""

    __slots__ = ("_behind", "_follows", "_worst", "due")

    def __init__(self, now: float) -> None:
        self.due = now
        """Moment of the next frame on the caller's clock."""
        self._worst = 0.0
        self._follows = False
        self._behind = 0.0

    def restart(self, now: float) -> None:
        """Begin again after idleness: the next frame is due at once and nothing was late."""
        self.due = now
        self._follows = False
        self._behind = 0.0

    def follow(self, now: float) -> int:
        """A frame was done at the pace of a card; returns how many whole frames a stall cost.

        The next one is looked for half a frame early: then the card's own blocking decides, and
        a card that forgets to block cannot make the engine spin.
        """
        late = now - self.due - FRAME / 2 if self._follows else 0.0
        self._worst = max(self._worst, late)
        self._behind = max(0.0, self._behind + late) * _FORGIVEN
        self._follows = True
        self.due = now + FRAME / 2
        if self._behind < _STALL:
            return 0
        skipped = int(self._behind / FRAME)
        self._behind -= skipped * FRAME
        return skipped

    def take(self, now: float) -> int:
        """A frame is done at `now`: move on and return how many whole frames a stall cost."""
        self._follows = False
        self._behind = 0.0
        late = now - self.due
        self._worst = max(self._worst, late)
        self.due += FRAME
        if late < _STALL:
            return 0
        skipped = int(late / FRAME)
        self.due += skipped * FRAME
        return skipped

    def take_worst(self) -> float:
        """The worst lateness since this was last asked, in seconds."""
        worst, self._worst = self._worst, 0.0
        return worst
