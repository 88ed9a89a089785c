"""What a builder types during a wiring test: a word and Enter.

On a terminal only what is typed after a question answers it. From a pipe, where all may be written
beforehand, each line answers one question.
"""

import collections
import contextlib
import os
import termios

from firmware.wiring.evidence import Answer

_WORDS = {
    "yes": Answer.YES,
    "no": Answer.NO,
    "skip": Answer.SKIP,
    "quit": Answer.QUIT,
}
_LONGEST = 64
Typed = Answer | None
"""None = a word that is no answer."""


class Answers:
    """Reads a descriptor, or none: then nobody is there."""

    def __init__(self, descriptor: int | None) -> None:
        self.descriptor = descriptor
        self.is_terminal = descriptor is not None and os.isatty(descriptor)
        self._typed = b""
        self._waiting: collections.deque[Typed] = collections.deque()
        self._asked = False
        if descriptor is None:
            self._waiting.append(Answer.GONE)

    @property
    def listens_to(self) -> int | None:
        """What to wait for; None if nothing is to be read now."""
        return None if self._waiting else self.descriptor

    def ask(self) -> None:
        """A question follows: what was typed before on a terminal is no answer to it."""
        self._asked = True
        if self.is_terminal and self.descriptor is not None:
            self._typed = b""
            self._waiting.clear()
            # A terminal that is gone is told by reading.
            with contextlib.suppress(termios.error):
                termios.tcflush(self.descriptor, termios.TCIFLUSH)

    def read(self) -> None:
        """Take what has come; call it when `listens_to` is readable."""
        assert self.descriptor is not None
        try:
            typed = os.read(self.descriptor, 4096)
        except OSError:
            typed = b""
        if not typed:
            # The end key says on a terminal what it says everywhere: enough.
            self._waiting.append(Answer.QUIT if self.is_terminal else Answer.GONE)
            self.descriptor = None
            return
        *lines, rest = (self._typed + typed).split(b"\n")
        self._typed = rest[:_LONGEST]
        self._waiting.extend(_answer(line) for line in lines)

    def take(self) -> list[Typed]:
        """What is to be acted on now."""
        if self.is_terminal or self.descriptor is None:
            taken, self._waiting = list(self._waiting), collections.deque()
            return taken
        if not self._asked or not self._waiting:
            return []
        answer = self._waiting.popleft()
        self._asked = answer is None
        return [answer]


def _answer(line: bytes) -> Typed:
    word = line.decode("ascii", "replace").strip().lower()
    return next((answer for name, answer in _WORDS.items() if word and name.startswith(word)), None)
