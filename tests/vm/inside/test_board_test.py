"""`deskphone board test` on the kernel's own devices, wired wrong: a builder finds out.

gpio-sim has the keypad, the hook, a headset socket and a lamp, i2c-stub a display at another
address, snd-aloop a handset whose mouth is held to its ear. The program is the installed one; where
its keypad gives the wires their time, it asks us for it: we are the electricity.
"""

import contextlib
import re
import socket
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import alsaaudio
import gpiod
import pytest

from firmware.base.pcm import audioop
from firmware.dsp.tone_probe import tone_level
from hal.errors import DeviceError
from hal.oled.scan import scan
from tests.support.terminal import OnTerminal
from tests.support.waiting import wait_for
from tests.vm.inside import loopback
from tests.vm.inside.gpio_sim import SimulatedPins
from tests.vm.inside.loopback import PERIOD, FarSide

PROGRAM = """\
import socket, sys, types
from hal.gpio import keypad

wires = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
wires.bind(sys.argv[1] + ".program")
wires.settimeout(20)

def settle(_seconds):
    wires.sendto(b".", sys.argv[1])
    wires.recv(1)

keypad.time = types.SimpleNamespace(sleep=settle)
from firmware.cli import main
sys.exit(main(sys.argv[2:]))
"""
ENDS = "hw:CARD=Loopback,DEV=0,SUBDEV=5", "plughw:CARD=Loopback,DEV=1,SUBDEV=5"
"""A cable of the card that the phone does not hold."""
PATIENCE = 180
HOOK, SOCKET, LAMP = 17, 27, 22
ROWS, COLUMNS = (5, 6, 13), (12, 16)
KEYS = (("1", "2"), ("4", "5"), ("7", "8"))
EXCHANGED = (6, 5, 13)
"""Where the wires of the rows really are."""
STUCK = "8"
REAL, BELIEVED = 0x3C, 0x3D
VOICE, TONE = 700, 440
BOARD = """\
# the phone on the bench
[board]
name = "bench.toml"

[board.hook]
lifted = "open"  # as the seller said

[control]
path = "{folder}/none.sock"
"""
BENCH = """\
title = "All that this kernel has"
[gpio]
chip = "{chip}"
[keypad]
rows = [{rows}]
columns = [{columns}]
keys = {keys}
[hook]
pin = {hook}
[headset]
pin = {socket}
plugged = "open"
[display]
chip = "ssd1306"
size = [128, 64]
port = {bus}
address = {address}
[lamps]
message = {{ pin = {lamp} }}
[cards]
handset = {{ device = "{card}" }}
"""


class Fingers:
    """Keys that are held down: columns follow the rows that they are connected with."""

    def __init__(self, pins, path):
        self._pins = pins
        self._held = set()
        self._lock = threading.Lock()
        self.looks = 0
        """How often the program gave the wires their time."""
        self.path = str(path)
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._door.bind(self.path)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def hold(self, row, column):
        with self._lock:
            self._held.add((row, column))
            self._settle()

    def let_go(self, row, column):
        with self._lock:
            self._held.discard((row, column))
            if not any(other == column for _, other in self._held):
                self._pins.pull(column, up=True)
            self._settle()

    def press(self, row, column):
        """As long as it takes to be looked at some times."""
        # What is down when a keypad begins to look is no wish.
        wait_for("the keypad", lambda: self.looks > len(ROWS), 30)
        before = self.looks
        self.hold(row, column)
        wait_for("the keypad to be scanned", lambda: self.looks > before + 30, 30)
        self.let_go(row, column)

    def end(self):
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _serve(self):
        while True:
            try:
                _, program = self._door.recvfrom(1)
            except OSError:
                return
            if not program:
                return
            with self._lock:
                self._settle()
            self.looks += 1
            with contextlib.suppress(OSError):
                self._door.sendto(b".", program)

    def _settle(self):
        for column in {column for _, column in self._held}:
            rows = [row for row, other in self._held if other == column]
            low = any(not self._pins.value(row) for row in rows)
            if self._pins.value(column) == low:
                self._pins.pull(column, up=not low)


