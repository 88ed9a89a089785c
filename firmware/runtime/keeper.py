"""What outlives the program, behind the storage thread: call list, volumes, identities, dialogs.

Small files are read once at start; after that the loop only queues jobs and hears of results.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from firmware.base.phrase import Phrase, phrase
from firmware.control.schema import LogRow
from firmware.media.messages import PathName
from firmware.phone.commands import CallRecord, KeepText
from firmware.runtime.memory import Memory
from firmware.runtime.text_keeper import TextKeeper
from firmware.sip.notifications import CallRef
from firmware.storage.call_log import CallLog, CallRow
from firmware.storage.dialogs import DialogMirror
from firmware.storage.errors import StorageError
from firmware.storage.writer import Writer

_LOG = logging.getLogger(__name__)


class Keeper:
    """The memory of one phone."""

    def __init__(self, state: Path, dialogs: Path, memory: Memory) -> None:
        loop = asyncio.get_running_loop()
        self._memory = memory
        self._log_path = state / "calls.db"
        self._log: CallLog | None = None
        self._mirror = DialogMirror(dialogs)
        self._writer = Writer(loop.call_soon_threadsafe, _say)
        self.texts = TextKeeper(state / "texts.db", self._writer)
        self.save()

    @property
    def volumes(self) -> dict[PathName, int]:
        """The volumes of the last run."""
        known = {path.value for path in PathName}
        return {PathName(name): v for name, v in self._memory.kept.volumes.items() if name in known}

    @property
    def last_dialled(self) -> str:
        """The number for redial."""
        return self._memory.kept.last_dialled

    def save(self) -> None:
        """Write down what was not written yet."""
        if self._memory.changed:
            self._memory.changed = False
            kept = self._memory.kept
            self._writer.submit(lambda: self._memory.file.save(kept), key="kept")

    def record_call(self, record: CallRecord, at: float) -> None:
        """Add a row to the call list; what was dialled is what redial dials."""
        row = CallRow(
            at=at,
            line=record.line,
            outgoing=record.outgoing,
            name=record.name,
            user=record.user,
            outcome=record.outcome.value,
            seconds=record.seconds,
            reason=record.reason,
        )
        self._writer.submit(lambda: self._call_log().add(row))
        if record.redial:
            self.keep_last_dialled(record.redial)

    def keep_volume(self, path: PathName, volume: int) -> None:
        """Remember a volume."""
        self._memory.replace(volumes={**self._memory.kept.volumes, path.value: volume})
        self.save()

    def keep_last_dialled(self, target: str) -> None:
        """Remember the number for redial."""
        if target != self._memory.kept.last_dialled:
            self._memory.replace(last_dialled=target)
            self.save()

    def keep_card(self, line: str, numbers: tuple[int, ...]) -> None:
        """Remember what the SIM card of a line has seen."""
        self._memory.replace(cards={**self._memory.kept.cards, line: numbers})
        self.save()

    def keep_text(self, text: KeepText, at: float) -> None:
        """Add a text to the list of texts."""
        self.texts.add(text, at)

    def mark_texts_read(self, keys: tuple[str, ...]) -> None:
        """Note that somebody has looked at these; none = at all of them."""
        self.texts.mark_read(keys)

    def forget_texts(self) -> None:
        """Empty the list of texts."""
        self.texts.forget()

    def keep_names(self, save: Callable[[], None]) -> None:
        """Write the last good answers of name servers."""
        self._writer.submit(save, key="names")

    def keep_dialog(self, call: CallRef, snapshot: bytes | None) -> None:
        """Mirror a dialog until it ends."""
        self._writer.submit(lambda: self._mirror.keep(call, snapshot), key=("dialog", call))

    async def rows(self, limit: int, skip: int) -> tuple[tuple[LogRow, ...], bool, Phrase | None]:
        """A piece of the call list, newest first, whether it goes on, and what is wrong with it."""
        found: asyncio.Future[tuple[CallRow, ...]] = asyncio.get_running_loop().create_future()

        def read(rows: tuple[CallRow, ...]) -> None:
            if not found.done():  # whoever asked may have gone meanwhile
                found.set_result(rows)

        def failed(error: StorageError) -> None:
            if not found.done():
                found.set_exception(error)

        taken = self._writer.submit(lambda: self._call_log().rows(limit + 1, skip), read, failed)
        if not taken:
            return (), False, Phrase("storage.busy")
        try:
            rows = await found
        except StorageError as error:
            return (), False, error.phrase
        trouble = self._log.trouble if self._log is not None else None
        return tuple(_log_row(row) for row in rows[:limit]), len(rows) > limit, trouble

    def close(self) -> None:
        """Write what is queued; blocks for a moment."""
        self._writer.submit(self._close_log)
        if not self._writer.close():
            _LOG.warning(phrase("log.slow_disk"))

    def _call_log(self) -> CallLog:
        """The list, opened by the storage thread when it is first needed."""
        if self._log is None:
            self._log = CallLog(self._log_path)
        return self._log

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()
        self.texts.close()


def _say(error: StorageError) -> None:
    """The storage thread has put it into the log; the phone goes on without."""
    del error


def _log_row(row: CallRow) -> LogRow:
    return LogRow(
        at=row.at,
        line=row.line,
        direction="out" if row.outgoing else "in",
        name=row.name,
        user=row.user,
        outcome=row.outcome,
        seconds=round(row.seconds, 3),
        reason=row.reason,
    )
