"""Says when a stream that should be heard is silent, and why (2 s after the last sound). Pure."""

from firmware.media.messages import Silence

PATIENCE = 2.0
"""Seconds of silence that need no explanation."""


class HearingWatch:
    """One stream's view of "Hearing nothing: …"."""

    __slots__ = ("_expecting", "_heard_at", "cause")

    def __init__(self) -> None:
        self._expecting = False
        self._heard_at = 0.0
        self.cause: Silence | None = None
        """What was last reported; None while all is well."""

    def expect(self, now: float, *, expecting: bool) -> None:
        """An answer says whether media should arrive from now on; held calls expect none."""
        if expecting and not self._expecting:
            self._heard_at = now
        self._expecting = expecting

    def heard(self, now: float) -> None:
        """Something decodable arrived; what came before it was expected excuses nothing."""
        self._heard_at = max(self._heard_at, now)

    def changed(self, now: float, cause: Silence) -> bool:
        """Whether `cause` must be reported anew; `cause` is why, if it is silent at `now`."""
        silent = self._expecting and (
            cause is Silence.CARD_FAILED or now - self._heard_at >= PATIENCE
        )
        current = cause if silent else None
        if current is self.cause:
            return False
        self.cause = current
        return True
