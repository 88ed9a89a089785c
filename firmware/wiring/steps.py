"""The steps of a walk: each asks for one thing and waits for it, but never for ever. Pure.

A step is `done` when it has seen enough, when its time is over, or when the builder skips it.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from firmware.base.phrase import Phrase, phrase
from firmware.wiring.evidence import (
    Answer,
    Draw,
    Effect,
    Evidence,
    Level,
    Light,
    Listen,
    NoSound,
    Play,
    Played,
    Ring,
    Say,
    Sound,
)
from hal.board_spec import BoardSpec
from hal.events import Event, HookFlash, HookLifted, HookReplaced, KeyDown, KeyUp
from hal.keys import Key

Given = Event | Answer | Sound
ACT, ANSWER, SOUND = 20.0, 60.0, 15.0
"""Seconds that a builder has for an act or an answer, and a sound card for its part."""
HELD = 8.0
"""A key that is down for so long was not let go: its contact sticks."""
DIAL = "rotary dial"
CALM, HOOK_CALM = 0.12, 0.6
"""Seconds after the last edge in which a contact that bounces gives itself away."""


class Step(Protocol):
    """One step; `device` is the part it needs, as `DeviceFailed` names it."""

    device: str
    what: Phrase
    done: bool
    deadline: float

    def begin(self, now: float) -> Sequence[Effect]:
        """Ask."""

    def take(self, given: Given, now: float, seen: Evidence, /) -> Sequence[Effect]:
        """Something happened."""

    def expire(self, seen: Evidence) -> Sequence[Effect]:
        """The time is over."""

    def end(self) -> Sequence[Effect]:
        """Leave everything at rest, however it ended."""


class _Base:
    """What steps have in common."""

    limit = ACT

    def __init__(self, device: str, what: Phrase, ask: Phrase) -> None:
        self.device = device
        self.what = what
        self.done = False
        self.deadline = 0.0
        self._ask = ask

    def begin(self, now: float) -> Sequence[Effect]:
        self.deadline = now + self.limit
        return (Say(self._ask, ask=True),)

    def end(self) -> Sequence[Effect]:
        return ()


class Press(_Base):
    """A key is to be pressed; whatever key comes is noted."""

    def __init__(self, key: Key, device: str) -> None:
        ask = phrase("board.test.press", key=key.value)
        if device == DIAL:
            ask = phrase("board.test.turn", key=key.value)
        super().__init__(device, phrase("board.test.key", key=key.value), ask)
        self._key = key
        self._down: set[Key] = set()
        self._came: list[Key] = []

    def take(self, given: Given, now: float, _seen: Evidence) -> Sequence[Effect]:
        match given:
            case KeyDown(key):
                self._came.append(key)
                self._down.add(key)
                self.deadline = now + HELD
            case KeyUp(key) if key in self._down:
                self._down.remove(key)
                if not self._down:
                    self.deadline = now + CALM
            case Answer.NO | Answer.YES:
                self.deadline = now
            case _:
                pass
        return ()

    def expire(self, seen: Evidence) -> Sequence[Effect]:
        self.done = True
        seen.stuck |= self._down
        if not self._came:
            seen.silent.add(self._key)
            return (Say(phrase("board.test.nothing")),)
        seen.arrived[self._key] = self._came
        others = dict.fromkeys(key.value for key in self._came if key is not self._key)
        if others:
            return (Say(phrase("board.test.came", keys=" ".join(others))),)
        return (Say(phrase("board.test.ok")),)


class Cradle(_Base):
    """The handset is to be lifted, or put down."""

    def __init__(self, device: str, *, lift: bool) -> None:
        text = "board.test.lift" if lift else "board.test.replace"
        super().__init__(device, phrase("board.test.hook"), phrase(text))
        self._lift = lift
        self._told: list[bool] = []

    def take(self, given: Given, now: float, _seen: Evidence) -> Sequence[Effect]:
        match given:
            case HookLifted() | HookFlash():
                self._told.append(True)
                self.deadline = now + HOOK_CALM
            case HookReplaced():
                self._told.append(False)
                self.deadline = now + HOOK_CALM
            case Answer.NO | Answer.YES:
                self.deadline = now
            case _:
                pass
        return ()

    def expire(self, seen: Evidence) -> Sequence[Effect]:
        self.done = True
        seen.hook[self._lift] = self._told[0] if self._told else None
        seen.hook_bounces += len(self._told[1:])
        if not self._told:
            return (Say(phrase("board.test.nothing")),)
        return (Say(phrase("board.test.ok")),) if self._told == [self._lift] else ()


class Question(_Base):
    """Something is shown, lit or rung, and the builder says whether that is so.

    `name` is where the answer stands in the evidence; after a no `otherwise` is asked.
    """

    limit = ANSWER

    def __init__(  # noqa: PLR0913 - a question is all of this
        self,
        name: str,
        device: str,
        what: Phrase,
        ask: Phrase,
        *,
        start: Sequence[Effect] = (),
        rest: Sequence[Effect] = (),
        otherwise: "Question | None" = None,
    ) -> None:
        super().__init__(device, what, ask)
        self._name = name
        self._start = start
        self._rest = rest
        self._otherwise = otherwise

    def begin(self, now: float) -> Sequence[Effect]:
        return (*self._start, *super().begin(now))

    def take(self, given: Given, now: float, seen: Evidence) -> Sequence[Effect]:
        if given not in (Answer.YES, Answer.NO):
            return ()
        assert isinstance(given, Answer)
        seen.answers[self._name] = given
        if given is Answer.NO and (after := self._otherwise) is not None:
            self._name, self._ask, self._start = after._name, after._ask, after._start  # noqa: SLF001 - one of us
            self._otherwise = after._otherwise  # noqa: SLF001 - likewise
            return self.begin(now)
        self.done = True
        return ()

    def expire(self, seen: Evidence) -> Sequence[Effect]:
        self.done = True
        if self._name not in seen.answers:
            seen.skipped.append(self.what)
        return ()

    def end(self) -> Sequence[Effect]:
        return self._rest


class Tone(Question):
    """A tone is played on a sound card; the question comes when it has been."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"tone {path}",
            f"card {path}",
            phrase("board.test.card", path=path),
            phrase("board.test.heard", path=path),
        )
        self._path = path

    def begin(self, now: float) -> Sequence[Effect]:
        self.deadline = now + SOUND
        return (Say(phrase("board.test.tone", path=self._path)), Play(self._path))

    def take(self, given: Given, now: float, seen: Evidence) -> Sequence[Effect]:
        match given:
            case Played(path) if path == self._path:
                return super().begin(now)
            case NoSound(path, reason) if path == self._path:
                seen.no_sound[path] = reason
                self.done = True
                return ()
            case _:
                return super().take(given, now, seen)


