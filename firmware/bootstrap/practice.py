"""The practice PBX as a child of the demonstration: started, watched, started again, ended.

It is a program of its own, as a real one would be, in a process group of its own: Ctrl-C reaches
the demonstration alone, so that the phone can still say goodbye to its registrar. If the
demonstration is killed, the child notices by its closed standard output.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Sequence

from firmware.runtime.child import end_process

_LOG = logging.getLogger(__name__)
_START_SECONDS = 15.0
_STOP_SECONDS = 5.0


class PracticeError(Exception):
    """The practice PBX does not come up."""


class PracticeProcess:
    """One practice PBX on one port, whatever becomes of its process."""

    def __init__(
        self, command: Sequence[str] | None = None, patience: float = _START_SECONDS
    ) -> None:
        """`command` is the program, to which the port is added; `patience` seconds to get ready."""
        self._command = tuple(command or (sys.executable, "-m", "firmware", "pbx", "--port"))
        self._patience = patience
        self._process: asyncio.subprocess.Process | None = None
        self.server = ""
        """Its host:port, once it has started."""

    @property
    def pid(self) -> int | None:
        """Its process."""
        return self._process.pid if self._process is not None else None

    async def start(self) -> None:
        """Start it, on the same port as before if it ran before.

        Raises:
            PracticeError: it does not say in time that it is ready.
        """
        port = self.server.rpartition(":")[2] or "0"
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            port,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            process_group=0,
        )
        assert self._process.stdout is not None
        ready = b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                ready = await self._process.stdout.readline()
        server = ready.decode(errors="replace").partition(" at ")[2].partition(";")[0].strip()
        if not server:
            await self.stop()
            raise PracticeError("the practice PBX did not start")
        self.server = server

    async def ended(self) -> None:
        """Wait until it is gone."""
        if self._process is not None:
            await self._process.wait()

    async def stop(self) -> None:
        """End it: politely, then for certain."""
        if self._process is not None:
            await end_process(self._process, _STOP_SECONDS)
