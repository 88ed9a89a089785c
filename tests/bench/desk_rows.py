"""How quickly the desk is felt, and what it costs at rest: real threads over mock pins.

No chip and no kernel are in it; what they add is measured in the virtual Pi. A key's time is from
the edge on its column to the event that the phone is given, through gpiozero's mock pins, and
through our factory over libgpiod with its reader. The hook's is from the edge to the first frame of
the dial tone at `audio.sock`, through the whole phone: HAL, loop, phone machine, audio process.
"""

import array
import contextlib
import socket
import tempfile
import time
from pathlib import Path

from tests.bench.caller import percentile
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

    return (WiredFactory(wires) if name == "mock" else GpiodFactory(FakeChip(wires))), ()


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
    """CPU seconds a minute of a whole board that nobody touches."""
    wires = Wires()
    bench = Workbench(folder / "desk.toml", lambda *_: _factory("gpiod", wires), wires, BOARD)
    time.sleep(1)  # noqa: TID251 - let it settle
    before = time.process_time()
    time.sleep(IDLE)  # noqa: TID251 - measuring
    spent = time.process_time() - before
    bench.close()
    return {"hal_idle_cpu_s_per_min": spent * 60 / IDLE}


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
