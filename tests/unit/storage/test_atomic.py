"""A file is replaced whole or not at all."""

import os
import stat
import threading

import pytest

from firmware.storage.atomic import RealDisk, fresh_name, real_path, replace_file, set_aside
from firmware.storage.errors import DiskFailedError, DiskFullError, ReadOnlyError


def test_a_new_file_is_private(tmp_path):
    replace_file(tmp_path / "kept.json", b"new")

    assert (tmp_path / "kept.json").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "kept.json").stat().st_mode) == 0o600


def test_an_open_file_becomes_private(tmp_path):
    path = tmp_path / "deskphone.toml"
    path.write_bytes(b"old")
    path.chmod(0o644)

    replace_file(path, b"new")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_nothing_else_is_left_behind(tmp_path):
    replace_file(tmp_path / "kept.json", b"new")

    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]


def test_what_root_replaces_stays_its_owners(tmp_path, monkeypatch):
    """`sudo deskphone board test --write`: the phone, which is not root, reads that file next."""
    path, given = tmp_path / "deskphone.toml", []
    path.write_bytes(b"old")
    owner = path.stat()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda *given_to: given.append(given_to))

    replace_file(path, b"new", 0o660)
    replace_file(tmp_path / "another.toml", b"new", 0o660)

    assert given == [(fresh_name(path), owner.st_uid, owner.st_gid)]
    assert path.read_bytes() == b"new"


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "boot").mkdir()
    (tmp_path / "boot" / "deskphone.toml").write_bytes(b"old")
    (tmp_path / "deskphone.toml").symlink_to(tmp_path / "boot" / "deskphone.toml")

    replace_file(tmp_path / "deskphone.toml", b"new")

    assert (tmp_path / "deskphone.toml").is_symlink()
    assert (tmp_path / "boot" / "deskphone.toml").read_bytes() == b"new"


def test_what_an_earlier_attempt_left_is_not_written_through(tmp_path):
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    fresh_name(tmp_path / "kept.json").symlink_to(victim)

    replace_file(tmp_path / "kept.json", b"new")

    assert victim.read_bytes() == b"precious"
    assert (tmp_path / "kept.json").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("disk", "error", "words"),
    [
        ("full_disk", DiskFullError, "full"),
        ("read_only_disk", ReadOnlyError, "read_only"),
        ("broken_disk", DiskFailedError, "failed"),
    ],
)
def test_a_refusal_leaves_the_old_content_and_no_rubbish(tmp_path, request, disk, error, words):
    path = tmp_path / "kept.json"
    path.write_bytes(b"old")

    with pytest.raises(error, match=words):
        replace_file(path, b"new", disk=request.getfixturevalue(disk))

    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["kept.json"]


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(DiskFailedError, match=r"kept\.json"):
        replace_file(tmp_path / "nowhere" / "kept.json", b"new")


def test_one_broken_file_is_kept_for_a_look(tmp_path):
    for content in (b"first", b"second"):
        (tmp_path / "kept.json").write_bytes(content)
        set_aside(tmp_path / "kept.json")

    assert [path.name for path in tmp_path.iterdir()] == ["kept.json.broken"]
    assert (tmp_path / "kept.json.broken").read_bytes() == b"second"
    assert set_aside(tmp_path / "kept.json") is None


def test_links_that_go_round_in_a_circle_lead_somewhere(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.symlink_to(other)
    other.symlink_to(one)
    assert real_path(one).parent == real_path(tmp_path)


def test_f01_of_two_who_replace_a_file_at_once_neither_renames_what_the_other_has_half_written(
    tmp_path,
):
    """A power cut between the two would have left half a file."""
    path = tmp_path / "kept.json"
    path.write_bytes(b"old")
    half, renamed, seen = threading.Event(), threading.Event(), []

    class Late(RealDisk):
        def write(self, path, data, mode):
            super().write(path, data[:3], mode)
            half.set()
            renamed.wait(5)
            super().write(path, data, mode)

    late = threading.Thread(target=replace_file, args=(path, b"the other", 0o600, Late()))

    class First(RealDisk):
        def sync(self, path):
            super().sync(path)
            late.start()
            half.wait(0.1)

        def rename(self, source, target):
            seen.append(source.read_bytes())
            super().rename(source, target)
            renamed.set()

    replace_file(path, b"the one", 0o600, First())
    late.join(5)

    assert seen == [b"the one"]
    assert path.read_bytes() == b"the other"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.json"]
