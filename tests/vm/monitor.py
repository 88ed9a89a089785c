"""QEMU's own monitor (QMP): one JSON object a line, orders and events.

From https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html; only what the tests need.
"""

import json
import socket
import threading
import time


class MonitorError(AssertionError):
    """QEMU refused an order, or an event did not come."""


class Monitor:
    """At the end of `line`, which is connected; may be used by several threads."""

    def __init__(self, line: socket.socket) -> None:
        self._turn = threading.RLock()
        self._events: list[dict[str, object]] = []
        self._held = b""
        self._line = line
        self._message(time.monotonic() + 20)
        self.order("qmp_capabilities")

    def order(self, name: str, /, **arguments: object) -> object:
        """Have something done; what QEMU returns.

        Raises:
            MonitorError: it refused.
        """
        with self._turn:
            words = {"execute": name, "arguments": arguments}
            self._line.settimeout(20)
            self._line.sendall(json.dumps(words).encode() + b"\n")
            deadline = time.monotonic() + 20
            while True:
                answer = self._message(deadline)
                if "event" in answer:
                    self._events.append(answer)
                elif "error" in answer:
                    raise MonitorError(f"QEMU refused {words}: {answer['error']}")
                elif "return" in answer:
                    return answer["return"]

    def wait_event(self, name: str, seconds: float, **data: object) -> dict[str, object]:
        """The next event of this name with these data, also if it has come already."""
        deadline = time.monotonic() + seconds
        while True:
            with self._turn:
                for event in self._events:
                    about = event.get("data", {})
                    assert isinstance(about, dict)
                    if event["event"] == name and data.items() <= about.items():
                        self._events.remove(event)
                        return about
                try:
                    self._events.append(self._message(min(deadline, time.monotonic() + 0.1)))
                except TimeoutError:
                    if time.monotonic() > deadline:
                        raise MonitorError(f"no {name} within {seconds:g} s") from None

    def forget(self) -> None:
        """Events of up to now are of no interest."""
        with self._turn:
            self.order("query-status")
            self._events.clear()

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _message(self, deadline: float) -> dict[str, object]:
        while b"\n" not in self._held:
            self._line.settimeout(max(deadline - time.monotonic(), 0.01))
            data = self._line.recv(1 << 16)
            if not data:
                raise MonitorError("QEMU ended")
            self._held += data
        line, _, self._held = self._held.partition(b"\n")
        found = json.loads(line)
        assert isinstance(found, dict)
        return found
