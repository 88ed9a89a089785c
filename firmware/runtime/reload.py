"""A changed configuration file becomes a changed phone, by plan.

The file is read off the loop. What can change at once does, what needs an idle phone waits for it,
and what needs a restart is named. `ctl reload`, SIGHUP and the page all come through here.
"""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from firmware.config.load import Examination, examine_file
from firmware.config.plan import plan
from firmware.config.schema import Settings
from firmware.control.errors import RefusalKind, RefusedError
from firmware.control.schema import ReloadReply
from firmware.phone.view import PhoneView
from firmware.storage.errors import StorageError
from firmware.storage.last_good import LastGood

_LOG = logging.getLogger(__name__)


class Reloader:
    """Applies new settings with `apply(old, new)`; `settings` are those in force."""

    def __init__(
        self, file: Path, settings: Settings, apply: Callable[[Settings, Settings], None]
    ) -> None:
        self._file = file
        self._apply = apply
        self.settings = settings
        self._later: Settings | None = None
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
        found = await asyncio.to_thread(_examine, self._file)
        if found.settings is None:
            faults = "\n".join(str(problem) for problem in found.problems)
            raise RefusedError(faults, RefusalKind.CONFIG)
        steps = plan(self.settings, found.settings)
        self._later = steps.when_idle if steps.waiting else None
        self._use(steps.at_once)
        for key in steps.restart:
            _LOG.warning("%s changes at the next start", key)
        notes = tuple(str(note) for note in found.notes)
        return ReloadReply(steps.applied, steps.waiting, steps.restart, notes)

    def view_changed(self, _old: PhoneView, new: PhoneView) -> None:
        """What waited for the calls to end happens when they have."""
        if self._later is not None and not new.calls:
            later, self._later = self._later, None
            self._use(later)

    def _use(self, settings: Settings) -> None:
        if settings != self.settings:
            old, self.settings = self.settings, settings
            self._apply(old, settings)

    def _asked(self, task: asyncio.Task[ReloadReply]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            _LOG.error("the configuration was not changed: %s", error)
        else:
            _LOG.info(
                "configuration read again: %s", ", ".join(task.result().applied) or "as it was"
            )


def _examine(file: Path) -> Examination:
    found = examine_file(file)
    if found.settings is not None:
        try:
            LastGood.of(file).keep()
        except StorageError as error:
            _LOG.warning("no copy of the good configuration: %s", error)
    return found
