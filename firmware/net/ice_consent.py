"""Whether the far end still agrees to be sent to (RFC 7675 §5.1). Pure.

It agrees by answering a check it could not have answered without our password, and its word holds
for thirty seconds. Asked is about every five, each time by a check of its own that is not repeated.
"""

EXPIRY = 30.0
INTERVAL = 5.0
_SPREAD = (0.8, 0.4)
"""The interval is drawn between 0.8 and 1.2 times its length."""


class Consent:
    """The word of one far end; `lot` is drawn from [0, 1)."""

    __slots__ = ("ask_at", "until")

    def __init__(self, now: float) -> None:
        self.until = now + EXPIRY
        self.ask_at = now + INTERVAL * _SPREAD[0]

    def heard(self, now: float) -> None:
        """It agreed again."""
        self.until = max(self.until, now + EXPIRY)

    def revoke(self, now: float) -> None:
        """It said no (RFC 7675 §5.2)."""
        self.until = now

    def due(self, now: float, lot: float) -> bool:
        """Whether to ask now."""
        if now < self.ask_at:
            return False
        self.ask_at = now + INTERVAL * (_SPREAD[0] + _SPREAD[1] * lot)
        return True

    def lost(self, now: float) -> bool:
        """Whether nothing more may be sent."""
        return now >= self.until

    @property
    def deadline(self) -> float:
        """When to look again."""
        return min(self.until, self.ask_at)
