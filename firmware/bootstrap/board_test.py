"""`deskphone board test`: the wiring test of `firmware.wiring` with a real board and a terminal.

One thread waits for the board, the builder and the time together; letters are read as they come, so
that no question hangs. A tone or a measurement has a thread of its own for its few seconds.
"""

import collections
import dataclasses
import os
import select
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import assert_never

from firmware.base.phrase import Phrase, phrase
from firmware.bootstrap.sound_test import listen, play
from firmware.config import examine_file
from firmware.config.schema import BoardSettings, Settings
from firmware.control.errors import SocketPathError, SocketTakenError
from firmware.control.place import find_socket
from firmware.control.socket_file import refuse_if_taken
from firmware.storage.atomic import replace_file
from firmware.storage.errors import StorageError
from firmware.ui.canvas import Canvas, picture_of, wrap
from firmware.ui.fonts import BODY, SMALL
from firmware.ui.text import Texts
from firmware.wiring.evidence import Answer, Draw, Effect, Light, Listen, Play, Ring, Say
from firmware.wiring.findings import findings_of, lessons_of
from firmware.wiring.learned import Lesson, lines_of, with_lessons
from firmware.wiring.steps import Given
from firmware.wiring.walk import Walk
from hal.board import Board
from hal.board_spec import BoardSpec, Contact
from hal.boards.loader import load_board
from hal.boards.opening import open_board
from hal.errors import BoardError
from hal.ports import LampPattern, Post

OK, FAULTY, BAD_CONFIG, TAKEN = 0, 1, 2, 3
_RINGING = (1.0, 1.0)
_IN_USE = "it is in use"
_ANSWERS = {answer.value: answer for answer in Answer if answer.value}
Opener = Callable[[Post], Board]


def board_test(name: str | None, config: Path | None, *, write: bool) -> int:
    """Walk through the board of this name, or of the settings file; returns the exit code.

    0: nothing was found; 1: something was; 2: there is no such board; 3: a phone has the devices.
    """
    settings = examine_file(config).draft if config is not None else Settings()
    texts = Texts.load(settings.phone.language)
    if name is None and config is None:
        return _refused(texts.say("board.test.no_name"), BAD_CONFIG)
    chosen = BoardSettings(name) if name is not None else settings.board
    try:
        spec = load_board(chosen.name, chosen.own, chosen.without)
    except BoardError as error:
        return _refused(str(error), BAD_CONFIG)
    if spec.panel is None and _phone_runs(settings.control.path):
        return _refused(texts.say("board.test.in_use"), TAKEN)
    trial = Trial(spec, lambda post: open_board(measurable(spec), post), texts, answers=_terminal())
    code = trial.run()
    if code in (OK, FAULTY):
        # What another board taught does not belong into this file.
        own = chosen.name == settings.board.name
        _keep(lessons_of(spec, trial.walk.evidence), config if write and own else None, texts)
    return code


def measurable(spec: BoardSpec) -> BoardSpec:
    """A hook whose contact is to be found out is opened as one kind; the walk tells which it is."""
    if spec.hook is None or spec.hook.lifted is not Contact.AUTO:
        return spec
    hook = dataclasses.replace(spec.hook, lifted=Contact.CLOSED)
    return dataclasses.replace(spec, hook=hook)


