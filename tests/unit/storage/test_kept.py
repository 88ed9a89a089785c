"""Volumes, last number and line identities over restarts."""

import pytest

from firmware.storage.errors import DiskFullError
from firmware.storage.kept import Kept, KeptFile, KeptLine

KEPT = Kept(
    volumes={"handset": 40},
    last_dialled="600",
    lines={"101@pbx": KeptLine("k7f3", "0b0e1f00-0000-4000-8000-000000000001")},
)


def test_what_was_saved_is_there_after_a_restart(tmp_path):
    KeptFile(tmp_path / "kept.json").save(KEPT)

    assert KeptFile(tmp_path / "kept.json").load() == KEPT


def test_a_first_start_remembers_nothing(tmp_path):
    assert KeptFile(tmp_path / "kept.json").load() == Kept()


@pytest.mark.parametrize(
    "torn", [b"", b"{", b'{"volumes": 7}', b"[" * 5000, b"\xff\xfe", b'{"lines":{"a":{}}}']
)
def test_a_torn_file_is_set_aside_and_forgotten(tmp_path, torn):
    (tmp_path / "kept.json").write_bytes(torn)

    assert KeptFile(tmp_path / "kept.json").load() == Kept()
    assert (tmp_path / "kept.json.broken").read_bytes() == torn


def test_a_file_of_a_later_version_is_read_as_far_as_it_is_known(tmp_path):
    (tmp_path / "kept.json").write_text('{"last_dialled": "600", "favourite": 7}')

    assert KeptFile(tmp_path / "kept.json").load() == Kept(last_dialled="600")


def test_a_full_disk_keeps_the_older_memory(tmp_path, full_disk):
    KeptFile(tmp_path / "kept.json").save(KEPT)

    with pytest.raises(DiskFullError):
        KeptFile(tmp_path / "kept.json", full_disk).save(Kept())

    assert KeptFile(tmp_path / "kept.json").load() == KEPT
