"""A changed configuration file becomes a changed phone, by plan.

The file is read off the loop. What can change at once does, what needs an idle phone waits for it,
and what needs a restart is named. `ctl reload`, SIGHUP and the page all come through here.
"""

import asyncio
import contextlib
import logging
import zoneinfo
from collections.abc import Callable, Iterable

from firmware.base.phrase import phrase
from firmware.base.values import replace
from firmware.config import Examination, Problem, Settings, examine_file
from firmware.config.machine import missing_codecs, with_codecs
from firmware.config.plan import plan
from firmware.control.errors import RefusalKind, RefusedError
from firmware.control.schema import ReloadReply
from firmware.phone.view import Notice, PhoneView
from firmware.runtime import later
from firmware.storage.errors import StorageError
from firmware.storage.last_good import LastGood
from firmware.ui.fault_notice import fault_notice
from firmware.ui.faults import say, say_all
from firmware.ui.text import Texts

_LOG = logging.getLogger(__name__)
Apply = Callable[[Settings, Settings, Texts], None]
"""`(old, new, texts)`: the new settings are in force, in the language of `texts`."""
Faults = Callable[[Examination], Iterable[Problem]]
"""What of a file, beyond its settings, would keep the phone from its next start; reads files."""
Judged = Callable[[Notice | None], None]
"""Hears after every look at the file what the phone should show of its faults, if it has any."""


class Reloader:
    """Applies new settings; `settings` and `texts` are those in force."""

    def __init__(
        self, last: LastGood, settings: Settings, texts: Texts, apply: Apply, judged: Judged
    ) -> None:
        self.faults: Faults = lambda _found: ()
        self._last = last
        self._apply = apply
        self._judged = judged
        self.settings = settings
        self.texts = texts
        self._later: Settings | None = None
        self._view: PhoneView | None = None
        self._reading = asyncio.Lock()
        self._tasks: set[asyncio.Task[ReloadReply]] = set()

    def ask(self) -> None:
        """Reload without anybody waiting for the answer (SIGHUP)."""
        task = asyncio.get_running_loop().create_task(self.reload())
        self._tasks.add(task)
        task.add_done_callback(self._asked)

    async def reload(self) -> ReloadReply:
        """Read the file and change the phone.

        Raises:
            RefusedError: the file has faults; they are all in the message, one a line.
        """
        async with self._reading:  # what is read first is applied first
            found, texts, lacks = await asyncio.to_thread(_examine, self._last, self.faults)
        if found.settings is None:
            lines = bool(self.settings.lines)
            self._judged(fault_notice(self._last.config, found.problems, lines=lines))
            raise RefusedError(say_all(found.problems, self.texts), RefusalKind.CONFIG)
        self._judged(None)
        self.texts = texts
        steps = plan(self.settings, found.settings)
        self._later = steps.when_idle if steps.waiting else None
        self._use(steps.at_once)
        self._when_idle()
        for key in steps.restart:
            _LOG.warning(phrase("log.restart_needed", key=key))
        notes = tuple(say(note, texts) for note in (*found.notes, *lacks))
        applied = steps.applied if self._later else (*steps.applied, *steps.waiting)
        waiting = steps.waiting if self._later else ()
        return ReloadReply(applied, waiting, steps.restart, notes)

    def view_changed(self, _old: PhoneView, new: PhoneView) -> None:
        """What waited for the calls to end happens when they have."""
        self._view = new
        self._when_idle()

    def _when_idle(self) -> None:
        if self._later is not None and (self._view is None or not self._view.calls):
            later, self._later = self._later, None
            self._use(later)

    def _use(self, settings: Settings) -> None:
        if settings != self.settings:
            old, self.settings = self.settings, settings
            self._apply(old, settings, self.texts)

    def _asked(self, task: asyncio.Task[ReloadReply]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _LOG.error(phrase("log.reload_refused", faults=error))
            return
        reply = task.result()
        _LOG.info(phrase("log.reloaded", keys=", ".join(reply.applied) or "–"))
        for note in reply.notes:
            _LOG.info("%s", note)


def _examine(last: LastGood, faults: Faults) -> tuple[Examination, Texts, tuple[Problem, ...]]:
    """Everything that reads a file or loads a library."""
    found = with_codecs(examine_file(last.config))
    if found.settings is not None and (more := tuple(faults(found))):
        found = replace(found, settings=None, problems=more)
    if found.settings is None:
        return found, Texts.load(), ()
    try:
        last.keep(read=found.settings)
    except StorageError as error:
        _LOG.warning(phrase("log.no_copy", reason=error.phrase))
    later.load(found.settings)
    with contextlib.suppress(zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        zoneinfo.ZoneInfo(found.settings.time.zone)  # from now on it is in memory
    lacks = missing_codecs(found.settings.audio.codecs)
    placed = tuple(found.place("audio.codecs", wrong) for wrong in lacks)
    return found, Texts.load(found.settings.phone.language), placed
