"""The resolver's memory over restarts: ages become moments of the wall clock, and back (F14)."""

from collections.abc import Callable, Mapping
from pathlib import Path

from firmware.net.resolver import NameKey, Remembered
from firmware.storage.names import KeptAnswer, NamesFile

Submit = Callable[[Callable[[], None]], object]
"""Have something done by the thread that may wait for a disk."""


class Names:
    """The last good answers; until `write_with` they wait."""

    def __init__(self, folder: Path, wall: Callable[[], float]) -> None:
        self._file = NamesFile(folder / "names.json")
        self._wall = wall
        self._submit: Submit | None = None
        self._waiting: tuple[KeptAnswer, ...] | None = None

    def load(self) -> Mapping[NameKey, Remembered]:
        """Those of earlier runs; reads the disk, so it is called off the loop."""
        now = self._wall()
        return {
            (each.name, each.kind): Remembered(each.rows, max(0.0, now - each.at))
            for each in self._file.load()
        }

    def keep(self, answers: Mapping[NameKey, Remembered]) -> None:
        """Write these, soon and by somebody else."""
        now = self._wall()
        self._waiting = tuple(
            KeptAnswer(*key, each.rows, round(now - each.age, 1)) for key, each in answers.items()
        )
        self._write()

    def write_with(self, submit: Submit) -> None:
        """From now on `submit` has it written, what has waited first."""
        self._submit = submit
        self._write()

    def _write(self) -> None:
        if self._submit is not None and self._waiting is not None:
            answers, self._waiting = self._waiting, None
            self._submit(lambda: self._file.save(answers))
