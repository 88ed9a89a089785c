"""The pins of the reference firmware, on a `machine` module as MicroPython documents it."""

import os
import sys
import time
import types

import pytest

from hal.packing import pages
from hal.uart.framing import Message, encode
from tests.support.fake_display import Ssd1306, noise
from tests.support.front_panel import Hardware, load_sketch


class Pin:
    """A pin by number; rows pull columns down through the keys that are held."""

    IN, OUT, OPEN_DRAIN, PULL_UP = "in", "out", "drain", "up"

    def __init__(self, board, number, mode=None, _pull=None, value=None):
        self.board, self.number = board, number
        board.levels.setdefault(number, 1 if value is None and mode != Pin.OUT else value or 0)

    def value(self, level=None):
        if level is not None:
            self.board.levels[self.number] = level
            return None
        rows = (row for row, column in self.board.held if column == self.number)
        if any(self.board.levels[row] == 0 for row in rows):
            return 0
        return self.board.levels[self.number]


class Board(types.ModuleType):
    """The module; `held` are the crossings (row pin, column pin) that are pressed."""

    def __init__(self):
        super().__init__("machine")
        self.levels, self.held, self.screen, self.sent = {}, set(), Ssd1306(), b""
        pin = lambda *args, **more: Pin(self, *args, **more)  # noqa: E731 - it has attributes
        for name in ("IN", "OUT", "OPEN_DRAIN", "PULL_UP"):
            setattr(pin, name, getattr(Pin, name))
        self.Pin = pin
        self.UART = lambda *_args, **_more: types.SimpleNamespace(
            read=lambda: None, write=self.write
        )
        self.I2C = lambda *_args, **_more: types.SimpleNamespace(writeto=self.writeto)

    def write(self, octets):
        self.sent += octets

    def writeto(self, address, octets):
        assert address == 0x3C
        (self.screen.data if octets[0] == 0x40 else self.screen.command)(bytes(octets[1:]))


@pytest.fixture
def board(monkeypatch):
    made = Board()
    monkeypatch.setitem(sys.modules, "machine", made)
    monkeypatch.setattr(time, "ticks_ms", lambda: 0, raising=False)
    monkeypatch.setattr(time, "ticks_diff", lambda new, old: new - old, raising=False)
    return made


def test_the_screen_is_set_up_and_drawn_strip_by_strip(board):
    pico = load_sketch().Pico()
    for row, page in enumerate(pages(noise((128, 64)))):
        pico.strip(row, page)
    pico.strip(8, bytes(128))
    assert board.screen.lit
    assert board.screen.picture == noise((128, 64))


def test_a_pico_without_a_screen_works(board, monkeypatch):
    def fail(_address, _octets):
        raise OSError(5, "EIO")

    board.writeto = fail
    load_sketch().Pico().strip(0, bytes(128))


def test_every_key_is_found_by_its_row_and_column(board):
    sketch = load_sketch()
    pico = sketch.Pico()
    for names, row in zip(pico.KEYS, pico.ROWS, strict=True):
        for name, column in zip(names, pico.COLUMNS, strict=True):
            board.held = {(row, column)}
            assert pico.keys() == [name]
    board.held = set()
    assert pico.keys() == []


def test_hook_lamps_and_buzzer_are_pins(board):
    pico = load_sketch().Pico()
    board.levels[pico.HOOK] = 0
    assert not pico.lifted()
    board.levels[pico.HOOK] = 1
    assert pico.lifted()
    pico.lamp("mute", lit=True)
    pico.lamp("disco", lit=True)
    pico.bell(on=True)
    assert (board.levels[pico.LAMPS["mute"]], board.levels[pico.BUZZER]) == (1, 1)


def test_a_line_that_is_heard_twice_is_obeyed_once():
    """A bell would begin anew."""
    panel = load_sketch().Panel(Hardware(lambda: 0, lambda: b"", lambda _octets: None))
    line = encode(Message(9, "BELL", ("100", "100")))
    panel.listen(line, 1000)
    panel.listen(line, 1300)
    assert panel.bell_since == 1000
    panel.listen(encode(Message(10, "BELL", ("100", "100"))), 1600)
    assert panel.bell_since == 1600


def test_a_panel_at_the_usb_socket_talks_by_it(board, monkeypatch):
    """In the place of MicroPython's console; a byte of 3 would else end the program."""
    sketch = load_sketch()
    kept = types.ModuleType("micropython")
    kept.kbd_intr = lambda code: setattr(kept, "code", code)
    monkeypatch.setitem(sys.modules, "micropython", kept)
    hear, say = os.pipe()
    line = encode(Message(1, "HELLO", ("1",)))
    with os.fdopen(hear, "rb", buffering=0) as ear:
        said = []
        monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=ear, fileno=ear.fileno))
        mouth = types.SimpleNamespace(write=said.append)
        monkeypatch.setattr(sys, "stdout", types.SimpleNamespace(buffer=mouth))
        pico = sketch.PicoByCable()
        panel = sketch.Panel(pico)
        assert pico.read() == b""
        os.write(say, line + b"\x03")
        panel.turn()
        os.close(say)
    assert kept.code == -1
    assert said[0] == encode(Message(1, "ACK"))
    assert said[1].startswith(b"~01 PANEL 1 pico*")
    assert board.sent == b""
