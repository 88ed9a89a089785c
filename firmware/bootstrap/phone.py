"""`deskphone run`: a configuration file becomes a running phone."""

import asyncio
import gc
import hashlib
import logging
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from firmware.base.phrase import phrase
from firmware.bootstrap import held_signals
from firmware.bootstrap.choice import Chosen, choose, is_service
from firmware.bootstrap.safe_mode import CRASHES, SETTLED_SECONDS, safe
from firmware.config.machine import missing_codecs
from firmware.config.schema import BoardSettings
from firmware.control.errors import SocketPathError, SocketTakenError
from firmware.control.place import default_socket, make_private
from firmware.control.socket_file import refuse_if_taken
from firmware.net.errors import ListenError, PortTakenError
from firmware.runtime.early import Places, begin, part
from firmware.runtime.spoken import SpokenFormatter
from firmware.runtime.watched_selector import WatchedSelector
from firmware.storage.atomic import real_path
from firmware.storage.errors import StorageError
from firmware.storage.last_good import LastGood
from firmware.storage.starts import Starts
from hal.errors import BoardError, HalError

if TYPE_CHECKING:  # loaded after the first REGISTER
    from collections.abc import Callable, Iterable

    from firmware.config import Examination, Problem, Settings
    from firmware.runtime.program import Program
    from firmware.runtime.reload import Faults
    from hal.board import Board
    from hal.ports import Post

FAILED, BAD_CONFIG, TAKEN = 1, 2, 3
_PANEL_ALONE = BoardSettings("mock")
_LOG = logging.getLogger(__name__)


def run(config_path: str | None, board: str | None, control_path: str | None) -> int:
    """Run the phone until it is stopped; returns the exit code of `deskphone run`."""
    start_logging()
    path = real_path(Path(config_path)) if config_path else None
    chosen = choose(path, state_folder(path), service=is_service())
    if chosen is None:
        return BAD_CONFIG
    places = places_of(path, control_path or chosen.settings.control.path)
    starts = Starts(places.runtime / "starts")
    crashes = starts.note(time.clock_gettime(time.CLOCK_BOOTTIME))
    if crashes >= CRASHES:
        chosen, places = safe(chosen, places, crashes)
    turns = WatchedSelector()
    code = turns.run(_live(chosen, places, _board(board, chosen, path), turns, starts))
    starts.clear()
    return code


def _board(name: str | None, chosen: Chosen, config: Path | None) -> BoardSettings:
    """The file's board; another one by name is as its own file has it."""
    if name:
        return BoardSettings(name)
    board = chosen.settings.board
    return board.beside(config.parent) if config is not None else board


async def _live(
    chosen: Chosen, places: Places, board: BoardSettings, turns: WatchedSelector, starts: Starts
) -> int:
    """Register first, load the rest of the phone while the registrar is thinking.

    It loads in a thread, so that the registrar's challenge is answered meanwhile.
    """
    settings = chosen.settings
    if held_signals.has_come():
        return 0
    leaving = asyncio.Event()
    held_signals.hand_to(asyncio.get_running_loop().add_signal_handler, leaving.set)
    try:
        refuse_if_taken(places.control)
        early = await begin(settings, places)
        make = await asyncio.to_thread(_program)
        if leaving.is_set():
            await part(early)
            return 0
        program = make(
            settings, places, _opener(board, chosen, places.config), early, turns, chosen.fault
        )
        program.faults = _faults_beyond(board, chosen, places.config)
        program.heed_signals()
        held_signals.release()
        await program.start()
        # A class with slots is made twice, and the first of the two is garbage. All else that a
        # start makes stays: the collector need never look at it again.
        gc.collect()
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
    asyncio.get_running_loop().call_later(SETTLED_SECONDS, starts.clear)
    try:
        if chosen.good is not None:
            await asyncio.to_thread(_remember, chosen.good, settings)
        await program.until_stopped()
    finally:
        await program.close()
    return 0


def _remember(last: LastGood, settings: "Settings") -> None:
    try:
        last.keep(read=settings)
    except StorageError as error:
        _LOG.warning(phrase("log.no_copy", reason=error.phrase))


def places_of(config: Path | None, control: str) -> Places:
    """Where this phone keeps its sockets and its memory."""
    socket_path = real_path(Path(control)) if control else default_socket()
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


def open_named_board(board: BoardSettings, post: "Post", config: Path | None = None) -> "Board":
    """A board by name or by the path of its file, with what is different about it here.

    `config` is the file that says what is different, to name the line of a fault.

    Raises:
        HalError: there is none, its file is wrong, or a part cannot be opened.
    """
    from hal.boards.loader import load_board  # noqa: PLC0415 - after the first REGISTER
    from hal.boards.opening import open_board  # noqa: PLC0415 - likewise

    try:
        spec = load_board(board.name, board.own, board.without)
    except BoardError as error:
        if config is None:
            raise
        from firmware.bootstrap.machine import with_lines  # noqa: PLC0415 - of a fault only

        raise with_lines(error, config) from error
    if spec.guesses_hook:
        _LOG.warning(phrase("log.hook_guessed"))
    return open_board(spec, post)


def _faults_beyond(board: BoardSettings, chosen: Chosen, config: Path | None) -> "Faults":
    """What else a reload looks at: the board, unless ours is another than the file's."""
    return _board_faults if board == _board(None, chosen, config) else _no_faults


def _no_faults(_found: "Examination") -> "Iterable[Problem]":
    return ()


def _board_faults(found: "Examination") -> "Iterable[Problem]":
    from firmware.bootstrap.machine import board_faults  # noqa: PLC0415 - of a reload only

    return board_faults(found.draft.board.beside(real_path(Path(found.file)).parent), found)


def _opener(board: BoardSettings, chosen: Chosen, config: Path | None) -> "Callable[[Post], Board]":
    """Opens the board; a service that has none is better off with its page alone than not there.

    A part that cannot be opened may be there when systemd tries again; without settings to trust it
    is no reason to end.
    """
    # With a fault in the file, the settings are those of another day, and its lines are not theirs.
    opened = partial(open_named_board, board, config=config if chosen.fault is None else None)
    if not is_service():
        return opened
    forgiven = BoardError if chosen.fault is None else HalError
    return partial(_open_or_go_without, board.name, opened, forgiven)


def _open_or_go_without(
    name: str, opened: "Callable[[Post], Board]", forgiven: type[HalError], post: "Post"
) -> "Board":
    from hal.events import DeviceFailed  # noqa: PLC0415 - after the first REGISTER

    try:
        return opened(post)
    except forgiven as error:
        post(DeviceFailed(f"board {name}", str(error), 0.0))
        return open_named_board(_PANEL_ALONE, post)


def start_logging(level: int = logging.INFO) -> None:
    """To stderr; under systemd without the time, which the journal adds itself."""
    stamp = "" if "JOURNAL_STREAM" in os.environ else "%(asctime)s "
    handler = logging.StreamHandler()
    handler.setFormatter(SpokenFormatter(f"{stamp}%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler])


def _failed(error: Exception, code: int) -> int:
    sys.stderr.write(f"deskphone: {error}\n")
    return code
