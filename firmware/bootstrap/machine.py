"""What this machine lacks for a board and its sound cards, asked without opening anything.

`deskphone check` says it beforehand; `deskphone run` and the audio process say the same when they
fail. The sentences are the hardware layer's: each names the Debian package that brings what is
missing.
"""

from collections.abc import Iterator
from pathlib import Path

from firmware.config import Examination, Problem, examine_file
from firmware.config.schema import AudioSettings, BoardSettings
from hal.board import CardSpec
from hal.boards.card_facts import absence
from hal.boards.cards import lacking as card_lacking
from hal.boards.loader import load_board, silence
from hal.boards.opening import lacking
from hal.errors import BoardError, BoardFault
from hal.toml_positions import dotted

_DEVICES = ("id:", "usb:")


def board_lacks(board: BoardSettings) -> str:
    """What stands between this machine and the board; empty if nothing does."""
    try:
        return lacking(load_board(board.name, board.own, board.without))
    except BoardError:
        # Told by `board_absent` and `board_faults`.
        return ""


def board_absent(board: BoardSettings) -> bool:
    """Whether the board is a file that is not here; the phone would not start on this machine."""
    try:
        load_board(board.name, board.own, board.without)
    except BoardError as error:
        return isinstance(error.__cause__, FileNotFoundError)
    return False


def board_faults(
    board: BoardSettings, found: Examination, *, elsewhere: bool = False
) -> Iterator[Problem]:
    """What of the board cannot be, of its file or of what `[board]` says, each at its line there.

    `elsewhere`: a board file that is not here may be on the machine the configuration is meant for;
    that is `board_absent`.
    """
    try:
        load_board(board.name, board.own, board.without)
    except BoardError as error:
        if elsewhere and isinstance(error.__cause__, FileNotFoundError):
            return
        for fault in error.faults:
            yield _problem(fault, found)
        if not error.faults:
            yield found.note("board.name", "bad_board", reason=str(error))


def _problem(fault: BoardFault, found: Examination) -> Problem:
    if fault.file:
        return found.note("board.name", "bad_board", reason=str(fault))
    path = ("board", *fault.path)
    args = (("reason", fault.what),)
    return Problem(found.file, found.line_of(path), dotted(path), "bad_board", args)


def silent_board(board: BoardSettings, found: Examination) -> Iterator[Problem]:
    """That no call is heard on this board."""
    try:
        spec = load_board(board.name, board.own, board.without)
    except BoardError:
        return
    if (fault := silence(spec, board.own, board.without)) is None:
        return
    key = "board.name" if fault.file else dotted(("board", *fault.path))
    yield found.note(key, "note_silent_board", reason=str(fault) if fault.file else fault.what)


def guesses_hook(board: BoardSettings) -> bool:
    """Whether the kind of the cradle switch is found out anew at each start."""
    try:
        return load_board(board.name, board.own, board.without).guesses_hook
    except BoardError:
        return False


def with_lines(error: BoardError, config: Path) -> BoardError:
    """The same error; what is wrong in `[board]` of this settings file is told with its line."""
    found = examine_file(config)
    faults = [
        fault if fault.file else fault._replace(file=str(config), line=line, words=f"board.{words}")
        for fault in error.faults
        for line, words in [(found.line_of(("board", *fault.path)), fault.words)]
    ]
    return BoardError("\n".join(map(str, faults)) or str(error), faults)


def cards_lack(audio: AudioSettings, board: BoardSettings) -> dict[str, str]:
    """Why a sound card cannot be used here, by the key that asks for it; each reason once."""
    paths = {f"audio.{path}.card": card for path, card in _own_cards(audio).items()}
    kinds = {"audio.card": audio.card or _own_kind(board)}
    kinds |= {
        key: "alsa" if card.startswith(_DEVICES) else card for key, card in paths.items() if card
    }
    lacks: dict[str, str] = {}
    for key, kind in kinds.items():
        reason = card_lacking(CardSpec(kind)) if kind else ""
        if reason and reason not in lacks.values():
            lacks[key] = reason
    return lacks


def cards_absent(audio: AudioSettings, board: BoardSettings) -> dict[str, str]:
    """That a sound card is not there, by the key that names it; each reason once."""
    found: dict[str, str] = {}
    for key, device in _devices(audio, board):
        reason = absence(CardSpec("alsa", device))
        if reason and reason not in found.values():
            found[key] = reason
    return found


def idle_mixers(audio: AudioSettings, board: BoardSettings) -> list[str]:
    """Cards of the file's own `[board.mixer]` that no sound of this phone comes from."""
    used = {device.partition(",")[0] for _, device in _devices(audio, board)}
    return [device for device in board.mixer if device.partition(",")[0] not in used]


def _own_cards(audio: AudioSettings) -> dict[str, str]:
    return {
        "handset": audio.handset.card,
        "headset": audio.headset.card,
        "speaker": audio.speaker.card,
        "ringer": audio.ringer.card,
    }


def _devices(audio: AudioSettings, board: BoardSettings) -> Iterator[tuple[str, str]]:
    """The ALSA device of each path that has one, after the key that says so."""
    for path, card in _board_cards(board).items():
        own = _own_cards(audio)[path]
        if own.startswith(_DEVICES):
            yield f"audio.{path}.card", own
        elif card.kind == (own or audio.card or card.kind) == "alsa":
            yield "board.name", card.device


def _board_cards(board: BoardSettings) -> dict[str, CardSpec]:
    try:
        return load_board(board.name, board.own, board.without).cards
    except BoardError:
        return {}


def _own_kind(board: BoardSettings) -> str:
    return next((card.kind for card in _board_cards(board).values()), "")
