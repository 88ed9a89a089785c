"""A client for the control socket on an asyncio loop: what the web page's process uses.

One task reads the connection: replies go to who asked, events to the callback.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from firmware.control.client import ReplyHead
from firmware.control.errors import NoPhoneError, RefusedError, SocketPathError
from firmware.control.schema import (
    LINE_LIMIT,
    AnyEvent,
    AnyRequest,
    AnyResult,
    decode_event,
    encode,
)

Result = TypeVar("Result", bound=AnyResult)


class AsyncClient:
    """One connection; make it with `connect`, end it with `close`."""

    def __init__(
        self,
        path: Path,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_event: Callable[[AnyEvent], None],
    ) -> None:
        self._path = path
        self._reader = reader
        self._writer = writer
        self._on_event = on_event
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes]] = {}
        self._task = asyncio.get_running_loop().create_task(self._read())

    @classmethod
    async def connect(
        cls, path: Path, on_event: Callable[[AnyEvent], None] = lambda _event: None
    ) -> "AsyncClient":
        """Connect to a running phone.

        Raises:
            NoPhoneError: nobody listens there.
            SocketPathError: the path cannot be used.
        """
        try:
            reader, writer = await asyncio.open_unix_connection(path, limit=2 * LINE_LIMIT)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NoPhoneError(f"no phone is running at {path}") from error
        except OSError as error:
            raise SocketPathError(f"{path}: {error.strerror or error}") from error
        return cls(path, reader, writer, on_event)

    def __len__(self) -> int:
        """Requests without a reply yet."""
        return len(self._waiting)

    async def ask(self, request: AnyRequest, result: type[Result]) -> Result:
        """Send a request and wait for its result of the given type (`type(None)` for none).

        Raises:
            RefusedError: the phone says no.
            NoPhoneError: the phone went away.
        """
        return msgspec.json.decode(await self.ask_raw(request), type=result)

    async def ask_raw(self, request: AnyRequest) -> bytes:
        """Like `ask`, but the result as the JSON that came."""
        if self._task.done():
            raise self._gone()
        number = next(self._ids)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        try:
            self._writer.write(encode(msgspec.structs.replace(request, id=number)))
            return await reply
        finally:
            self._waiting.pop(number, None)

    async def closed(self) -> None:
        """Wait until the phone has gone."""
        await asyncio.wait([self._task])

    async def close(self) -> None:
        """Hang up."""
        # First of all, so that it is done even if we are cancelled while we wait.
        self._writer.close()
        self._task.cancel()
        await asyncio.wait([self._task])
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                self._take(line)
        except (OSError, ValueError, msgspec.MsgspecError):
            pass  # Whoever waits learns it below; `closed` tells the rest.
        finally:
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(self._gone())

    def _take(self, line: bytes) -> None:
        head = msgspec.json.decode(line, type=ReplyHead)
        if head.ok is None:
            self._on_event(decode_event(line))
            return
        reply = self._waiting.get(head.id)
        if reply is None or reply.done():
            return
        if head.ok:
            reply.set_result(bytes(head.result))
        else:
            reply.set_exception(RefusedError(head.error, head.kind))

    def _gone(self) -> NoPhoneError:
        return NoPhoneError(f"the phone at {self._path} went away")