class Cable(FarSide):
    """What is heard is said again, unless something else is to be said."""

    def _speak(self):
        pcm, at = self._open(alsaaudio.PCM_PLAYBACK), 0.0
        while pcm is not None and not self._stopped.is_set():
            with self._guard:
                tone = self._tone
                later = [each for each in self._heard[-20:] if each[0] > at]
            block = bytes(PERIOD * 2)
            if tone is not None:
                block = audioop.mul(tone.block(PERIOD), 2, 0.25)
            elif later:
                at, block = later[0]
            try:
                pcm.write(block)
            except alsaaudio.ALSAAudioError:  # nobody was at the other end
                pcm.close()
                pcm = self._open(alsaaudio.PCM_PLAYBACK)


class Bench:
    """The phone on the bench, and the builder before it."""

    def __init__(self, pins, fingers, cable, folder):
        self.pins, self.fingers, self.cable, self.folder = pins, fingers, cable, folder
        self.config = folder / "deskphone.toml"
        self._asked = 0.0

    def program(self):
        words = [sys.executable, "-c", PROGRAM, self.fingers.path]
        words += ["board", "test", "-c", str(self.config)]
        return OnTerminal(words, self.folder, {"XDG_RUNTIME_DIR": str(self.folder)})

    def wire(self, key):
        (place,) = [
            (row, column)
            for row, line in enumerate(KEYS)
            for column, each in enumerate(line)
            if each == key
        ]
        return EXCHANGED[place[0]], COLUMNS[place[1]]

    def react(self, line):
        """Do what is asked for; what to type, if anything."""
        since, self._asked = self._asked, time.monotonic()
        if key := re.search(r"Press the key (\S+) and|Press (\S+) once more", line):
            return self._press(key[1] or key[2])
        for words, pin, closed in MOVES:
            if line.endswith(words):
                self.pins.pull(pin, up=not closed)
                return None
        if "Speak into" in line:
            self.cable.say(VOICE)
        if "the loudest was" in line:
            self.cable.say(None)
        if line.endswith("(y/n)"):
            return "y" if self._is_so(line, since) else "n"
        return None

    def _press(self, key):
        if key == STUCK and self.stuck:
            return "n"
        self.fingers.press(*self.wire(key))
        return None

    def _is_so(self, line, since):
        if "lamp" in line:
            # A person looks longer than a program.
            with contextlib.suppress(AssertionError):
                wait_for("the lamp", lambda: self.pins.value(LAMP), 5)
            return self.pins.value(LAMP)
        if "hear a tone" in line:
            return self._heard(TONE, since)
        if "hear yourself" in line:
            return self._heard(VOICE, since)
        return True

    def _heard(self, hertz, since):
        """Whether that was on the card between the two lines, wherever in between."""
        with self.cable._guard:
            blocks = [pcm for at, pcm in self.cable._heard if at > since]
        pcm = b"".join(blocks)
        step = 3200
        pieces = [pcm[at : at + step] for at in range(0, len(pcm) - step, step)]
        return any(tone_level(piece, 16_000, hertz) > -30 for piece in pieces)

    stuck = True


MOVES = (
    ("Lift the handset.", HOOK, True),
    ("then lift it.", HOOK, True),
    ("Put the handset down.", HOOK, False),
    ("then put it down.", HOOK, False),
    ("(s if you have none).", SOCKET, True),
    ("then plug it in.", SOCKET, True),
    ("Pull the headset out.", SOCKET, False),
    ("then pull it out.", SOCKET, False),
)
"""What is asked for, the switch, and whether that closes it."""


@pytest.fixture(scope="module")
def bus():
    """The number of the bus with a display at 0x3c."""
    subprocess.run(["modprobe", "i2c-dev"], check=True)
    subprocess.run(["modprobe", "i2c-stub", f"chip_addr={REAL}"], check=True)
    names = Path("/sys/class/i2c-dev").glob("*/name")
    (found,) = (each.parent.name for each in names if "stub" in each.read_text())
    return found.removeprefix("i2c-")


