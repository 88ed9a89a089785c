"""The thread that hears the edges of all lines of a chip.

One for all pins, and it survives whatever it calls: gpiozero's own threads end with an exception in
a callback, and with them the button.
"""

import os
import select
import threading
from typing import Protocol

_PATIENCE = 2.0
"""Seconds that closing waits for a callback that hangs."""


class Source(Protocol):
    """A line that has edges."""

    def hear(self) -> None:
        """Read the edges that wait and tell them; may raise anything."""

    def gone(self) -> None:
        """The line was taken away, or so it seems."""


class EdgeReader:
    """Waits for edges on the descriptors that were added."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._epoll.register(self._stop, select.EPOLLIN)
        self._sources: dict[int, Source] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self.faults = 0
        """How often a callback failed."""

    def __len__(self) -> int:
        """How many lines it listens to."""
        return len(self._sources)

    def add(self, descriptor: int, source: Source) -> None:
        """Listen to a line."""
        with self._lock:
            if self._sources.get(descriptor) is not source:
                self._sources[descriptor] = source
                self._epoll.register(descriptor, select.EPOLLIN)
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._live, args=(self._stop,), name="gpio-edges", daemon=True
            )
            self._thread.start()

    def remove(self, descriptor: int) -> None:
        """Listen no longer; the descriptor is still open."""
        # With the lock: the number of a line that is given back may be that of another.
        with self._lock:
            if self._sources.pop(descriptor, None) is not None:
                self._epoll.unregister(descriptor)

    def close(self) -> None:
        """End the thread; from any other one."""
        if self._stop < 0:
            return
        stop, self._stop = self._stop, -1
        os.eventfd_write(stop, 1)
        if self._thread is not None:
            if self._thread is not threading.current_thread():
                self._thread.join(_PATIENCE)
            if self._thread.is_alive():
                # It hangs in a callback; its descriptors stay open for it.
                return
        self._epoll.close()
        os.close(stop)

    def _live(self, stop: int) -> None:
        while True:
            for descriptor, events in self._epoll.poll():
                if descriptor == stop:
                    return
                source = self._sources.get(descriptor)
                if source is not None:
                    self._serve(descriptor, source, broken=not events & select.EPOLLIN)

    def _serve(self, descriptor: int, source: Source, *, broken: bool) -> None:
        try:
            if not broken:
                source.hear()
        except OSError:
            broken = True
        except Exception:  # noqa: BLE001 - see the module
            self.faults += 1
        if broken:
            # The chip is gone. Left alone, its descriptor would keep us busy for ever.
            self.remove(descriptor)
            self._tell(source)

    def _tell(self, source: Source) -> None:
        try:
            source.gone()
        except Exception:  # noqa: BLE001 - see the module
            self.faults += 1
