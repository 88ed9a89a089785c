"""F6: nothing can be written, or the disk fails; the phone runs from memory and says so."""

import errno
import os
from pathlib import Path

import pytest

from firmware.config import examine_file
from firmware.storage.atomic import RealDisk, replace_file
from firmware.storage.call_log import CallLog, CallRow
from firmware.storage.errors import DiskFailedError, ReadOnlyError, StorageError
from firmware.storage.kept import Kept, KeptFile
from firmware.storage.last_good import LastGood


class RefusingDisk(RealDisk):
    """Refuses every write in one way."""

    def __init__(self, code: int):
        self._code = code

    def write(self, _path: Path, _data: bytes, _mode: int) -> None:
        raise OSError(self._code, os.strerror(self._code))


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (errno.EROFS, ReadOnlyError),
        (errno.EACCES, ReadOnlyError),
        (errno.EIO, DiskFailedError),
    ],
)
def test_f06_what_cannot_be_saved_is_said_and_the_rest_goes_on(tmp_path, code, error):
    path = tmp_path / "deskphone.toml"
    path.write_text("[web]\nport = 8080\n")
    disk = RefusingDisk(code)

    with pytest.raises(error):
        replace_file(path, b"[web]\nport = 8081\n", disk=disk)
    with pytest.raises(error):
        LastGood.of(path, tmp_path / "state").keep(disk)
    with pytest.raises(error):
        KeptFile(tmp_path / "kept.json", disk).save(Kept(last_dialled="600"))

    assert examine_file(path).settings.web.port == 8080
    assert KeptFile(tmp_path / "kept.json").load() == Kept()


@pytest.mark.parametrize("place", ["/proc/calls.db", "/sys/calls.db", "/nowhere/calls.db"])
def test_f06_the_call_list_lives_in_memory_where_no_file_can_be(place):
    call = CallRow(1.0, "l", outgoing=True, name="", user="600", outcome="answered", seconds=3.0)
    log = CallLog(Path(place))

    log.add(call)

    assert log.rows() == (call,)
    assert log.trouble.text == "storage.in_memory"
    log.close()


def test_f06_a_folder_in_the_place_of_a_file_is_no_crash(tmp_path):
    for name in ("calls.db", "kept.json", "deskphone.toml"):
        (tmp_path / name).mkdir()

    log = CallLog(tmp_path / "calls.db")
    assert len(log) == 0
    log.close()
    assert KeptFile(tmp_path / "kept.json").load() == Kept()
    assert examine_file(tmp_path / "deskphone.toml").settings is None
    with pytest.raises(StorageError):
        replace_file(tmp_path / "deskphone.toml", b"[web]\nport = 1\n")
