"""The texts that people sent: bounded, newest first, kept over restarts and power cuts.

See `sqlite_list` for how the file is kept. What stands in it was written to a person: it is private
as the call list is, and goes with it when the phone is reset.
"""

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from firmware.base.phrase import Phrase
from firmware.storage.sqlite_list import SqliteList

ROW_LIMIT = 500
_TABLE = """
CREATE TABLE texts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  at REAL NOT NULL,
  line TEXT NOT NULL,
  name TEXT NOT NULL,
  user TEXT NOT NULL,
  uri TEXT NOT NULL,
  text TEXT NOT NULL,
  unread INTEGER NOT NULL
)
"""
_INSERT = """
INSERT OR IGNORE INTO texts (key, at, line, name, user, uri, text, unread)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_SELECT = """
SELECT key, at, line, name, user, uri, text, unread
FROM texts ORDER BY id DESC LIMIT ? OFFSET ?
"""
_PROBE = _SELECT.replace("?", "1", 1).replace("?", "0")


class TextRow(Struct, frozen=True):
    """One text; `key` tells it from all others, `at` is seconds since 1970."""

    key: str
    at: float
    line: str
    name: str
    user: str
    uri: str
    text: str
    unread: bool = True


class TextLog(SqliteList):
    """The texts; `len` is their number, which never exceeds the limit."""

    def __init__(self, path: Path, limit: int = ROW_LIMIT) -> None:
        self._limit = limit
        super().__init__(path, Phrase("storage.text_list"), _TABLE, _PROBE)

    def __len__(self) -> int:
        count: int = self._base.execute("SELECT count(*) FROM texts").fetchone()[0]
        return count

    def add(self, row: TextRow) -> None:
        """Add a text; the oldest ones go when the list is full.

        Raises:
            StorageError: the disk refuses; the list is as before.
        """
        who = (row.line, row.name, row.user, row.uri)
        with self._translated(), self._base:
            self._base.execute(_INSERT, (row.key, row.at, *who, row.text, int(row.unread)))
            self._base.execute(
                "DELETE FROM texts WHERE id <= (SELECT max(id) FROM texts) - ?", (self._limit,)
            )

    def mark_read(self, keys: Sequence[str]) -> None:
        """Somebody has looked at these; no keys = at all of them.

        Raises:
            StorageError: the disk refuses; the list is as before.
        """
        with self._translated(), self._base:
            if not keys:
                self._base.execute("UPDATE texts SET unread = 0 WHERE unread = 1")
            for key in keys:
                self._base.execute("UPDATE texts SET unread = 0 WHERE key = ?", (key,))

    def forget(self) -> None:
        """Keep none of them; what they were is not left in the file either.

        Raises:
            StorageError: the disk refuses; the list is as before.
        """
        with self._translated():
            self._base.execute("PRAGMA secure_delete=ON")
            with self._base:
                self._base.execute("DELETE FROM texts")
            self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rows(self, limit: int = 50, skip: int = 0) -> tuple[TextRow, ...]:
        """A piece of the list, newest first.

        Raises:
            StorageError: the disk cannot be read.
        """
        with self._translated(reading=True):
            found = self._base.execute(_SELECT, (limit, skip)).fetchall()
        return tuple(
            TextRow(key, at, line, name, user, uri, text, bool(unread))
            for key, at, line, name, user, uri, text, unread in found
        )
