"""The one thread that reads and drives the pins of a board.

It sleeps until somebody wakes it or the next deadline of a task is due; without both it sleeps for
ever, so a phone that nobody touches costs nothing. All state of the tasks is touched by this thread
alone: whoever wants something of a task hands over a callable.

A first task (`begin_with`) holds up all others until it has succeeded once: the chip that the pins
are on may come late.

A task that fails rests for a while (`hal.health`), is reported once, and is tried again; the others
go on. That also goes for a mistake of ours: a thread that ends takes every key with it.
"""

import collections
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from hal.errors import HalError
from hal.events import Event
from hal.health import Health
from hal.ports import Post

_PATIENCE = 2.0
"""Seconds that somebody who closes waits for a thread that hangs in a device."""
Clock = Callable[[], float]


class Task(Protocol):
    """A part that this thread looks after."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def deadline(self) -> float | None:
        """When to run next; in the past = at once, None = not until woken."""

    def run(self, now: float) -> Iterable[Event]:
        """Do what is due, and say what happened."""


class _Job:
    """A task and how it fares."""

    __slots__ = ("health", "post", "rests_until", "task")

    def __init__(self, task: Task, post: Post, clock: Clock) -> None:
        self.task = task
        self.post = post
        self.health = Health(task.name, post, clock)
        self.rests_until = -math.inf

    @property
    def due(self) -> float:
        """When it wants to run; infinity if it waits to be woken."""
        deadline = self.task.deadline
        return math.inf if deadline is None else max(deadline, self.rests_until)


class Worker:
    """The thread of one board; `clock` is monotonic seconds.

    It starts with the first task and ends with the last.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: list[_Job] = []
        self._first: _Job | None = None
        self._orders: collections.deque[Callable[[], None]] = collections.deque()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._going = True
        self._hangs = False
        self.faults = 0
        """How often a task failed."""

    def __len__(self) -> int:
        """How many tasks it has."""
        return len(self._jobs)

    def wake(self) -> None:
        """Look at the deadlines again; from any thread."""
        self._wake.set()

    def tell(self, order: Callable[[], None]) -> None:
        """Have this done by the thread; from any thread, returns at once."""
        self._orders.append(order)
        self._wake.set()

    def begin_with(self, task: Task, post: Post) -> None:
        """Run this at once, and have all others wait until it has not failed; before any `join`."""
        job = _Job(task, post, self._clock)
        self._run(job, self._clock())
        self._first = job if job.health.fault else None

    def join(self, task: Task, post: Post) -> None:
        """Look after a task from now on; what it says goes to `post`."""
        job = _Job(task, post, self._clock)
        self.tell(lambda: self._jobs.append(job))
        if self._thread is None:
            self._going = True
            self._thread = threading.Thread(target=self._live, name="gpio", daemon=True)
            self._thread.start()

    def leave(self, task: Task, release: Callable[[], None]) -> None:
        """Forget a task, then let it release what it holds; returns when that is done.

        Nothing of the task is posted afterwards. One that has left before is not released again. A
        thread that hangs in a device is left alone.
        """
        if self._thread is None:
            return
        done = threading.Event()

        def forget() -> None:
            left = [job for job in self._jobs if job.task is not task]
            try:
                if len(left) < len(self._jobs):
                    self._jobs = left
                    release()
            finally:
                self._going = bool(self._jobs)
                done.set()

        self.tell(forget)
        # One that hangs has been waited for: a board has many parts, and a stop has its time.
        self._hangs = not done.wait(0.0 if self._hangs else _PATIENCE)
        if not self._going and self._thread is not None:
            self._thread.join(_PATIENCE)
            self._thread = None

    def _live(self) -> None:
        while self._going:
            self._wake.wait(self._pause())
            self._wake.clear()
            self._obey()
            now = self._clock()
            for job in self._ready():
                if job.due <= now:
                    self._run(job, now)

    def _ready(self) -> Sequence[_Job]:
        """Who has a turn: the first alone, until it has succeeded."""
        if self._first is not None and not self._first.health.fault:
            self._first = None
        return self._jobs if self._first is None or not self._jobs else (self._first,)

    def _pause(self) -> float | None:
        due = min((job.due for job in self._ready()), default=math.inf)
        return None if due == math.inf else max(0.0, due - self._clock())

    def _obey(self) -> None:
        while self._orders:
            order = self._orders.popleft()
            try:
                order()
            except Exception:  # noqa: BLE001 - see the module
                self.faults += 1

    def _run(self, job: _Job, now: float) -> None:
        try:
            for event in job.task.run(now):
                job.post(event)
            job.health.works()
        except Exception as error:  # noqa: BLE001 - see the module
            self.faults += 1
            reason = str(error) if isinstance(error, HalError) else _mistake(error)
            job.rests_until = now + self._report(job, reason)

    def _report(self, job: _Job, reason: str) -> float:
        try:
            return job.health.failed(reason)
        except Exception:  # noqa: BLE001 - nobody is there any more who could be told
            return _PATIENCE


def _mistake(error: Exception) -> str:
    """What went wrong and where, for whoever shall repair it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" ({trace.tb_frame.f_code.co_name}, line {trace.tb_lineno})"
    return f"{type(error).__name__}: {error}{where}"
