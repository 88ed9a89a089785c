"""What this machine lacks for a board and its sound cards, asked without opening anything.

`deskphone check` says it beforehand; `deskphone run` and the audio process say the same when they
fail. The sentences are the hardware layer's: each names the Debian package that brings what is
missing.
"""

from firmware.config.schema import AudioSettings, BoardSettings
from hal.board import CardSpec
from hal.boards.cards import lacking as card_lacking
from hal.boards.loader import load_board
from hal.boards.opening import lacking
from hal.errors import BoardError


def board_lacks(board: BoardSettings) -> str:
    """What stands between this machine and the board; empty if nothing does.

    A board file that is not here may be on the machine the configuration is meant for.
    """
    try:
        return lacking(load_board(board.name, board.own, board.without))
    except BoardError as error:
        own = board.own or board.without
        return "" if own or isinstance(error.__cause__, FileNotFoundError) else str(error)


def board_faults(board: BoardSettings) -> list[str]:
    """What of the file's own `[board]` cannot be, line by line."""
    if not (board.own or board.without):
        return []
    try:
        load_board(board.name, board.own, board.without)
    except BoardError as error:
        return [] if isinstance(error.__cause__, FileNotFoundError) else str(error).splitlines()
    return []


def cards_lack(audio: AudioSettings, board: BoardSettings) -> dict[str, str]:
    """Why a sound card cannot be used here, by the key that asks for it; each reason once."""
    paths = {
        "audio.handset.card": audio.handset.card,
        "audio.headset.card": audio.headset.card,
        "audio.speaker.card": audio.speaker.card,
        "audio.ringer.card": audio.ringer.card,
    }
    kinds = {"audio.card": audio.card or _own_kind(board)}
    kinds |= {
        key: "alsa" if card.startswith("id:") else card for key, card in paths.items() if card
    }
    lacks: dict[str, str] = {}
    for key, kind in kinds.items():
        reason = card_lacking(CardSpec(kind)) if kind else ""
        if reason and reason not in lacks.values():
            lacks[key] = reason
    return lacks


def _own_kind(board: BoardSettings) -> str:
    try:
        cards = load_board(board.name, board.own, board.without).cards
    except BoardError:
        return ""
    return next((card.kind for card in cards.values()), "")
