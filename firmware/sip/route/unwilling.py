"""Which servers want no TCP: so that a long request does not ask in vain each time.

A bounded memory of the past, not a store of anything alive.
"""

from typing import Final

from firmware.sip.flow import Endpoint

_REMEMBERED_SECONDS: Final = 3600.0
_MOST_REMEMBERED: Final = 64


class Unwilling:
    """Servers that have refused TCP lately."""

    def __init__(self) -> None:
        self._until: dict[Endpoint, float] = {}

    def note(self, remote: Endpoint, now: float) -> None:
        """There was no connection to be had."""
        if len(self._until) >= _MOST_REMEMBERED:
            self._until.clear()
        self._until[remote] = now + _REMEMBERED_SECONDS

    def has(self, remote: Endpoint, now: float) -> bool:
        """Whether it need not be tried again yet."""
        return self._until.get(remote, now) > now
