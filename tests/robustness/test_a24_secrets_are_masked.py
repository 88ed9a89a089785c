"""A24: a password never shows: not in a fault, a note, a plan, a log line, or on the socket."""

import logging

import msgspec
import pytest

from firmware.config import ConfigErrors, examine, parse
from firmware.config.plan import plan
from firmware.config.redact import redact, redact_toml
from firmware.control import schema
from firmware.storage.config_file import edit

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


def test_a24_a_refused_edit_does_not_show_the_new_password(tmp_path):
    path = tmp_path / "deskphone.toml"
    path.write_text(GOOD)

    with pytest.raises(ConfigErrors) as caught:
        edit(path, {"line[1].password": SECRET + "\n", "web.port": -1})

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


def test_a24_the_file_and_its_copy_are_for_the_owner_only(tmp_path):
    path = tmp_path / "deskphone.toml"
    path.write_text(GOOD)
    path.chmod(0o644)

    edit(path, {"web.port": 8081})

    assert path.stat().st_mode & 0o777 == 0o600
