"""F1, P5: the power fails at any instant of a save; the old or the new configuration is there.

The disk here has a write-back cache: what was not forced to it is lost, torn or kept as the disk
pleases, and a renamed file may still have its old name.
"""

import itertools
from pathlib import Path

import pytest

from firmware.config import examine_file, parse
from firmware.storage.atomic import RealDisk, replace_file
from firmware.storage.last_good import LastGood

OLD = '[phone]\ncountry = "DE"\n'
NEW = '[phone]\ncountry = "FR"\nmax_calls = 3\n'
STEPS = ("write", "sync", "rename", "sync_folder")


class PowerCutError(BaseException):
    """Not an error that anybody may handle: the program is gone."""


class CuttingDisk(RealDisk):
    """Loses power before step `cut`; `kept` is how much of what was not forced survives.

    `lost_rename` says that a rename that was not forced is undone.
    """

    def __init__(self, cut: str, kept: float, *, lost_rename: bool):
        self._cut = cut
        self._kept = kept
        self._lost_rename = lost_rename
        self._unforced: Path | None = None
        self._renamed: tuple[Path, Path, bytes | None] | None = None

    def _step(self, name: str) -> None:
        if name == self._cut:
            self.lose_power()
            raise PowerCutError

    def lose_power(self) -> None:
        """What the next start finds."""
        if self._renamed and self._lost_rename:
            source, target, before = self._renamed
            target.replace(source)
            if before is not None:
                target.write_bytes(before)
        if self._unforced is not None and self._unforced.exists():
            data = self._unforced.read_bytes()
            self._unforced.write_bytes(data[: int(len(data) * self._kept)])

    def write(self, path: Path, data: bytes, mode: int) -> None:
        self._step("write")
        super().write(path, data, mode)
        self._unforced = path

    def sync(self, _path: Path) -> None:
        self._step("sync")
        self._unforced = None

    def rename(self, source: Path, target: Path) -> None:
        self._step("rename")
        before = target.read_bytes() if target.exists() else None
        super().rename(source, target)
        self._renamed = (source, target, before)
        if self._unforced == source:
            self._unforced = target

    def sync_folder(self, _folder: Path) -> None:
        self._step("sync_folder")
        self._renamed = None


CUTS = list(itertools.product((*STEPS, "after"), (0.0, 0.5, 1.0), (False, True)))


@pytest.fixture(params=CUTS, ids=str)
def disk(request) -> CuttingDisk:
    cut, kept, lost_rename = request.param
    return CuttingDisk(cut, kept, lost_rename=lost_rename)


def save(path: Path, disk: CuttingDisk) -> None:
    try:
        replace_file(path, NEW.encode(), disk=disk)
        disk.lose_power()
    except PowerCutError:
        pass


def test_f01_a_power_cut_leaves_the_old_or_the_new_configuration(tmp_path, disk):
    path = tmp_path / "deskphone.toml"
    path.write_text(OLD)

    save(path, disk)

    assert path.read_text() in (OLD, NEW)
    assert examine_file(path).settings in (parse(OLD), parse(NEW))


def test_p05_the_next_save_works_and_leaves_no_rubbish(tmp_path, disk):
    path = tmp_path / "deskphone.toml"
    path.write_text(OLD)
    save(path, disk)

    replace_file(path, NEW.encode())

    assert examine_file(path).settings == parse(NEW)
    assert [one.name for one in tmp_path.iterdir()] == ["deskphone.toml"]


def test_f01_the_last_good_copy_is_whole_or_known_to_be_torn(tmp_path, disk):
    config = tmp_path / "deskphone.toml"
    last = LastGood.of(config, tmp_path / "state")
    config.write_text(OLD)
    last.keep()
    config.write_text(NEW)

    try:
        last.keep(disk)
        disk.lose_power()
    except PowerCutError:
        pass

    assert last.settings() in (parse(OLD), parse(NEW))


def test_f01_a_torn_copy_is_not_used(tmp_path):
    config = tmp_path / "deskphone.toml"
    config.write_text(NEW)
    last = LastGood.of(config, tmp_path / "state")
    last.keep()
    whole = last.copy.read_bytes()

    for length in range(len(whole)):
        last.copy.write_bytes(whole[:length])
        assert last.settings() is None


def test_f01_a_save_without_forcing_would_be_seen(tmp_path):
    """The disk above is cruel enough: a program that forgets fsync loses the file on it."""
    path = tmp_path / "deskphone.toml"
    path.write_text(OLD)
    disk = CuttingDisk("never", 0.0, lost_rename=False)
    fresh = tmp_path / "fresh"

    disk.write(fresh, NEW.encode(), 0o600)
    disk.rename(fresh, path)
    disk.lose_power()

    assert path.read_text() not in (OLD, NEW)
