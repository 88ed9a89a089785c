"""The heart of the phone: one input, everything it causes, then the next.

    post ─▶ inbox ─▶ [keys ─▶ navigator] ─▶ phone.handle ─▶ commands ─▶ performers
                                                └▶ view ─▶ screen, lamps, page, API

It owns the phone machine and its one timer. Sockets, cards and files belong to the parts it is
handed.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable

from firmware.phone.events import Event, TimePassed
from firmware.phone.machine import Phone
from firmware.phone.view import PhoneView
from firmware.runtime.asides import aside
from firmware.runtime.house import House
from firmware.runtime.inbox import Inbox
from firmware.runtime.performers import perform
from firmware.ui.navigator import Navigator
from hal.events import KeyDown, KeyUp

_LOG = logging.getLogger(__name__)

Watcher = Callable[[PhoneView, PhoneView], None]


class PhoneLoop:
    """Feeds one phone; `settle` performs what the SIP stack wants after each input."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.inbox = Inbox(self._handle)
        self.view = phone.view()
        self._loop = asyncio.get_running_loop()
        self._navigator = Navigator()
        self._timer: asyncio.TimerHandle | None = None
        self._house: House | None = None
        self._settle: Callable[[], None] = _nothing
        self._watchers: list[Watcher] = []

    def furnish(self, house: House, settle: Callable[[], None]) -> None:
        """Hand over the parts; inputs are welcome from now on."""
        self._house = house
        self._settle = settle

    def watch(self, watcher: Watcher) -> None:
        """Call `watcher(old, new)` whenever the view has changed."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Call this watcher no more."""
        self._watchers.remove(watcher)

    def close(self) -> None:
        """Take no more time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _handle(self, event: Event) -> None:
        house = self._house
        assert house is not None, "furnish() comes first"
        with contextlib.ExitStack() as then:
            # Last in, first out; each is done even if one before it failed (F43).
            then.callback(self._arm)
            then.callback(self._look)
            then.callback(self._settle)
            then.callback(self._take, house, event)
            aside(house, event)

    def _take(self, house: House, event: Event) -> None:
        now = house.now()
        if isinstance(event, KeyDown | KeyUp):
            for action in self._navigator.handle(event, self.view, now):
                self._step(house, action, now)
        else:
            self._step(house, event, now)

    def _step(self, house: House, event: Event, now: float) -> None:
        for command in self.phone.handle(event, now):
            try:
                perform(house, command)
            except Exception:  # noqa: BLE001 - the next command may close a microphone (F43)
                _LOG.exception("the phone could not carry out %s", type(command).__name__)

    def _look(self) -> None:
        view = self.phone.view()
        if view == self.view:
            return
        old, self.view = self.view, view
        for watcher in tuple(self._watchers):
            try:
                watcher(old, view)
            except Exception:  # noqa: BLE001 - a broken screen must not blind the page (F43)
                _LOG.exception("somebody failed to look at the phone")

    def _arm(self) -> None:
        deadlines = (self.phone.next_deadline(), self._navigator.next_deadline())
        earliest = min((at for at in deadlines if at is not None), default=None)
        if self._timer is not None:
            if self._timer.when() == earliest:
                return
            self._timer.cancel()
            self._timer = None
        if earliest is not None:
            self._timer = self._loop.call_at(earliest, self._due)

    def _due(self) -> None:
        self._timer = None
        for action in self._navigator.fire(self._loop.time()):
            self.inbox.put(action)
        self.inbox.put(TimePassed())


def _nothing() -> None:
    """Nothing to settle yet."""
