"""How often the phone was started of late without having stopped in order: a crash loop shows here.

The file lies in the runtime folder, which systemd keeps over restarts and the machine empties at
boot: it costs the card nothing, and a power cut is no crash.
"""

import contextlib
from pathlib import Path
from typing import Final

_WINDOW: Final = 600.0
_MOST_NOTED: Final = 50


class Starts:
    """The starts that did not end in order, by the seconds since boot at which they were made."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, now: float) -> int:
        """This is a start; returns how many there were within ten minutes that nobody ended.

        Never raises: a phone that cannot count still makes calls.
        """
        earlier = [at for at in self._noted() if now - _WINDOW < at <= now]
        rows = [*earlier, now][-_MOST_NOTED:]
        with contextlib.suppress(OSError):
            self._path.write_text("".join(f"{at:.1f}\n" for at in rows))
        return len(earlier)

    def clear(self) -> None:
        """The phone runs well, or was stopped on purpose."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def _noted(self) -> list[float]:
        try:
            return [float(row) for row in self._path.read_text().split()]
        except (OSError, ValueError):
            return []
