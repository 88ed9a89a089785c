"""A helper program of the phone (the page), started again within a second when it dies (P12).

The phone holds the other end of its standard input, so that it can end with the phone however that
ends: a page whose phone was killed would keep the port from the page of the next one. (A signal at
the parent's death would have to be asked for between fork and exec, where another thread's lock may
stop us for ever.)
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence

from firmware.base.phrase import phrase
from firmware.control.place import ENDS_WITH_INPUT

_LOG = logging.getLogger(__name__)

_FIRST_WAIT = 0.2
_LONGEST_WAIT = 30.0
_LIVED_LONG = 10.0
_STOP_SECONDS = 3.0


class Child:
    """One program, kept alive until `stop`."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._name = name
        self._sleep = sleep
        self._command = tuple(command)
        self._environment = {**environment, ENDS_WITH_INPUT: "1"}
        self._lifeline: tuple[int, int] | None = None
        self._task: asyncio.Task[None] | None = None
        self._process: asyncio.subprocess.Process | None = None
        self.starts = 0

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start it and keep it alive."""
        self._lifeline = os.pipe()
        self._task = asyncio.get_running_loop().create_task(self._keep_alive())

    async def stop(self) -> None:
        """End it: first politely, after three seconds for certain."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._lifeline is not None:
            for end in self._lifeline:
                os.close(end)
            self._lifeline = None
        process = self._process
        if process is not None and process.returncode is None:
            await end_process(process, _STOP_SECONDS)

    async def _spawn(self) -> asyncio.subprocess.Process:
        reading = self._lifeline[0] if self._lifeline else asyncio.subprocess.DEVNULL
        return await asyncio.create_subprocess_exec(
            *self._command, stdin=reading, env=self._environment
        )

    async def _keep_alive(self) -> None:
        loop = asyncio.get_running_loop()
        wait = _FIRST_WAIT
        while True:
            born = loop.time()
            try:
                self._process = await self._spawn()
            except OSError as error:
                _LOG.error(phrase("log.child_failed", name=self._name, reason=error.strerror))
            else:
                self.starts += 1
                status = await self._process.wait()
                _LOG.warning(phrase("log.child_ended", name=self._name, status=status))
            wait = _FIRST_WAIT if loop.time() - born > _LIVED_LONG else min(2 * wait, _LONGEST_WAIT)
            await self._sleep(wait)


async def end_process(process: asyncio.subprocess.Process, patience: float) -> None:
    """Ask a process of ours to end, and after `patience` seconds end it."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(patience):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
