"""A walk through a board with devices and a terminal.

One thread waits for the board, the builder and the time together; what is typed is read as it
comes, so that no question hangs. However a walk ends, the board is brought to rest: lamps dark,
bell and tones silent, screen empty.
"""

import collections
import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NoReturn, Self, assert_never

from firmware.base.phrase import Phrase, phrase
from firmware.bootstrap.answers import Answers
from firmware.bootstrap.sound_test import SoundTest
from firmware.ui.canvas import Canvas, picture_of, wrap
from firmware.ui.fonts import BODY, SMALL
from firmware.ui.text import Texts
from firmware.wiring.evidence import (
    Answering,
    Beep,
    Draw,
    Effect,
    Light,
    Listen,
    Play,
    Repeat,
    Ring,
    Say,
    Scan,
)
from firmware.wiring.findings import findings_of
from firmware.wiring.steps import Given
from firmware.wiring.walk import Walk
from hal.board import Board
from hal.board_spec import BoardSpec
from hal.boards.bus_facts import who_answers
from hal.errors import DeviceError
from hal.ports import LampPattern, Post

OK, FAULTY, BAD_CONFIG, TAKEN = 0, 1, 2, 3
_RINGING = (1.0, 1.0)
_IN_USE = "it is in use"
_PICTURE = "ABC 123"
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_STOPPING = signal.SIGTSTP
"""The key that suspends a program: a coil would keep its current."""
_BY_SIGNAL = 128
Opener = Callable[[Post], Board]


def tell(words: str) -> None:
    """Write a line to whoever reads it, with a ? for a letter that his terminal has not.

    Raises:
        BrokenPipeError: nobody does any more.
    """
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(f"{words.encode(encoding, 'replace').decode(encoding)}\n")
        sys.stdout.flush()
    except OSError as error:
        raise BrokenPipeError from error


def refused(words: str, code: int) -> int:
    """Say why not; returns the exit code."""
    sys.stderr.write(f"deskphone: {words}\n")
    return code


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
    """One walk with devices: `opener` opens the board, `answers` is what is typed."""

    def __init__(
        self,
        spec: BoardSpec,
        opener: Opener,
        texts: Texts,
        *,
        answers: Answers,
        tell: Callable[[str], None] = tell,
        time: Time = REAL_TIME,
    ) -> None:
        self._spec = spec
        self._opener = opener
        self._texts = texts
        self._answers = answers
        self._tell = tell
        self._time = time
        self._given: collections.deque[Given] = collections.deque()
        self._bell, self._door = os.pipe()
        os.set_blocking(self._door, False)
        self.walk = Walk(spec, time.now())

    def run(self) -> int:
        """Go through all of it, and say what was found."""
        with Ending() as end, contextlib.ExitStack() as rest:
            rest.callback(self._close_pipe)
            board = self._opener(self._post)
            rest.callback(board.close)
            sound = SoundTest(board.cards, self._post)
            rest.callback(sound.close)
            try:
                return self._walked(board, sound)
            finally:
                end.hold()

    def _close_pipe(self) -> None:
        os.close(self._bell)
        door, self._door = self._door, -1
        os.close(door)

    def _post(self, given: Given) -> None:
        self._given.append(given)
        try:
            os.write(self._door, b".")
        except OSError:
            return  # full: it will wake up anyway; closed: nobody wants to know any more

    def _walked(self, board: Board, sound: SoundTest) -> int:
        if self._answers.descriptor is not None:
            self._tell(self._texts.say("board.test.keys_of_answers"))
        while self.walk.deadline is not None:
            self._perform(board, sound, self.walk.take_effects())
            for given in self._next(self.walk.deadline):
                self.walk.receive(given, self._time.now())
            self.walk.expire(self._time.now())
            if reason := self._taken():
                return refused(self._texts.say("board.test.pins_in_use", reason=reason), TAKEN)
        self._perform(board, sound, self.walk.take_effects())
        return self._report()

    def _taken(self) -> str:
        return next((why for why in self.walk.evidence.failed.values() if _IN_USE in why), "")

    def _next(self, deadline: float) -> Iterator[Given]:
        """What has come; nothing if the time is over first."""
        self._take_answers()
        if not self._given:
            typed = self._answers.listens_to
            ears = [self._bell] if typed is None else [self._bell, typed]
            ready = self._time.readable(ears, max(0.0, deadline - self._time.now()))
            if self._bell in ready:
                os.read(self._bell, 4096)
            if typed in ready:
                self._answers.read()
                self._take_answers()
        while self._given:
            yield self._given.popleft()

    def _take_answers(self) -> None:
        while taken := self._answers.take():
            for answer in taken:
                if answer is None:
                    self._tell(self._texts.say("board.test.keys_of_answers"))
                else:
                    self._given.append(answer)

    def _perform(self, board: Board, sound: SoundTest, effects: tuple[Effect, ...]) -> None:
        drawn = any(isinstance(effect, Draw) for effect in effects)
        for effect in effects:
            self._do(board, sound, effect, drawn=drawn)

    def _do(self, board: Board, sound: SoundTest, effect: Effect, *, drawn: bool) -> None:
        match effect:
            case Say(said, ask):
                self._say(board, said, ask=ask, on_screen=ask and not drawn)
            case Light(lamp, on):
                _light(board, lamp, on=on)
            case Ring(on):
                _ring(board, on=on)
            case Draw():
                show(board, _PICTURE)
            case Scan():
                threading.Thread(target=self._scan, daemon=True, name="bus").start()
            case Play() | Beep() | Listen() | Repeat():
                sound.do(effect)
            case _:
                assert_never(effect)

    def _scan(self) -> None:
        if self._spec.display is not None:
            # A bus that cannot be asked has been told by the screen.
            with contextlib.suppress(DeviceError):
                self._post(Answering(who_answers(self._spec.display)))

    def _say(self, board: Board, said: Phrase, *, ask: bool, on_screen: bool) -> None:
        words = self._texts.phrase(said)
        if on_screen:
            show(board, words)
        if ask:
            self._answers.ask()
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


