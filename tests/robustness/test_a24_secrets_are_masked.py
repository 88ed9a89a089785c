"""A24: a password never shows: not in a fault, a note, a plan, a log line, or on the socket."""

import contextlib
import itertools
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest

from firmware.config import ConfigErrors, examine, parse
from firmware.config.plan import plan
from firmware.config.redact import redact, redact_toml
from firmware.control import schema
from firmware.control.client import Client
from firmware.control.errors import ControlError
from firmware.storage.last_good import LastGood
from tests.support.namespace import end
from tests.support.waiting import wait_for

SECRET = "correct-horse-battery"
GOOD = (
    f'[[line]]\nuser = "1"\nserver = "h"\npassword = "{SECRET}"\n'
    f'[network.wifi]\nssid = "s"\npassword = "{SECRET}2"\n'
)
FAULTY = [
    f"[[line]]\npassword = {SECRET}\n",
    f'[[line]]\npassword = "{SECRET}\n',
    f'[[line]]\npassword = ["{SECRET}"]\n',
    f'[[line]]\npassword = {{ a = "{SECRET}" }}\n',
    f'[[line]]\npassword = "{SECRET}\\u0007"\n',
    f'[[line]]\npassword = "{SECRET * 50}"\n',
    f'[[line]]\npassword = "{SECRET}"\npassword = "{SECRET}"\n',
    f'[network.wifi]\nssid = "s"\npassword = "{SECRET * 5}"\n',
    "[[line]]\npassword = 271828182845\n",
    "[[line]]\npassword = 2718-01-01\n",
]


@pytest.mark.parametrize("text", FAULTY)
def test_a24_a_fault_in_a_password_does_not_show_it(text):
    found = examine(text)

    assert found.settings is None
    for problem in found.problems:
        assert SECRET not in repr(problem)
        assert "2718" not in repr(problem)


def test_a24_settings_and_plans_can_be_logged(caplog):
    settings = parse(GOOD)
    change = plan(parse(GOOD.replace(SECRET, "another")), settings)

    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("%s %r %s %r", settings, settings, change, change)

    assert SECRET not in caplog.text
    assert "another" not in caplog.text


def test_a24_a_refused_edit_does_not_show_the_new_password():
    with pytest.raises(ConfigErrors) as caught:
        parse(GOOD.replace(SECRET, SECRET + "\\n") + "[web]\nport = -1\n")

    assert SECRET not in str(caught.value)


def test_a24_a_configuration_for_a_bundle_has_no_password():
    assert SECRET not in redact_toml(GOOD)
    assert SECRET not in redact(f"REGISTER … {SECRET}2 …", parse(GOOD))


def test_a24_nothing_on_the_control_socket_could_carry_a_password():
    names: set[str] = set()
    for union in (schema.AnyRequest, schema.AnyResult, schema.AnyEvent):
        for kind in union.__args__:
            if issubclass(kind, msgspec.Struct):
                names |= set(kind.__struct_fields__)

    assert not {name for name in names if "pass" in name or "secret" in name or "ha1" in name}


def test_a24_the_copy_of_the_file_is_for_the_owner_only(tmp_path):
    path = tmp_path / "deskphone.toml"
    path.write_text(GOOD)
    path.chmod(0o644)
    last = LastGood.of(path, tmp_path / "state")

    last.keep()

    assert last.copy.stat().st_mode & 0o777 == 0o600
    assert last.copy.parent.stat().st_mode & 0o777 == 0o700


RUN_AT_DEBUG = """
import functools, sys
from firmware.bootstrap import phone
phone.start_logging = functools.partial(phone.start_logging, 10)
sys.exit(phone.run(sys.argv[1], None, sys.argv[2]))
"""


@pytest.fixture
def practice_pbx():
    """A registrar that asks for a password, and does not know this one."""
    command = [sys.executable, "-m", "firmware", "pbx", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as pbx:
        yield pbx.stdout.readline().partition(" at ")[2].partition(";")[0]
        end(pbx, 10)


@pytest.fixture
def folder():
    """Short, for a Unix socket's path has room for 107 letters."""
    with tempfile.TemporaryDirectory(prefix="dp-") as path:
        yield Path(path)


@pytest.fixture
def talkative_phone(practice_pbx, folder):
    """A phone that logs all it can, with a wrong password; gives its config, control and log."""
    config, control, log = folder / "deskphone.toml", folder / "run/control.sock", folder / "log"
    control.parent.mkdir(mode=0o750)
    text = GOOD.replace('server = "h"', f'server = "{practice_pbx}"')
    config.write_text(
        text
        + '[network]\nbind = "127.0.0.1"\nsip_port = 0\n[audio]\ncard = "null"\n[web]\nport = 0\n'
    )
    command = [sys.executable, "-c", RUN_AT_DEBUG, str(config), str(control)]
    variables = os.environ | {"XDG_STATE_HOME": str(folder / "state"), "PYTHONASYNCIODEBUG": "1"}
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=variables
        ) as process,
    ):
        try:
            wait_for("the refused registration", lambda: "assword" in refusal(control), 20)
            wait_for("the page", lambda: b"/?token=" in log.read_bytes(), 20)
            yield config, control, log, process.pid
        finally:
            end(process, 10)


def refusal(control):
    try:
        with Client(control) as client:
            return client.ask(schema.Status(), schema.StatusReply).reason
    except ControlError:
        return ""


def said_by(arguments, control):
    ran = subprocess.run(
        [sys.executable, "-m", "firmware", "ctl", "--control", str(control), *arguments],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    return ran.stdout + ran.stderr


def command_lines(pid):
    """Of a process and all its children, as `ps` shows them to everybody."""
    # Its threads and its children come and go.
    with contextlib.suppress(OSError):
        yield Path(f"/proc/{pid}/cmdline").read_text()
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                for child in (task / "children").read_text().split():
                    yield from command_lines(int(child))


def test_a24_a_running_phone_shows_no_secret_to_anybody(talkative_phone, folder):
    config, control, log, pid = talkative_phone
    shown = {
        verb: said_by(verb.split(), control)
        for verb in ("status", "stats", "--text stats", "calls", "--json screen", "ladder")
    }
    with Client(control) as client:
        shown["events"] = repr(list(itertools.islice(client.events(), 4)))
    config.write_text(config.read_text().replace(f'"{SECRET}"', f'"{SECRET}-again"'))
    shown["reload"] = said_by(["reload"], control)
    config.write_text(config.read_text().replace(f'{SECRET}-again"', f"{SECRET}-again"))
    shown["reload with a fault"] = said_by(["reload"], control)
    shown["ps"] = "\n".join(command_lines(pid))
    assert '"reason":' in shown["status"]
    assert ":4: " in shown["reload with a fault"]
    assert "firmware\0web" in shown["ps"]
    for path in folder.rglob("*"):
        if path.is_file() and path != config and path.stat().st_mode & 0o077:
            shown[str(path)] = path.read_text(errors="replace")
    assert str(log) in shown

    guilty = [place for place, text in shown.items() if SECRET in text or "response=" in text]

    assert guilty == []
    assert "DEBUG" in shown[str(log)]


def test_a24_the_copy_of_the_good_configuration_is_where_only_the_phone_looks(
    talkative_phone, folder
):
    config, *_ = talkative_phone
    copies = [path for path in folder.rglob("*") if path.is_file() and SECRET in _text(path)]

    assert config in copies
    (copy,) = set(copies) - {config}
    assert copy.is_relative_to(folder / "state")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert copy.parent.stat().st_mode & 0o777 == 0o700


def _text(path):
    return path.read_text(errors="replace")
