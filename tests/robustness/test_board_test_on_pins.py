"""`deskphone board test` on mock pins of a PC: hands on the wires, answers by a pipe."""

import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from tests.support.gpio.wired_phone import Hands
from tests.support.waiting import wait_for

FILE = """\
[board]
name = "./desk.toml"

[board.keypad]
rows = [5, 6]   # yellow and green
"""
BOARD = """
[gpio]
factory = "mock"
[keypad]
rows = [5, 6]
columns = [12, 16]
keys = [["1", "2"], ["3", ""]]
[hook]
pin = 17
"""
WIRES = {"1": (12, 5), "2": (12, 6), "3": (16, 5)}
"""Of a keypad whose plug was put on the wrong way round."""


@pytest.fixture
def hands():
    with tempfile.TemporaryDirectory(prefix="dp-") as folder:
        hands = Hands(Path(folder) / "wires")
        yield hands
        hands.close()


def test_a_plug_the_wrong_way_round_and_an_unknown_hook_are_found_and_written(hands, tmp_path):
    (tmp_path / "desk.toml").write_text(BOARD)
    config = tmp_path / "deskphone.toml"
    config.write_text(FILE)
    # The contact of this hook is closed while the handset lies on it.
    command = [*hands.program(17), "board", "test", "-c", str(config), "--write"]
    said = []
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        watchdog = threading.Timer(25, child.kill)
        watchdog.start()
        try:
            for line in child.stdout:
                said.append(line.rstrip())
                act(hands, line)
            code = child.wait(5)
        finally:
            watchdog.cancel()
            child.kill()
    assert code == 1, "\n".join(said)
    (found,) = [line for line in said if line.startswith("- ")]
    assert "rows and columns of the keypad are exchanged" in found
    text = config.read_text()
    assert "rows = [12, 16]   # yellow and green" in text
    assert "columns = [5, 6]" in text
    assert 'lifted = "open"' in text


def act(hands, line):
    words = line.split()
    if line.startswith("Press the key"):
        key, other = WIRES[words[3]]
        before = hands.edges(other)
        hands.move("connect", key, other)
        wait_for("the scans", lambda: hands.edges(other) >= before + 10)
        hands.move("disconnect", key, other)
    elif line.startswith("Lift"):
        hands.move("open", 17)
    elif line == "Put the handset down.\n":
        hands.move("close", 17)
