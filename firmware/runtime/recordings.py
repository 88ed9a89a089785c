"""The files of recorded calls: one recorder each, in a folder of the phone's own.

    2026-11-21_16-50-12_in_204_1.wav       when it began, in or out, with whom, which of this run

The recorder's thread does all that may wait for a disk; here only names and descriptors are dealt
with. Whether a call is recorded is the phone's business.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from firmware.base.phrase import phrase
from firmware.base.values import replace
from firmware.config.schema import RecordingSettings
from firmware.media.messages import Record
from firmware.phone.commands import StartRecording
from firmware.phone.events import RecordingChanged, RecordingTrouble
from firmware.phone.texts import how_long
from firmware.sip.notifications import CallRef

if TYPE_CHECKING:
    from firmware.storage.recorder import CallRecorder, News

_LOG = logging.getLogger(__name__)
_LONGEST_NAME = 40
_MEGABYTE = 1_000_000
_FINISHING = 3.0
_FRAMES_A_SECOND = 50


class _Tape(NamedTuple):
    """A file that is open: which one of this run, and since when it is filled (monotonic)."""

    number: int
    recorder: "CallRecorder"
    began: float | None = None


class Recordings:
    """Those of one phone; its length is how many files are open.

    `now` is monotonic seconds, `wall` the time of day; `tell` hears of trouble, on the loop.
    """

    def __init__(
        self,
        folder: Path,
        now: Callable[[], float],
        wall: Callable[[], float],
        tell: Callable[[RecordingChanged], None],
    ) -> None:
        self.settings = RecordingSettings()
        self._folder = folder
        self._now = now
        self._wall = wall
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._open: dict[CallRef, _Tape] = {}
        self._finishing: dict[int, _Tape] = {}
        self._count = 0

    def __len__(self) -> int:
        return len(self._open) + len(self._finishing)

    def begin(self, command: StartRecording) -> None:
        """Open a file; what becomes of it is told."""
        # Loaded at the start (`runtime.later`), unless nothing may be recorded.
        from firmware.storage.recorder import CallRecorder, Limits  # noqa: PLC0415 - see above

        number = self._count = self._count + 1
        path = self._folder / self._name(command)
        limits = Limits(self.settings.longest * 60, self.settings.keep_free * _MEGABYTE)
        call = command.call

        def told(news: "News") -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and so is the phone
                self._loop.call_soon_threadsafe(self._told, call, number, path, news)

        try:
            recorder = CallRecorder(path, command.rate, limits, told)
        except (OSError, RuntimeError) as error:
            # No descriptor or no thread is left.
            self._tell(RecordingChanged(call, RecordingTrouble.FAILED, str(error)))
        else:
            self._open[call] = _Tape(number, recorder)

    def end(self, call: CallRef) -> None:
        """Finish the file of a call."""
        tape = self._open.pop(call, None)
        if tape is not None:
            self._finishing[tape.number] = tape
            tape.recorder.close()

    def copy_to(self, call: CallRef, order: Record) -> tuple[Record, int] | None:
        """The order with how long the recording is by now, and the way to its file, if any."""
        tape = self._open.get(call)
        if tape is None:
            return None
        now = self._now()
        began = now if tape.began is None else tape.began
        self._open[call] = tape._replace(began=began)
        frames = round((now - began) * _FRAMES_A_SECOND)
        return replace(order, begin=frames), tape.recorder.descriptor

    def files(self, calls: Iterable[CallRef]) -> tuple[str, ...]:
        """The files that these calls are being recorded to."""
        return tuple(str(self._open[call].recorder.path) for call in calls if call in self._open)

    def mend(self) -> None:
        """Make whole what a crash left; blocking, for a thread."""
        if self._folder.is_dir():
            from firmware.storage.recorder import mend  # noqa: PLC0415 - not on the loop

            mended = mend(self._folder)
            if mended:
                _LOG.info(phrase("log.recordings_mended", count=mended))

    async def close(self) -> None:
        """Finish all files, or leave what a disk will not take in time."""
        for call in list(self._open):
            self.end(call)
        for tape in tuple(self._finishing.values()):
            await asyncio.to_thread(tape.recorder.join, _FINISHING)

    def _told(self, call: CallRef, number: int, path: Path, news: "News") -> None:
        if news.fate.value != "hole":
            self._finishing.pop(number, None)
            if news.seconds:
                time, missing = how_long(round(news.seconds)), f"{news.missing:.1f}"
                _LOG.info(phrase("log.recorded", file=path, time=time, missing=missing))
        if news.fate.value == "done":
            return
        tape = self._open.get(call)
        if tape is not None and tape.number == number:
            self._tell(RecordingChanged(call, RecordingTrouble(news.fate.value), news.detail))
        elif news.detail:
            # The call is over, or recorded anew: nobody looks at the screen for it.
            _LOG.error(phrase("log.recording", reason=f"{path}: {news.detail}"))

    def _name(self, command: StartRecording) -> str:
        at = datetime.fromtimestamp(self._wall()).astimezone()
        way = "out" if command.outgoing else "in"
        return f"{at:%Y-%m-%d_%H-%M-%S}_{way}_{_harmless(command.who)}_{self._count}.wav"


def _harmless(who: str) -> str:
    """A name that strangers chose, as a part of a file's name."""
    kept = "".join(letter if letter.isalnum() or letter in "+-" else "_" for letter in who)
    return kept[:_LONGEST_NAME].encode("ascii", "replace").decode().replace("?", "_") or "_"
