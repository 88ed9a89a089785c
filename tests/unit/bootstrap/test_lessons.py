"""What was learned gets into a person's file, or the file stays as it is."""

import concurrent.futures
import os
import stat
import threading
import tomllib

import pytest

from firmware.bootstrap.lessons import write_lessons
from firmware.config import examine_file
from firmware.config.syntax import SIZE_LIMIT
from firmware.storage.atomic import RealDisk
from firmware.wiring.learned import Lesson

FILE = """\
# my phone
[board]
name = "keypad"   # the first one

[board.hook]
lifted = "open"  # as the seller said
"""
HOOK = Lesson("hook", "lifted", "closed")


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "deskphone.toml"
    path.write_text(FILE)
    return path


def test_a_line_is_changed_and_all_else_stays(config):
    assert write_lessons(config, [HOOK])
    assert config.read_text() == FILE.replace('"open"', '"closed"')
    assert os.listdir(config.parent) == [config.name]  # noqa: PTH208 - names are all


def test_the_file_keeps_its_rights_whatever_the_mask(config):
    config.chmod(0o664)
    before = os.umask(0o077)
    try:
        assert write_lessons(config, [HOOK])
    finally:
        os.umask(before)
    assert stat.S_IMODE(config.stat().st_mode) == 0o664


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_the_file_of_the_phone_stays_the_phones_when_root_writes_it(config):
    os.chown(config, 12345, 23456)
    assert write_lessons(config, [HOOK])
    found = config.stat()
    assert (found.st_uid, found.st_gid) == (12345, 23456)


def test_a_link_stays_a_link(config):
    link = config.with_name("link.toml")
    link.symlink_to(config)
    assert write_lessons(link, [HOOK])
    assert link.is_symlink()
    assert '"closed"' in config.read_text()


@pytest.mark.parametrize(
    "lesson",
    [Lesson("display", "address", 0x99), Lesson("keypad", "rows", (17, 6, 13, 19))],
    ids=["a value that there is not", "a pin that the hook has"],
)
def test_a_file_from_which_no_board_can_be_built_is_not_written(config, lesson):
    assert not write_lessons(config, [lesson])
    assert config.read_text() == FILE


def test_a_file_that_is_gone_or_no_text_is_left_to_the_person(config):
    config.write_bytes(b"\xff")
    assert not write_lessons(config, [HOOK])
    config.unlink()
    assert not write_lessons(config, [HOOK])
    assert not config.exists()


def test_a_board_file_beside_it_is_found_from_there(config):
    config.with_name("mine.toml").write_text('[hook]\npin = 17\nlifted = "open"\n')
    config.write_text('[board]\nname = "mine.toml"\n')
    assert write_lessons(config, [HOOK])
    assert config.read_text() == '[board]\nname = "mine.toml"\n\n[board.hook]\nlifted = "closed"\n'


def test_a_file_that_was_written_on_windows_keeps_its_line_ends(config):
    config.write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
    before = config.read_bytes()
    assert write_lessons(config, [HOOK])
    assert config.read_bytes() == before.replace(b'"open"', b'"closed"')


def test_a_file_that_would_be_too_long_for_the_phone_is_left_to_the_person(config):
    """Else the lines with which it is longer than any configuration would keep the phone."""
    config.write_text(FILE + "#" * (SIZE_LIMIT - len(FILE) - 1))
    assert not write_lessons(config, [HOOK])
    assert len(config.read_bytes()) == SIZE_LIMIT - 1
    assert examine_file(config).settings is not None


@pytest.mark.parametrize("text", ["x = " + "9" * 5000, "x = " + "[" * 5000, '[board]\nname = "pa'])
def test_a_file_that_was_spoilt_during_the_walk_is_left_to_the_person(config, text):
    config.write_text(text)
    assert not write_lessons(config, [HOOK])
    assert config.read_text() == text


def test_a_file_that_names_another_board_by_now_is_left_to_the_person(config):
    """What another board taught does not belong into it, whenever that was changed."""
    walked = examine_file(config).draft.board
    config.write_text(FILE.replace("keypad", "rotary"))
    assert not write_lessons(config, [HOOK], walked)
    assert '"open"' in config.read_text()
    config.write_text(FILE.replace("my phone", "our phone"))
    assert write_lessons(config, [HOOK], walked)


def test_of_two_walks_that_write_at_once_one_is_told_to_write_by_hand(config):
    """Neither what the one has written nor the file is lost."""
    walked = examine_file(config).draft.board
    lessons = [HOOK, Lesson("hook", "lockout_ms", 100)]
    together = threading.Barrier(2)

    def write(lesson):
        together.wait(5)
        return write_lessons(config, [lesson], walked)

    with concurrent.futures.ThreadPoolExecutor(2) as both:
        done = list(both.map(write, lessons))
    text = config.read_text()
    assert [lesson.line in text for lesson in lessons] == done
    assert any(done)
    assert tomllib.loads(text)
    assert os.listdir(config.parent) == [config.name]  # noqa: PTH208 - names are all


def test_what_an_editor_saves_while_it_is_written_is_kept(config, monkeypatch):
    sync = RealDisk.sync

    def edited(disk, path):
        config.write_text(FILE + "# and this\n")
        sync(disk, path)

    monkeypatch.setattr(RealDisk, "sync", edited)
    assert not write_lessons(config, [HOOK])
    assert config.read_text() == FILE + "# and this\n"
