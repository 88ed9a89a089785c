"""The virtual desk phone: keypad, hook, screen, lamps and bell that exist only here.

It stands where a board's adapters stand and obeys their ports; a page, the control API or a test
is the person in front of it. Every method may be called from any thread.
"""

from collections.abc import Callable, Iterable

from hal.events import Event, HookFlash, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.keys import Key
from hal.ports import LampPattern, Picture, Post


class Screen:
    """A `DisplayPort` that keeps the latest picture."""

    def __init__(self, size: tuple[int, int]) -> None:
        self._size = size
        self.picture: Picture | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def show(self, picture: Picture) -> None:
        self.picture = picture

    def close(self) -> None:
        self.picture = None


class Lamps:
    """A `LampPort` that remembers."""

    def __init__(self, names: Iterable[str]) -> None:
        self.patterns = dict.fromkeys(names, LampPattern.OFF)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.patterns)

    def set(self, lamp: str, pattern: LampPattern) -> None:
        if lamp in self.patterns:
            self.patterns[lamp] = pattern

    def close(self) -> None:
        self.patterns = dict.fromkeys(self.patterns, LampPattern.OFF)


class Bell:
    """A `RingerPort` that remembers."""

    def __init__(self) -> None:
        self.cadence: tuple[float, ...] = ()

    def ring(self, cadence: tuple[float, ...]) -> None:
        self.cadence = cadence

    def silence(self) -> None:
        self.cadence = ()

    def close(self) -> None:
        self.silence()


class Panel:
    """The whole virtual phone: an `InputPort` and a `PanelPort` with its screen, lamps and bell.

    `clock` gives monotonic seconds. Without a `size` there is no screen, without lamps or bell
    these ports are None; a phone without a hook ignores lifting.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        keys: Iterable[Key] = Key,
        size: tuple[int, int] | None = (128, 64),
        lamps: Iterable[str] = (),
        bell: bool = True,
        hook: bool = True,
    ) -> None:
        self._clock = clock
        self._post: Post | None = None
        self._keys = frozenset(keys)
        self._down: set[Key] = set()
        self._has_hook = hook
        self._off_hook = False
        self.screen = Screen(size) if size else None
        self.lamp_row = Lamps(lamps)
        self.ringer = Bell() if bell else None

    def start(self, post: Post) -> None:
        self._post = post

    def close(self) -> None:
        self._post = None

    @property
    def keys(self) -> frozenset[Key]:
        return self._keys

    @property
    def pressed(self) -> frozenset[Key]:
        """The keys that are held down."""
        return frozenset(self._down)

    @property
    def off_hook(self) -> bool:
        return self._off_hook

    @property
    def picture(self) -> Picture | None:
        return self.screen.picture if self.screen else None

    @property
    def lamps(self) -> dict[str, LampPattern]:
        return dict(self.lamp_row.patterns)

    @property
    def bell(self) -> tuple[float, ...]:
        return self.ringer.cadence if self.ringer else ()

    def press(self, key: Key) -> None:
        if key in self._keys and key not in self._down:
            self._down.add(key)
            self._tell(KeyDown(key, self._clock()))

    def release(self, key: Key) -> None:
        if key in self._down:
            self._down.remove(key)
            self._tell(KeyUp(key, self._clock()))

    def lift(self) -> None:
        if self._has_hook and not self._off_hook:
            self._off_hook = True
            self._tell(HookLifted(self._clock()))

    def replace(self) -> None:
        if self._off_hook:
            self._off_hook = False
            self._tell(HookReplaced(self._clock()))

    def flash(self) -> None:
        """Tap the hook: `HookReplaced`, then `HookFlash`, as `hal.hookflash` tells a real one."""
        if self._off_hook:
            self._tell(HookReplaced(self._clock()))
            self._tell(HookFlash(self._clock()))

    def _tell(self, event: Event) -> None:
        if self._post is not None:
            self._post(event)
