"""`deskphone demo` as a person starts it, with a temporary folder of its own to look into."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.waiting import wait_for


def processes(root: int) -> dict[int, str]:
    """Every process below this one, with its command line."""
    found: dict[int, str] = {}
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{root}/task").iterdir():
            children: list[int] = []
            with contextlib.suppress(OSError):  # a thread ends while others are looked at
                children = [int(child) for child in (task / "children").read_text().split()]
            for child in children:
                with contextlib.suppress(OSError):
                    command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
                    found[child] = command.decode()
                    found |= processes(child)
    return found


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie that nobody has reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Demo:
    """A running demonstration; everything it makes is in `folder`."""

    def __init__(self, *arguments: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="dp-")
        self.folder = Path(self._folder.name)
        self.known: dict[int, str] = {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "firmware", "demo", "--no-browser", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(self.folder)},
        )

    def child(self, words: str) -> int:
        """The process id of the child with these words in its command line, once there is one."""
        return wait_for(f"a child {words!r}", lambda: self._child(words), 20)

    def _child(self, words: str) -> int | None:
        self.known |= processes(self.process.pid)
        return next((pid for pid, line in self.known.items() if words in line and alive(pid)), None)

    def tell(self, number: signal.Signals) -> None:
        """Send a signal to the demonstration alone."""
        self.known |= processes(self.process.pid)
        self.process.send_signal(number)

    def end(self, seconds: float = 40.0) -> tuple[int, str, str]:
        """Wait for its end: exit code, output, errors."""
        output, errors = self.process.communicate(timeout=seconds)
        return self.process.returncode, output, errors

    def measured(self, seconds: float = 40.0) -> tuple[int, dict[str, object], str]:
        """The same of `--once`, with its JSON read."""
        code, output, errors = self.end(seconds)
        return code, json.loads(output), errors

    def left_behind(self) -> list[str]:
        """What is still there after the end, given a moment: processes, files, sockets."""
        with contextlib.suppress(AssertionError):
            wait_for("the end of all children", lambda: not self._running(), 25)
        return self._running() + [str(each) for each in self.folder.rglob("*")]

    def _running(self) -> list[str]:
        return [line for pid, line in self.known.items() if alive(pid)]

    def close(self) -> None:
        """Kill what is left, and wait."""
        self.known |= processes(self.process.pid)
        for pid in (self.process.pid, *self.known):
            if pid != self.process.pid and not alive(pid):
                continue
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.communicate()
        self._folder.cleanup()
