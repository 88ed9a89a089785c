"""Hands and ears outside the virtual Pi, for the tests inside it: USB plugs, keys, a loudspeaker.

What is plugged in here is USB for the kernel over there, from the socket up: it is enumerated, its
drivers are loaded, and it vanishes when it is pulled.

| name | QEMU's device | what it is |
|---|---|---|
| left, right | usb-audio | two equal sound cards without a microphone; heard here |
| keypad | usb-kbd | a keypad of KEY_KP0 to KEY_KP9 |
| panel | usb-serial | a front panel: docs/examples/serial_panel/main.py behind an FTDI chip |

A test inside asks by `inside/hands.py`, one JSON object a line: `{"wish": NAME, …}` is answered by
`{"answer": …}` or `{"error": …}`.
"""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from firmware.base.pcm import audioop
from firmware.dsp.level import level_of
from firmware.dsp.tone_probe import tone_level
from tests.support.front_panel import Hardware, load_sketch
from tests.vm.hardware import CARDS, Plugs
from tests.vm.monitor import Monitor

RATE = 48_000
_FRAME = 4
"""Bytes: 16 bits, two channels."""
_HEADER = 44
_LOOK = RATE // 10 * _FRAME
"""100 ms of sound."""
DRIVERS: dict[str, dict[str, object]] = {
    "left": {"driver": "usb-audio", "audiodev": "left", "port": "1"},
    "right": {"driver": "usb-audio", "audiodev": "right", "port": "2"},
    "keypad": {"driver": "usb-kbd", "port": "3"},
}


class Hands:
    """Fulfils wishes until `close`, in a thread of its own."""

    def __init__(self, plugs: Plugs, monitor: Monitor) -> None:
        self._plugs = plugs
        self._monitor = monitor
        self._panel: Panel | None = None
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(str(plugs.wishes))
        self._wishes: dict[str, Callable[..., object]] = {
            "plug": self.plug,
            "pull": self.pull,
            "press": self.press,
            "hook": self.hook,
            "panel": self.panel,
            "level": self.level,
            "played": self.played,
        }
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of everything."""
        with contextlib.suppress(OSError):
            self._line.shutdown(socket.SHUT_RDWR)
        self._line.close()
        self._thread.join(5)
        if self._panel is not None:
            self._panel.pull()

    def plug(self, name: str, lifted: bool = False) -> None:  # noqa: FBT001, FBT002 - a position
        """Plug a device in; `lifted` is where the panel's handset is."""
        if name == "panel":
            self._panel = Panel(self._plugs.panel, lifted=lifted)
        else:
            # What it played when it was here before is of no interest.
            self._plugs.sound(name).unlink(missing_ok=True)
            self._monitor.order("device_add", id=name, bus="usb.0", **DRIVERS[name])

    def pull(self, name: str) -> None:
        """Pull its plug."""
        if name != "panel":
            self._monitor.order("device_del", id=name)
            self._monitor.wait_event("DEVICE_DELETED", 20, device=name)
        elif self._panel is not None:
            self._panel.pull()
            self._panel = None

    def press(self, digits: str) -> None:
        """Press keys of the keypad one after the other, 80 ms each; a new line is Enter."""
        for digit in digits:
            key = {"type": "qcode", "data": "kp_enter" if digit == "\n" else f"kp_{digit}"}
            self._monitor.order("send-key", keys=[key], **{"hold-time": 80})
            time.sleep(0.3)  # noqa: TID251 - a finger takes its time

    def hook(self, lifted: bool) -> None:  # noqa: FBT001 - a position
        """Move the panel's handset."""
        assert self._panel is not None
        self._panel.hardware.handset_off = lifted

    def panel(self) -> dict[str, object]:
        """What the panel shows: its lamps, and how many dots of its screen are lit."""
        assert self._panel is not None
        hardware = self._panel.hardware
        lit = sum(octet.bit_count() for octet in hardware.picture.bits)
        lamps = [name for name, on in hardware.lit.items() if on]
        return {"lamps": lamps, "lit": lit, "rings": hardware.ringing}

    def played(self, card: str) -> int:
        """How much a card has played since it was plugged in, in bytes."""
        path = self._plugs.sound(card)
        return path.stat().st_size if path.exists() else 0

    def level(self, card: str, since: int = 0, hertz: float = 0) -> float | None:
        """How loud a card's last 100 ms were, or a tone in them, in dBov.

        None if it has not played as much since `since`, which `played` told.
        """
        assert card in CARDS
        size = self.played(card)
        begin = (size - _HEADER - _LOOK) // _FRAME * _FRAME + _HEADER
        if begin < max(since, _HEADER):
            return None
        with self._plugs.sound(card).open("rb") as stream:
            stream.seek(begin)
            pcm = audioop.tomono(stream.read(_LOOK), 2, 1, 0)
        return tone_level(pcm, RATE, hertz) if hertz else level_of(pcm)

    def _serve(self) -> None:
        held = b""
        while True:
            try:
                data = self._line.recv(1 << 16)
            except OSError:
                return
            if not data:
                return
            *lines, held = (held + data).split(b"\n")
            for line in lines:
                answer = json.dumps(self._answer(line)).encode() + b"\n"
                with contextlib.suppress(OSError):
                    self._line.sendall(answer)

    def _answer(self, line: bytes) -> dict[str, object]:
        try:
            wish = json.loads(line)
            return {"answer": self._wishes[wish.pop("wish")](**wish)}
        except Exception as error:  # noqa: BLE001 - the test inside fails with it
            return {"error": f"{type(error).__name__}: {error}"}


class Panel:
    """A microcontroller that begins to run when its cable is plugged in."""

    def __init__(self, cable: Path, *, lifted: bool) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(str(cable))
        self._line.settimeout(0)
        began = time.monotonic()
        self.hardware = Hardware(
            lambda: int((time.monotonic() - began) * 1000), self._read, self._write
        )
        self.hardware.handset_off = lifted
        self._pulled = threading.Event()
        self._panel = load_sketch().Panel(self.hardware)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def pull(self) -> None:
        """Unplug it."""
        self._pulled.set()
        self._thread.join(5)
        self._line.close()

    def _run(self) -> None:
        while not self._pulled.wait(0.005):
            self._panel.turn()

    def _read(self) -> bytes:
        try:
            return self._line.recv(4096)
        except BlockingIOError:
            return b""

    def _write(self, octets: bytes) -> None:
        with contextlib.suppress(BlockingIOError):
            self._line.send(octets)