class Microphone(_Base):
    """The builder speaks, and the level is measured."""

    limit = SOUND

    def __init__(self, path: str) -> None:
        super().__init__(
            f"card {path}",
            phrase("board.test.microphone", path=path),
            phrase("board.test.speak", path=path),
        )
        self._path = path

    def begin(self, now: float) -> Sequence[Effect]:
        return (*super().begin(now), Listen(self._path))

    def take(self, given: Given, _now: float, seen: Evidence) -> Sequence[Effect]:
        match given:
            case Level(path) if path == self._path:
                seen.levels[path] = given
                self.done = True
                return (Say(phrase("board.test.level", per_cent=round(given.peak * 100))),)
            case NoSound(path, reason) if path == self._path:
                seen.no_sound[path] = reason
                self.done = True
            case _:
                pass
        return ()

    def expire(self, seen: Evidence) -> Sequence[Effect]:
        self.done = True
        seen.skipped.append(self.what)
        return ()


def steps_of(spec: BoardSpec) -> Iterator[Step]:
    """The way through this board: keys, hook, lamps, bell, screen, sound."""
    yield from _keys(spec)
    if device := _hook_device(spec):
        yield Cradle(device, lift=True)
        yield Cradle(device, lift=False)
    for lamp in _lamps(spec):
        yield _lamp(lamp)
    if name := _bell(spec):
        yield Question(
            "bell",
            name,
            phrase("board.test.bell"),
            phrase("board.test.rings"),
            start=(Ring(on=True),),
            rest=(Ring(on=False),),
        )
    if spec.display is not None or (spec.panel is not None and spec.panel.size):
        yield _screen()
    for path, card in spec.cards.items():
        if card.kind == "alsa":
            yield Tone(path)
            if path != "ringer":
                yield Microphone(path)


def _keys(spec: BoardSpec) -> Iterator[Step]:
    by_device: list[tuple[str, Sequence[Key]]] = []
    if spec.panel is not None:
        by_device.append(("", spec.panel.keys))
    if spec.keypad is not None:
        by_device.append(("keypad", [key for row in spec.keypad.keys for key in row if key]))
    by_device += [(f"key {key.value}", [key]) for key, _ in spec.buttons]
    if spec.rotary is not None:
        by_device.append((DIAL, [Key(digit) for digit in spec.rotary.order]))
    if spec.usb is not None:
        by_device.append(("USB handset", [key for _, key in spec.usb.keys]))
    for device, keys in by_device:
        for key in dict.fromkeys(keys):
            yield Press(key, device)


def _hook_device(spec: BoardSpec) -> str:
    if spec.hook is not None:
        return "hook"
    if spec.usb is not None and spec.usb.hook:
        return "USB handset"
    return "handset" if spec.has_hook else ""


def _lamps(spec: BoardSpec) -> Iterator[str]:
    yield from (name for name, _ in spec.lamps)
    if spec.panel is not None:
        yield from spec.panel.lamps
    if spec.usb is not None:
        yield from (name for name, _ in spec.usb.lamps)
    if spec.serial is not None:
        yield from spec.serial.lamps


def _lamp(name: str) -> Step:
    what, device = phrase("board.test.lamp", lamp=name), f"lamp {name}"
    return Question(
        device,
        device,
        what,
        phrase("board.test.shines", lamp=name),
        start=(Light(name, on=True),),
        rest=(Light(name, on=False),),
        otherwise=Question(
            f"{device} off",
            device,
            what,
            phrase("board.test.shines_now", lamp=name),
            start=(Light(name, on=False),),
        ),
    )


def _bell(spec: BoardSpec) -> str:
    if spec.ringer is not None:
        return spec.ringer.kind
    by_panel = spec.panel is not None and spec.panel.bell
    return "bell" if by_panel or (spec.serial is not None and spec.serial.bell) else ""


def _screen() -> Step:
    what = phrase("board.test.screen")
    return Question(
        "screen",
        "screen",
        what,
        phrase("board.test.picture"),
        start=(Draw(),),
        otherwise=Question(
            "screen turned",
            "screen",
            what,
            phrase("board.test.upside_down"),
            start=(Draw(),),
        ),
    )
