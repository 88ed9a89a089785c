"""The cradle switch becomes lifted, replaced and flash. Pure.

Putting the handset down is told at once, because microphone and earpiece close with it. If it is
lifted again within `flash_max`, that was a tap on the hook: `HookFlash` follows in place of
`HookLifted`. The phone therefore ends a call only when `flash_max` has passed after a
`HookReplaced`, which tells it how long that is.
"""

from hal.debounce import Debouncer
from hal.events import FLASH_MAX, Event, HookFlash, HookLifted, HookReplaced

LOCKOUT = 0.05


class HookSwitch:
    """One cradle. Feed it the level at every edge and whenever `deadline` is due.

    Seconds throughout; `flash_max` 0 switches flash off. A phone starts with the handset believed
    down: one that is off at the start is lifted by the first `sample`.
    """

    def __init__(self, lockout: float = LOCKOUT, flash_max: float = FLASH_MAX) -> None:
        self._switch = Debouncer(lockout)
        self._flash_max = flash_max
        self._replaced_at: float | None = None

    @property
    def lifted(self) -> bool:
        """Whether the handset is off its cradle."""
        return self._switch.level

    @property
    def deadline(self) -> float | None:
        """When to read the level again; None while nothing bounces."""
        return self._switch.deadline

    def sample(self, lifted: bool, now: float) -> tuple[Event, ...]:  # noqa: FBT001 - the datum
        """Take the level as read at `now`."""
        if not self._switch.sample(lifted, now):
            return ()
        if not lifted:
            self._replaced_at = now
            return (HookReplaced(now, self._flash_max),)
        since, self._replaced_at = self._replaced_at, None
        if since is not None and now - since < self._flash_max:
            return (HookFlash(now),)
        return (HookLifted(now),)
