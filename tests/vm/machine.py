"""A virtual Pi that runs: QEMU without KVM, orders through a serial port.

Nothing of it can be reached from outside and nothing outside from it: it has no network but its own
loopback. What it writes to its disk is forgotten when it ends. Files get in as a tar on a second
drive (`drive.py`) or by `put`. Its hardware is `hardware.py`, its plugs are `hands.py`.
"""

import base64
import contextlib
import ctypes
import itertools
import json
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.vm.hands import Hands
from tests.vm.hardware import Plugs, arguments
from tests.vm.monitor import Monitor
from tests.vm.root import Root, program_of

PYTHON = "/opt/deskphone/bin/python"
_LIBC = ctypes.CDLL(None)
_BOOT_SECONDS = 300.0
_STARTS = 2
"""On a machine with much else to do, a start may take longer than anybody waits."""


class MachineError(AssertionError):
    """It did not start, or an order was not carried out; the message shows what it said."""


@dataclass(frozen=True)
class Done:
    """How an order went."""

    command: str
    code: int
    output: str
    error: str

    def __str__(self) -> str:
        return f"$ {self.command}\n{self.output}{self.error}(exit code {self.code})"


class Machine:
    """Started by its constructor; `clock` is what its clock says then (QEMU's -rtc base)."""

    def __init__(self, root: Root, drive: Path, clock: str = "utc") -> None:
        self._ids = itertools.count()
        self.boot = ""
        """The id of this start."""
        self.failed_starts: list[str] = []
        """What was said by those that came to nothing."""
        began = time.monotonic()
        for left in reversed(range(_STARTS)):
            self._start(root, drive, clock)
            try:
                self._line = self._connect(self._plugs.orders)
                self.monitor = Monitor(self._connect(self._plugs.monitor))
                self._hands = Hands(self._plugs, self.monitor)
                self.wait_up()
                break
            except BaseException as error:
                self.close()
                if not left or not isinstance(error, MachineError):
                    raise
                self.failed_starts.append(str(error))
        self.boot_seconds = time.monotonic() - began

    def _start(self, root: Root, drive: Path, clock: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="vm-")
        self._plugs = Plugs(Path(self._folder.name))
        self._held = b""
        program = program_of("qemu-system-x86_64")
        assert program is not None
        with self._plugs.errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [program, *arguments(root, drive, clock, self._plugs)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                preexec_fn=_end_with_me,  # noqa: PLW1509 - this process has one thread
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def run(
        self, command: str, *, said: str = "", seconds: float = 60.0, check: bool = True
    ) -> Done:
        """Have its shell carry out a command as root; with `check` it must succeed."""
        number = next(self._ids)
        self._send({"id": number, "command": command, "input": said, "seconds": seconds})
        deadline = time.monotonic() + seconds + 15
        while (answer := self._receive(deadline)).get("id") != number:
            if "hello" in answer:
                raise self._broken(f"the virtual Pi started anew during: {command}")
        done = Done(command, int(answer["code"]), str(answer["output"]), str(answer["error"]))
        if check and done.code:
            raise MachineError(str(done))
        return done

    def text(self, command: str, *, seconds: float = 60.0) -> str:
        """What a command prints."""
        return self.run(command, seconds=seconds).output.strip()

    def json(self, command: str, *, seconds: float = 60.0) -> dict[str, object]:
        """The JSON a command prints."""
        found = json.loads(self.text(command, seconds=seconds))
        assert isinstance(found, dict)
        return found

    def put(self, path: str, content: bytes, mode: int = 0o644) -> None:
        """Write a file there."""
        place = shlex.quote(path)
        self.run(
            f"mkdir -p $(dirname {place}) && base64 -d >{place} && chmod {mode:o} {place}",
            said=base64.b64encode(content).decode(),
        )

    def wait(self, command: str, seconds: float = 30.0) -> None:
        """Until a command succeeds; it is asked again and again over there.

        Not too often: to ask is work, and there is one processor for that and for what is awaited.
        """
        words = f"until {command}; do sleep 0.5; done"
        done = self.run(words, seconds=seconds, check=False)
        if done.code:
            raise MachineError(f"waited {seconds:g} s in vain\n{done}")

    def property(self, unit: str, name: str) -> str:
        """What systemd knows of a unit."""
        return self.text(f"systemctl show -P {name} {unit}")

    def journal(self, unit: str, lines: int = 80) -> str:
        """The last that a unit said."""
        return self.text(f"journalctl -u {unit} -n {lines} -o short-monotonic --no-pager")

    def begin(self, command: str) -> None:
        """Have its shell carry out a command after which it may not answer any more."""
        self._send({"id": next(self._ids), "command": command, "seconds": 5})

    def wait_up(self) -> None:
        """Until it takes orders after a start."""
        deadline = time.monotonic() + _BOOT_SECONDS
        while "hello" not in (said := self._receive(deadline)):
            continue
        self.boot = str(said["hello"])

    def console(self) -> str:
        """What its kernel and systemd said at start."""
        path = self._plugs.console
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self) -> None:
        """Switch it off; nothing is kept."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(20)
        for part in ("_hands", "monitor", "_line"):
            with contextlib.suppress(AttributeError):
                getattr(self, part).close()
        self._folder.cleanup()

    def _connect(self, place: Path) -> socket.socket:
        line = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 20
        while True:
            try:
                line.connect(str(place))
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise self._broken("QEMU did not start") from error
                time.sleep(0.05)  # noqa: TID251 - a real program needs real time
            else:
                return line

    def _send(self, order: dict[str, object]) -> None:
        self._line.settimeout(30)
        self._line.sendall(json.dumps(order).encode() + b"\n")

    def _receive(self, deadline: float) -> dict[str, object]:
        """The next whole line that is one of ours."""
        while b"\n" not in self._held:
            left = deadline - time.monotonic()
            try:
                self._line.settimeout(max(left, 0.01))
                data = self._line.recv(1 << 20)
            except TimeoutError:
                raise self._broken("the virtual Pi does not answer") from None
            if not data:
                raise self._broken("the virtual Pi ended")
            self._held += data
        line, _, self._held = self._held.partition(b"\n")
        try:
            found = json.loads(line)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _broken(self, what: str) -> MachineError:
        said = self._plugs.errors.read_text(errors="replace")
        return MachineError(f"{what}\n{said}{self.console()[-4000:]}")


def _end_with_me() -> None:
    """Whoever ends the tests, ends the virtual Pi: prctl(2), PR_SET_PDEATHSIG."""
    _LIBC.prctl(1, signal.SIGKILL)
