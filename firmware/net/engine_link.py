"""The phone's end of the audio engine: starts it, talks to it, starts it again.

The engine is a child by fork and exec on one SOCK_SEQPACKET socket. Its death is the end of that
socket; its silence is no report for twice the time it announced, and a second: three seconds in a
call. Either way it is killed and a new one started, at once the first time, later with back-off.
The link remembers no paths and no streams: who wants an engine to know them sends them in
`on_started`.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from firmware.media.messages import (
    AnyOrder,
    AnyReport,
    EngineAlive,
    Stop,
    decode_report,
    encode,
)

_SILENCE = 11.0
"""Seconds without a report after which an engine that has nothing to do counts as dead: it reports
every five, so the phone wakes up to look only at every second report."""

_SPARE = 1.0
"""Seconds that a busy machine may keep an engine from its reports."""

_STEADY = 5.0
"""Seconds an engine must have lived for its successor to start without delay."""

_BACK_OFF = (0.0, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
_QUEUE = 512
"""Orders that may wait for an engine that does not read; beyond that it counts as dead."""

_FAREWELL = 1.0
_BUFFER = 1 << 20
_REPORTS_AT_ONCE = 64


class EngineLink:
    """One audio engine after the other.

    `on_started()` is called whenever there is a new engine to take orders, the first time inside
    `start()`; what is sent while there is none is dropped. `on_lost(reason)` is called the moment
    one dies. `on_report(report)` hands over every report.
    """

    def __init__(
        self,
        on_report: Callable[[AnyReport], None],
        on_lost: Callable[[str], None],
        on_started: Callable[[], None] | None = None,
        command: Sequence[str] | None = None,
    ) -> None:
        self._on_report = on_report
        self._on_lost = on_lost
        self._on_started = on_started or (lambda: None)
        self._command = tuple(command or engine_command())
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._waiting: deque[tuple[bytes, tuple[int, ...]]] = deque()
        self._started_at = 0.0
        self._heard_at = 0.0
        self._limit = _SILENCE
        self._failures = 0
        self._timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._all_gone = asyncio.Event()
        self._all_gone.set()

    @property
    def pid(self) -> int | None:
        """The running engine's process id, None between two engines."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the first engine; returns as soon as it takes orders.

        Raises:
            OSError: no process can be started at all.
        """
        self._closing = False
        self._spawn()

    def send(self, order: AnyOrder, fds: Sequence[int] = ()) -> None:
        """Hand an order over; `fds` are duplicated by the kernel and stay the caller's."""
        if self._socket is None:
            return
        packet = encode(order)
        if self._waiting or not self._try_send(packet, fds):
            self._postpone(packet, fds)

    async def close(self) -> None:
        """Stop the engine and wait until it is gone; kills it if it does not listen."""
        self._closing = True
        self.send(Stop())
        if self._timer:
            self._timer.cancel()
        if not await self._ended(_FAREWELL):
            for process in self._running.values():
                process.kill()
            await self._ended(_FAREWELL)
        self._drop_engine()

    # Starting and ending

    def _spawn(self) -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            ours.settimeout(0)
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [*self._command, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(_import_path())},
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._socket = ours
        self._started_at = self._heard_at = loop.time()
        self._limit = _SILENCE
        self._watch_exit(self._process)
        loop.add_reader(ours, self._read)
        self._timer = loop.call_later(_SILENCE, self._check_silence)
        self._on_started()

    def _watch_exit(self, process: subprocess.Popen[bytes]) -> None:
        """Reap the child when it ends, whenever that is."""
        exit_fd = os.pidfd_open(process.pid)
        self._running[exit_fd] = process
        self._all_gone.clear()
        asyncio.get_running_loop().add_reader(exit_fd, self._reap, exit_fd)

    def _reap(self, exit_fd: int) -> None:
        asyncio.get_running_loop().remove_reader(exit_fd)
        os.close(exit_fd)
        process = self._running.pop(exit_fd)
        code = process.wait()
        if not self._running:
            self._all_gone.set()
        if process is self._process:
            self._lost(_how(code))

    def _lost(self, reason: str) -> None:
        if self._process is None:
            return
        now = asyncio.get_running_loop().time()
        self._failures = 0 if now - self._started_at > _STEADY else self._failures + 1
        self._drop_engine()
        if self._closing:
            return
        self._on_lost(reason)
        delay = _BACK_OFF[min(max(self._failures - 1, 0), len(_BACK_OFF) - 1)]
        if delay:
            self._timer = asyncio.get_running_loop().call_later(delay, self._restart)
        else:
            self._restart()

    def _restart(self) -> None:
        try:
            self._spawn()
        except OSError as error:
            self._on_lost(f"it cannot be started: {error.strerror}")
            self._timer = asyncio.get_running_loop().call_later(_BACK_OFF[-1], self._restart)

    def _drop_engine(self) -> None:
        """Forget the engine: its socket, its queue, its timer; it is dead after this."""
        if self._timer:
            self._timer.cancel()
        process, self._process = self._process, None
        if self._socket is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._socket)
            loop.remove_writer(self._socket)
            self._socket.close()
            self._socket = None
        while self._waiting:
            _close_all(self._waiting.popleft()[1])
        if process is not None and process.poll() is None:
            process.kill()

    async def _ended(self, seconds: float) -> bool:
        """Whether every child has ended within this time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._all_gone.wait()
        return not self._running

    # Reports

    def _read(self) -> None:
        for _ in range(_REPORTS_AT_ONCE):
            if self._socket is None:
                return
            try:
                packet = self._socket.recv(65536)
            except BlockingIOError:
                return
            except OSError:
                packet = b""
            if not packet:
                self._hung_up()
                return
            self._heard_at = asyncio.get_running_loop().time()
            with contextlib.suppress(msgspec.DecodeError):
                report = decode_report(packet)
                if isinstance(report, EngineAlive):
                    self._expect(2 * report.next_s + _SPARE)
                self._on_report(report)

    def _hung_up(self) -> None:
        """The engine closed its end: dead, or obeying `Stop`."""
        if not self._closing:
            self._lost("it ended")
        elif self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)

    def _expect(self, limit: float) -> None:
        """The engine has just spoken and may be silent for so long.

        A timer that is put off each time is never due while all is well, and wakes nobody.
        """
        self._limit = limit
        if self._timer is not None:
            self._timer.cancel()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._heard_at + limit, self._check_silence)

    def _check_silence(self) -> None:
        engine = self._process
        # Held up after it had looked for events, the loop finds timers due before it looks again:
        # what was said meanwhile is still to be heard.
        self._read()
        if self._process is not engine:
            return
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        due = self._heard_at + self._limit
        if loop.time() >= due + _SPARE:
            # We were asleep ourselves, and perhaps the engine with us: let it speak.
            self._heard_at = loop.time() + _SPARE - self._limit
            self._timer = loop.call_later(_SPARE, self._check_silence)
        elif loop.time() >= due:
            self._lost(f"it was silent for {self._limit:.0f} s")
        else:
            self._timer = loop.call_at(due, self._check_silence)

    # Orders

    def _try_send(self, packet: bytes, fds: Sequence[int]) -> bool:
        if self._socket is None:
            return True
        try:
            if fds:
                socket.send_fds(self._socket, [packet], list(fds))
            else:
                self._socket.send(packet)
        except BlockingIOError:
            return False
        except OSError:
            # The reader sees the same death in its own turn and reports it there, once.
            return True
        return True

    def _postpone(self, packet: bytes, fds: Sequence[int]) -> None:
        if len(self._waiting) >= _QUEUE:
            self._lost("it does not read its orders")
            return
        self._waiting.append((packet, tuple(os.dup(fd) for fd in fds)))
        if self._socket is not None:
            asyncio.get_running_loop().add_writer(self._socket, self._flush)

    def _flush(self) -> None:
        while self._waiting and self._try_send(*self._waiting[0]):
            _close_all(self._waiting.popleft()[1])
        if not self._waiting and self._socket is not None:
            asyncio.get_running_loop().remove_writer(self._socket)


def engine_command() -> tuple[str, ...]:
    """How to start an engine: without site, which costs a third of the start; add its socket."""
    return (sys.executable, "-P", "-S", "-m", "firmware.media.host")


def _import_path() -> list[str]:
    """Where this process finds its modules; without site the child would not."""
    package = str(Path(__file__).resolve().parents[2])
    return [package, *(entry for entry in sys.path if entry)]


def _how(code: int) -> str:
    if code < 0:
        return f"it was killed by {signal.Signals(-code).name}"
    return f"it ended with exit code {code}"


def _close_all(fds: tuple[int, ...]) -> None:
    for fd in fds:
        os.close(fd)
