"""A program on a terminal of its own: what it prints line by line, what is typed, how it ends."""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Self

PATIENCE = 60.0


class OnTerminal:
    """Starts `words`; use it as a context."""

    def __init__(
        self, words: list[str], folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._hands, screen = os.openpty()
        self.before = termios.tcgetattr(self._hands)
        """How the terminal was set up."""
        self.said: list[str] = []
        self._rest = b""
        try:
            self.process = subprocess.Popen(
                words,
                stdin=screen,
                stdout=screen,
                stderr=screen,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
                preexec_fn=_take_terminal,  # noqa: PLW1509 - one system call, nothing of ours
            )
        finally:
            os.close(screen)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        if self._hands >= 0:
            os.close(self._hands)

    @property
    def is_as_before(self) -> bool:
        """Whether the terminal is set up as it was."""
        return termios.tcgetattr(self._hands) == self.before

    def type(self, text: str) -> None:
        """Type; "\\x03" is the interrupt key, "\\x04" the end key."""
        os.write(self._hands, text.encode())

    def hang_up(self) -> None:
        """The window is closed."""
        os.close(self._hands)
        self._hands = -1

    def lines(self, seconds: float = PATIENCE) -> Iterator[str]:
        """Each line as it is printed, to the end of the program."""
        until = time.monotonic() + seconds
        while True:
            *whole, self._rest = self._rest.split(b"\n")
            for line in whole:
                self.said.append(line.decode(errors="replace").rstrip("\r"))
                yield self.said[-1]
            left = until - time.monotonic()
            ready, _, _ = select.select([self._hands], [], [], max(left, 0))
            assert ready, f"nothing more was printed in {seconds:g} s: {self.said[-20:]}"
            try:
                more = os.read(self._hands, 65536)
            except OSError:  # the program has ended
                more = b""
            if not more:
                return
            self._rest += more

    def until(self, text: str, seconds: float = PATIENCE) -> str:
        """The next line that has this in it."""
        for line in self.lines(seconds):
            if text in line:
                return line
        raise AssertionError(f"it ended without {text!r}: {self.said}")

    def act(self, react: Callable[[str], str | None], seconds: float = PATIENCE) -> int:
        """To the end, typing what is given for each line; returns the exit code."""
        for line in self.lines(seconds):
            if typed := react(line):
                self.type(f"{typed}\n")
        return self.wait()

    def wait(self) -> int:
        """How it ended; a signal is its number, negative."""
        return self.process.wait(20)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.Signals(number))


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
