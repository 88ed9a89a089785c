"""The command itself: verbs, exit codes, start-up cost."""

import subprocess
import sys
from pathlib import Path

import pytest

from firmware import __version__, cli
from firmware.cli_arguments import parser

VERBS = ("demo", "run", "web", "check", "ctl", "board", "clock", "pbx")


def test_every_verb_of_the_contract_is_there():
    assert set(cli.VERBS) == set(VERBS)


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"deskphone {__version__}\n"


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_each_verb_is_no_error(verb, capsys):
    assert cli.main([verb, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: deskphone {verb}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "VERB"),
        (["explode"], "explode"),
        (["run", "-c"], "-c"),
        (["demo", "--port", "70000"], "from 0 to 65535, not '70000'"),
        (["web"], "--control"),
        (["check"], "FILE"),
        (["ctl"], "VERB"),
        (["ctl", "explode"], "explode"),
        (["ctl", "volume", "101"], "from 0 to 100, not '101'"),
        (["ctl", "volume", "-1"], "-1"),
        (["ctl", "hook", "sideways"], "sideways"),
        (["ctl", "mute", "loud"], "loud"),
        (["ctl", "path", "ringer"], "ringer"),
        (["ctl", "--json", "--text", "status"], "not allowed with"),
        (["board"], "ACTION"),
        (["board", "show"], "name"),
    ],
)
def test_bad_usage_is_one_line_that_names_it_and_exit_2(arguments, words, capsys):
    assert cli.main(arguments) == 2

    said = capsys.readouterr()
    assert words in said.err
    assert said.err.startswith("deskphone: ")
    assert said.err.count("\n") == 1
    assert said.out == ""


def _interrupted(_options):
    raise KeyboardInterrupt


def _unread(_options):
    raise BrokenPipeError


def test_control_c_ends_quietly(monkeypatch, capsys):
    monkeypatch.setitem(cli.VERBS, "ctl", _interrupted)

    assert cli.main(["ctl", "events"]) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_has_seen_enough_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setitem(cli.VERBS, "ctl", _unread)

    assert cli.main(["ctl", "events"]) == 0


def test_run_takes_the_file_it_is_told(monkeypatch):
    told = []
    monkeypatch.setattr("firmware.bootstrap.run", lambda *arguments: told.append(arguments) or 3)

    code = cli.main(["run", "-c", "my.toml", "--board", "mock", "--control", "/run/x.sock"])

    assert (code, told) == (3, [("my.toml", "mock", "/run/x.sock")])


def test_run_looks_for_a_file_where_one_usually_is(monkeypatch, tmp_path):
    told = []
    monkeypatch.setattr("firmware.bootstrap.run", lambda *arguments: told.append(arguments) or 0)
    monkeypatch.setattr(cli, "CONFIG_PLACES", (tmp_path / "absent.toml", tmp_path / "there.toml"))
    assert cli.main(["run"]) == 0

    (tmp_path / "there.toml").write_text("")
    assert cli.main(["run"]) == 0

    assert told == [(None, None, None), (str(tmp_path / "there.toml"), None, None)]


def test_demo_passes_its_options_on(monkeypatch):
    told = []
    monkeypatch.setattr("firmware.bootstrap.demo", lambda **options: told.append(options) or 0)

    assert cli.main(["demo", "--once", "--port", "0", "--no-browser"]) == 0
    assert cli.main(["demo"]) == 0

    assert told == [
        {"once": True, "port": 0, "open_browser": False},
        {"once": False, "port": None, "open_browser": True},
    ]


def test_web_and_pbx_pass_their_options_on(monkeypatch, tmp_path):
    told = []
    monkeypatch.setattr("firmware.web.app.main", lambda control: told.append(control) or 0)
    monkeypatch.setattr("firmware.lab.app.main", lambda port, **doors: told.append(doors) or port)

    assert cli.main(["web", "--control", str(tmp_path / "c.sock")]) == 0
    assert cli.main(["pbx", "--port", "0"]) == 0
    assert cli.main(["pbx", "--port", "0", "--tls", "c.pem", "k.pem", "--ws"]) == 0

    files = [Path("c.pem"), Path("k.pem")]
    assert told == [
        tmp_path / "c.sock",
        {"tls": None, "ws": False, "wss": None},
        {"tls": files, "ws": True, "wss": None},
    ]


def test_the_arguments_alone_import_nothing_of_the_phone():
    script = (
        "import sys; from firmware.cli import main; main(['--version']);"
        "print(sorted(m for m in sys.modules if m.startswith(('firmware', 'asyncio', 'msgspec'))))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    ours = ["firmware", "firmware.cli", "firmware.cli_arguments", "firmware.cli_run"]
    assert ran.stdout.splitlines()[1] == str(ours)


def test_ctl_starts_without_the_loop_and_the_phone():
    script = (
        "import sys; from firmware.cli import main; main(['ctl', '--control', '/x', 'status']);"
        "print([m for m in ('asyncio', 'firmware.phone', 'firmware.sip', 'PIL',"
        " 'aiohttp', 'sqlite3') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ran.stdout == "[]\n"
    assert ran.stderr == "deskphone: no phone is running at /x\n"


def test_python_m_firmware_is_the_command():
    ran = subprocess.run(
        [sys.executable, "-m", "firmware", "--version"], capture_output=True, text=True, check=True
    )

    assert ran.stdout == f"deskphone {__version__}\n"


def test_every_argument_has_help():
    def walk(part):
        for action in part._actions:
            if isinstance(getattr(action, "choices", None), dict):
                assert {choice.dest for choice in action._choices_actions} == set(action.choices)
                for inner in action.choices.values():
                    walk(inner)

    walk(parser())
