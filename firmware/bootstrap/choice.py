"""Which settings `deskphone run` starts with: the file's, those that worked last, or next to none.

A person at a terminal is told the faults and mends them, exit code 2. Under systemd there may be
nobody: there the phone runs without a line and shows why, until a reload finds the file in order
(docs/adr/0007-a-phone-that-says-why.md).
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from firmware.base.phrase import Phrase, phrase
from firmware.config.load import examine_file, without_lines
from firmware.config.machine import with_codecs
from firmware.config.problems import Problem
from firmware.config.schema import Settings
from firmware.storage.last_good import LastGood
from firmware.ui.faults import say_all
from firmware.ui.text import Texts

if TYPE_CHECKING:  # loaded after the first REGISTER
    from firmware.phone.view import Notice


class Chosen(Struct, frozen=True):
    """The settings to run with, and what there is to say about them.

    `good` is kept as the last good file once the phone is up; `fault` is shown until the file is in
    order.
    """

    settings: Settings
    notes: tuple[Phrase, ...] = ()
    good: LastGood | None = None
    fault: "Notice | None" = None


def choose(path: Path | None, state: Path, *, service: bool = False) -> Chosen | None:
    """The settings of a file with notes on them, or those that worked last.

    Faults go to stderr, all of them. If nothing ever worked, a service runs without a line; else
    the answer is None.
    """
    if path is None:
        return Chosen(Settings())
    found, last = with_codecs(examine_file(path)), LastGood.of(path, state)
    problems = found.problems
    if found.settings is not None:
        return Chosen(found.settings, tuple(_placed(note) for note in found.notes), last)
    sys.stderr.write(f"{say_all(problems, Texts.load())}\n")
    settings = last.settings() or (without_lines(found.draft, problems) if service else None)
    return _despite(path, problems, settings) if settings is not None else None


def _despite(path: Path, problems: tuple[Problem, ...], settings: Settings) -> Chosen:
    from firmware.ui.fault_notice import fault_notice  # noqa: PLC0415 - seldom needed

    return Chosen(settings, fault=fault_notice(path, problems, lines=bool(settings.lines)))


def _placed(note: Problem) -> Phrase:
    return phrase("log.note", place=note.place, note=note.phrase)


def is_service(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether systemd runs us as a service (systemd.exec(5)), rather than a person or a script.

    `INVOCATION_ID` is handed down to whatever a service starts, a desktop's terminals among them;
    where systemd is new enough, `SYSTEMD_EXEC_PID` tells who is meant.
    """
    if "NOTIFY_SOCKET" in environment:
        return True
    meant = environment.get("SYSTEMD_EXEC_PID", str(os.getpid()))
    return "INVOCATION_ID" in environment and meant == str(os.getpid())
