"""The list of texts: newest first, bounded, private, really forgotten."""

import pytest

from firmware.storage.text_log import TextLog, TextRow


def row(number, text="Lunch?"):
    return TextRow(f"k{number}", 1.7e9 + number, "101@pbx", "Ann", "201", "sip:201@pbx", text)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "texts.db"


@pytest.fixture
def log(path):
    opened = TextLog(path)
    yield opened
    opened.close()


def test_the_newest_comes_first_and_in_pieces(log):
    for number in range(5):
        log.add(row(number))
    assert log.rows(2, 1) == (row(3), row(2))


def test_the_oldest_make_room(path):
    log = TextLog(path, limit=5)
    for number in range(12):
        log.add(row(number))
    assert [each.key for each in log.rows()] == ["k11", "k10", "k9", "k8", "k7"]
    assert len(log) == 5
    log.close()


def test_what_was_read_stays_read_after_a_restart(log, path):
    for number in range(4):
        log.add(row(number))
    log.mark_read(("k1", "k2", "never came"))
    log.close()
    again = TextLog(path)
    assert [each.unread for each in again.rows()] == [True, False, False, True]
    again.mark_read(())
    assert not any(each.unread for each in again.rows())
    again.close()


def test_one_text_is_kept_once(log):
    log.add(row(1))
    log.add(row(1, "again"))
    assert log.rows() == (row(1),)


def test_the_file_is_private(log, path):
    assert path.stat().st_mode & 0o777 == 0o600
    del log


def test_what_is_forgotten_is_not_left_in_the_file(log, path):
    log.add(row(1, "the code is 4711"))
    log.forget()
    assert log.rows() == ()
    log.close()
    for file in path.parent.iterdir():
        assert b"4711" not in file.read_bytes()


def test_f02_a_text_that_was_kept_survives_a_cut(path):
    log = TextLog(path)
    log.add(row(1))
    wal = path.with_name("texts.db-wal").read_bytes()
    main = path.read_bytes()
    log.close()
    after = path.with_name("after.db")
    after.write_bytes(main)
    after.with_name("after.db-wal").write_bytes(wal)
    survivor = TextLog(after)
    assert survivor.rows() == (row(1),)
    survivor.close()


def test_f02_a_damaged_list_is_begun_anew_and_the_old_one_kept_aside(path):
    path.write_bytes(b"no database at all" * 100)
    log = TextLog(path)
    log.add(row(1))
    assert (len(log), log.trouble) == (1, None)
    assert path.with_name("texts.db.broken").exists()
    log.close()
