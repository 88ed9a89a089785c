"""Events of an input device to keys and hook. Pure: codes are numbers, the kernel's own.

The kernel's buffer may run over; it then says so, and what came in between is lost. Whoever reads
the device asks for its present state and hands it to `settle` (input event protocol, SYN_DROPPED).
"""

from collections.abc import Collection

from hal.events import Event
from hal.held import HeldKeys
from hal.hookflash import HookSwitch
from hal.keys import Key

EV_SYN, EV_KEY, EV_SW, EV_LED = 0x00, 0x01, 0x05, 0x11
SYN_DROPPED = 3
EV_HID = 0x10000
"""Not the kernel's: the code is a usage of `hal.evdev.hid`."""
_UP, _DOWN = 0, 1
Code = tuple[int, int]
"""Type and code of an event."""


class Reading:
    """One handset: what its codes mean, and what is held; seconds throughout.

    `hook` is the code of the cradle switch, `lifted` its value with the handset off.
    """

    def __init__(
        self, keys: dict[Code, Key], hook: Code | None, *, lifted: bool, flash_max: float
    ) -> None:
        self._named = keys
        self._keys = keys
        self._hook_code = hook
        self._lifted = lifted
        self._hook = HookSwitch(0.0, flash_max)
        self._held = HeldKeys()

    def __len__(self) -> int:
        """How many keys are held."""
        return len(self._held)

    @property
    def deadline(self) -> float | None:
        """When `expire` is due."""
        return self._held.deadline

    def offer(self, codes: Collection[Code]) -> None:
        """What the devices of the handset can say. A key is heard in one way alone.

        The kernel shows a handset's dial keys as input events and leaves the reports as they are:
        of both, one press would be two digits as soon as somebody reads them late.
        """
        mapped = {self._named[code] for code in codes if code in self._named and code[0] != EV_HID}
        self._keys = {
            code: key for code, key in self._named.items() if code[0] != EV_HID or key not in mapped
        }

    def take(self, code: Code, value: int, now: float) -> tuple[Event, ...]:
        """One event; a key that repeats by itself changes nothing."""
        if value not in (_UP, _DOWN):
            return ()
        if code == self._hook_code:
            return self._hook.sample((value == _DOWN) == self._lifted, now)
        key = self._keys.get(code)
        if key is None:
            return ()
        return self._held.down(key, now) if value == _DOWN else self._held.up(key, now)

    def settle(
        self, on: Collection[Code], now: float, unknown: Collection[Code] = ()
    ) -> tuple[Event, ...]:
        """These codes are on and no others; a key whose beginning was lost is not pressed late.

        Of those `unknown` nobody can say; a handset stays where it was.
        """
        events: list[Event] = []
        # A key may have several codes.
        held = {key for code, key in self._keys.items() if code in on}
        for key in dict.fromkeys(self._keys.values()):
            if key not in held:
                events.extend(self._held.up(key, now))
        if self._hook_code is not None and self._hook_code not in unknown:
            lifted = (self._hook_code in on) == self._lifted
            events.extend(self._hook.sample(lifted, now))
        return tuple(events)

    def expire(self, now: float) -> tuple[Event, ...]:
        """The deadline is due."""
        return self._held.expire(now)

    def gone(self, now: float) -> tuple[Event, ...]:
        """The cable was pulled: nobody holds a key. The handset stays where it was."""
        return self._held.release(now)
