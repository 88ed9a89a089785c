"""`deskphone board test`: which board, which exit code, and what becomes of what was learned."""

import os
import socket

import pytest

from firmware.bootstrap import board_test as module
from firmware.bootstrap.answers import Answers
from firmware.bootstrap.board_test import board_test, measurable
from firmware.config.schema import BoardSettings
from firmware.ui.text import Texts
from firmware.wiring.learned import Lesson
from hal.board_spec import Contact
from hal.boards.loader import load_board

LESSONS = [Lesson("hook", "lifted", "closed")]
TEXTS = Texts.load()


def test_a_board_that_does_not_exist_is_exit_2(capsys):
    assert board_test("keipad", None, write=False) == 2
    assert "keypad" in capsys.readouterr().err


def test_no_name_and_no_file_is_exit_2(capsys):
    assert board_test(None, None, write=False) == 2
    assert "say which board" in capsys.readouterr().err


@pytest.mark.parametrize("text", [None, "[board\n", 'board = "keypad"\n'])
def test_a_file_that_says_nothing_of_a_board_is_exit_2(tmp_path, capsys, text):
    """Else the virtual phone would be tested, and found to be right."""
    config = tmp_path / "deskphone.toml"
    if text is not None:
        config.write_text(text)
    assert board_test(None, config, write=False) == 2
    assert str(config) in capsys.readouterr().err


def test_a_file_whose_links_go_round_in_a_circle_is_exit_2(tmp_path, capsys):
    config = tmp_path / "deskphone.toml"
    config.symlink_to(config)
    assert board_test(None, config, write=True) == 2
    assert "Too many levels of symbolic links" in capsys.readouterr().err


def test_what_is_wrong_in_board_is_told_with_its_line(tmp_path, capsys):
    config = tmp_path / "deskphone.toml"
    config.write_text('[board]\nname = "keypad"\n[board.hook]\npin = 5\n')
    assert board_test(None, config, write=False) == 2
    assert capsys.readouterr().err.startswith(
        f"deskphone: {config}:4: board.hook.pin: hook.pin and keypad.rows[0] both use GPIO 5; "
    )


def test_a_hook_to_be_found_out_is_opened_as_one_kind():
    spec = load_board("keypad")
    assert spec.hook.lifted is Contact.AUTO
    assert measurable(spec).hook.lifted is Contact.CLOSED
    assert measurable(load_board("rotary")) == load_board("rotary")


def test_a_phone_that_runs_has_the_devices_and_is_named_with_exit_3(tmp_path, capsys):
    place = tmp_path / "control.sock"
    config = tmp_path / "deskphone.toml"
    config.write_text(f'[board]\nname = "keypad"\n[control]\npath = "{place}"\n')
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as running:
        running.bind(str(place))
        running.listen()
        assert board_test(None, config, write=True) == 3
    assert "stop it first" in capsys.readouterr().err


# What was learned


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "deskphone.toml"
    path.write_text('[board]\nname = "keypad"\n')
    return path


@pytest.fixture
def terminal():
    """A person at a terminal: what he types, and the answers of it."""
    keyboard, tty = os.openpty()
    yield keyboard, Answers(tty)
    os.close(keyboard)
    os.close(tty)


def keep(config, answers, *, write=False, lessons=LESSONS):
    own = (config, BoardSettings("keypad")) if config is not None else None
    module._keep(lessons, own, TEXTS, answers, write=write)


def is_written(config):
    return "lifted" in config.read_text()


def test_without_a_terminal_it_is_printed_and_nothing_is_written(config, capsys):
    keep(config, Answers(None))
    assert not is_written(config)
    assert capsys.readouterr().out == (
        'This belongs in deskphone.toml:\n  [board.hook]\n  lifted = "closed"\n'
    )


def test_when_told_so_it_is_written_without_a_question(config, capsys):
    keep(config, Answers(None), write=True)
    assert is_written(config)
    assert f"Written to {config}." in capsys.readouterr().out


