"""Contact bounce becomes one edge: act on the leading edge, then lock out and re-read. Pure.

A contact that changed bounces for some milliseconds. The first edge is believed at once, so a key
feels immediate and a hook closes the microphone without delay; then nothing is believed until the
lock-out has passed, and the level that is read then decides. The re-reading is essential: the last
edge of a bounce may be lost on its way (the kernel queues 16 a line).
"""

import math


class Debouncer:
    """One contact. Feed it every edge, and the level as read when `deadline` is due.

    `lockout` is in seconds; `level` is the state that is believed, at first the one given.
    """

    __slots__ = ("_locked", "_lockout", "_until", "level")

    def __init__(self, lockout: float, *, level: bool = False) -> None:
        self._lockout = lockout
        self._until = -math.inf
        self._locked = False
        self.level = level

    @property
    def deadline(self) -> float | None:
        """When to read the level again; None if no lock-out runs."""
        return self._until if self._locked else None

    def sample(self, level: bool, now: float) -> bool:  # noqa: FBT001 - the level is the datum
        """Take a level that was read at `now`; whether the believed one changed.

        What is told after a lock-out and was within it has bounced all the same.
        """
        if now < self._until:
            return False
        self._locked = level != self.level
        if self._locked:
            self.level = level
            self._until = now + self._lockout
        return self._locked
