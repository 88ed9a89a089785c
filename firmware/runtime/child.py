"""A helper program of the phone (the page), started again within a second when it dies (P12).

It ends with the phone, however that ends: a page whose phone was killed would keep the port from
the page of the next one.
"""

import asyncio
import contextlib
import ctypes
import logging
import signal
from collections.abc import Mapping, Sequence

from firmware.base.phrase import phrase

_LOG = logging.getLogger(__name__)

_FIRST_WAIT = 0.2
_LONGEST_WAIT = 30.0
_LIVED_LONG = 10.0
_STOP_SECONDS = 3.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None)


class Child:
    """One program, kept alive until `stop`."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._name = name
        self._command = tuple(command)
        self._environment = dict(environment)
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start it and keep it alive."""
        self._task = asyncio.get_running_loop().create_task(self._keep_alive())

    async def stop(self) -> None:
        """End it: first politely, after three seconds for certain."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        wait = _FIRST_WAIT
        while True:
            born = loop.time()
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, env=self._environment, preexec_fn=_end_with_the_phone
                )
            except OSError as error:
                _LOG.error(phrase("log.child_failed", name=self._name, reason=error.strerror))
            else:
                self.starts += 1
                status = await self._process.wait()
                _LOG.warning(phrase("log.child_ended", name=self._name, status=status))
            wait = _FIRST_WAIT if loop.time() - born > _LIVED_LONG else min(2 * wait, _LONGEST_WAIT)
            await asyncio.sleep(wait)


def _end_with_the_phone() -> None:
    """Between fork and exec: the kernel shall tell the child when its parent is gone."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
