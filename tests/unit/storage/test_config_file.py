"""Edits keep what a person wrote around the keys, and never write a fault."""

import tomllib

import pytest

from firmware.config import ConfigErrors
from firmware.storage.config_file import edit, edited, replace_text
from firmware.storage.errors import DiskFullError

TEXT = """\
# The phone in the hall.
[[line]]
user = "101"       # the hall
password = "old"
server = "pbx.example"

[line.tls]
verify = true

[web]   # the page
port = 8080
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "deskphone.toml"
    path.write_text(TEXT)
    return path


def test_a_key_changes_and_the_comments_stay(config):
    settings = edit(config, {"line[1].password": "new", "web.port": 8081})

    assert (settings.lines[0].password, settings.web.port) == ("new", 8081)
    assert config.read_text() == TEXT.replace('"old"', '"new"').replace("8080", "8081")


def test_a_key_in_a_table_that_is_not_there_yet_makes_it(config):
    settings = edit(config, {"audio.handset.volume": 40})

    assert settings.audio.handset.volume == 40
    assert config.read_text().startswith(TEXT)


def test_a_line_can_be_added(config):
    settings = edit(config, {"line[2].user": "102", "line[2].server": "pbx.example"})

    assert [line.user for line in settings.lines] == ["101", "102"]
    assert settings.lines[0].tls.verify


def test_none_takes_a_key_out(config):
    assert edit(config, {"web.port": None}).web.port == 8080
    assert "8080" not in config.read_text()


def test_a_file_that_is_not_there_yet_is_begun(tmp_path):
    settings = edit(tmp_path / "deskphone.toml", {"phone.country": "DE"})

    assert settings.phone.country == "DE"


@pytest.mark.parametrize(
    "changes",
    [
        {"web.port": 99999},
        {"web.prot": 80},
        {"line[7].user": "1"},
        {"line[0].user": "1"},
        {"web.port.number": 1},
        {"web[1].port": 1},
        {"line.user": "1"},
        {"line[x].user": "1"},
    ],
)
def test_an_edit_that_would_be_a_fault_is_refused_and_changes_nothing(config, changes):
    with pytest.raises(ConfigErrors):
        edit(config, changes)

    assert config.read_text() == TEXT


def test_a_file_with_a_fault_is_refused_with_its_line(config):
    config.write_text("[web\nport = 1\n")

    with pytest.raises(ConfigErrors, match=r"deskphone\.toml:1"):
        edit(config, {"web.port": 80})


def test_a_file_that_is_no_text_is_refused(config):
    config.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(ConfigErrors, match="utf16"):
        edit(config, {"web.port": 80})


def test_a_whole_text_with_faults_is_not_written(config):
    with pytest.raises(ConfigErrors, match="contry"):
        replace_text(config, "[phone]\ncontry = 1\n")

    assert config.read_text() == TEXT


def test_a_full_disk_keeps_the_old_file(config, full_disk):
    with pytest.raises(DiskFullError):
        edit(config, {"web.port": 8081}, full_disk)

    assert config.read_text() == TEXT


def test_text_goes_in_and_out_unharmed():
    odd = 'quote " backslash \\ umlaut ä'

    text = edited("", {"line[1].password": odd})

    assert tomllib.loads(text) == {"line": [{"password": odd}]}
