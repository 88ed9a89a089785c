"""What outlives the program, behind the storage thread: call list, volumes, identities, dialogs.

Small files are read once at start; after that the loop only queues jobs and hears of results.
"""

import asyncio
import logging
from pathlib import Path

import msgspec

from firmware.base.tokens import Tokens
from firmware.control.schema import LogRow
from firmware.media.messages import PathName
from firmware.phone.commands import CallRecord
from firmware.sip.notifications import CallRef
from firmware.storage.call_log import CallLog, CallRow
from firmware.storage.dialogs import DialogMirror
from firmware.storage.errors import StorageError
from firmware.storage.kept import Kept, KeptFile, KeptLine
from firmware.storage.writer import Writer

_LOG = logging.getLogger(__name__)
_CONTACT_BITS = 80


class Keeper:
    """The memory of one phone."""

    def __init__(self, state: Path, runtime: Path, tokens: Tokens) -> None:
        try:
            state.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            _LOG.warning("nothing can be remembered in %s: %s", state, error.strerror)
        loop = asyncio.get_running_loop()
        self._tokens = tokens
        self._file = KeptFile(state / "kept.json")
        self._kept = self._file.load()
        self._log_path = state / "calls.db"
        self._log: CallLog | None = None
        self._mirror = DialogMirror(runtime / "dialogs")
        self._writer = Writer(loop.call_soon_threadsafe, _say)

    @property
    def volumes(self) -> dict[PathName, int]:
        """The volumes of the last run."""
        known = {path.value for path in PathName}
        return {PathName(name): v for name, v in self._kept.volumes.items() if name in known}

    @property
    def last_dialled(self) -> str:
        """The number for redial."""
        return self._kept.last_dialled

    def contact_user(self, line: str) -> str:
        """The random user part of a line's Contact."""
        return self._line(line).contact_user

    def instance_id(self, line: str) -> str:
        """A line's `+sip.instance`."""
        return f"urn:uuid:{self._line(line).instance}"

    def orphans(self) -> tuple[bytes, ...]:
        """The dialogs that an earlier life left without an end."""
        try:
            return self._mirror.take_orphans()
        except OSError as error:
            _LOG.warning("dialogs of an earlier run cannot be read: %s", error)
            return ()

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
        if record.outgoing:
            self.keep_last_dialled(record.user)

    def keep_volume(self, path: PathName, volume: int) -> None:
        """Remember a volume."""
        self._keep(
            msgspec.structs.replace(self._kept, volumes={**self._kept.volumes, path.value: volume})
        )

    def keep_last_dialled(self, target: str) -> None:
        """Remember the number for redial."""
        if target != self._kept.last_dialled:
            self._keep(msgspec.structs.replace(self._kept, last_dialled=target))

    def keep_dialog(self, call: CallRef, snapshot: bytes | None) -> None:
        """Mirror a dialog until it ends."""
        self._writer.submit(lambda: self._mirror.keep(call, snapshot), key=("dialog", call))

    async def rows(self, limit: int, skip: int) -> tuple[tuple[LogRow, ...], bool]:
        """A piece of the call list, newest first, and whether it goes on."""
        found: asyncio.Future[tuple[CallRow, ...]] = asyncio.get_running_loop().create_future()
        taken = self._writer.submit(
            lambda: self._call_log().rows(limit + 1, skip), found.set_result, found.set_exception
        )
        if not taken:
            return (), False
        try:
            rows = await found
        except StorageError:
            return (), False
        return tuple(_log_row(row) for row in rows[:limit]), len(rows) > limit

    def close(self) -> None:
        """Write what is queued; blocks for a moment."""
        self._writer.submit(self._close_log)
        if not self._writer.close():
            _LOG.warning("the disk is so slow that something was not written")

    def _call_log(self) -> CallLog:
        """The list, opened by the storage thread when it is first needed."""
        if self._log is None:
            self._log = CallLog(self._log_path)
        return self._log

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()

    def _line(self, line: str) -> KeptLine:
        known = self._kept.lines.get(line)
        if known is None:
            raw = bytearray(self._tokens.octets(16))
            raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80  # RFC 4122 §4.4
            text = raw.hex()
            pieces = (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
            known = KeptLine(self._tokens.word(_CONTACT_BITS), "-".join(pieces))
            self._keep(msgspec.structs.replace(self._kept, lines={**self._kept.lines, line: known}))
        return known

    def _keep(self, kept: Kept) -> None:
        self._kept = kept
        self._writer.submit(lambda: self._file.save(kept), key="kept")


def _say(error: StorageError) -> None:
    _LOG.warning("%s", error)


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
