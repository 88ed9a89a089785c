"""A clock that lost the time is set forward to the latest moment that has surely passed (F10)."""

import pytest

from firmware import cli
from firmware.storage.errors import StorageError
from firmware.system import clock

BUILT, SAVED, NOW = 1_700_000_000.0, 1_750_000_000.0, 1_760_000_000.0


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def clock_of():
    """A clock that says one thing, and what it was set to."""

    class Clock:
        def __init__(self, now):
            self.now = now
            self.changes = []

        def __call__(self):
            return self.now

        def set(self, to):
            self.changes.append(to)

    return Clock


@pytest.mark.parametrize(
    ("now", "evidence", "to"),
    [
        (0.0, [BUILT, SAVED], SAVED),
        (0.0, [SAVED, BUILT], SAVED),
        (0.0, [BUILT, 0.0], BUILT),
        (BUILT + 1, [BUILT, SAVED], SAVED),
        (NOW, [BUILT, SAVED], None),
        (SAVED, [SAVED], None),
        (0.0, [], None),
        (0.0, [-5.0], None),
        (0.0, [BUILT, 9e9], BUILT),
        (0.0, [BUILT, float("inf"), float("nan")], BUILT),
    ],
)
def test_f10_the_clock_goes_forward_to_the_latest_moment_that_has_passed(now, evidence, to):
    assert clock.moment(now, evidence) == to


def test_f10_a_clock_in_1970_is_set_to_what_was_saved(folder, clock_of):
    clock.save(folder, clock_of(SAVED))
    after_boot = clock_of(3.0)

    moved = clock.set_forward(folder, now=after_boot, change=after_boot.set, evidence=[BUILT])

    assert moved == (3.0, SAVED)
    assert after_boot.changes == [SAVED]


def test_f10_a_new_phone_goes_by_the_date_of_its_own_files(folder, clock_of):
    after_boot = clock_of(3.0)

    moved = clock.set_forward(folder, now=after_boot, change=after_boot.set)

    assert moved is not None
    assert after_boot.changes == [max(clock.built())] >= [BUILT]


def test_f10_a_clock_that_is_right_is_left_alone(folder, clock_of):
    clock.save(folder, clock_of(SAVED))
    right = clock_of(NOW)

    assert clock.set_forward(folder, now=right, change=right.set, evidence=[BUILT]) is None
    assert right.changes == []


def test_f10_what_is_saved_is_never_later_than_the_clock(folder, clock_of):
    clock.save(folder, clock_of(SAVED + 0.9))

    assert clock.read_saved(folder) == SAVED


@pytest.mark.parametrize("absurd", [4.2e9, 1e12, 0.0, -5.0])
def test_f13_a_moment_that_nobody_would_believe_does_not_replace_what_was_saved(
    folder, clock_of, absurd
):
    """Else a power cut behind an absurd time server would throw the clock back to its build."""
    clock.save(folder, clock_of(SAVED))
    clock.save(folder, clock_of(absurd))
    assert clock.read_saved(folder) == SAVED


def test_f10_a_clock_that_was_put_right_backwards_is_saved_as_it_is(folder, clock_of):
    clock.save(folder, clock_of(NOW))
    clock.save(folder, clock_of(SAVED))

    assert clock.read_saved(folder) == SAVED


@pytest.mark.parametrize("torn", [b"", b"\0" * 10, b"yesterday\n", b"\xff\xfe", b"1e999", b"nan"])
def test_f10_what_cannot_be_read_is_no_evidence(folder, clock_of, torn):
    (folder / clock.NAME).write_bytes(torn)
    after_boot = clock_of(3.0)

    clock.set_forward(folder, now=after_boot, change=after_boot.set, evidence=[BUILT])

    assert after_boot.changes == [BUILT]


def test_files_that_are_not_there_are_no_evidence(tmp_path):
    here = tmp_path / "image"
    here.touch()

    assert clock.built([tmp_path / "nowhere", here]) == [here.stat().st_mtime]


def test_f01_what_is_saved_replaces_the_old_whole(folder, clock_of):
    clock.save(folder, clock_of(SAVED))
    clock.save(folder, clock_of(NOW))

    assert [each.name for each in folder.iterdir()] == [clock.NAME]


def test_a_folder_that_is_not_there_is_said(folder, clock_of):
    with pytest.raises(StorageError):
        clock.save(folder / "nowhere", clock_of(NOW))


@pytest.fixture
def state(folder, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(folder))
    return folder


def test_the_unit_s_folder_is_where_it_is_saved(state, capsys):
    assert cli.main(["clock", "save"]) == 0
    assert clock.read_saved(state) > BUILT
    assert capsys.readouterr().out == ""


def test_a_clock_that_stands_well_says_nothing(state, capsys):
    assert cli.main(["clock", "set"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_clock_that_may_not_be_set_is_said_in_one_line(state, capsys, monkeypatch):
    def refuse(_folder):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("firmware.cli_clock.set_forward", refuse)

    assert cli.main(["clock", "set"]) == 1
    said = capsys.readouterr().err
    assert said == "deskphone: the clock cannot be set: Operation not permitted\n"


def test_a_clock_that_was_set_says_from_when_to_when(state, capsys, monkeypatch):
    monkeypatch.setattr("firmware.cli_clock.set_forward", lambda _folder: (3.0, SAVED))

    assert cli.main(["clock", "set"]) == 0
    said = capsys.readouterr().out
    assert "1970-01-01T00:00:03+00:00" in said
    assert "2025-06-15T15:06:40+00:00" in said


def test_a_disk_that_refuses_is_said(state, capsys, monkeypatch):
    monkeypatch.setenv("STATE_DIRECTORY", str(state / "nowhere"))

    assert cli.main(["clock", "save"]) == 1
    assert capsys.readouterr().err.startswith("deskphone: ")
