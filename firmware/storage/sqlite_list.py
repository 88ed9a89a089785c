"""A private list in a file of sqlite: safe against power cuts, begun anew when it is damaged.

WAL with synchronous=FULL: a row that was added is there after a power cut, and a cut in the middle
of adding one leaves the list as it was (https://sqlite.org/wal.html). Used from one thread only,
the writer's: whoever holds the loop may not wait for a disk. What the rows are is their owner's
business (`call_log`, `text_log`).
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from firmware.base.phrase import Phrase, phrase
from firmware.storage.atomic import set_aside
from firmware.storage.errors import from_sqlite, unreadable

_LOG = logging.getLogger(__name__)


class SqliteList:
    """One table; `what` names the list in a sentence, `probe` is a query that only ours takes.

    If the file cannot be opened or made, the list lives in memory and `trouble` says why.
    """

    def __init__(self, path: Path, what: Phrase, table: str, probe: str, version: int = 1) -> None:
        self._path = path
        self._what = what
        self._table = table
        self._probe = probe
        self._version = version
        self.trouble: Phrase | None = None
        self._base = self._open()

    def close(self) -> None:
        """Bring everything into the one file and let go of it."""
        self._base.close()

    @contextlib.contextmanager
    def _translated(self, *, reading: bool = False) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if reading:
                raise unreadable(self._what, error) from error
            raise from_sqlite(self._what, error) from error

    def _open(self) -> sqlite3.Connection:
        try:
            return self._open_file()
        except sqlite3.DatabaseError as error:
            if _is_damage(error) and self._begin_anew(error):
                with contextlib.suppress(sqlite3.Error):
                    return self._open_file()
            self.trouble = phrase("storage.in_memory", what=self._what, reason=error)
            _LOG.warning(self.trouble)
            return self._furnished(sqlite3.connect(":memory:", check_same_thread=False))

    def _open_file(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._path, timeout=2.0, check_same_thread=False)
        try:
            self._path.chmod(0o600)
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=FULL")
            verdict = base.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise _Damaged(verdict)
            return self._furnished(base)
        except OSError as error:
            base.close()
            raise sqlite3.OperationalError(str(error)) from error
        except sqlite3.Error:
            base.close()
            raise

    def _begin_anew(self, error: sqlite3.Error) -> bool:
        aside = set_aside(self._path)
        for suffix in ("-wal", "-shm"):
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink()
        _LOG.warning(phrase("storage.damaged", what=self._what, reason=error, old=aside or "–"))
        return aside is not None

    def _furnished(self, base: sqlite3.Connection) -> sqlite3.Connection:
        """A database with our table in it."""
        version = base.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            with base:
                base.execute(self._table)
                base.execute(f"PRAGMA user_version={self._version}")
        elif version != self._version:
            raise _Damaged(f"version {version} is not {self._version}")
        base.execute(self._probe)
        return base


class _Damaged(sqlite3.DatabaseError):
    """The file is a database, but its content contradicts itself or is not ours."""


def _is_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, _Damaged) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
