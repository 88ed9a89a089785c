"""The mirror of dialogs: there after a crash, empty after each call."""

import os

import pytest

from firmware.storage.dialogs import DialogMirror
from firmware.storage.errors import StorageError


@pytest.fixture
def mirror(tmp_path):
    return DialogMirror(tmp_path / "dialogs")


def test_a_crash_leaves_the_dialogs_for_the_next_life(mirror):
    mirror.keep("in-1", b"dialog one")
    mirror.keep("out-2", b"dialog two")
    mirror.keep("in-1", b"dialog one, newer")

    assert set(DialogMirror(mirror.folder).take_orphans()) == {b"dialog one, newer", b"dialog two"}
    assert len(mirror) == 0


def test_orphans_are_ended_once(mirror):
    mirror.keep("in-1", b"dialog")

    assert [len(mirror.take_orphans()), len(mirror.take_orphans())] == [1, 0]


def test_the_oldest_call_comes_first(mirror):
    for second, call in enumerate(("b", "a", "c")):
        mirror.keep(call, call.encode())
        os.utime(mirror._path(call), (second, second))

    assert mirror.take_orphans() == (b"b", b"a", b"c")


def test_a_call_that_ended_leaves_nothing(mirror):
    mirror.keep("in-1", b"dialog")
    mirror.keep("in-1", None)
    mirror.keep("in-1", None)

    assert mirror.take_orphans() == ()


def test_f46_a_torn_file_is_thrown_away(mirror):
    mirror.keep("in-1", b"a whole dialog")
    mirror.keep("in-2", b"another")
    path = mirror._path("in-1")
    path.write_bytes(path.read_bytes()[:-3])
    (mirror.folder / "cut.new").write_bytes(b"half")

    assert mirror.take_orphans() == (b"another",)
    assert list(mirror.folder.iterdir()) == []


def test_a_name_cannot_leave_the_folder(mirror):
    mirror.keep("../../etc/passwd", b"dialog")

    assert len(mirror) == 1
    assert mirror.take_orphans() == (b"dialog",)


def test_files_are_private(mirror):
    mirror.keep("in-1", b"dialog")

    assert mirror.folder.stat().st_mode & 0o777 == 0o700
    assert mirror._path("in-1").stat().st_mode & 0o777 == 0o600


def test_ten_thousand_calls_leave_it_empty(mirror):
    for number in range(10_000):
        mirror.keep(f"in-{number}", b"dialog")
        mirror.keep(f"in-{number}", None)

    assert len(mirror) == 0
    assert list(mirror.folder.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError):
        DialogMirror(tmp_path / "file" / "dialogs").keep("in-1", b"dialog")


def test_no_folder_means_no_orphans(mirror):
    assert mirror.take_orphans() == ()
