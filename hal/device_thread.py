"""The thread of a device behind a descriptor: serves it, tries again after a fault, ends when told.

Waiting for the device and for the phone is one `poll`: whoever wants something of the thread wakes
it by a pipe. No fault of the device, or of the code that reads it, ends the thread before the
phone does.
"""

import math
import os
import select
import threading
from collections.abc import Callable, Iterable

from hal.errors import DeviceError
from hal.health import Health
from hal.ports import Post

_PATIENCE = 2.0
"""Seconds that closing waits for a driver that hangs."""
_READ = 4096


class DeviceThread:
    """One device; `serve` returns when `closing`, `rest` waits the seconds until the next try."""

    def __init__(
        self,
        name: str,
        serve: Callable[[Post, Health], None],
        rest: Callable[[Post, float], None],
    ) -> None:
        self._name = name
        self._serve = serve
        self._rest = rest
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def start(self, post: Post, health: Health) -> None:
        """Begin to serve."""
        self._thread = threading.Thread(
            target=self._run, args=(post, health), name=self._name, daemon=True
        )
        self._thread.start()

    @property
    def closing(self) -> bool:
        """Whether the phone is done with the device."""
        return self._closing.is_set()

    def pause(self, seconds: float) -> bool:
        """Wait so long, or until `closing`; returns whether it is."""
        return self._closing.wait(seconds)

    def wait(self, descriptors: Iterable[int], seconds: float | None) -> set[int]:
        """Wait until something can be read, somebody wakes the thread, or so many seconds are over.

        Returns those of the descriptors that can be read, or are broken: reading tells. None = for
        ever. Unlike `select`, this knows no highest descriptor.
        """
        waiting = select.poll()
        for descriptor in (*descriptors, self._read):
            waiting.register(descriptor, select.POLLIN)
        timeout = None if seconds is None else math.ceil(seconds * 1000)
        ready = {descriptor for descriptor, _ in waiting.poll(timeout)}
        if self._read in ready:
            os.read(self._read, _READ)
        return ready - {self._read}

    def wake(self) -> None:
        """Have the thread look at what is wanted; from any thread, at any time."""
        # With the lock: the number of a closed pipe may be that of somebody's file.
        with self._lock:
            if self._write < 0:
                return
            try:
                os.write(self._write, b"\0")
            except BlockingIOError:
                # A full pipe wakes, too.
                return

    def close(self) -> None:
        """End, within two seconds, whatever the driver does."""
        if self.closing:
            return
        self._closing.set()
        self.wake()
        if self._thread is not None:
            self._thread.join(_PATIENCE)
            if self._thread.is_alive():
                # It hangs in the driver; its pipe stays open for it.
                return
        with self._lock:
            write, self._write = self._write, -1
        os.close(write)
        os.close(self._read)

    def _run(self, post: Post, health: Health) -> None:
        while not self.closing:
            try:
                self._serve(post, health)
            except DeviceError as error:
                reason = str(error)
            except Exception as error:  # noqa: BLE001 - a thread that dies takes the device with it
                reason = f"{type(error).__name__}: {error}"
            else:
                return
            try:
                self._rest(post, health.failed(reason))
            except Exception:  # noqa: BLE001 - likewise; nobody is there who could be told
                self.pause(_PATIENCE)