def typing(monkeypatch, keyboard, *words):
    """Types one word after each question."""
    left = list(words)
    said = []

    def tell(line):
        said.append(line)
        if line.endswith("(y/n)") and left:
            os.write(keyboard, left.pop(0))

    monkeypatch.setattr(module, "tell", tell)
    return said


@pytest.mark.parametrize(
    ("typed", "written"),
    [([b"y\n"], True), ([b"n\n"], False), ([b"\x04"], False), ([b"hm\n", b"yes\n"], True)],
)
def test_at_a_terminal_it_is_asked_for(monkeypatch, config, terminal, typed, written):
    keyboard, answers = terminal
    said = typing(monkeypatch, keyboard, *typed)
    os.write(keyboard, b"y\n")  # typed before it was asked
    keep(config, answers)
    assert f"Shall it be written into {config}? (y/n)" in said
    assert is_written(config) is written


def test_nobody_is_asked_where_there_is_no_file_or_nothing_to_write(monkeypatch, config, terminal):
    keyboard, answers = terminal
    said = typing(monkeypatch, keyboard)
    keep(None, answers)
    assert not any(line.endswith("(y/n)") for line in said)
    said.clear()
    keep(config, answers, lessons=[])
    assert said == []


def test_one_who_has_left_the_terminal_has_not_said_yes(monkeypatch, config, terminal):
    _, answers = terminal
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    keep(config, answers)
    assert not is_written(config)


def test_what_cannot_be_written_is_left_to_the_person(monkeypatch, config, capsys):
    config.write_text('[board]\nname = "keypad"\nhook = { pin = 4 }\n')
    keep(config, Answers(None), write=True)
    out = capsys.readouterr().out
    assert f"{config} is not changed" in out
    assert 'lifted = "closed"' in out


class Walked:
    """A walk that has learned something of a hook."""

    def __init__(self, spec, *_rest, **_how):
        self.spec, self.walk = spec, self
        self.evidence = None

    def run(self):
        return 1


@pytest.mark.parametrize(
    ("name", "own", "written"),
    [
        (None, "", True),
        ("keypad", "", True),
        ("rotary", "", False),
        ("keypad", "[board.hook]\npin = 4\n", False),
    ],
    ids=["its own board", "the same by name", "another", "the same without what is different here"],
)
def test_what_another_board_taught_is_not_written(monkeypatch, config, name, own, written):
    monkeypatch.setattr(module, "Trial", Walked)
    monkeypatch.setattr(module, "lessons_of", lambda _spec, _evidence: LESSONS)
    config.write_text(config.read_text() + own)
    assert board_test(name, config, write=True) == 1
    assert is_written(config) is written


def test_a_board_that_can_ring_nowhere_is_told_before_the_walk(
    monkeypatch, tmp_path, config, capsys
):
    """A note: what is wired may be wired rightly."""
    board = tmp_path / "desk.toml"
    board.write_text("[hook]\npin = 17\n[cards.handset]\nkind = 'null'\n")
    config.write_text('[board]\nname = "desk.toml"\n')
    monkeypatch.setattr(module, "Trial", Walked)
    monkeypatch.setattr(module, "lessons_of", lambda _spec, _evidence: [])
    silent = "with no [ringer], cards.ringer or cards.speaker it comes on screen and lamps alone.\n"

    board_test(None, config, write=False)
    assert capsys.readouterr().out == f"No call is heard on this board: {board}:3: cards: {silent}"

    board_test(str(board), None, write=False)
    assert capsys.readouterr().out == f"No call is heard on this board: {board}:3: cards: {silent}"

    config.write_text('[board]\nname = "rotary"\nwithout = ["ringer"]\n')
    board_test(None, config, write=False)
    assert capsys.readouterr().out == (
        f"No call is heard on this board: {config}:3: board.without: {silent}"
    )

    config.write_text('[board]\nname = "rotary"\n')
    board_test(None, config, write=False)
    assert capsys.readouterr().out == ""
