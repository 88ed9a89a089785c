"""docs/wiring.md and its drawings show the pins that the phone drives, and no others."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from firmware.wiring.wires import HEADER_PINS
from hal.boards.loader import board_names, load_board, read_board
from hal.tables.pins import Pins
from hal.toml_table import Table

ROOT = Path(__file__).resolve().parents[2]
REAL = [name for name in board_names() if load_board(name).panel is None]


def script():
    spec = importlib.util.spec_from_file_location("wiring", ROOT / ".ci/wiring.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["wiring"] = module
    spec.loader.exec_module(module)
    return module


WIRING = script()


@pytest.fixture(params=REAL)
def board(request):
    """Name, spec and tables of a board with hardware."""
    spec = load_board(request.param)
    return request.param, spec, tomllib.loads(Path(spec.file).read_text())


def test_the_drawing_has_the_pins_that_the_phone_claims(board):
    """SPI has a line in, which a screen does not use."""
    name, spec, data = board
    pins = Pins()
    read_board(Table(data, (), []), Path(spec.file), pins)
    drawn = {
        WIRING.GPIO_AT[pin]
        for part in WIRING.parts_of(spec, data)
        for pin, _ in part.wires
        if pin in WIRING.GPIO_AT
    }
    assert drawn == pins.taken - {9}
    text = (ROOT / f"docs/wiring/{name}.svg").read_text()
    shown = re.findall(r'fill="#111111">GPIO (\d+)</text>', text)
    assert {int(gpio) for gpio in shown} >= drawn


def test_every_wire_is_in_the_drawing_and_in_the_table(board):
    name, spec, data = board
    drawing = (ROOT / f"docs/wiring/{name}.svg").read_text()
    table = (ROOT / "docs/wiring.md").read_text().split(f"## `{name}`")[1].split("\n## ")[0]
    for part in WIRING.parts_of(spec, data):
        for pin, what in part.wires:
            assert f"| {part.title} | {pin} | {WIRING._name(pin)} | {what} |" in table
            assert f">{pin}</text>" in drawing


def test_the_header_is_complete():
    assert {*WIRING.GPIO_AT, *WIRING.POWER, *WIRING.GROUND} == set(range(1, 41))
    assert sorted(WIRING.GPIO_AT.values()) == list(range(28))


def test_a_board_file_that_was_changed_makes_the_check_fail(tmp_path):
    for folder in (".ci", "hal", "docs/wiring"):
        shutil.copytree(
            ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "docs/wiring.md", tmp_path / "docs")
    command = [sys.executable, str(tmp_path / ".ci/wiring.py"), "--check"]

    def judge():
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert judge().returncode == 0
    keypad = tmp_path / "hal/boards/keypad.toml"
    keypad.write_text(keypad.read_text().replace("pin = 17", "pin = 27"))
    done = judge()
    assert done.returncode == 1
    assert "docs/wiring/keypad.svg is out of date" in done.stderr
    assert "docs/wiring.md is out of date" in done.stderr


def test_the_wiring_test_calls_the_pins_as_the_drawings_do():
    assert dict(enumerate(HEADER_PINS)) == WIRING.PIN_OF
