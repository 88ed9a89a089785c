"""The texts that people sent, behind the storage thread: written, marked, and read again at start.

A phone to which nobody ever wrote has no file for them and opens none.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from firmware.base.phrase import Phrase
from firmware.phone.commands import KeepText
from firmware.phone.events import KeptText
from firmware.sip.notifications import LineName, Party
from firmware.storage.errors import StorageError
from firmware.storage.text_log import TextLog, TextRow
from firmware.storage.writer import Writer

AT_START = 50
"""How many of them the phone remembers by itself."""


class TextKeeper:
    """The texts of one phone; `trouble` is what was last wrong with their list."""

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer
        self._log: TextLog | None = None
        self.trouble: Phrase | None = None

    def load(self, then: Callable[[tuple[KeptText, ...]], None], now: float, wall: float) -> None:
        """Hand on the newest, the oldest of them first; nothing if there are none."""

        def done(rows: tuple[TextRow, ...]) -> None:
            if rows:
                then(tuple(_kept(row, now, wall) for row in reversed(rows)))

        self._writer.submit(lambda: self._read(AT_START, 0), done, self._failed)

    def add(self, text: KeepText, at: float) -> None:
        """Keep one more."""
        sender = text.sender
        row = TextRow(text.key, at, text.line, sender.name, sender.user, sender.uri, text.text)
        self._submit(lambda log: log.add(row))

    def mark_read(self, keys: tuple[str, ...]) -> None:
        """Somebody has looked at these; none = at all of them."""
        self._submit(lambda log: log.mark_read(keys))

    def forget(self) -> None:
        """Keep none."""
        self._submit(lambda log: log.forget())

    async def rows(self, limit: int, skip: int) -> tuple[TextRow, ...] | None:
        """A piece of the list, newest first; None if it cannot be read, and `trouble` says why."""
        found: asyncio.Future[tuple[TextRow, ...] | None]
        found = asyncio.get_running_loop().create_future()

        def read(rows: tuple[TextRow, ...] | None) -> None:
            if not found.done():  # whoever asked may have gone meanwhile
                found.set_result(rows)

        def failed(error: StorageError) -> None:
            self._failed(error)
            read(None)

        if not self._writer.submit(lambda: self._read(limit, skip), read, failed):
            self.trouble = Phrase("storage.busy")
            return None
        return await found

    def close(self) -> None:
        """Let go of the file; on the storage thread."""
        if self._log is not None:
            self._log.close()

    def _submit(self, job: Callable[[TextLog], None]) -> None:
        def good(_nothing: None) -> None:
            self.trouble = None if self._log is None else self._log.trouble

        if not self._writer.submit(lambda: job(self._opened()), good, self._failed):
            self.trouble = Phrase("storage.busy")

    def _failed(self, error: StorageError) -> None:
        self.trouble = error.phrase

    def _read(self, limit: int, skip: int) -> tuple[TextRow, ...]:
        none = self._log is None and not self._path.exists()
        return () if none else self._opened().rows(limit, skip)

    def _opened(self) -> TextLog:
        if self._log is None:
            self._log = TextLog(self._path)
        return self._log


def _kept(row: TextRow, now: float, wall: float) -> KeptText:
    """A clock that is behind what it wrote has lost the time (F10): then it came just now."""
    at = now - max(0.0, wall - row.at)
    sender = Party(row.name, row.user, row.uri)
    return KeptText(row.key, at, LineName(row.line), sender, row.text, row.unread)