# Signals


class Ending:
    """What a signal does that would end us at once: the board comes to rest first.

    They raise, as the interrupt key does; after `hold` they wait for the end of the block. A mask
    would not do: a signal finds another thread, and Python handles it in this one all the same.
    """

    def __init__(self) -> None:
        self._before: dict[int, signal.Handlers | Callable[..., object] | int | None] = {}
        self._waiting: list[int] = []

    def __enter__(self) -> Self:
        # Only the main thread may say what a signal does; no other is ever disturbed by one.
        if threading.current_thread() is threading.main_thread():
            self._before = {each: signal.getsignal(each) for each in (*_ENDING, _STOPPING)}
            self._install(_end, _ENDING[1:])
            signal.signal(_STOPPING, signal.SIG_IGN)
        return self

    def hold(self) -> None:
        """From now on nothing disturbs."""
        if self._before:
            self._install(lambda number, _frame: self._waiting.append(number), _ENDING)

    def __exit__(self, *_error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        for number in self._waiting[:1]:
            os.kill(os.getpid(), number)

    def _install(
        self, handler: Callable[[int, FrameType | None], object], numbers: tuple[int, ...]
    ) -> None:
        for number in numbers:
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(_BY_SIGNAL + number)


# Outputs


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


def show(board: Board, words: str) -> None:
    """These words on the screen, within a frame along its edges if it has pixels."""
    if board.letters is not None:
        board.letters.write(rows_of(words, board.letters.letters))
    elif board.display is not None and all(board.display.size):
        board.display.show(picture_of(_drawn(words, board.display.size).image))


def rows_of(words: str, size: tuple[int, int]) -> tuple[str, ...]:
    """The words on a display of so many columns and rows of letters."""
    columns, rows = size
    lines = wrap(words, SMALL, columns * SMALL.width, rows)
    return tuple(line[:columns].ljust(columns) for line in [*lines, *[""] * rows][:rows])


def _drawn(words: str, size: tuple[int, int]) -> Canvas:
    canvas = Canvas(size)
    canvas.frame(0, 0, canvas.width - 1, canvas.height - 1)
    font = BODY if canvas.is_tall else SMALL
    step = font.height + 1
    most = max(1, (canvas.height - 6) // step)
    for row, line in enumerate(wrap(words, font, canvas.width - 6, most)):
        canvas.row(3 + row * step, line, font, span=(3, canvas.width - 3))
    return canvas
