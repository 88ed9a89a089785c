"""How quickly the desk is felt, and what it costs at rest: real threads over mock pins.

No chip and no kernel are in it; what they add is measured in the virtual Pi. A key's time is from
the edge on its column to the event that the phone is given, through gpiozero's mock pins, and
through our factory over libgpiod with its reader. The hook's is from the edge to the first frame of
the dial tone at `audio.sock`, through the whole phone: HAL, loop, phone machine, audio process.
"""

import array
import contextlib
import queue
import socket
import tempfile
import threading
import time
from pathlib import Path

import smbus2

from hal.board_spec import DisplaySpec, SerialSpec, UsbSpec
from hal.health import Health
from hal.keys import Key
from hal.ports import Post
from tests.bench.caller import percentile
from tests.support.fake_display import FakeBus, Ssd1306
from tests.support.fake_evdev import FakeEvdev, Plugged
from tests.support.front_panel import PluggedIn
from tests.support.gpio.bench import BOARD, Workbench
from tests.support.gpio.fake_gpiod import FakeChip
from tests.support.gpio.mock_pins import WiredFactory
from tests.support.gpio.wired_phone import Hands
from tests.support.gpio.wires import Wires
from tests.support.namespace import Namespace
from tests.support.phone import Phone, line

GOALS: dict[str, tuple[str, float, float]] = {
    "key_to_event_ms_p99_mock": ("<=", 10, 3),
    "key_to_event_ms_p99_gpiod": ("<=", 10, 3),
    "hook_to_dial_tone_ms_p50": ("<=", 60, 40),
    "hook_to_dial_tone_worst_ms": ("<=", 60, 45),
    "hal_idle_cpu_s_per_min": ("<=", 0.01, 0.001),
}
PRESSES, LIFTS, IDLE = 300, 20, 20.0
_THREADS = ("gpio", "gpio-edges", "oled", "serial panel", "usb handset")
"""Of the hardware layer."""
_HOOK = 17
_LOUD = 500
_PHONE_BOARD = """
[gpio]
factory = "mock"
[hook]
pin = 17
lifted = "closed"
[cards.handset]
kind = "browser"
"""


def _factory(name: str, wires: Wires):
    from hal.gpio.gpiod_factory import GpiodFactory  # noqa: PLC0415 - only here

    return (WiredFactory(wires) if name == "mock" else GpiodFactory(lambda: FakeChip(wires))), ()


def keys(folder: Path, _seed: int) -> dict[str, float]:
    """Milliseconds from a key's edge to its event."""
    figures = {}
    for name in ("mock", "gpiod"):
        wires = Wires()
        bench = Workbench(folder / "desk.toml", lambda *_, n=name, w=wires: _factory(n, w), wires)
        places, times = list(bench.places), []
        for press in range(PRESSES):
            key = places[press % len(places)].value
            time.sleep(0.03)  # noqa: TID251 - a finger moves, and the keypad goes to rest
            began = time.monotonic()
            bench.press(key)
            bench.next()
            times.append((time.monotonic() - began) * 1000)
            bench.release(key)
            bench.next()
        bench.close()
        figures[f"key_to_event_ms_p50_{name}"] = percentile(times, 0.5)
        figures[f"key_to_event_ms_p99_{name}"] = percentile(times, 0.99)
    return figures


def idle(folder: Path, _seed: int) -> dict[str, float]:
    """CPU seconds a minute of all that a board may have, and nobody touches.

    Pins, a screen, a front panel (asked every five seconds whether it is there), a USB handset.
    Only the threads of the hardware layer count: the far ends are here, too.
    """
    with contextlib.ExitStack() as desk:
        _open_all(folder, desk)
        time.sleep(2)  # noqa: TID251 - let it settle
        before = _spent()
        time.sleep(IDLE)  # noqa: TID251 - measuring
        spent = _spent() - before
    return {"hal_idle_cpu_s_per_min": spent * 60 / IDLE}


def _spent() -> float:
    threads = [thread for thread in threading.enumerate() if thread.name in _THREADS]
    assert {thread.name for thread in threads} == set(_THREADS), threads
    clocks = (time.pthread_getcpuclockid(thread.ident) for thread in threads if thread.ident)
    return sum(map(time.clock_gettime, clocks))


def _open_all(folder: Path, desk: contextlib.ExitStack) -> None:
    from hal.evdev.handset import UsbHandset  # noqa: PLC0415 - only here
    from hal.oled.screen import open_screen  # noqa: PLC0415 - likewise
    from hal.uart.panel import SerialPanel, open_port  # noqa: PLC0415 - likewise

    told: queue.SimpleQueue = queue.SimpleQueue()

    def health(post: Post) -> Health:
        return Health("it", post, time.monotonic)

    wires = Wires()
    bench = Workbench(folder / "desk.toml", lambda *_: _factory("gpiod", wires), wires, BOARD)
    desk.callback(bench.close)

    desk.callback(setattr, smbus2, "SMBus", smbus2.SMBus)
    smbus2.SMBus = FakeBus(Ssd1306()).open
    oled = DisplaySpec("ssd1306", (128, 64), "i2c", 1, 0x3C, 0, None, None, 0)
    desk.callback(open_screen(oled, health(told.put), None).close)

    plugged = PluggedIn()
    desk.callback(plugged.pull)
    serial = SerialSpec(plugged.path, 115_200, (128, 64), ("mute",), bell=True)
    panel = SerialPanel(serial, health, lambda: open_port(serial))

    evdev, keys = FakeEvdev(), (("KEY_NUMERIC_1", Key.DIGIT_1),)
    evdev.plugged["/dev/input/event1"] = Plugged("Handset", ("KEY_NUMERIC_1",))
    for part in (panel, UsbHandset(UsbSpec(0, 0, keys, ""), health, lambda: evdev)):
        desk.callback(part.close)
        part.start(told.put)


class _Desk(Phone):
    """Its handset is whoever listens at `audio.sock`."""

    def _file_card(self, loop: bool) -> str:  # noqa: FBT001, ARG002 - as in the other
        return 'card = "browser"\n'


def hook(folder: Path, _seed: int) -> dict[str, float]:
    """Milliseconds from lifting the handset to the dial tone at the ear."""
    board = folder / "hook.toml"
    board.write_text(_PHONE_BOARD)
    with tempfile.TemporaryDirectory(prefix="dp-") as sockets, Namespace() as network:
        address = network.party()
        hands = Hands(Path(sockets) / "wires")
        phone = _Desk(
            folder / "hook", line("101", f"{address}:5060", register=False),
            address=address, namespace=network, board=str(board), program=hands.program(),
        )  # fmt: skip
        try:
            times = [_lift(phone, hands) for _ in range(LIFTS)]
        finally:
            phone.close()
            hands.close()
    return {
        "hook_to_dial_tone_ms_p50": percentile(times, 0.5),
        "hook_to_dial_tone_worst_ms": max(times),
    }


def _lift(phone: Phone, hands: Hands) -> float:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)) as ear:
        ear.settimeout(5)
        ear.connect(str(phone.control.with_name("audio.sock")))
        began = time.monotonic()
        hands.move("close", _HOOK)
        while max(map(abs, array.array("h", ear.recv(4096))), default=0) < _LOUD:
            pass
        took = (time.monotonic() - began) * 1000
    hands.move("open", _HOOK)
    phone.wait_state("idle")
    time.sleep(0.2)  # noqa: TID251 - the card closes
    return took
