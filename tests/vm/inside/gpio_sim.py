"""Header pins that do not exist: Linux's gpio-sim, through configfs; for tests inside a virtual Pi.

    with SimulatedPins(28) as pins:
        pins.pull(17, up=False)        # somebody lifts the handset
        pins.value(22)                 # does the lamp shine?

A line that the phone drives shows its level in `value`; one it reads follows `pull`. Whoever asks
the kernel for a pull-up sets `pull`, too: what is closed at rest must be closed again once the
phone has its pins.
"""

import itertools
import os
import subprocess
from pathlib import Path
from typing import Self

import pytest

from tests.support.waiting import wait_for

_CONFIG = Path("/sys/kernel/config/gpio-sim")
_names = itertools.count()


class SimulatedPins:
    """A chip of its own with `count` lines; `path` is its device (/dev/gpiochipN)."""

    def __init__(self, count: int = 28) -> None:
        if not _CONFIG.is_dir():
            if subprocess.run(["modprobe", "-q", "gpio-sim"], check=False).returncode:
                pytest.skip("this kernel has no gpio-sim: Debian's backports were not to be had")
            if not _CONFIG.parent.joinpath("gpio-sim").is_dir():
                command = ["mount", "-t", "configfs", "configfs", str(_CONFIG.parent)]
                subprocess.run(command, check=True)
        self._device = _CONFIG / f"phone-{os.getpid()}-{next(_names)}"
        bank = self._device / "bank0"
        bank.mkdir(parents=True)
        (bank / "num_lines").write_text(str(count))
        self.plug()

    def plug(self) -> None:
        """The chip is there, or back."""
        (self._device / "live").write_text("1")
        name = (self._device / "bank0" / "chip_name").read_text().strip()
        self.path = Path("/dev") / name
        parent = (self._device / "dev_name").read_text().strip()
        self._lines = Path("/sys/devices/platform") / parent / name
        wait_for("the chip", self.path.exists)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def pull(self, line: int, *, up: bool) -> None:
        """What is connected from outside draws the line up or down."""
        (self._lines / f"sim_gpio{line}" / "pull").write_text("pull-up" if up else "pull-down")

    def value(self, line: int) -> bool:
        """The level of a line."""
        return (self._lines / f"sim_gpio{line}" / "value").read_text().strip() == "1"

    def unplug(self) -> None:
        """The chip goes, as if somebody had pulled it off its bus."""
        (self._device / "live").write_text("0")

    def close(self) -> None:
        """There is no chip any more."""
        if self._device.exists():
            self.unplug()
            (self._device / "bank0").rmdir()
            self._device.rmdir()
