"""The thread of a pin library: callbacks come from it, one after the other."""

import queue
import threading


class Callbacks:
    """Runs what it is given, in a thread; an exception is kept, and the thread goes on."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue = queue.SimpleQueue()
        self.errors: list[Exception] = []
        self._thread = threading.Thread(target=self._live, daemon=True)
        self._thread.start()

    def call(self, callback, *args) -> None:
        """Have this called."""
        self._calls.put((callback, args))

    def _live(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call[0](*call[1])
            except Exception as error:  # noqa: BLE001 - a test asks for them
                self.errors.append(error)

    def end(self) -> None:
        """End the thread."""
        self._calls.put(None)
        self._thread.join(2)
