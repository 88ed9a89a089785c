"""Keys that another device has settled: which are down, and which have been so for too long.

Pure. For keypads that debounce by themselves: a USB keypad, a front panel behind a wire. A key
that is held for half a minute is taken for stuck, as on a matrix: let go, reported, and ignored
until it opens.
"""

from hal.events import STUCK, DeviceFailed, DeviceRecovered, Event, KeyDown, KeyUp
from hal.keys import Key

STUCK_AFTER = 30.0


class HeldKeys:
    """The keys of one device; seconds throughout."""

    def __init__(self, stuck_after: float = STUCK_AFTER) -> None:
        self._stuck_after = stuck_after
        self._since: dict[Key, float] = {}
        self._stuck: set[Key] = set()

    def __len__(self) -> int:
        """How many keys are believed to be down or stuck."""
        return len(self._since) + len(self._stuck)

    @property
    def deadline(self) -> float | None:
        """When the key that is held longest counts as stuck; None if no key is held."""
        return min(self._since.values()) + self._stuck_after if self._since else None

    def down(self, key: Key, now: float) -> tuple[Event, ...]:
        """A key went down; one that is down already changes nothing."""
        if key in self._since or key in self._stuck:
            return ()
        self._since[key] = now
        return (KeyDown(key, now),)

    def up(self, key: Key, now: float) -> tuple[Event, ...]:
        """A key was let go."""
        if key in self._stuck:
            self._stuck.remove(key)
            return (DeviceRecovered(_name(key), now),)
        return (KeyUp(key, now),) if self._since.pop(key, None) is not None else ()

    def expire(self, now: float) -> tuple[Event, ...]:
        """Whoever has been held for too long by now."""
        events: list[Event] = []
        for key, since in list(self._since.items()):
            if now - since >= self._stuck_after:
                del self._since[key]
                self._stuck.add(key)
                events += (KeyUp(key, now), DeviceFailed(_name(key), STUCK, now))
        return tuple(events)

    def release(self, now: float) -> tuple[Event, ...]:
        """The device is gone: nobody holds any of its keys."""
        events = [event for key in (*self._since, *self._stuck) for event in self.up(key, now)]
        return tuple(events)


def _name(key: Key) -> str:
    return f"key {key.value}"
