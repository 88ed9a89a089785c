"""F5: the disk is full; calls go on, a save reports the error and keeps the old file."""

import errno
import os
from pathlib import Path

import pytest

from firmware.storage.atomic import RealDisk, replace_file
from firmware.storage.call_log import CallLog, CallRow
from firmware.storage.errors import DiskFullError
from firmware.storage.kept import Kept, KeptFile
from firmware.storage.writer import Writer


class FullDisk(RealDisk):
    """Takes half of what is written, as a disk does that fills up."""

    def write(self, path: Path, data: bytes, mode: int) -> None:
        super().write(path, data[: len(data) // 2], mode)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def row(number: int) -> CallRow:
    return CallRow(float(number), "l", outgoing=False, name="x" * 500, user=str(number),
                   outcome="missed", seconds=0.0)  # fmt: skip


def fill(log: CallLog) -> None:
    for number in range(1, 1000):
        log.add(row(number))


def test_f05_a_save_says_so_and_keeps_the_old_configuration(tmp_path):
    path = tmp_path / "deskphone.toml"
    path.write_text("[web]\nport = 8080\n")

    with pytest.raises(DiskFullError, match=r"storage\.full what=deskphone\.toml"):
        replace_file(path, b"[web]\nport = 8081\n", disk=FullDisk())

    assert path.read_text() == "[web]\nport = 8080\n"
    assert [one.name for one in tmp_path.iterdir()] == ["deskphone.toml"]


def test_f05_the_call_list_keeps_what_it_has_and_takes_calls_again_later(tmp_path):
    log = CallLog(tmp_path / "calls.db")
    log.add(row(0))
    log._base.execute("PRAGMA max_page_count=8")
    with pytest.raises(DiskFullError, match=r"storage\.full what=storage\.call_list"):
        fill(log)

    assert log.rows(limit=1000) == tuple(row(number) for number in range(len(log)))[::-1]
    assert len(log) > 1
    log._base.execute("PRAGMA max_page_count=100000")
    log.add(row(5000))
    assert log.rows(limit=1) == (row(5000),)
    log.close()


def test_f05_the_loop_hears_of_it_and_is_not_held_up(tmp_path):
    heard = []
    writer = Writer(lambda call: call(), heard.append)
    file = KeptFile(tmp_path / "kept.json", FullDisk())

    assert writer.submit(lambda: file.save(Kept(last_dialled="600")))
    assert writer.close()

    assert [type(error) for error in heard] == [DiskFullError]
    assert file.load() == Kept()
