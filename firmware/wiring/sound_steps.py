"""The steps of a sound card: a tone, its way round, a voice, and that voice again. Pure."""

from collections.abc import Sequence

from firmware.base.phrase import phrase
from firmware.wiring.evidence import (
    Answer,
    Beep,
    Beeped,
    Effect,
    Evidence,
    Level,
    Listen,
    NoSound,
    Play,
    Played,
    Repeat,
    Say,
)
from firmware.wiring.sound import SILENT, hears
from firmware.wiring.steps import Base, Given, Question

SOUND = 15.0
"""Seconds that a sound card has for its part."""


class Heard(Question):
    """Something is played, and then it is asked whether it was heard."""

    def __init__(self, name: str, path: str, order: Play | Repeat) -> None:
        repeated = isinstance(order, Repeat)
        super().__init__(
            f"{name} {path}",
            f"card {path}",
            phrase("board.test.echo" if repeated else "board.test.card", path=path),
            phrase("board.test.heard_yourself" if repeated else "board.test.heard", path=path),
        )
        self._path = path
        self._order = order
        self._asked = False
        self._repeated = False

    def announce(self, now: float, words: Sequence[Effect]) -> Sequence[Effect]:
        """Say what comes, and have it played."""
        self.deadline = now + SOUND
        return (*words, self._order)

    def take(self, given: Given, now: float, seen: Evidence) -> Sequence[Effect]:
        match given:
            case Played(path, faults) if path == self._path and not self._asked:
                self._asked = True
                if faults:
                    seen.mixers[path] = faults
                return self.ask(now, self._ask)
            case NoSound(path, reason) if path == self._path:
                seen.no_sound[path] = reason
                self.done = True
                return ()
            case Answer.NO if self._asked and not self._repeated:
                # He had to find the earpiece first.
                self._asked, self._repeated = False, True
                return self.announce(now, (Say(phrase("board.test.listen_again")),))
            case _:
                # An answer that comes before the question is none.
                return super().take(given, now, seen) if self._asked else ()


class Tone(Heard):
    """A tone; if it was not heard where it should be, it may have been heard elsewhere."""

    def __init__(self, path: str) -> None:
        super().__init__("tone", path, Play(path))
        what, words = self.what, phrase("board.test.heard_elsewhere", path=path)
        self._otherwise = Question(f"tone {path} elsewhere", self.device, what, words)

    def begin(self, now: float, _seen: Evidence) -> Sequence[Effect]:
        return self.announce(now, (Say(phrase("board.test.tone", path=self._path)),))


class _Measured(Base):
    """The card answers, not the builder; one that does not is left out."""

    limit = SOUND

    def expire(self, _now: float, seen: Evidence) -> Sequence[Effect]:
        self.done = True
        seen.skipped.append(self.what)
        return ()


class Round(_Measured):
    """Bursts of the tone are played, and microphones listen: nobody has to answer."""

    def __init__(self, path: str, ears: tuple[str, ...]) -> None:
        super().__init__(
            f"card {path}",
            phrase("board.test.round", path=path),
            phrase("board.test.be_quiet", path=path),
        )
        self._path = path
        self._ears = ears

    def begin(self, now: float, seen: Evidence) -> Sequence[Effect]:
        return (*super().begin(now, seen), Beep(self._path, self._ears))

    def take(self, given: Given, _now: float, seen: Evidence) -> Sequence[Effect]:
        match given:
            case Beeped(path, heard) if path == self._path:
                seen.beeps[path] = dict(heard)
                self.done = True
                if hears(seen, path, path):
                    return (Say(phrase("board.test.goes_round")),)
                return (Say(phrase("board.test.not_round")),)
            case NoSound(path, reason) if path == self._path:
                seen.no_sound[path] = reason
                self.done = True
            case _:
                pass
        return ()


class Microphone(_Measured):
    """The builder speaks; the level is measured, and what he says is kept for `Echo`."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"card {path}",
            phrase("board.test.microphone", path=path),
            phrase("board.test.speak", path=path),
        )
        self._path = path

    def begin(self, now: float, seen: Evidence) -> Sequence[Effect]:
        return (*super().begin(now, seen), Listen(self._path))

    def take(self, given: Given, _now: float, seen: Evidence) -> Sequence[Effect]:
        match given:
            case Level(path) if path == self._path:
                seen.levels[path] = given
                self.done = True
                return (Say(phrase("board.test.level", per_cent=round(given.peak * 100))),)
            case NoSound(path, reason) if path == self._path:
                seen.no_mouth[path] = reason
                self.done = True
            case _:
                pass
        return ()


class Echo(Heard):
    """What the microphone recorded is played: both ends of a path in one ear."""

    def __init__(self, path: str) -> None:
        super().__init__("echo", path, Repeat(path))

    def begin(self, now: float, seen: Evidence) -> Sequence[Effect]:
        level = seen.levels.get(self._path)
        deaf = seen.answers.get(f"tone {self._path}") is Answer.NO
        if level is None or level.peak < SILENT or deaf:
            # Nothing to play, or nobody who would hear it: that is a finding already.
            self.done = True
            return ()
        return self.announce(now, (Say(phrase("board.test.again")),))
