"""The 20 ms grid of the engine on the monotonic clock. Pure arithmetic; waiting is `host`'s.

A late beat is caught up, so that timestamps and packets stay on the grid; after a stall longer
than 200 ms the grid starts anew at the present, and the beats that were lost are only counted.
"""

FRAME = 0.02
"""Seconds in a frame."""

_STALL = 0.2


class Beat:
    """When the next frame is due, and how well the last ones were kept."""

    __slots__ = ("_follows", "_worst", "due")

    def __init__(self, now: float) -> None:
        self.due = now
        """Moment of the next frame on the caller's clock."""
        self._worst = 0.0
        self._follows = False

    def restart(self, now: float) -> None:
        """Begin again after idleness: the next frame is due at once and nothing was late."""
        self.due = now
        self._follows = False

    def follow(self, now: float) -> None:
        """A frame was done at the pace of a card, whose clock is the one that counts.

        The next one is looked for half a frame early: then the card's own blocking decides, and
        a card that forgets to block cannot make the engine spin.
        """
        if self._follows:
            self._worst = max(self._worst, now - self.due - FRAME / 2)
        self._follows = True
        self.due = now + FRAME / 2

    def take(self, now: float) -> int:
        """A frame is done at `now`: move on and return how many whole frames a stall cost."""
        self._follows = False
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
