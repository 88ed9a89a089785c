"""Where the phone wants its page: asked over the control socket, followed as long as we run.

The page's process reads no configuration, for that holds passwords. It subscribes to the one
topic that tells `[web]` and the language: first how it is now, then what a reload made of it.
"""

import asyncio
import contextlib
import logging
from pathlib import Path

from firmware.control.async_client import AsyncClient
from firmware.control.errors import ControlError
from firmware.control.schema import AnyEvent, Events, PageEvent, Role, Topic

PATIENCE = 5.0
"""Seconds without a phone after which the page opens where it usually is, to say so."""
_PAUSE = 1.0
_LOG = logging.getLogger(__name__)


class Wanted:
    """Run `run` as a task; `page` is what the phone said last, at first the defaults."""

    def __init__(self, control: Path, *, pause: float = _PAUSE) -> None:
        self._control = control
        self._pause = pause
        self._known = asyncio.Event()
        self._changed = asyncio.Event()
        self.page = PageEvent(0.0)

    async def known(self, patience: float = PATIENCE) -> None:
        """Wait until the phone has said it; not for ever."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._known.wait()

    async def changed(self) -> None:
        """Wait until it is another place than at the last look."""
        await self._changed.wait()
        self._changed.clear()

    async def run(self) -> None:
        """Keep asking, for ever."""
        while True:
            try:
                await self._listen()
            except ControlError as error:
                _LOG.info("no phone: %s", error)
            await asyncio.sleep(self._pause)

    async def _listen(self) -> None:
        client = await AsyncClient.connect(self._control, self._take)
        try:
            await client.ask_raw(Events(topics=(Topic.PAGE,), role=Role.VIEW))
            await client.closed()
        finally:
            await client.close()

    def _take(self, event: AnyEvent) -> None:
        if not isinstance(event, PageEvent):
            return
        known = self._known.is_set()
        if known and not event.differs(self.page):
            return
        # Until it is known nobody has looked, unless patience has ended: then it is a change too.
        self._changed.set()
        self._known.set()
        self.page = event
