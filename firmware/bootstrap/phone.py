"""`deskphone run`: a configuration file becomes a running phone."""

import asyncio
import gc
import hashlib
import logging
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firmware.base.phrase import Phrase, phrase
from firmware.codec import available
from firmware.config.load import examine_file
from firmware.config.machine import missing_codecs
from firmware.config.problems import Problem, Wrong
from firmware.config.schema import Settings
from firmware.control.errors import SocketPathError, SocketTakenError
from firmware.control.place import default_socket, make_private
from firmware.control.socket_file import refuse_if_taken
from firmware.net.errors import ListenError, PortTakenError
from firmware.runtime.early import Places, begin
from firmware.runtime.spoken import SpokenFormatter
from firmware.runtime.turns import Turns
from firmware.storage.errors import StorageError
from firmware.storage.last_good import LastGood
from firmware.ui.faults import say_all
from firmware.ui.text import Texts
from hal.errors import BoardError, HalError

if TYPE_CHECKING:  # loaded after the first REGISTER
    from firmware.runtime.program import Program
    from hal.board import Board
    from hal.ports import Post

FAILED, BAD_CONFIG, TAKEN = 1, 2, 3
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The settings to run with; `good` is kept as the last good file once the phone is up."""

    settings: Settings
    notes: tuple[Phrase, ...] = ()
    good: LastGood | None = None


def run(config_path: str | None, board: str | None, control_path: str | None) -> int:
    """Run the phone until it is stopped; returns the exit code of `deskphone run`."""
    start_logging()
    path = Path(config_path).resolve() if config_path else None
    chosen = choose(path, state_folder(path))
    if chosen is None:
        return BAD_CONFIG
    places = places_of(path, control_path or chosen.settings.control.path)
    turns = Turns()
    return turns.run(_live(chosen, places, board or chosen.settings.board.name, turns))


async def _live(chosen: Chosen, places: Places, board: str, turns: Turns) -> int:
    """Register first, load the rest of the phone while the registrar is thinking.

    It loads in a thread, so that the registrar's challenge is answered meanwhile.
    """
    settings = chosen.settings
    try:
        refuse_if_taken(places.control)
        early = await begin(settings, places)
        make = await asyncio.to_thread(_program)
        program = make(settings, places, partial(open_named_board, board), early, turns)
        await program.start()
        # All that a start makes stays: the collector need never look at it again.
        gc.freeze()
        gc.enable()
    except (PortTakenError, SocketTakenError) as error:
        return _failed(error, TAKEN)
    except BoardError as error:
        return _failed(error, BAD_CONFIG)
    except (HalError, SocketPathError, ListenError) as error:
        return _failed(error, FAILED)
    for note in (*chosen.notes, *(lack.phrase for lack in missing_codecs(settings.audio.codecs))):
        _LOG.info(note)
    try:
        if chosen.good is not None:
            await asyncio.to_thread(_remember, chosen.good)
        await program.until_stopped()
    finally:
        await program.close()
    return 0


def choose(path: Path | None, state: Path) -> Chosen | None:
    """The settings of a file with notes on them, or those that worked last.

    Faults go to stderr, all of them; None if nothing ever worked.
    """
    if path is None:
        return Chosen(Settings())
    found, last = examine_file(path), LastGood.of(path, state)
    if found.settings is not None and available(found.settings.audio.codecs):
        return Chosen(found.settings, tuple(_placed(note) for note in found.notes), last)
    problems = found.problems or (found.place("audio.codecs", Wrong("no_codec")),)
    sys.stderr.write(f"{say_all(problems, Texts.load())}\n")
    settings = last.settings()
    if settings is None:
        return None
    _LOG.error(phrase("log.last_good", file=path))
    return Chosen(settings)


def _remember(last: LastGood) -> None:
    try:
        last.keep()
    except StorageError as error:
        _LOG.warning(phrase("log.no_copy", reason=error.phrase))


def _placed(note: Problem) -> Phrase:
    return phrase("log.note", place=note.place, note=note.phrase)


def places_of(config: Path | None, control: str) -> Places:
    """Where this phone keeps its sockets and its memory."""
    socket_path = Path(control).resolve() if control else default_socket()
    if not control:
        make_private(socket_path.parent)
    return Places(config, socket_path, state_folder(config))


def state_folder(config: Path | None) -> Path:
    """What outlives a restart: systemd's folder, else the user's, one for each configuration."""
    if (systemd := os.environ.get("STATE_DIRECTORY")) is not None:
        return Path(systemd.split(":")[0])
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local/state")
    name = hashlib.sha256(str(config).encode()).hexdigest()[:12] if config else "default"
    return Path(home) / "deskphone" / name


def _program() -> "type[Program]":
    from firmware.runtime.program import Program  # noqa: PLC0415 - see `_live`

    return Program


def open_named_board(name: str, post: "Post") -> "Board":
    """A board by name or by the path of its file.

    Raises:
        HalError: there is none, its file is wrong, or a part cannot be opened.
    """
    from hal.boards.loader import load_board  # noqa: PLC0415 - after the first REGISTER
    from hal.boards.opening import open_board  # noqa: PLC0415 - likewise

    return open_board(load_board(name), post)


def start_logging(level: int = logging.INFO) -> None:
    """To stderr; under systemd without the time, which the journal adds itself."""
    stamp = "" if "JOURNAL_STREAM" in os.environ else "%(asctime)s "
    handler = logging.StreamHandler()
    handler.setFormatter(SpokenFormatter(f"{stamp}%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


def _failed(error: Exception, code: int) -> int:
    sys.stderr.write(f"deskphone: {error}\n")
    return code
