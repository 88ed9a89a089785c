"""Which settings a phone starts with, and where it keeps its things."""

import os
from pathlib import Path

import pytest

from firmware.bootstrap import phone
from firmware.bootstrap.choice import Chosen, choose, is_service
from firmware.bootstrap.phone import _board, _opener, open_named_board, places_of, state_folder
from firmware.config import examine_file
from firmware.config.schema import BoardSettings, Settings
from firmware.phone.texts import notice
from firmware.storage.last_good import LastGood
from hal.errors import BoardError

GOOD = '[[line]]\nuser = "100"\nserver = "127.0.0.1"\n'
FAULTY = '[phone]\ncountry = "Atlantis"\nlanguag = "en"\n'


@pytest.fixture
def file(tmp_path):
    return tmp_path / "deskphone.toml"


def test_without_a_file_the_defaults_hold(tmp_path):
    chosen = choose(None, tmp_path)
    assert chosen is not None
    assert chosen.settings == Settings()


def test_a_good_file_is_taken_and_will_be_remembered(file, tmp_path):
    file.write_text(GOOD)
    chosen = choose(file, tmp_path)
    assert [line.user for line in chosen.settings.lines] == ["100"]
    assert chosen.good is not None


def test_a_faulty_file_is_refused_with_every_fault(file, tmp_path, capsys):
    file.write_text(FAULTY)
    assert choose(file, tmp_path) is None
    errors = capsys.readouterr().err
    assert f"{file}:2: phone.country" in errors
    assert f"{file}:3: phone.languag" in errors


def test_after_a_faulty_edit_the_phone_starts_as_it_was(file, tmp_path, capsys):
    file.write_text(GOOD)
    LastGood.of(file, tmp_path / "state").keep()
    file.write_text(FAULTY)
    chosen = choose(file, tmp_path / "state")
    assert [line.user for line in chosen.settings.lines] == ["100"]
    assert chosen.good is None, "what is remembered stays"
    assert chosen.fault == notice(
        "config_before", file="deskphone.toml", path=file.resolve(), count=2
    )
    assert "phone.country" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_said_so(file, tmp_path, capsys):
    assert choose(file, tmp_path) is None
    assert str(file) in capsys.readouterr().err


def test_f04_a_service_without_a_good_file_runs_without_a_line(file, tmp_path, capsys):
    file.write_text(FAULTY)
    chosen = choose(file, tmp_path, service=True)
    assert chosen.settings == Settings()
    assert chosen.fault == notice("config_none", file=file.name, path=file, count=2)
    assert "phone.languag" in capsys.readouterr().err


def test_f04_a_service_keeps_the_tables_that_have_no_fault(file, tmp_path):
    board = (
        '[board]\nname = "rotary"\n[web]\nenabled = false\n[network]\nsip_prt = 1\nsip_port = 7\n'
    )
    file.write_text(GOOD + board)
    settings = choose(file, tmp_path, service=True).settings
    assert (settings.board.name, settings.web.enabled) == ("rotary", False)
    assert settings.network == Settings().network, "a table with a fault is left out whole"
    assert settings.lines == ()


def test_f04_of_a_file_with_a_line_that_cannot_be_read_only_the_board_is_kept(file, tmp_path):
    file.write_text('[board]\nname = "rotary"\n[web]\nenabled = flase\nlisten = "0.0.0.0"\n')
    settings = choose(file, tmp_path, service=True).settings
    assert settings == Settings(board=BoardSettings("rotary"))


def test_f04_of_a_file_of_zeros_nothing_is_kept(file, tmp_path):
    file.write_bytes(bytes(4096))
    assert choose(file, tmp_path, service=True).settings == Settings()


def test_f04_a_service_without_a_file_says_so_too(file, tmp_path):
    chosen = choose(file, tmp_path, service=True)
    assert chosen.fault.text == "config_none_one"


