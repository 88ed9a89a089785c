"""The call list: newest first, bounded, private."""

import sqlite3

import pytest

from firmware.storage.call_log import CallLog, CallRow


def row(number: int, outcome: str = "missed") -> CallRow:
    return CallRow(
        at=1_700_000_000.0 + number,
        line="101@pbx",
        outgoing=False,
        name="Alice",
        user=str(number),
        outcome=outcome,
        seconds=0.0,
        reason="",
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "calls.sqlite"


@pytest.fixture
def log(path):
    opened = CallLog(path)
    yield opened
    opened.close()


def test_f12_the_newest_call_comes_first_though_the_clock_was_set_back_by_years(log):
    numbers = (50_000_000, 2, -90_000_000, 1)
    for number in numbers:
        log.add(row(number))

    assert log.rows() == tuple(map(row, reversed(numbers)))


def test_the_newest_call_comes_first(log):
    for number in range(3):
        log.add(row(number))

    assert log.rows() == (row(2), row(1), row(0))


def test_the_list_can_be_read_in_pieces(log):
    for number in range(10):
        log.add(row(number))

    assert [one.user for one in log.rows(limit=3, skip=4)] == ["5", "4", "3"]


def test_what_was_added_is_there_after_a_restart(path):
    first = CallLog(path)
    first.add(row(1, "answered"))
    first.close()

    second = CallLog(path)
    assert second.rows() == (row(1, "answered"),)
    second.close()


def test_the_oldest_calls_make_room(path):
    log = CallLog(path, limit=5)
    for number in range(12):
        log.add(row(number))

    assert len(log) == 5
    assert [one.user for one in log.rows()] == ["11", "10", "9", "8", "7"]
    log.close()


def test_the_file_is_private(log, path):
    assert path.stat().st_mode & 0o777 == 0o600


def test_names_of_callers_are_only_data(log):
    name = "'); DROP TABLE calls; --"
    log.add(CallRow(0.0, "l", outgoing=True, name=name, user="", outcome="failed", seconds=1.5))

    assert log.rows()[0].name == name


def test_f50_ten_thousand_missed_calls_stay_bounded(path):
    log = CallLog(path)
    # One transaction each would be 10,000 fsyncs; the bound is the same.
    log._base.execute("PRAGMA synchronous=OFF")
    for number in range(10_000):
        log.add(row(number))

    assert len(log) == 2000
    log.close()
    assert path.stat().st_size < 1_000_000


def test_commits_reach_the_disk(log):
    assert log._base.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert log._base.execute("PRAGMA synchronous").fetchone()[0] == 2


def test_two_programs_may_look_at_once(log, path):
    log.add(row(1))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as reader:
        assert reader.execute("SELECT count(*) FROM calls").fetchone()[0] == 1
    reader.close()
