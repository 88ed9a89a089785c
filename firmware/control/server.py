"""The phone's end of the control socket: lines in, verbs to a handler, replies and events out.

It knows nothing of the phone. One request at a time is worked on per connection; events wait in a
short queue per reader, and a reader that is too slow gets a gap record instead of a growing queue.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Protocol

import msgspec

from firmware.base.phrase import Phrase, phrase
from firmware.control.errors import RefusalKind, RefusedError
from firmware.control.roles import Roles
from firmware.control.schema import (
    LINE_LIMIT,
    Accepted,
    AnyEvent,
    AnyRequest,
    AnyResult,
    Events,
    GapEvent,
    Refused,
    Role,
    Topic,
    decode_request,
    encode,
    role_needed,
    topic_of,
)
from firmware.control.socket_file import Peer, SocketFile, listen, peer_of

CLIENT_LIMIT = 16
QUEUE_LIMIT = 256
PATIENCE = 10.0
_LOG = logging.getLogger(__name__)


class Handler(Protocol):
    """What the phone does for the socket; both are called on the loop."""

    async def handle(self, request: AnyRequest) -> AnyResult:
        """Carry out a request.

        Raises:
            RefusedError: it cannot be done; the message goes to the client.
        """
        ...

    def present(self) -> Iterable[AnyEvent]:
        """The events that tell a new subscriber how things stand."""
        ...


class ControlServer:
    """Serves one control socket; `len` is the number of clients."""

    def __init__(
        self,
        handler: Handler,
        role_of: Callable[[Peer], Role] | None = None,
        patience: float = PATIENCE,
        say: Callable[[Phrase], str] = str,
    ) -> None:
        """Clients have the role that `role_of` gives them, by default that of their user.

        Seconds of `patience` without a byte taken end a connection that has bytes to take. `say`
        gives words to the reasons of refusals.
        """
        self._say = say
        self._handler = handler
        self._role_of = role_of or Roles.of_this_machine()
        self._patience = patience
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._file: SocketFile | None = None
        self._server: asyncio.Server | None = None

    def __len__(self) -> int:
        return len(self._connections)

    async def start(self, path: Path) -> None:
        """Listen at `path`.

        Raises:
            SocketTakenError: a running phone has it.
            SocketPathError: it cannot be made there.
        """
        self._file = listen(path)
        self._server = await asyncio.start_unix_server(
            self._accept, sock=self._file.listener, limit=LINE_LIMIT
        )

    def publish(self, event: AnyEvent) -> None:
        """Send an event to whoever subscribed to its topic; never blocks."""
        line = b""
        for connection in self._connections:
            if connection.wants(event):
                line = line or encode(event)
                connection.outbox.offer(line)

    async def stop(self) -> None:
        """Close every connection and remove the socket file."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._file is not None:
            self._file.remove()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = peer_of(writer.get_extra_info("socket"))
        if len(self._connections) >= CLIENT_LIMIT:
            _LOG.warning("control: client uid %d pid %d turned away: full", peer.uid, peer.pid)
            reason = self._say(phrase("refused.full", count=CLIENT_LIMIT))
            writer.write(encode(Refused(0, reason, RefusalKind.NOT_ALLOWED)))
            writer.close()
            return
        _LOG.info("control: client uid %d pid %d", peer.uid, peer.pid)
        outbox = _Outbox(writer, self._patience)
        connection = _Connection(self._handler, reader, outbox, self._role_of(peer), self._say)
        self._connections.add(connection)
        try:
            await _first_of(connection.read(), outbox.pump())
        finally:
            self._connections.discard(connection)
            writer.transport.abort()


