"""A display whose pictures are written by a thread of its own.

    show ─▶ latest picture ─▶ writer: turn, compare with what is shown, send ─▶ chip
                                 │ no answer: told once, tried again later, woken up anew
                                 └ closing: dark, panel off

`show` returns at once. A picture that is replaced before the writer came to it is never drawn. The
display may be absent at start, vanish and come back: the phone rings and talks meanwhile (F41).
"""

import threading
from collections.abc import Callable

from hal.board_spec import DisplaySpec
from hal.errors import DeviceError
from hal.health import Health
from hal.oled.chips import WRITERS, Command, Op
from hal.oled.wire import OpenLine, Wire, open_wire, wake_up
from hal.packing import blank, turned
from hal.ports import Picture

DEVICE = "screen"
PANEL_OFF, PANEL_ON = Command(b"\xae"), Command(b"\xaf")
_WHOLE_EVERY = 32
"""Pictures between two that are sent whole: what a disturbance wrote does not stay."""
_PATIENCE = 2.0
"""Seconds that closing waits for a bus that hangs."""


class OledScreen:
    """A `DisplayPort`; opening, writing and all waiting is the thread's.

    `connect` opens the way to the chip, `prepare` gives what the chip hears first; both run in the
    thread and raise `hal.errors.DeviceError`.
    """

    def __init__(
        self,
        spec: DisplaySpec,
        health: Health,
        connect: Callable[[], Wire],
        prepare: Callable[[], tuple[Op, ...]],
    ) -> None:
        width, height = spec.size
        self._size = (height, width) if spec.rotate % 2 else (width, height)
        self._quarters = spec.rotate
        self._write = WRITERS[spec.chip]
        self._health = health
        self._connect = connect
        self._prepare = prepare
        self._latest = blank(self._size)
        self._shown: Picture | None = None
        self._written = 0
        self._news = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="oled", daemon=True)
        self._thread.start()

    @property
    def size(self) -> tuple[int, int]:
        return self._size

    def show(self, picture: Picture) -> None:
        self._latest = picture
        self._news.set()

    def close(self) -> None:
        self._closing.set()
        self._news.set()
        self._thread.join(_PATIENCE)

    # The writer

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._serve()
            except DeviceError as error:
                self._wait(str(error))
            except Exception as error:  # noqa: BLE001 - a thread that dies takes the screen with it
                self._wait(f"{type(error).__name__}: {error}")

    def _wait(self, reason: str) -> None:
        self._closing.wait(self._health.failed(reason))

    def _serve(self) -> None:
        """Wake the display and draw until it fails or the phone is done with it."""
        first = self._prepare()
        wire = self._connect()
        # Whatever was sent before, the display may have lost its power since.
        self._shown = None
        try:
            wire.send(first)
            self._draw(wire)
            wire.send((PANEL_ON,))
            self._health.works()
            while not self._closing.is_set():
                self._news.wait()
                self._news.clear()
                self._draw(wire)
                self._health.works()
            self._darken(wire)
        finally:
            wire.close()

    def _draw(self, wire: Wire) -> None:
        picture = turned(self._latest, self._quarters)
        self._written += 1
        shown = self._shown if self._written % _WHOLE_EVERY else None
        wire.send(self._write(picture, shown))
        self._shown = picture

    def _darken(self, wire: Wire) -> None:
        dark = blank((self._latest.width, self._latest.height))
        wire.send(self._write(turned(dark, self._quarters), None))
        wire.send((PANEL_OFF,))


def open_screen(spec: DisplaySpec, health: Health, open_line: OpenLine) -> OledScreen:
    """A display as the board file has it; never fails: what is wrong is told by `health`."""
    prepared: list[tuple[Op, ...]] = []

    def prepare() -> tuple[Op, ...]:
        if not prepared:
            prepared.append(wake_up(spec))
        return prepared[0]

    return OledScreen(spec, health, lambda: open_wire(spec, open_line), prepare)
