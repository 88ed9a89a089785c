"""The clock of a machine that has none of its own (F10).

A Pi wakes up in 1970, or when its systemd was built. Until the network tells the time, the phone
goes by the latest moment that is known to have passed: when it was built or installed, or when the
clock was last saved. Then certificates are judged as usual and calls are noted in their order.

The clock is only ever set forward. What is saved is what the clock says, earlier or later than
before: a time service may have put right a clock that was wrong.

The decision is `moment`; the rest reads, sets and saves. `systemd/deskphone-clock.service` calls it
before the phone starts and when the machine stops, a timer once an hour.
"""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from firmware.storage.atomic import replace_file

NAME: Final = "clock"
"""The file in the state folder: seconds since 1970, as text."""
_LAST: Final = 4_102_444_800.0
"""The year 2100: whoever says more is wrong, and believing it would end every certificate."""
EPOCH_FILE: Final = Path("/usr/lib/clock-epoch")
"""Its date is when the system image was built, systemd(1)."""


def moment(now: float, evidence: Iterable[float]) -> float | None:
    """The moment to which the clock must be set; None if it stands well.

    All in seconds since 1970; each of `evidence` has certainly passed, unless it is nonsense.
    """
    latest = max((each for each in evidence if 0.0 < each < _LAST), default=now)
    return latest if latest > now else None


def read_saved(folder: Path) -> float:
    """What was saved in a state folder; 0 if nothing that can be read."""
    try:
        return float((folder / NAME).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0


def built(files: Iterable[Path] = (Path(__file__), EPOCH_FILE)) -> list[float]:
    """When the phone and the system under it were built or installed: the dates of their files."""
    found: list[float] = []
    for file in files:
        try:
            found.append(file.stat().st_mtime)
        except OSError:
            continue
    return found


def set_forward(
    folder: Path,
    *,
    now: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_REALTIME),
    change: Callable[[float], None] = lambda to: time.clock_settime(time.CLOCK_REALTIME, to),
    evidence: Iterable[float] | None = None,
) -> tuple[float, float] | None:
    """Set the clock if it is behind; from when to when, or None.

    Raises:
        OSError: the clock may not be set.
    """
    before = now()
    known = built() if evidence is None else evidence
    to = moment(before, (read_saved(folder), *known))
    if to is None:
        return None
    change(to)
    return before, to


def save(
    folder: Path, now: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_REALTIME)
) -> None:
    """Keep what the clock says, unless nobody would believe it: what was kept before still is.

    Raises:
        StorageError: the disk refuses; likewise.
    """
    said = now()
    if 0.0 < said < _LAST:
        replace_file(folder / NAME, f"{int(said)}\n".encode("ascii"))


def state_folder() -> Path:
    """Where the unit keeps it."""
    return Path(os.environ.get("STATE_DIRECTORY", "/var/lib/deskphone").split(":")[0])
