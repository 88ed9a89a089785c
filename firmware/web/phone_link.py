"""The page's line to the phone: one connection to the control socket, shared by all open pages.

It keeps trying while the phone is away, remembers what the last events said, so that a page that
opens sees the phone as it is, and hands every event on. It decides nothing.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from firmware.control.async_client import AsyncClient
from firmware.control.errors import ControlError, NoPhoneError, RefusedError
from firmware.control.schema import (
    AnyEvent,
    AnyRequest,
    Calls,
    CallsReply,
    Events,
    GapEvent,
    LampsEvent,
    LogRow,
    RecordEvent,
    RingEvent,
    Role,
    ScreenEvent,
    StatusEvent,
)

LOG_ROWS = 30
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 3.0
_LOG = logging.getLogger(__name__)
Told = AnyEvent | None
"""An event, or None: the phone has come or gone, look at `present` anew."""


class PhoneLink:
    """Run `run` as a task; `len` is the number of listeners."""

    def __init__(self, path: Path, *, first_pause: float = _FIRST_PAUSE) -> None:
        self._path = path
        self._first_pause = first_pause
        self._client: AsyncClient | None = None
        self._listeners: dict[object, Callable[[Told], None]] = {}
        self.status: StatusEvent | None = None
        self._screen: ScreenEvent | None = None
        self._lamps: LampsEvent | None = None
        self._ring: RingEvent | None = None
        self.log: list[LogRow] = []
        self._gap = asyncio.Event()

    def __len__(self) -> int:
        return len(self._listeners)

    @property
    def is_up(self) -> bool:
        """Whether the phone is there."""
        return self._client is not None

    def present(self) -> list[AnyEvent]:
        """The events that tell how the phone is now."""
        known = (self.status, self._screen, self._lamps, self._ring)
        return [event for event in known if event is not None]

    @contextlib.contextmanager
    def listening(self, listener: Callable[[Told], None]) -> Iterator[None]:
        """Call `listener` with every event while the block lasts."""
        key = object()
        self._listeners[key] = listener
        try:
            yield
        finally:
            del self._listeners[key]

    async def ask(self, request: AnyRequest) -> None:
        """Ask the phone to do something, as somebody who may only use it.

        Raises:
            RefusedError: it says no.
            NoPhoneError: it is not there.
        """
        if self._client is None:
            raise NoPhoneError("the phone is not running")
        await self._client.ask_raw(msgspec.structs.replace(request, role=Role.PHONE))

    async def run(self) -> None:
        """Keep the connection, for ever."""
        pause = self._first_pause
        while True:
            try:
                await self._connected()
                pause = self._first_pause
            except (ControlError, msgspec.MsgspecError) as error:
                _LOG.info("no phone: %s", error)
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _connected(self) -> None:
        client = await AsyncClient.connect(self._path, self._take)
        try:
            self.log = await _call_log(client)
            self._client = client
            self._tell(None)
            while await self._subscribed(client):
                _LOG.warning("events were left out: asking for the present state again")
        finally:
            self._client = None
            self.status = self._screen = self._lamps = self._ring = None
            self._tell(None)
            await client.close()

    async def _subscribed(self, client: AsyncClient) -> bool:
        """Take events until some are missing (True) or the phone has gone (False)."""
        self._gap.clear()
        await client.ask_raw(Events(role=Role.VIEW))
        ends = [asyncio.ensure_future(client.closed()), asyncio.ensure_future(self._gap.wait())]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            return not ends[0].done()
        finally:
            for end in ends:
                end.cancel()

    def _take(self, event: AnyEvent) -> None:
        match event:
            case StatusEvent():
                self.status = event
            case ScreenEvent():
                self._screen = event
            case LampsEvent():
                self._lamps = event
            case RingEvent():
                self._ring = event
            case RecordEvent():
                self.log = [event.row, *self.log][:LOG_ROWS]
            case GapEvent():
                self._gap.set()
            case _:
                pass
        self._tell(event)

    def _tell(self, event: Told) -> None:
        for listener in list(self._listeners.values()):
            listener(event)


async def _call_log(client: AsyncClient) -> list[LogRow]:
    try:
        reply = await client.ask(Calls(limit=LOG_ROWS, role=Role.VIEW), CallsReply)
    except RefusedError as error:
        _LOG.warning("the call list cannot be shown: %s", error)
        return []
    return list(reply.log)


__all__ = ["LOG_ROWS", "NoPhoneError", "PhoneLink", "RefusedError", "Told"]
