"""The call list in sqlite: bounded, safe against power cuts, rebuilt when it is damaged.

WAL with synchronous=FULL: a row that was added is there after a power cut, and a cut in the middle
of adding one leaves the list as it was (https://sqlite.org/wal.html). Used from one thread only,
the writer's: whoever holds the loop may not wait for a disk.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from firmware.base.phrase import Phrase, phrase
from firmware.storage.atomic import set_aside
from firmware.storage.errors import from_sqlite, unreadable

ROW_LIMIT = 2000
_VERSION = 1
_LOG = logging.getLogger(__name__)
_TABLE = """
CREATE TABLE calls (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL,
  line TEXT NOT NULL,
  outgoing INTEGER NOT NULL,
  name TEXT NOT NULL,
  user TEXT NOT NULL,
  outcome TEXT NOT NULL,
  seconds REAL NOT NULL,
  reason TEXT NOT NULL
)
"""
_INSERT = """
INSERT INTO calls (at, line, outgoing, name, user, outcome, seconds, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_SELECT = """
SELECT at, line, outgoing, name, user, outcome, seconds, reason
FROM calls ORDER BY id DESC LIMIT ? OFFSET ?
"""


class CallRow(Struct, frozen=True):
    """One call; `at` is seconds since 1970, `outcome` a word such as `missed`."""

    at: float
    line: str
    outgoing: bool
    name: str
    user: str
    outcome: str
    seconds: float
    reason: str = ""


class CallLog:
    """The list; `len` is its number of rows, which never exceeds the limit.

    If the file cannot be opened or made, the list lives in memory and `trouble` says why.
    """

    def __init__(self, path: Path, limit: int = ROW_LIMIT) -> None:
        self._path = path
        self._limit = limit
        self.trouble: Phrase | None = None
        self._base = self._open()

    def __len__(self) -> int:
        count: int = self._base.execute("SELECT count(*) FROM calls").fetchone()[0]
        return count

    def add(self, row: CallRow) -> None:
        """Add a call; the oldest ones go when the list is full.

        Raises:
            StorageError: the disk refuses; the list is as before.
        """
        outgoing = int(row.outgoing)
        values = (row.at, row.line, outgoing, row.name, row.user, row.outcome, row.seconds)
        with self._translated(), self._base:
            self._base.execute(_INSERT, (*values, row.reason))
            self._base.execute(
                "DELETE FROM calls WHERE id <= (SELECT max(id) FROM calls) - ?", (self._limit,)
            )

    def rows(self, limit: int = 50, skip: int = 0) -> tuple[CallRow, ...]:
        """A piece of the list, newest first.

        Raises:
            StorageError: the disk cannot be read.
        """
        with self._translated(reading=True):
            found = self._base.execute(_SELECT, (limit, skip)).fetchall()
        return tuple(
            CallRow(at, line, bool(outgoing), name, user, outcome, seconds, reason)
            for at, line, outgoing, name, user, outcome, seconds, reason in found
        )

    def close(self) -> None:
        """Bring everything into the one file and let go of it."""
        self._base.close()

    @contextlib.contextmanager
    def _translated(self, *, reading: bool = False) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if reading:
                raise unreadable(Phrase("storage.call_list"), error) from error
            raise from_sqlite(Phrase("storage.call_list"), error) from error

    def _open(self) -> sqlite3.Connection:
        try:
            return self._open_file()
        except sqlite3.DatabaseError as error:
            if _is_damage(error) and self._begin_anew(error):
                with contextlib.suppress(sqlite3.Error):
                    return self._open_file()
            self.trouble = phrase("storage.in_memory", reason=error)
            _LOG.warning(self.trouble)
            return _furnished(sqlite3.connect(":memory:", check_same_thread=False))

    def _open_file(self) -> sqlite3.Connection:
        base = sqlite3.connect(self._path, timeout=2.0, check_same_thread=False)
        try:
            self._path.chmod(0o600)
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=FULL")
            verdict = base.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise _Damaged(verdict)
            return _furnished(base)
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
        _LOG.warning(phrase("storage.damaged", reason=error, old=aside or "–"))
        return aside is not None


class _Damaged(sqlite3.DatabaseError):
    """The file is a database, but its content contradicts itself or is not ours."""


def _is_damage(error: sqlite3.Error) -> bool:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return isinstance(error, _Damaged) or code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _furnished(base: sqlite3.Connection) -> sqlite3.Connection:
    """A database with our table in it."""
    version = base.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        with base:
            base.execute(_TABLE)
            base.execute(f"PRAGMA user_version={_VERSION}")
    elif version != _VERSION:
        raise _Damaged(f"version {version} is not {_VERSION}")
    base.execute(_SELECT, (1, 0))
    return base
