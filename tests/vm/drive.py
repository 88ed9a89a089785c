"""What the virtual Pi is given: our wheel, the units, and the tests that run inside, as one tar."""

import subprocess
import sys
import tarfile
from pathlib import Path

from tests.vm.root import PROJECT

PLACE = "/srv/deskphone"
"""Where it lies over there."""
_TAKEN_ALONG = ("systemd", "tests/support", "tests/contract/test_hal_gpio.py", "tests/vm/inside")
_SECTOR = 512


def make_drive(folder: Path) -> Path:
    """A tar of the project as it is now; QEMU takes it for a disk."""
    wheel = _wheel(folder)
    drive = folder / "drive.tar"
    with tarfile.open(drive, "w") as tar:
        tar.add(wheel, wheel.name)
        for name in _TAKEN_ALONG:
            tar.add(PROJECT / name, name, filter=_kept)
    # A disk is whole sectors, and QEMU takes no odd end.
    size = drive.stat().st_size
    with drive.open("ab") as stream:
        stream.write(bytes(-size % _SECTOR))
    return drive


def _kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return None if "__pycache__" in entry.name else entry


def _wheel(folder: Path) -> Path:
    """The project's wheel, as `pip install` of it would build it."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps",
         "--no-build-isolation", "--wheel-dir", str(folder), str(PROJECT)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"the wheel cannot be built:\n{done.stdout}{done.stderr}")
    (wheel,) = folder.glob("deskphone-*.whl")
    return wheel
