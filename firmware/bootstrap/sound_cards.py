"""`deskphone board cards`: the sound cards of this machine, and the mixer of one of them.

What is printed of a mixer may stand in `deskphone.toml` as it is. Nothing is changed.
"""

import sys

from firmware.ui.text import Texts
from firmware.wiring.learned import toml
from hal.boards.card_facts import Control, PresentCard, absence, listed, present_cards, read_mixer
from hal.card_spec import CardSpec
from hal.errors import DeviceError

OK, NOTHING = 0, 1
_NONE = "-"
_CARDS = ("id:", "usb:")


def show_cards(device: str | None) -> int:
    """List all cards, or the controls of one; 1 if there is no such thing."""
    cards = present_cards()
    if device is not None:
        return _mixer(_meant(device, cards), cards)
    if not cards:
        return _refused(Texts.load().say("board.cards.none"))
    _print(_rows(cards))
    return OK


def _rows(cards: list[PresentCard]) -> list[str]:
    """One row a card: its two names, and what it calls itself."""
    table = [(f"id:{c.id}", f"usb:{c.port}" if c.port else _NONE, c.title) for c in cards]
    widths = [max(len(row[column]) for row in table) for column in range(2)]
    return [f"{a:{widths[0]}}  {b:{widths[1]}}  {c}".rstrip() for a, b, c in table]


def _meant(device: str, cards: list[PresentCard]) -> str:
    """A bare id is understood, too."""
    return f"id:{device}" if device in {card.id for card in cards} else device


def _mixer(device: str, cards: list[PresentCard]) -> int:
    if reason := absence(CardSpec("alsa", device)):
        return _refused(reason)
    try:
        controls = read_mixer(device)
    except DeviceError as error:
        # A name of ALSA's own; perhaps a card was meant.
        there = "" if device.startswith(_CARDS) else f"; {listed(cards)}"
        return _refused(f"{error}{there}")
    _print([f"[board.mixer.{toml(device)}]", *(_line(control) for control in controls)])
    return OK


def _refused(words: str) -> int:
    sys.stderr.write(f"deskphone: {words}\n")
    return NOTHING


def _line(control: Control) -> str:
    return f"{toml(control.name)} = {toml(control.value)}"


def _print(lines: list[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
