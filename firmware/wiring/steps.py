"""The steps of a walk: each asks for one thing and waits for it, but never for ever. Pure.

A step is `done` when it has seen enough, when its time is over, or when the builder skips it. What
came otherwise than it was asked for is asked for once more: a finger slips, a wire does not.
"""

from collections.abc import Sequence
from typing import Protocol

from firmware.base.phrase import Phrase, phrase
from firmware.wiring.evidence import HEADSET, HOOK, Answer, Answering, Effect, Evidence, Say, Sound
from hal.events import (
    Event,
    HeadsetPlugged,
    HeadsetUnplugged,
    HookFlash,
    HookLifted,
    HookReplaced,
    KeyDown,
    KeyUp,
)
from hal.keys import Key

Given = Event | Answer | Sound | Answering
ACT, ANSWER = 20.0, 60.0
"""Seconds that a builder has for an act or an answer."""
HELD = 8.0
"""A key that is down for so long was not let go: its contact sticks."""
DIAL = "rotary dial"
CALM, MOVE_CALM = 0.12, 0.6
"""Seconds after the last edge in which a contact that bounces gives itself away."""
BOTH_CALM = 3.0
"""Likewise, of two moves one after the other."""
CONFIRMED = 3
"""Keys that came wrong twice in the same way, after which the others are believed at once."""


class Step(Protocol):
    """One step; `device` is the part it needs, as `DeviceFailed` names it."""

    device: str
    what: Phrase
    done: bool
    deadline: float

    def begin(self, now: float, seen: Evidence, /) -> Sequence[Effect]:
        """Ask; a step that has nothing to ask is done at once."""

    def take(self, given: Given, now: float, seen: Evidence, /) -> Sequence[Effect]:
        """Something happened."""

    def expire(self, now: float, seen: Evidence, /) -> Sequence[Effect]:
        """The time is over."""

    def end(self) -> Sequence[Effect]:
        """Leave everything at rest, however it ended."""


class Base:
    """What steps have in common."""

    limit = ACT

    def __init__(self, device: str, what: Phrase, ask: Phrase) -> None:
        self.device = device
        self.what = what
        self.done = False
        self.deadline = 0.0
        self._ask = ask

    def begin(self, now: float, _seen: Evidence) -> Sequence[Effect]:
        return self.ask(now, self._ask)

    def ask(self, now: float, words: Phrase) -> Sequence[Effect]:
        """Ask, and wait anew."""
        self.deadline = now + self.limit
        return (Say(words, ask=True),)

    def end(self) -> Sequence[Effect]:
        return ()


class Press(Base):
    """A key is to be pressed; whatever key comes is noted."""

    def __init__(self, key: Key, device: str) -> None:
        dial = device == DIAL
        ask = phrase("board.test.turn" if dial else "board.test.press", key=key.value)
        super().__init__(device, phrase("board.test.key", key=key.value), ask)
        self._again = "board.test.turn_again" if dial else "board.test.press_again"
        self._key = key
        self._down: set[Key] = set()
        self._came: list[Key] = []
        self._before: list[Key] | None = None

    def begin(self, now: float, seen: Evidence) -> Sequence[Effect]:
        if self._key in seen.stuck:
            self.done = True
            return ()
        return super().begin(now, seen)

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
            case Answer.NO:
                self.deadline = now
            case Answer.YES:
                return (Say(phrase("board.test.act")),)
            case _:
                pass
        return ()

    def expire(self, now: float, seen: Evidence) -> Sequence[Effect]:
        seen.stuck |= self._down
        if not self._down and self._is_doubtful(seen):
            keys, self._came = _names(self._came), []
            return self.ask(now, phrase(self._again, keys=keys, key=self._key.value))
        self.done = True
        came = self._came or self._before
        if not came:
            seen.silent.add(self._key)
            return (Say(phrase("board.test.nothing")),)
        seen.arrived[self._key] = came
        if self._key in came and set(came) == {self._key}:
            return (Say(phrase("board.test.ok")),)
        return (Say(phrase("board.test.came", keys=_names(came))),)

    def _is_doubtful(self, seen: Evidence) -> bool:
        """Whether to ask once more."""
        if self._before is not None:
            seen.confirmed += set(self._before) == set(self._came)
            return False
        if set(self._came) <= {self._key} or seen.confirmed >= CONFIRMED:
            return False
        self._before = self._came
        return True


