"""The one door into the phone's loop: adapters, threads and tasks all knock here.

`post` may be called from any thread and never blocks. Inputs are handed over on the loop, one at
a time and in the order in which they came; an input that arrives while another is being handled
waits its turn, so the machine never sees itself half-way.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from firmware.phone.events import Event

_LOG = logging.getLogger(__name__)


class Inbox:
    """Inputs waiting for the phone."""

    def __init__(self, handle: Callable[[Event], None]) -> None:
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Event] = deque()
        self._handling = False
        self._held: list[Event] | None = None
        self.failures = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def post(self, event: Event) -> None:
        """Hand an input over from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._arrived, event)
        except RuntimeError:
            # The loop has closed: the phone is off and nobody is interested any more.
            _LOG.debug("input after the end: %s", type(event).__name__)

    def hold(self) -> None:
        """Keep what is posted until `welcome`: a handset may be off before the phone is there."""
        self._held = []

    def welcome(self) -> None:
        """Hand over what was kept, in its order, and whatever is posted from now on."""
        held, self._held = self._held or (), None
        for event in held:
            self.put(event)

    def _arrived(self, event: Event) -> None:
        if self._held is None:
            self.put(event)
        else:
            self._held.append(event)

    def put(self, event: Event) -> None:
        """Hand an input over from the loop itself."""
        self._waiting.append(event)
        if self._handling:
            return
        self._handling = True
        try:
            while self._waiting:
                self._one(self._waiting.popleft())
        finally:
            self._handling = False

    def _one(self, event: Event) -> None:
        try:
            self._handle(event)
        except Exception:  # noqa: BLE001 - a fault may cost one input, never the phone (F43)
            self.failures += 1
            _LOG.exception("the phone failed to handle %s", type(event).__name__)