def _tell(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _refused(words: str, code: int) -> int:
    sys.stderr.write(f"deskphone: {words}\n")
    return code


def _phone_runs(control: str) -> bool:
    try:
        refuse_if_taken(Path(control) if control else find_socket())
    except SocketTakenError:
        return True
    except SocketPathError:
        return False
    return False


def _terminal() -> int | None:
    try:
        return sys.stdin.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def _keep(lessons: list[Lesson], config: Path | None, texts: Texts) -> None:
    """Write what was learned, or say what to write."""
    if not lessons:
        return
    if config is not None:
        if _written(config, lessons):
            _tell(texts.say("board.test.written", file=config))
            return
        _tell(texts.say("board.test.not_written", file=config))
    else:
        _tell(texts.say("board.test.to_write"))
    for line in lines_of(lessons):
        _tell(f"  {line}")


def _written(config: Path, lessons: list[Lesson]) -> bool:
    try:
        text = with_lessons(config.read_text(encoding="utf-8"), lessons)
        if text is None:
            return False
        # The name may be a link; what it leads to is replaced, with its rights.
        file = config.resolve()
        replace_file(file, text.encode(), file.stat().st_mode & 0o777)
    except (OSError, UnicodeDecodeError, StorageError):
        return False
    return True


class Time:
    """The clock, and waiting by it."""

    def now(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    def readable(self, descriptors: list[int], seconds: float) -> list[int]:
        """Those that have something to read, or none of them after so many seconds."""
        return select.select(descriptors, [], [], seconds)[0]


REAL_TIME = Time()


class Trial:
    """One walk with devices: `opener` opens the board, `answers` is where letters are read."""

    def __init__(
        self,
        spec: BoardSpec,
        opener: Opener,
        texts: Texts,
        *,
        answers: int | None,
        tell: Callable[[str], None] = _tell,
        time: Time = REAL_TIME,
    ) -> None:
        self._spec = spec
        self._opener = opener
        self._texts = texts
        self._answers = answers
        self._typed = b""
        self._tell = tell
        self._time = time
        self._given: collections.deque[Given] = collections.deque()
        self._bell, self._door = os.pipe()
        os.set_blocking(self._door, False)
        self.walk = Walk(spec, time.now())

    def run(self) -> int:
        """Go through all of it, and say what was found."""
        board = self._opener(self._post)
        try:
            return self._walked(board)
        finally:
            board.close()
            os.close(self._bell)
            self._bell, door, self._door = -1, self._door, -1
            os.close(door)

    def _post(self, given: Given) -> None:
        self._given.append(given)
        try:
            os.write(self._door, b".")
        except OSError:
            return  # full: it will wake up anyway; closed: nobody wants to know any more

    def _walked(self, board: Board) -> int:
        if self._answers is None:
            self._given.append(Answer.GONE)
        else:
            self._tell(self._texts.say("board.test.keys_of_answers"))
        while self.walk.deadline is not None:
            self._perform(board, self.walk.take_effects())
            for given in self._next(self.walk.deadline):
                self.walk.receive(given, self._time.now())
            self.walk.expire(self._time.now())
            if reason := self._taken():
                return _refused(self._texts.say("board.test.pins_in_use", reason=reason), TAKEN)
        self._perform(board, self.walk.take_effects())
        return self._report()

    def _taken(self) -> str:
        return next((why for why in self.walk.evidence.failed.values() if _IN_USE in why), "")

    def _next(self, deadline: float) -> Iterator[Given]:
        """What has come; nothing if the time is over first."""
        if not self._given:
            ears = [self._bell] if self._answers is None else [self._bell, self._answers]
            ready = self._time.readable(ears, max(0.0, deadline - self._time.now()))
            if self._bell in ready:
                os.read(self._bell, 4096)
            if self._answers in ready:
                self._read()
        while self._given:
            yield self._given.popleft()

    def _read(self) -> None:
        assert self._answers is not None
        try:
            typed = os.read(self._answers, 4096)
        except OSError:
            typed = b""
        if not typed:
            self._answers = None
            self._given.append(Answer.GONE)
            return
        *lines, self._typed = (self._typed[-64:] + typed).split(b"\n")
        for line in lines:
            answer = _ANSWERS.get(line.strip()[:1].decode("ascii", "replace").lower())
            if answer is not None:
                self._given.append(answer)

    def _perform(self, board: Board, effects: tuple[Effect, ...]) -> None:
        drawn = any(isinstance(effect, Draw) for effect in effects)
        for effect in effects:
            self._do(board, effect, drawn=drawn)

    def _do(self, board: Board, effect: Effect, *, drawn: bool) -> None:
        match effect:
            case Say(said, ask):
                self._say(board, said, on_screen=ask and not drawn)
            case Light(lamp, on):
                _light(board, lamp, on=on)
            case Ring(on):
                _ring(board, on=on)
            case Draw():
                _draw(board, "ABC 123")
            case Play(path):
                self._apart(partial(play, path, board.cards[path]))
            case Listen(path):
                self._apart(partial(listen, path, board.cards[path]))
            case _:
                assert_never(effect)

    def _apart(self, work: Callable[[], Given]) -> None:
        threading.Thread(target=lambda: self._post(work()), daemon=True, name="sound").start()

    def _say(self, board: Board, said: Phrase, *, on_screen: bool) -> None:
        words = self._texts.phrase(said)
        if on_screen:
            _draw(board, words)
        self._tell(words)

    def _report(self) -> int:
        seen = self.walk.evidence
        found = findings_of(self._spec, seen)
        if seen.skipped:
            parts = ", ".join(dict.fromkeys(self._texts.phrase(what) for what in seen.skipped))
            self._tell(self._texts.say("board.test.not_tried", parts=parts))
        if not found:
            self._tell(self._texts.phrase(phrase("board.test.all_right")))
            return OK
        self._tell(self._texts.say("board.test.found"))
        for finding in found:
            self._tell(f"- {self._texts.phrase(finding.phrase)}")
        return FAULTY


def _light(board: Board, lamp: str, *, on: bool) -> None:
    if board.lamps is not None:
        board.lamps.set(lamp, LampPattern.ON if on else LampPattern.OFF)


def _ring(board: Board, *, on: bool) -> None:
    if board.ringer is None:
        return
    if on:
        board.ringer.ring(_RINGING)
    else:
        board.ringer.silence()


def _draw(board: Board, words: str) -> None:
    """A frame along the edges, and these words in it."""
    if board.display is None or not all(board.display.size):
        return
    canvas = Canvas(board.display.size)
    canvas.frame(0, 0, canvas.width - 1, canvas.height - 1)
    font = BODY if canvas.is_tall else SMALL
    step = font.height + 1
    most = max(1, (canvas.height - 6) // step)
    for row, line in enumerate(wrap(words, font, canvas.width - 6, most)):
        canvas.row(3 + row * step, line, font, span=(3, canvas.width - 3))
    board.display.show(picture_of(canvas.image))