def _names(keys: Sequence[Key]) -> str:
    return " ".join(dict.fromkeys(key.value for key in keys))


_TOLD: dict[type, tuple[str, bool]] = {
    HookLifted: (HOOK, True),
    HookFlash: (HOOK, True),
    HookReplaced: (HOOK, False),
    HeadsetPlugged: (HEADSET, True),
    HeadsetUnplugged: (HEADSET, False),
}


def told_by(given: Given) -> tuple[str, bool] | None:
    """Which switch an event is of, and what it tells."""
    return _TOLD.get(type(given))


class Move(Base):
    """A switch is to be moved: the handset lifted or put down, a headset plugged in or out.

    `again` asks for the move back and the move, when more than one came, or when the switch seems
    to be moved already: then the last that is told is the one that was meant.
    """

    def __init__(
        self, switch: str, device: str, what: Phrase, ask: Phrase, again: Phrase, *, on: bool
    ) -> None:
        super().__init__(device, what, ask)
        self._switch = switch
        self._on = on
        self._again = again
        self._both = False
        self._told: list[bool] = []
        self._before: list[bool] = []

    def begin(self, now: float, seen: Evidence) -> Sequence[Effect]:
        moves = seen.moves[self._switch]
        # Before the first move nothing should have moved; before the second, only that.
        moved = moves.last is not (None if self._on else moves.told.get(True))
        return self._ask_both(now) if moved else super().begin(now, seen)

    def _ask_both(self, now: float) -> Sequence[Effect]:
        self._both, self._before, self._told = True, self._told, []
        return self.ask(now, self._again)

    def take(self, given: Given, now: float, _seen: Evidence) -> Sequence[Effect]:
        told = told_by(given)
        if told is not None and told[0] == self._switch:
            self._told.append(told[1])
            self.deadline = now + (BOTH_CALM if self._both else MOVE_CALM)
        elif given is Answer.NO:
            self.deadline = now
        elif given is Answer.YES:
            return (Say(phrase("board.test.act")),)
        return ()

    def expire(self, now: float, seen: Evidence) -> Sequence[Effect]:
        if len(self._told) > 1 and not self._both:
            return self._ask_both(now)
        self.done = True
        moves = seen.moves[self._switch]
        both = self._both and bool(self._told)
        told = self._told or self._before
        moves.bounces += max(0, len(told) - (2 if both else 1))
        moves.told[self._on] = (told[-1] if both else told[0]) if told else None
        if not told:
            return (Say(phrase("board.test.nothing")),)
        return (Say(phrase("board.test.ok")),) if moves.told[self._on] is self._on else ()


class Question(Base):
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
        self.name = name
        self._start = start
        self._rest = rest
        self._otherwise = otherwise

    def begin(self, now: float, seen: Evidence) -> Sequence[Effect]:
        return (*self._start, *super().begin(now, seen))

    def take(self, given: Given, now: float, seen: Evidence) -> Sequence[Effect]:
        if given is not Answer.YES and given is not Answer.NO:
            return ()
        seen.answers[self.name] = given
        if given is Answer.NO and (after := self._otherwise) is not None:
            self.name, self._ask, self._start = after.name, after._ask, after._start  # noqa: SLF001 - one of us
            self._otherwise = after._otherwise  # noqa: SLF001 - likewise
            return (*self._start, *self.ask(now, self._ask))
        self.done = True
        return ()

    def expire(self, _now: float, seen: Evidence) -> Sequence[Effect]:
        self.done = True
        if self.name not in seen.answers:
            seen.skipped.append(self.what)
        return ()

    def end(self) -> Sequence[Effect]:
        return self._rest


class AnyKeys(Question):
    """Keys that no board file names are pressed one after the other; each that comes is said."""

    def take(self, given: Given, now: float, seen: Evidence) -> Sequence[Effect]:
        if isinstance(given, KeyDown):
            self.deadline = now + self.limit
            return (Say(phrase("board.test.came", keys=given.key.value)),)
        return super().take(given, now, seen)
