"""Disks for tests: one that remembers its steps, one that refuses."""

import errno
import os
from pathlib import Path

import pytest

from firmware.storage.atomic import RealDisk


class RefusingDisk(RealDisk):
    """Fails with one errno from a given step on."""

    def __init__(self, code: int, step: str = "write"):
        self._code = code
        self._step = step

    def _refuse(self, step: str) -> None:
        if step == self._step:
            raise OSError(self._code, os.strerror(self._code))

    def write(self, path: Path, data: bytes, mode: int) -> None:
        self._refuse("write")
        super().write(path, data, mode)

    def sync(self, path: Path) -> None:
        self._refuse("sync")
        super().sync(path)

    def rename(self, source: Path, target: Path) -> None:
        self._refuse("rename")
        super().rename(source, target)


@pytest.fixture
def full_disk() -> RefusingDisk:
    return RefusingDisk(errno.ENOSPC, "sync")


@pytest.fixture
def read_only_disk() -> RefusingDisk:
    return RefusingDisk(errno.EROFS)


@pytest.fixture
def broken_disk() -> RefusingDisk:
    return RefusingDisk(errno.EIO, "rename")
