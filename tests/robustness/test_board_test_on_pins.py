"""`deskphone board test` on pins of a PC: hands on the wires, answers by a pipe or a terminal."""

import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest

from tests.support.gpio.wired_phone import Hands
from tests.support.terminal import OnTerminal
from tests.support.waiting import wait_for

FILE = """\
[board]
name = "./desk.toml"

[board.keypad]
rows = [5, 6]   # yellow and green
"""
BOARD = """
[keypad]
rows = [5, 6]
columns = [12, 16]
keys = [["1", "2"], ["3", ""]]
[hook]
pin = 17
"""
WIRES = {"1": (12, 5), "2": (12, 6), "3": (16, 5)}
"""Of a keypad whose plug was put on the wrong way round."""
OUTPUTS = """
[lamps]
message = { pin = 22 }
mute = { pin = 23, active_low = true }
[ringer]
kind = "bell"
pins = [7, 8]
"""


@pytest.fixture
def hands():
    with tempfile.TemporaryDirectory(prefix="dp-") as folder:
        hands = Hands(Path(folder) / "wires")
        yield hands
        hands.close()


def settings(folder, board=BOARD, own=FILE):
    (folder / "desk.toml").write_text(board)
    config = folder / "deskphone.toml"
    config.write_text(own)
    return config


def test_a_plug_the_wrong_way_round_and_an_unknown_hook_are_found_and_written(hands, tmp_path):
    config = settings(tmp_path)
    # The contact of this hook is closed while the handset lies on it.
    command = [*hands.program(17), "board", "test", "-c", str(config), "--write"]
    said = []
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        watchdog = threading.Timer(50, child.kill)
        watchdog.start()
        try:
            for line in child.stdout:
                said.append(line.rstrip())
                act(hands, said[-1])
            code = child.wait(20)
        finally:
            watchdog.cancel()
            child.kill()
    assert code == 1, "\n".join(said)
    is_right(said, config)
    assert 'lifted = "open"' in config.read_text()


def test_at_a_terminal_what_was_learned_is_written_when_the_builder_says_yes(hands, tmp_path):
    config = settings(tmp_path, BOARD.partition("[hook]")[0])
    program = [*hands.program(), "board", "test", "-c", str(config)]
    with OnTerminal(program, tmp_path) as walk:
        code = walk.act(lambda line: act(hands, line), 50)
        assert walk.is_as_before
    assert code == 1, "\n".join(walk.said)
    assert f"Written to {config}." in "\n".join(walk.said)
    is_right(walk.said, config)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda walk: walk.type("\x03"), 130),
        (lambda walk: walk.type("\x04"), 1),
        (lambda walk: walk.signal(signal.SIGTERM), 128 + signal.SIGTERM),
        (lambda walk: walk.hang_up(), 128 + signal.SIGHUP),
    ],
    ids=["interrupt key", "end key", "killed", "window closed"],
)
def test_however_it_ends_lamps_are_dark_and_coils_without_current(hands, tmp_path, end, code):
    config = settings(tmp_path, OUTPUTS, '[board]\nname = "./desk.toml"\n')
    with OnTerminal([*hands.program(), "board", "test", "-c", str(config)], tmp_path) as walk:
        walk.until("Does the lamp message shine?", 20)
        wait_for("the first lamp", lambda: hands.level(22) == 1)
        walk.type("y\n")
        walk.until("Does the lamp mute shine?", 20)
        wait_for("the second alone", lambda: (hands.level(22), hands.level(23)) == (0, 0))
        walk.type("n\n")
        walk.until("And does it shine now?", 20)
        walk.type("n\n")
        walk.until("Does the bell ring?", 20)
        wait_for("a coil that pulls", lambda: hands.level(7) != hands.level(8))
        end(walk)
        assert walk.wait() == code
    left = hands.left()
    assert [left[pin] for pin in (22, 23, 7, 8)] == [0, 1, 0, 0]


def is_right(said, config):
    (found,) = [line for line in said if line.startswith("- ")]
    assert "rows and columns of the keypad are exchanged" in found
    text = config.read_text()
    assert "rows = [12, 16]   # yellow and green" in text
    assert "columns = [5, 6]" in text


def act(hands, line):
    """Do what is asked for; what to type, if anything."""
    words = line.split()
    if line.startswith(("Press the key", "That came as")):
        again = line.startswith("That")
        key, other = WIRES[words[words.index("Press") + 1 if again else 3]]
        before = hands.edges(other)
        hands.move("connect", key, other)
        wait_for("the scans", lambda: hands.edges(other) >= before + 10)
        hands.move("disconnect", key, other)
    elif line.endswith(("Lift the handset.", "then lift it.")):
        hands.move("open", 17)
    elif line.endswith(("Put the handset down.", "then put it down.")):
        hands.move("close", 17)
    return "y" if line.endswith("(y/n)") else None
