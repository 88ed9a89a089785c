"""The audio process: `python -m firmware.media.host FD`, FD being its end of the control socket.

Started by fork and exec, before anything else of the phone. It takes its own real-time rights,
says `EngineReady`, and from then on does one thing: wait for the next frame or the next order. It
ends with `Stop`, with SIGTERM, or when the phone's end of the socket is gone. It opens no file and
writes no log while a stream runs. All I/O of the process begins here; the work is `engine`'s.
"""

from firmware.media import realtime

_REFUSED = realtime.begin() if __name__ == "__main__" else "this is not the audio process"

# Rights come first: the rest is loaded with them (E402 is off for this file).
import os
import select
import signal
import socket
import sys
import time

from firmware.base.left_out import left_out

with left_out("typing_extensions"):
    import msgspec

from firmware.media.engine import Engine
from firmware.media.messages import (
    AnyReport,
    EngineLog,
    EngineReady,
    decode_order,
    encode,
)
from hal.boards.cards import open_card

_ORDER_SIZE = 65536
_DESCRIPTORS = 8


class Control:
    """The engine's end of the control socket. A report that finds no room is dropped."""

    def __init__(self, control: socket.socket) -> None:
        control.settimeout(0)
        self._socket = control
        self.open = True
        self.dropped = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def hang_up(self) -> None:
        """Behave as if the phone had gone: what a signal handler may do."""
        self._socket.shutdown(socket.SHUT_RD)

    def report(self, report: AnyReport) -> None:
        try:
            self._socket.send(encode(report), socket.MSG_NOSIGNAL)
        except OSError:
            self.dropped += 1

    def receive(self) -> tuple[bytes, tuple[int, ...]] | None:
        """The next order and its descriptors, None if none waits or the phone is gone."""
        try:
            packet, fds, _, _ = socket.recv_fds(self._socket, _ORDER_SIZE, _DESCRIPTORS)
        except BlockingIOError:
            return None
        except OSError:
            packet, fds = b"", []
        if not packet:
            self.open = False
            return None
        return packet, tuple(fds)


def run(engine: Engine, control: Control) -> None:
    """Frames and orders until the end."""
    watched = [control.fileno()]
    while control.open and not engine.stopped:
        due = engine.due
        wait = due - time.monotonic()
        readable, _, _ = select.select(watched, (), (), max(0, wait))
        if readable:
            _take_orders(engine, control)
        now = time.monotonic()
        if now >= engine.due:
            engine.tick(now)


def _take_orders(engine: Engine, control: Control) -> None:
    while (received := control.receive()) is not None:
        packet, fds = received
        try:
            order = decode_order(packet)
        except msgspec.DecodeError as error:
            for fd in fds:
                os.close(fd)
            control.report(EngineLog("error", f"an order that is none: {error}"))
            continue
        engine.handle(order, fds, time.monotonic())


def main() -> int:
    """Run the audio process on the socket whose descriptor is the first argument."""
    control = Control(socket.socket(fileno=int(sys.argv[1])))
    # The terminal's Ctrl-C reaches the whole group; the phone decides when its engine ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda _number, _frame: control.hang_up())
    engine = Engine(control.report, open_card, os.urandom, time.monotonic)
    realtime.keep_memory()
    control.report(EngineReady(os.getpid(), realtime=not _REFUSED, reason=_REFUSED))
    try:
        run(engine, control)
        engine.close(time.monotonic())
    except Exception:  # noqa: BLE001 - the process ends, and its successor's log should know why
        import traceback  # noqa: PLC0415 - half a megabyte, for the last words only

        control.report(EngineLog("critical", traceback.format_exc(limit=12)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
