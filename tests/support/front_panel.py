"""A front panel at the other end of a pseudo-terminal, running the reference firmware itself."""

import contextlib
import importlib.util
import os
import threading
import time
import tty
from pathlib import Path

from hal.ports import Picture

SKETCH = Path(__file__).parents[2] / "docs/examples/serial_panel/main.py"


def load_sketch():
    """The reference firmware as a module."""
    spec = importlib.util.spec_from_file_location("serial_panel_sketch", SKETCH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Hardware:
    """What the sketch has for pins: fingers are sets, lamps are dictionaries."""

    width, rows = 128, 8
    lamps = ("message", "mute")

    def __init__(self, now, read, write):
        self.now, self.read, self.write = now, read, write
        self.down = set()
        self.handset_off = False
        self.lit = {}
        self.ringing = False
        self.pages = [b"\xff" * self.width for _ in range(self.rows)]
        self.words = {}

    def keys(self):
        return self.down

    def lifted(self):
        return self.handset_off

    def lamp(self, name, lit):
        self.lit[name] = lit

    def bell(self, on):
        self.ringing = on

    def strip(self, row, columns):
        assert len(columns) == self.width
        self.pages[row] = bytes(columns)

    def text(self, row, words):
        self.words[row] = words

    @property
    def picture(self):
        """What is on its screen."""
        rows = bytearray()
        for y in range(self.rows * 8):
            page, bit = self.pages[y // 8], y % 8
            for x in range(0, self.width, 8):
                rows.append(sum((page[x + i] >> bit & 1) << 7 - i for i in range(8)))
        return Picture(self.width, self.rows * 8, bytes(rows))


class PluggedIn:
    """The sketch on a pseudo-terminal of its own; `path` is what the phone opens."""

    def __init__(self):
        self.master, self.slave = os.openpty()
        tty.setraw(self.slave)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self.slave)
        began = time.monotonic()
        self.hardware = Hardware(
            lambda: int((time.monotonic() - began) * 1000), self._read, self._write
        )
        self._pulled = threading.Event()
        self.panel = load_sketch().Panel(self.hardware)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def pull(self):
        """Unplug it."""
        if not self._pulled.is_set():
            self._pulled.set()
            self._thread.join(5)
            os.close(self.master)
            os.close(self.slave)

    def _run(self):
        while not self._pulled.wait(0.002):
            self.panel.turn()

    def _read(self):
        try:
            return os.read(self.master, 4096)
        except BlockingIOError:
            return b""

    def _write(self, octets):
        with contextlib.suppress(BlockingIOError):
            os.write(self.master, octets)