@pytest.fixture
def bench(bus, tmp_path, monkeypatch):
    monkeypatch.setattr(loopback, "_DEVICE", ENDS[1])
    with SimulatedPins() as pins, Cable() as cable:
        for open_contact in (*ROWS, *COLUMNS, HOOK, SOCKET):
            pins.pull(open_contact, up=True)
        fingers = Fingers(pins, tmp_path / "wires")
        bench = Bench(pins, fingers, cable, tmp_path)
        bench.config.write_text(BOARD.format(folder=tmp_path))
        board = BENCH.format(
            chip=pins.path,
            rows=", ".join(map(str, ROWS)),
            columns=", ".join(map(str, COLUMNS)),
            keys=[list(row) for row in KEYS],
            hook=HOOK,
            socket=SOCKET,
            bus=bus,
            address=BELIEVED,
            lamp=LAMP,
            card=ENDS[0],
        )
        (tmp_path / "bench.toml").write_text(board)
        yield bench
        fingers.end()


FOUND = """\
- screen: no answer at 0x3d on I²C bus {bus}, but somebody does at 0x3c
- the key 8 is stuck: it is down and does not come up; clean it, or look for a short between its \
wires, GPIO 13 (pin 33), GPIO 16 (pin 36)
- the wire of row 1 of the keypad is on GPIO 6 (pin 31), not on GPIO 5 (pin 29): exchange the \
wires, or write the pins of keypad.rows in this order
- the wire of row 2 of the keypad is on GPIO 5 (pin 29), not on GPIO 6 (pin 31): exchange the \
wires, or write the pins of keypad.rows in this order
- the hook is reversed: lifting came as replacing (GPIO 17 (pin 11)); write hook.lifted = closed, \
or use the other contact of the switch
- the switch of the headset socket is reversed: plugging in came as pulling out (GPIO 27 (pin \
13)); write headset.plugged = closed, or use its other contact
"""
LEARNED = {
    "name": "bench.toml",
    "hook": {"lifted": "closed"},
    "keypad": {"rows": list(EXCHANGED)},
    "headset": {"plugged": "closed"},
    "display": {"address": REAL},
}


def test_a_board_that_is_wired_wrong_is_told_wire_by_wire_and_then_it_is_right(
    bench, bus, record_property
):
    began = time.monotonic()
    bench.fingers.hold(*bench.wire(STUCK))
    with bench.program() as walk:
        code = walk.act(bench.react, PATIENCE)
        assert walk.is_as_before
    found = [line for line in walk.said if line.startswith("- ")]
    assert found == FOUND.format(bus=bus).splitlines(), "\n".join(walk.said)
    assert code == 1
    assert "  it hears it" in walk.said, "the tone of the handset goes round"
    text = bench.config.read_text()
    assert tomllib.loads(text)["board"] == LEARNED
    assert text.startswith("# the phone on the bench\n")
    assert '"closed"  # as the seller said' in text
    record_property("a walk through a board with faults, s (emulated)",
                    round(time.monotonic() - began))  # fmt: skip


def test_what_was_learned_makes_the_board_right(bench):
    before, _, after = BOARD.format(folder=bench.folder).partition("[board.hook]")
    lines = "".join(
        f"[board.{table}]\n{key} = {value!r}\n"
        for table, own in LEARNED.items()
        if isinstance(own, dict)
        for key, value in own.items()
    )
    bench.config.write_text(f"{before}{lines}[control]{after.partition('[control]')[2]}")
    bench.stuck = False
    with bench.program() as walk:
        assert walk.act(bench.react, PATIENCE) == 0, "\n".join(walk.said)
    assert walk.said[-1] == "Everything that was tried is as the board file says."


def test_the_interrupt_key_leaves_the_lamp_dark_and_gives_back_the_pins(bench):
    (bench.folder / "bench.toml").write_text(
        f'[gpio]\nchip = "{bench.pins.path}"\n[lamps]\nmessage = {{ pin = {LAMP} }}\n'
    )
    bench.config.write_text(
        f'[board]\nname = "bench.toml"\n[control]\npath = "{bench.folder}/none.sock"\n'
    )
    with bench.program() as walk:
        walk.until("Does the lamp message shine?", 60)
        wait_for("the lamp", lambda: bench.pins.value(LAMP), 5)
        walk.type("\x03")
        assert walk.wait() == 130
        assert walk.is_as_before
    assert not bench.pins.value(LAMP)
    with gpiod.Chip(str(bench.pins.path)) as chip:
        assert not chip.get_line_info(LAMP).used


def test_who_answers_on_a_bus_of_the_kernel(bus):
    assert scan(int(bus)) == (REAL,)
    with pytest.raises(DeviceError, match="there is no I²C bus 77"):
        scan(77)
