"""What the hardware tells the phone: settled facts, each with the moment it became true.

`at` is the monotonic clock in seconds. An event is sent after debouncing, so the receiver may
believe it: a `HookLifted` never means "perhaps".
"""

from dataclasses import dataclass

from hal.keys import Key

STUCK = "it is stuck down"
"""The reason with which a key fails that is not let go."""
FLASH_MAX = 0.5
"""Seconds a hook may be down and still only be tapped, where nobody says otherwise (F37)."""


@dataclass(frozen=True, slots=True)
class KeyDown:
    """A key was pressed."""

    key: Key
    at: float


@dataclass(frozen=True, slots=True)
class KeyUp:
    """A key was let go."""

    key: Key
    at: float


@dataclass(frozen=True, slots=True)
class HookLifted:
    """The handset was taken off its cradle."""

    at: float


@dataclass(frozen=True, slots=True)
class HookReplaced:
    """The handset was put down; microphone and earpiece close at once.

    Lifted again within `flash_max` seconds it was a tap: `HookFlash` follows, and until then it is
    not known whether a call has ended. 0 = a tap on this hook means nothing, the call has ended.
    """

    at: float
    flash_max: float = FLASH_MAX


@dataclass(frozen=True, slots=True)
class HookFlash:
    """The hook was pressed and released again within `flash_max`."""

    at: float


@dataclass(frozen=True, slots=True)
class HeadsetPlugged:
    """A headset was plugged in."""

    at: float


@dataclass(frozen=True, slots=True)
class HeadsetUnplugged:
    """The headset was pulled out."""

    at: float


@dataclass(frozen=True, slots=True)
class DeviceFailed:
    """A device stopped working; `reason` is a clause for people, e.g. `no answer at 0x3c`."""

    device: str
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class DeviceRecovered:
    """A device that had failed works again."""

    device: str
    at: float


Event = (
    KeyDown
    | KeyUp
    | HookLifted
    | HookReplaced
    | HookFlash
    | HeadsetPlugged
    | HeadsetUnplugged
    | DeviceFailed
    | DeviceRecovered
)
