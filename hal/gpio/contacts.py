"""What the switches of a board mean: levels of wires in, events out. Pure.

A switch pulls its wire to ground, so a wire is *closed* or open. Each part here has one or more
wires and is fed by `hal.gpio.watch`: every edge with the moment it happened, and the levels as read
whenever `deadline` is due.
"""

from collections.abc import Callable
from typing import Protocol

from hal.board_spec import Contact, HeadsetSpec, HookSpec, RotarySpec
from hal.debounce import Debouncer
from hal.events import Event, HeadsetPlugged, HeadsetUnplugged
from hal.hookflash import HookSwitch
from hal.keys import Key
from hal.matrix import Matrix
from hal.rotary import RotaryDial

PLUG_LOCKOUT = 0.25
"""Seconds: a plug that is pushed in slides along the contacts of its socket."""
BUTTON_LOCKOUT = 0.02
Wires = tuple[bool, ...]
"""Of each wire whether it is closed to ground."""


class Contacts(Protocol):
    """A part made of switches."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def pins(self) -> tuple[int, ...]:
        """Its wires, in the order of `sample`'s levels."""

    @property
    def deadline(self) -> float | None:
        """When to read the wires again although no edge came; None while nothing is pending."""

    def sample(self, closed: Wires, now: float) -> tuple[Event, ...]:
        """Take the wires as they were at `now`."""

    def lose(self, now: float) -> tuple[Event, ...]:
        """The wires cannot be read, and until they are sampled again they may do anything."""


class Hook:
    """The cradle switch; if the board does not know its contact, the handset is down at first.

    What that makes of the contact is `learned`.
    """

    name = "hook"

    def __init__(self, spec: HookSpec, learned: Callable[[Contact], None] | None = None) -> None:
        self.pins: tuple[int, ...] = (spec.pin,)
        self._lifted_if = None if spec.lifted is Contact.AUTO else spec.lifted is Contact.CLOSED
        self._learned = learned
        self._switch = HookSwitch(spec.lockout_ms / 1000, spec.flash_max_ms / 1000)

    @property
    def deadline(self) -> float | None:
        return self._switch.deadline

    def sample(self, closed: Wires, now: float) -> tuple[Event, ...]:
        (level,) = closed
        if self._lifted_if is None:
            self._lifted_if = not level
            if self._learned is not None:
                self._learned(Contact.OPEN if level else Contact.CLOSED)
        return self._switch.sample(level == self._lifted_if, now)

    def lose(self, _now: float) -> tuple[Event, ...]:
        """The handset stays where it was: nobody's call ends because of a wire."""
        return ()


class Dial:
    """A rotary dial; its pulse contact rests closed."""

    name = "rotary dial"

    def __init__(self, spec: RotarySpec) -> None:
        both = spec.off_normal is not None
        self.pins: tuple[int, ...] = (spec.pulse,)
        if spec.off_normal is not None:
            self.pins = (spec.pulse, spec.off_normal)
        self._dial = RotaryDial(spec.order, off_normal=both)

    @property
    def deadline(self) -> float | None:
        return self._dial.deadline

    def sample(self, closed: Wires, now: float) -> tuple[Event, ...]:
        return self._dial.sample(not closed[0], closed[-1] and len(closed) > 1, now)

    def lose(self, _now: float) -> tuple[Event, ...]:
        self._dial.lose()
        return ()


class Button:
    """A key with a wire of its own."""

    def __init__(self, key: Key, pin: int) -> None:
        self.name = f"key {key.value}"
        self.pins: tuple[int, ...] = (pin,)
        self._matrix = Matrix([[key]], BUTTON_LOCKOUT)

    @property
    def deadline(self) -> float | None:
        return self._matrix.deadline

    def sample(self, closed: Wires, now: float) -> tuple[Event, ...]:
        return self._matrix.scan({(0, 0)} if closed[0] else frozenset(), now)

    def lose(self, now: float) -> tuple[Event, ...]:
        return self._matrix.release(now)


class Headset:
    """The switch in a headset socket; a plug that is there at the start is told."""

    name = "headset socket"

    def __init__(self, spec: HeadsetSpec) -> None:
        self.pins: tuple[int, ...] = (spec.pin,)
        self._plugged_if = spec.plugged is Contact.CLOSED
        self._plug = Debouncer(PLUG_LOCKOUT)

    @property
    def deadline(self) -> float | None:
        return self._plug.deadline

    def sample(self, closed: Wires, now: float) -> tuple[Event, ...]:
        (level,) = closed
        if not self._plug.sample(level == self._plugged_if, now):
            return ()
        return (HeadsetPlugged(now) if self._plug.level else HeadsetUnplugged(now),)

    def lose(self, _now: float) -> tuple[Event, ...]:
        """The plug stays where it was."""
        return ()