@pytest.mark.parametrize(
    ("environment", "service"),
    [
        ({}, False),
        ({"NOTIFY_SOCKET": "/run/systemd/notify"}, True),
        ({"INVOCATION_ID": "1"}, True),
        ({"INVOCATION_ID": "1", "SYSTEMD_EXEC_PID": str(os.getpid())}, True),
        ({"INVOCATION_ID": "1", "SYSTEMD_EXEC_PID": "1"}, False),
    ],
)
def test_a_service_is_what_systemd_started_itself(environment, service):
    assert is_service(environment) is service


def test_systemd_says_where_memory_is(monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/deskphone:/var/lib/other")
    assert state_folder(Path("/etc/x.toml")) == Path("/var/lib/deskphone")


def test_each_configuration_has_a_memory_of_its_own(monkeypatch, tmp_path):
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folders = {state_folder(path) for path in (None, Path("/a.toml"), Path("/b.toml"))}
    assert len(folders) == 3
    assert {folder.parent for folder in folders} == {tmp_path / "deskphone"}


def test_an_asked_for_control_socket_is_taken_as_it_is(tmp_path):
    places = places_of(None, str(tmp_path / "here.sock"))
    assert places.control == tmp_path / "here.sock"
    assert places.runtime == tmp_path


def test_the_usual_control_socket_gets_a_private_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    places = places_of(None, "")
    assert places.runtime == tmp_path / "deskphone"
    assert places.runtime.stat().st_mode & 0o777 == 0o700


def test_a_board_that_is_none_is_named():
    with pytest.raises(BoardError, match="mokc"):
        open_named_board(BoardSettings("mokc"), lambda _event: None)


@pytest.mark.parametrize(("lifted", "times"), [("auto", 1), ("open", 0)])
def test_a_hook_that_is_guessed_is_told_once_at_the_start(lifted, times, tmp_path, caplog):
    board = tmp_path / "desk.toml"
    board.write_text(f'[gpio]\nfactory = "mock"\n[hook]\npin = 17\nlifted = "{lifted}"\n')
    open_named_board(BoardSettings(str(board)), lambda _event: None).close()
    told = [
        record for record in caplog.records if getattr(record.msg, "text", "") == "log.hook_guessed"
    ]
    assert len(told) == times


@pytest.mark.parametrize(
    ("service", "fault", "told"),
    [
        (False, None, "{config}:4: board.hook.pin: 99 is not a whole number from 0 to 27"),
        # The settings are those of another day: the file's lines are not theirs.
        (
            False,
            notice("safe_mode", count=5),
            "your [board]: hook.pin: 99 is not a whole number from 0 to 27",
        ),
        (True, None, "{config}:4: board.hook.pin: 99 is not a whole number from 0 to 27"),
    ],
)
def test_what_is_wrong_in_board_is_told_at_the_start_with_its_line(
    service, fault, told, tmp_path, monkeypatch
):
    monkeypatch.setattr(phone, "is_service", lambda: service)
    config = tmp_path / "deskphone.toml"
    config.write_text('[board]\nname = "keypad"\n[board.hook]\npin = 99\n')
    chosen = Chosen(examine_file(config).draft, fault=fault)
    heard: list[object] = []
    opened = _opener(chosen.settings.board, chosen, config)
    if service:
        opened(heard.append).close()
        assert [event.reason for event in heard[:1]] == [told.format(config=config)]
    else:
        with pytest.raises(BoardError) as caught:
            opened(heard.append)
        assert str(caught.value) == told.format(config=config)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("./desk.toml", "/etc/deskphone/desk.toml"),
        ("desk.toml", "/etc/deskphone/desk.toml"),
        ("boards/desk", "/etc/deskphone/boards/desk"),
        ("/srv/desk.toml", "/srv/desk.toml"),
        ("keypad", "keypad"),
    ],
)
def test_a_board_file_lies_beside_the_settings(written, found):
    """systemd starts a phone in the root folder."""
    chosen = Chosen(Settings(board=BoardSettings(written, without=("lamps",))))
    board = _board(None, chosen, Path("/etc/deskphone/deskphone.toml"))
    assert (board.name, board.without) == (found, ("lamps",))
    assert _board("./other.toml", chosen, Path("/etc/deskphone.toml")).name == "./other.toml"