async def _first_of(*jobs: Coroutine[None, None, None]) -> None:
    """Run jobs together until one ends, then end the others; a failure of one is raised."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        with contextlib.suppress(ConnectionError, TimeoutError):
            task.result()


class _Outbox:
    """Lines on their way to one client, in order; events are bounded, replies are one at a time."""

    def __init__(self, writer: asyncio.StreamWriter, patience: float) -> None:
        self._writer = writer
        self._patience = patience
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._filled = asyncio.Event()
        self._empty = asyncio.Event()

    def __len__(self) -> int:
        return len(self._lines)

    def offer(self, line: bytes) -> None:
        """Queue an event, or count it as dropped if the reader is far behind."""
        if len(self._lines) >= QUEUE_LIMIT:
            self._dropped += 1
            return
        self._tell_gap()
        self._put(line)

    async def reply(self, line: bytes) -> None:
        """Queue a reply and wait until everything up to it was handed to the kernel."""
        self._put(line)
        await self._empty.wait()

    async def pump(self) -> None:
        """Write what is queued, for ever; ends with TimeoutError when nothing is taken."""
        while True:
            await self._filled.wait()
            while self._lines:
                self._writer.write(self._lines.popleft())
                async with asyncio.timeout(self._patience):
                    await self._writer.drain()
                if not self._lines:
                    self._tell_gap()
            self._filled.clear()
            self._empty.set()

    def _tell_gap(self) -> None:
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            self._put(encode(GapEvent(dropped)))

    def _put(self, line: bytes) -> None:
        self._lines.append(line)
        self._empty.clear()
        self._filled.set()


class _Connection:
    """One client: its rights, what it subscribed to, and the loop over its lines."""

    def __init__(
        self,
        handler: Handler,
        reader: asyncio.StreamReader,
        outbox: _Outbox,
        role: Role,
        say: Callable[[Phrase], str],
    ) -> None:
        self._say = say
        self._handler = handler
        self._reader = reader
        self._role = role
        self._topics: frozenset[Topic] | None = None
        self.outbox = outbox

    def wants(self, event: AnyEvent) -> bool:
        """Whether the client subscribed to this event."""
        return self._topics is not None and (
            not self._topics or (topic_of(event) or Topic.NOTICE) in self._topics
        )

    async def read(self) -> None:
        """Answer line after line until the client has gone or writes nonsense without end."""
        while True:
            try:
                line = await self._reader.readuntil()
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                reason = self._say(phrase("refused.long_line", limit=LINE_LIMIT))
                await self.outbox.reply(encode(Refused(0, reason, RefusalKind.BAD_REQUEST)))
                return
            if line.strip():
                await self.outbox.reply(await self._answer(line))

    async def _answer(self, line: bytes) -> bytes:
        try:
            request = decode_request(line)
        except (msgspec.MsgspecError, ValueError) as error:
            return encode(Refused(_id_of(line), str(error), RefusalKind.BAD_REQUEST))
        try:
            self._check_role(request)
            reply = encode(Accepted(request.id, await self._carry_out(request)))
        except RefusedError as error:
            reason = error.reason
            said = self._say(reason) if isinstance(reason, Phrase) else reason
            return encode(Refused(request.id, said, error.kind))
        if len(reply) > LINE_LIMIT:
            return encode(Refused(request.id, self._say(Phrase("refused.long_answer"))))
        return reply

    async def _carry_out(self, request: AnyRequest) -> AnyResult:
        if not isinstance(request, Events):
            return await self._handler.handle(request)
        self._topics = frozenset(request.topics)
        for event in self._handler.present():
            if self.wants(event):
                self.outbox.offer(encode(event))
        return None

    def _check_role(self, request: AnyRequest) -> None:
        needed = role_needed(request)
        allowed = self._role.covers(needed) and (request.role or self._role).covers(needed)
        if not allowed:
            reason = phrase("refused.role", role=needed.value)
            raise RefusedError(reason, RefusalKind.NOT_ALLOWED)


class _Numbered(msgspec.Struct):
    """Just the number of a request that is wrong in some other way."""

    id: int = 0


def _id_of(line: bytes) -> int:
    try:
        return msgspec.json.decode(line, type=_Numbered).id
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return 0
