"""`deskphone board`: the boards are files, shown as they are."""

import tomllib

import pytest

from firmware.cli import main
from firmware.cli_board import boards, unknown_board


def test_list_names_every_board_with_its_title(capsys):
    assert main(["board", "list"]) == 0

    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows] == list(boards())
    assert any(row.startswith("mock ") and "irtual" in row for row in rows)


@pytest.mark.parametrize("name", ["mock", "rotary"])
def test_show_prints_the_file(name, capsys):
    assert main(["board", "show", name]) == 0
    assert tomllib.loads(capsys.readouterr().out)["name"] == name


def test_show_takes_the_path_of_a_file_of_ones_own(tmp_path, capsys):
    (tmp_path / "my.toml").write_text('name = "my"\n')

    assert main(["board", "show", str(tmp_path / "my.toml")]) == 0
    assert capsys.readouterr().out == 'name = "my"\n'


def test_an_unknown_board_is_exit_2_with_the_nearest(capsys):
    assert main(["board", "show", "rotari"]) == 2
    assert capsys.readouterr().err == (
        "deskphone: there is no board rotari, did you mean rotary?\n"
    )


def test_a_file_that_is_not_there_is_exit_1(capsys):
    assert main(["board", "show", "/nowhere/my.toml"]) == 1
    assert "No such file" in capsys.readouterr().err


def test_all_names_are_given_if_none_is_near():
    assert unknown_board("zzz").text == "no_board"
    assert "mock" in dict(unknown_board("zzz").args)["known"]
    assert unknown_board("mock") is None
