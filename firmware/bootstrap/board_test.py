"""`deskphone board test`: the wiring test of `firmware.wiring` with a real board and a terminal.

What is learned is printed as lines of `deskphone.toml`; with `--write`, or if the builder says yes,
they are written into it.
"""

import dataclasses
import sys
from pathlib import Path

from firmware.base.values import replace
from firmware.bootstrap.answers import Answers
from firmware.bootstrap.lessons import write_lessons
from firmware.bootstrap.machine import with_lines
from firmware.bootstrap.trial import BAD_CONFIG, FAULTY, OK, REAL_TIME, TAKEN, Trial, refused, tell
from firmware.config import Examination, examine_file
from firmware.config.schema import BoardSettings, Settings
from firmware.control.errors import SocketPathError, SocketTakenError
from firmware.control.place import find_socket
from firmware.control.socket_file import refuse_if_taken
from firmware.storage.atomic import real_path
from firmware.ui.faults import say_all
from firmware.ui.text import Texts
from firmware.wiring.evidence import Answer
from firmware.wiring.findings import lessons_of
from firmware.wiring.learned import Lesson, lines_of
from hal.board_spec import BoardSpec, Contact
from hal.boards.loader import load_board, silence
from hal.boards.opening import open_board
from hal.errors import BoardError

_PATIENCE = 120.0
"""Seconds in which somebody may say that a file is to be changed."""


def board_test(name: str | None, config: Path | None, *, write: bool) -> int:
    """Walk through the board of this name, or of the settings file; returns the exit code.

    0: nothing was found; 1: something was; 2: there is no such board, or the file cannot be read;
    3: a phone, or another program, has the devices.
    """
    found = examine_file(config) if config is not None else None
    settings = Settings() if config is None or found is None else _beside(found.draft, config)
    texts = Texts.load(settings.phone.language)
    if name is None and found is not None and not _is_readable(found):
        return refused(say_all(found.problems, texts), BAD_CONFIG)
    if name is None and config is None:
        return refused(texts.say("board.test.no_name"), BAD_CONFIG)
    chosen = BoardSettings(name) if name is not None else settings.board
    try:
        spec = load_board(chosen.name, chosen.own, chosen.without)
    except BoardError as error:
        return refused(str(with_lines(error, config) if config else error), BAD_CONFIG)
    if spec.panel is None and _phone_runs(settings.control.path):
        return refused(texts.say("board.test.in_use"), TAKEN)
    if (silent := silence(spec, chosen.own, chosen.without)) is not None:
        (place,) = with_lines(BoardError("", [silent]), config).faults if config else (silent,)
        tell(texts.say("board.test.silent", reason=place))
    answers = Answers(_terminal())
    trial = Trial(spec, lambda post: open_board(measurable(spec), post), texts, answers=answers)
    code = trial.run()
    if code in (OK, FAULTY):
        # What another board taught does not belong into this file.
        own = (config, chosen) if config is not None and chosen == settings.board else None
        _keep(lessons_of(spec, trial.walk.evidence), own, texts, answers, write=write)
    return code


def _beside(settings: Settings, config: Path) -> Settings:
    """A board file is named as seen from the settings file."""
    return replace(settings, board=settings.board.beside(real_path(config).parent))


def _is_readable(found: Examination) -> bool:
    """Whether what it says of the board can be believed."""
    faulty = {problem.key.partition(".")[0] for problem in found.problems}
    return found.document is not None and not found.document.problems and "board" not in faulty


def measurable(spec: BoardSpec) -> BoardSpec:
    """A hook whose contact is to be found out is opened as one kind; the walk tells which it is."""
    if spec.hook is None or not spec.guesses_hook:
        return spec
    hook = dataclasses.replace(spec.hook, lifted=Contact.CLOSED)
    return dataclasses.replace(spec, hook=hook)


def _phone_runs(control: str) -> bool:
    try:
        refuse_if_taken(Path(control) if control else find_socket())
    except SocketTakenError:
        return True
    except SocketPathError:
        return False
    return False


def _terminal() -> int | None:
    try:
        return sys.stdin.fileno()
    except (OSError, ValueError, AttributeError):
        return None


def _keep(
    lessons: list[Lesson],
    own: tuple[Path, BoardSettings] | None,
    texts: Texts,
    answers: Answers,
    *,
    write: bool,
) -> None:
    """Write what was learned into one's `own` file about this board, or say what to write."""
    if not lessons:
        return
    tell(texts.say("board.test.to_write"))
    for line in lines_of(lessons):
        tell(f"  {line}")
    if own is None:
        return
    config, walked = own
    if write or _wants(config, texts, answers):
        done = write_lessons(config, lessons, walked)
        text = "board.test.written" if done else "board.test.not_written"
        tell(texts.say(text, file=config))


def _wants(config: Path, texts: Texts, answers: Answers) -> bool:
    """Ask whoever sits at a terminal; whoever does not answer has not said yes."""
    if not answers.is_terminal:
        return False
    until = REAL_TIME.now() + _PATIENCE
    answers.ask()
    tell(texts.say("board.test.shall_write", file=config))
    while (descriptor := answers.listens_to) is not None and REAL_TIME.now() < until:
        if REAL_TIME.readable([descriptor], until - REAL_TIME.now()):
            answers.read()
        for said in answers.take():
            if said is not None:
                return said is Answer.YES
            tell(texts.say("board.test.shall_write", file=config))
    return False
