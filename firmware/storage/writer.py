"""The one thread that may wait for a disk.

Jobs run in the order they came. A job with a key replaces a waiting job of the same key, so ten
turns of the volume are one write. Results and errors come back through `post`, which in the phone
is the loop's `call_soon_threadsafe`.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

from firmware.base.phrase import phrase
from firmware.storage.errors import DiskFailedError, StorageError

JOB_LIMIT = 1000
Post = Callable[[Callable[[], None]], object]
Result = TypeVar("Result")
_LOG = logging.getLogger(__name__)


class Writer:
    """A queue and its thread; `len` is the number of jobs that wait."""

    def __init__(self, post: Post, failed: Callable[[StorageError], None]) -> None:
        """`failed` hears, by way of `post`, of each job that did not work and has no own ear."""
        self._post = post
        self._failed = failed
        self._jobs: OrderedDict[Hashable, Callable[[], None]] = OrderedDict()
        self._condition = threading.Condition()
        self._open = True
        self._thread = threading.Thread(target=self._work, name="storage", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._jobs)

    def submit(
        self,
        job: Callable[[], Result],
        then: Callable[[Result], None] | None = None,
        failed: Callable[[StorageError], None] | None = None,
        key: Hashable = None,
    ) -> bool:
        """Queue a job, replacing a waiting one with the same key; False if it cannot be taken.

        `then` hears the result and `failed` the error, both by way of `post`.
        """

        def run() -> None:
            self._run(job, then, failed or self._failed)

        with self._condition:
            if not self._open or len(self._jobs) >= JOB_LIMIT:
                return False
            # The newer job keeps the place of the older: nothing that waits starves.
            self._jobs[object() if key is None else key] = run
            self._condition.notify()
        return True

    def close(self, timeout: float = 5.0) -> bool:
        """Do what is queued, take nothing new, end; False if it took longer than `timeout`."""
        with self._condition:
            self._open = False
            self._condition.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job()

    def _next(self) -> Callable[[], None] | None:
        with self._condition:
            while not self._jobs and self._open:
                self._condition.wait()
            return self._jobs.popitem(last=False)[1] if self._jobs else None

    def _run(
        self,
        job: Callable[[], Result],
        then: Callable[[Result], None] | None,
        failed: Callable[[StorageError], None],
    ) -> None:
        try:
            result = job()
        except StorageError as error:
            _LOG.warning(error.phrase)
            self._tell(failed, error)
        except Exception as error:  # noqa: BLE001 - the thread outlives any job, like the loop
            _LOG.exception("a storage job failed")
            self._tell(failed, DiskFailedError(phrase("storage.broken", reason=error)))
        else:
            if then is not None:
                self._tell(then, result)

    def _tell(self, ear: Callable[[Result], None], value: Result) -> None:
        try:
            self._post(lambda: ear(value))
        except RuntimeError:
            _LOG.debug("the loop is closed; nobody hears of a storage job")
