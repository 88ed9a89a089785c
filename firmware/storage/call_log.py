"""The call list: bounded, newest first, kept over restarts and power cuts (`sqlite_list`)."""

from pathlib import Path

from msgspec import Struct

from firmware.base.phrase import Phrase
from firmware.storage.sqlite_list import SqliteList

ROW_LIMIT = 2000
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
_PROBE = _SELECT.replace("?", "1", 1).replace("?", "0")


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


class CallLog(SqliteList):
    """The list; `len` is its number of rows, which never exceeds the limit.

    If the file cannot be opened or made, the list lives in memory and `trouble` says why.
    """

    def __init__(self, path: Path, limit: int = ROW_LIMIT) -> None:
        self._limit = limit
        super().__init__(path, Phrase("storage.call_list"), _TABLE, _PROBE)

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
